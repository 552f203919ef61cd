//! What of the dispatcher outlives the process, in one small file that is replaced as a whole.

use std::io::Write;
use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::{log, silence};

/// Bytes of the file at most.
const BYTES_MAX: u64 = 64 << 20;

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(default)]
    pub(super) silences: Vec<silence::Kept>,
    #[serde(default)]
    pub(super) notifications: Vec<log::Kept>,
}

/// The content of the file in which a dispatcher outlived its process; `None` if there is none.
///
/// # Errors
/// When it cannot be read, or is larger than it can be.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(found) if found.len() > BYTES_MAX => Err(io::Error::other("it is larger than it can be")),
        Ok(_) => fs::read(path).map(Some),
    }
}

/// Replaces the file, so that at any time there is either the one before or the new one as a whole.
///
/// # Errors
/// When the system refuses it.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("json.new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
