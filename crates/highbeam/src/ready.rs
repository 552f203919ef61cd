//! Tells the outside that the process is ready and where it listens: a JSON file, written whole or not
//! at all, so that scripts and tests wait for a fact and not for a while.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// Where a process listens. Parts that it does not run are left out.
#[derive(Debug, Clone, Serialize)]
pub struct Ready {
    /// The process's id.
    pub pid: u32,
    /// The API, or the operations routes of a projector.
    pub api: String,
}

impl Ready {
    /// For a process that listens on `address`.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self { pid: std::process::id(), api: base_url(address) }
    }

    /// Writes the file: first beside it, then in its place.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{}", self.pid));
        let temporary = PathBuf::from(temporary);
        std::fs::write(&temporary, serde_json::to_vec(self)?)?;
        std::fs::rename(&temporary, path)
    }
}

/// The URL under which this machine reaches a listening address: the unspecified address stands for
/// loopback.
#[must_use]
pub fn base_url(address: SocketAddr) -> String {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_names_what_can_be_reached() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ready.json");
        Ready::new("0.0.0.0:5007".parse().unwrap()).write(&path).unwrap();
        let ready: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(ready, serde_json::json!({ "pid": std::process::id(), "api": "http://127.0.0.1:5007" }));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
