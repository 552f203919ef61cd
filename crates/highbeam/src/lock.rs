//! A lock on a projection's file, so that one process at a time runs the projection. The system lets go
//! of it when the process ends, however it ends.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::commands::Error;

/// Held for as long as the projection runs.
pub(crate) struct Lock(#[expect(dead_code, reason = "held, not used")] File);

impl Lock {
    /// Takes the lock that stands beside the projection's file.
    pub(crate) fn take(projection_file: &Path, name: &str) -> Result<Self, Error> {
        let mut path = projection_file.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let failed =
            |reason: &dyn std::fmt::Display| Error::Failed(format!("cannot lock {}: {reason}", path.display()));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        }
        let file = File::options().create(true).append(true).open(&path).map_err(|error| failed(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(failed(&format!(
                "another process runs the projection {name} on this data; stop it, or set DATA_DIR to another folder"
            ))),
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        }
    }
}
