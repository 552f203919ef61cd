//! The peer: UmaDB, an event store in Rust that is durable by default, asked over its own gRPC for the
//! same appends in the same run. `make bench-peers` installs it; without it, a line says so.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Row;

const SERVER: &str = "target/tools/bin/umadb";
/// Its client's dependencies are nothing that the workspace needs, so it is built apart.
const CLIENT: &str = "bench/umadb/target/release/bench-umadb";
const SECONDS: &str = "8";

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Durable appends at the concurrencies that `commands` and `store` are measured at.
pub fn append() -> Vec<Row> {
    if !Path::new(SERVER).exists() || !Path::new(CLIENT).exists() {
        println!("UmaDB is not there to be measured beside: make bench-peers");
        return Vec::new();
    }
    let mut rows = Vec::new();
    for concurrency in [1, 8, 64, 256] {
        let folder = tempfile::tempdir_in(".").unwrap();
        let (_server, url) = start(folder.path());
        let output = Command::new(CLIENT).args([&url, &concurrency.to_string(), SECONDS]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let rate = text.trim().parse().unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
        rows.push(Row::new(format!("append to UmaDB, {concurrency} at once"), rate, "events/s", "durable, over gRPC"));
    }
    rows
}

fn start(folder: &Path) -> (Server, String) {
    // Free when it is asked for; nothing else on this machine takes ports meanwhile.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let child = Command::new(SERVER)
        .args(["--listen", &address.to_string(), "--db-path"])
        .arg(folder.join("uma.db"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let server = Server(child);
    let begun = Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10), "UmaDB does not listen");
        std::thread::sleep(Duration::from_millis(10));
    }
    (server, format!("http://{address}"))
}
