//! The key that signs cursors: derived from a setting, or made once and kept in the data folder, so
//! that cursors survive a restart.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::commands::Error;

/// The key for this process.
pub(crate) fn cursor_key(secret: Option<&SecretString>, data_dir: &Path) -> Result<[u8; 32], Error> {
    if let Some(secret) = secret {
        return Ok(Sha256::digest(secret.expose_secret().as_bytes()).into());
    }
    let path = data_dir.join("cursor.key");
    let failed = |error: &dyn std::fmt::Display| {
        Error::Failed(format!("cannot keep the cursor key {}: {error}; or set CURSOR_SECRET", path.display()))
    };
    std::fs::create_dir_all(data_dir).map_err(|error| failed(&error))?;
    let made = std::fs::File::options().write(true).create_new(true).mode(0o600).open(&path);
    match made {
        Ok(mut file) => {
            let key: [u8; 32] = rand::random();
            file.write_all(&key).and_then(|()| file.sync_all()).map_err(|error| failed(&error))?;
            Ok(key)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let mut key = [0; 32];
            let mut file = std::fs::File::open(&path).map_err(|error| failed(&error))?;
            file.read_exact(&mut key).map_err(|_| failed(&"it is too short; remove it, and a new one will be made"))?;
            Ok(key)
        }
        Err(error) => Err(failed(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let key = cursor_key(None, folder.path()).unwrap();
        assert_eq!(cursor_key(None, folder.path()).unwrap(), key);
        let other = SecretString::from("0123456789abcdef");
        assert_ne!(cursor_key(Some(&other), folder.path()).unwrap(), key);
    }
}
