//! What the way to KurrentDB costs: appends over a socket to the test server, which keeps a list in
//! memory, so nothing but protocol and client is measured. Beside it KurrentDB's own crate, asked for the
//! same in the same run; `make bench-peers` builds it, and without it, a line says so.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use ::kurrentdb::{EventStore, Settings};

use crate::Row;
use crate::store::{append_one, appends_a_second};

const SERVER: &str = "target/release/kurrentdb-testserver";
const OFFICIAL: &str = "bench/kurrentdb-official/target/release/bench-kurrentdb-official";
const SECONDS: u64 = 3;
const ROUNDS: usize = 5;

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The test server in a process of its own, and its connection string.
fn start() -> (Server, String) {
    use std::io::{BufRead, BufReader};
    let mut child = Command::new(SERVER).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    (Server(child), url.trim().to_owned())
}

pub async fn append() -> Vec<Row> {
    if !Path::new(SERVER).exists() {
        println!("the KurrentDB test server is not there: cargo build --release --package kurrentdb-testserver");
        return Vec::new();
    }
    let mut rows = Vec::new();
    for concurrency in [1, 64] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        // In turns, so that what else the machine does meets both.
        for _ in 0..ROUNDS {
            let (_server, url) = start();
            ours.push(our_client(&url, concurrency).await);
            let (_server, url) = start();
            theirs.extend(official(&url, concurrency));
        }
        let ratio = median(ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect());
        let name = |client: &str| format!("append to KurrentDB's test server, {client}, {concurrency} at once");
        let detail = ratio.map_or(String::new(), |ratio| format!("{ratio:.1} times the official crate"));
        rows.push(Row::new(name("our client"), median(ours).unwrap_or_default(), "events/s", detail));
        if let Some(rate) = median(theirs) {
            rows.push(Row::new(name("official crate"), rate, "events/s", "nothing durable, as above"));
        }
    }
    rows
}

async fn our_client(url: &str, concurrency: u64) -> f64 {
    let store = EventStore::open(Settings::parse(url).unwrap()).unwrap();
    append_one(&store, 0).await;
    appends_a_second(&store, concurrency, SECONDS).await
}

fn official(url: &str, concurrency: u64) -> Option<f64> {
    if !Path::new(OFFICIAL).exists() {
        println!("KurrentDB's own crate is not there to be measured beside: make bench-peers");
        return None;
    }
    let output = Command::new(OFFICIAL).args([url, &concurrency.to_string(), &SECONDS.to_string()]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(text.trim().parse().unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr))))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
