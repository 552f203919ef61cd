//! From the start of the process to readiness with 100,000 orders on disk, and memory when idle.

use crate::Row;
use crate::reads::create;
use crate::server::Server;

const ORDERS: u64 = 100_000;

pub async fn ready_and_idle() -> Vec<Row> {
    let folder = tempfile::tempdir_in(".").unwrap();
    let empty = Server::start(folder.path(), &["up", "--no-traffic", "--no-console"]);
    let megabytes = |server: &Server| server.resident() as f64 / 1_048_576.0;
    std::thread::sleep(std::time::Duration::from_secs(2));
    let mut rows = vec![Row::new("idle, empty", megabytes(&empty), "MiB RSS", "2 s after the start")];
    create(&empty, ORDERS).await;
    drop(empty);
    let mut times: Vec<_> =
        (0..5).map(|_| Server::start(folder.path(), &["up", "--no-traffic", "--no-console"]).started_in).collect();
    times.sort();
    let detail = format!("median of 5, {} to {} ms", times[0].as_millis(), times[4].as_millis());
    rows.push(Row::new("start to ready, 100,000 orders", times[2].as_secs_f64() * 1_000.0, "ms", detail));
    let full = Server::start(folder.path(), &["up", "--no-traffic", "--no-console"]);
    std::thread::sleep(std::time::Duration::from_secs(2));
    rows.push(Row::new("idle, 100,000 orders", megabytes(&full), "MiB RSS", "2 s after the start"));
    rows
}
