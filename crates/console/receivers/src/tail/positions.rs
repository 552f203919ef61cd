//! Up to where files were read, on disk: written anew and put in place of the old at once, so that there is
//! always a whole one. When it is written is not decided here.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::file::{Followed, Identity, head};

/// Bytes of the file, some thousand files of long names.
const FILE_BYTES_MAX: u64 = 16 << 20;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) path: PathBuf,
    device: u64,
    inode: u64,
    pub(super) offset: u64,
    head_bytes: u64,
    head_hash: String,
}

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    files: Vec<Position>,
}

impl Position {
    pub(super) fn of(followed: &Followed) -> Self {
        let (offset, head) = followed.position();
        Self {
            path: followed.path.clone(),
            device: followed.identity.device,
            inode: followed.identity.inode,
            offset,
            head_bytes: head.len() as u64,
            head_hash: hash(head),
        }
    }

    pub(super) fn is_of(&self, identity: Identity) -> bool {
        (self.device, self.inode) == (identity.device, identity.inode)
    }

    /// Whether the file there is still the one that was read: long enough, and with the same beginning.
    pub(super) fn fits(&self, path: &Path) -> bool {
        let fits = || -> io::Result<bool> {
            let file = File::open(path)?;
            let metadata = file.metadata()?;
            let is_long_enough = metadata.len() >= self.offset && self.head_bytes <= self.offset;
            Ok(self.is_of(Identity::of(&metadata))
                && is_long_enough
                && hash(&head(&file, self.head_bytes)?) == self.head_hash)
        };
        fits().unwrap_or(false)
    }
}

/// FNV-1a, which is the same in every version of everything.
fn hash(bytes: &[u8]) -> String {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}

/// The positions; none if there is no file yet.
pub(super) fn load(path: &Path) -> io::Result<Vec<Position>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?,
    };
    let mut text = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    let document: Document = serde_json::from_str(&text)?;
    if document.version != 1 {
        return Err(io::Error::other(format!("version {} of positions is not known", document.version)));
    }
    Ok(document.files)
}

pub(super) fn save(path: &Path, files: Vec<Position>) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let mut file = File::create(&temporary)?;
    file.write_all(&serde_json::to_vec(&Document { version: 1, files })?)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
