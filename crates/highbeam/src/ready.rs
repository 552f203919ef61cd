//! Tells the outside that the process is ready and where it listens: a JSON file, written whole or not
//! at all, so that scripts and tests wait for a fact and not for a while.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// Where a process listens. Parts that it does not run are left out.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    /// The process's id.
    pub pid: u32,
    /// The API, or the operations routes of a projector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// The console's pages and query APIs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console: Option<String>,
    /// Where the console takes OTLP over gRPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_grpc: Option<String>,
    /// Where the console takes OTLP over HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_http: Option<String>,
}

/// Where a console listens.
#[derive(Debug, Clone, Copy)]
pub struct ConsoleAddresses {
    /// Pages and query APIs.
    pub console: SocketAddr,
    /// OTLP over gRPC.
    pub otlp_grpc: SocketAddr,
    /// OTLP over HTTP.
    pub otlp_http: SocketAddr,
}

impl Ready {
    /// For a process with these parts.
    #[must_use]
    pub fn new(api: Option<SocketAddr>, console: Option<ConsoleAddresses>) -> Self {
        Self {
            pid: std::process::id(),
            api: api.map(base_url),
            console: console.map(|addresses| base_url(addresses.console)),
            otlp_grpc: console.map(|addresses| base_url(addresses.otlp_grpc)),
            otlp_http: console.map(|addresses| base_url(addresses.otlp_http)),
        }
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
        let console = ConsoleAddresses {
            console: "127.0.0.1:5017".parse().unwrap(),
            otlp_grpc: "127.0.0.1:4317".parse().unwrap(),
            otlp_http: "[::]:4318".parse().unwrap(),
        };
        Ready::new(Some("0.0.0.0:5007".parse().unwrap()), Some(console)).write(&path).unwrap();
        let ready: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let expected = serde_json::json!({
            "pid": std::process::id(), "api": "http://127.0.0.1:5007", "console": "http://127.0.0.1:5017",
            "otlpGrpc": "http://127.0.0.1:4317", "otlpHttp": "http://[::1]:4318",
        });
        assert_eq!(ready, expected);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
