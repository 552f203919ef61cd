//! The program under measurement: the release build, on a folder of its own and a free port.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From the start of the process to its readiness.
    pub started_in: Duration,
}

pub fn binary() -> PathBuf {
    std::env::var_os("HIGHBEAM").map_or_else(|| PathBuf::from("target/release/highbeam"), PathBuf::from)
}

impl Server {
    pub fn start(data_dir: &Path, arguments: &[&str]) -> Self {
        let ready = data_dir.join("ready.json");
        let _ = std::fs::remove_file(&ready);
        let log = std::fs::File::create(data_dir.join("log")).unwrap();
        let begun = Instant::now();
        let mut child = Command::new(binary())
            .args(arguments)
            .args(if arguments.contains(&"--logger-level") { &[][..] } else { &["--logger-level", "warn"] })
            .args(["--port", "0", "--data-dir"])
            .arg(data_dir)
            .arg("--ready-file")
            .arg(&ready)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; run `make bench`", binary().display()));
        let url = loop {
            if let Some(status) = child.try_wait().unwrap() {
                let log = std::fs::read_to_string(data_dir.join("log")).unwrap_or_default();
                panic!("highbeam ended before it was ready ({status}): {log}");
            }
            if let Ok(bytes) = std::fs::read(&ready) {
                let ready: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                break ready["api"].as_str().unwrap().to_owned();
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let started_in = begun.elapsed();
        let address = url.trim_start_matches("http://").parse().unwrap();
        Self { child, address, started_in }
    }

    /// Resident memory, in bytes.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
