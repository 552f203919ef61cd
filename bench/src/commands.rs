//! Durable commands over HTTP: `POST /api/orders`, answered after the fsync, with both projections
//! running, and with the API alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::Row;
use crate::client::{Connection, post};
use crate::orders::order;
use crate::server::Server;

const SECONDS: u64 = 8;
/// Commands a second that the service is to reach; its latency is looked at at half of that.
const GOAL: f64 = 20_000.0;

pub async fn create() -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, arguments) in [
        ("role api", &["serve", "--role", "api"][..]),
        ("all in one process", &["up", "--no-traffic", "--no-console"][..]),
    ] {
        let mut fastest = 0.0_f64;
        for concurrency in [1, 8, 64, 256] {
            let folder = tempfile::tempdir_in(".").unwrap();
            let server = Server::start(folder.path(), arguments);
            let (rate, latencies) = closed_loop(&server, concurrency, SECONDS).await;
            fastest = fastest.max(rate);
            rows.push(Row::new(
                format!("create, {name}, {concurrency} at once"),
                rate,
                "commands/s",
                percentiles(&latencies),
            ));
        }
        let folder = tempfile::tempdir_in(".").unwrap();
        let server = Server::start(folder.path(), arguments);
        for due in [GOAL / 2.0, fastest / 2.0] {
            let (rate, latencies) = open_loop(&server, due, 256, SECONDS).await;
            let what = format!("create, {name}, open loop, due at {due:.0}/s");
            rows.push(Row::new(what, rate, "commands/s", percentiles(&latencies)));
        }
    }
    rows
}

pub fn percentiles(latencies: &Histogram<u64>) -> String {
    let ms = |quantile| latencies.value_at_quantile(quantile) as f64 / 1_000_000.0;
    format!("p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms", ms(0.5), ms(0.99), ms(0.999))
}

pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1_000, 60_000_000_000, 3).unwrap()
}

/// Each connection sends its next request when the last is answered.
pub async fn closed_loop(server: &Server, concurrency: usize, seconds: u64) -> (f64, Histogram<u64>) {
    let number = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..concurrency)
        .map(|_| {
            let (address, number) = (server.address, Arc::clone(&number));
            tokio::spawn(async move {
                let mut connection = Connection::open(address).await.unwrap();
                let mut latencies = histogram();
                while begun.elapsed() < Duration::from_secs(seconds) {
                    let request = post("/api/orders", &order(number.fetch_add(1, Ordering::Relaxed)));
                    let sent = Instant::now();
                    let answer = connection.send(&request).await.unwrap();
                    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
                    latencies.saturating_record(sent.elapsed().as_nanos() as u64);
                }
                latencies
            })
        })
        .collect();
    let latencies = gather(tasks).await;
    (latencies.len() as f64 / begun.elapsed().as_secs_f64(), latencies)
}

/// Requests are due at fixed times; latency counts from when a request was due, not from when a
/// connection became free for it (no coordinated omission).
pub async fn open_loop(server: &Server, rate: f64, concurrency: usize, seconds: u64) -> (f64, Histogram<u64>) {
    let number = Arc::new(AtomicU64::new(0));
    let begun = Instant::now() + Duration::from_millis(100);
    let tasks: Vec<_> = (0..concurrency)
        .map(|_| {
            let (address, number) = (server.address, Arc::clone(&number));
            tokio::spawn(async move {
                let mut connection = Connection::open(address).await.unwrap();
                let mut latencies = histogram();
                loop {
                    let number = number.fetch_add(1, Ordering::Relaxed);
                    let due = begun + Duration::from_secs_f64(number as f64 / rate);
                    if due.duration_since(begun) > Duration::from_secs(seconds) {
                        return latencies;
                    }
                    let request = post("/api/orders", &order(number));
                    tokio::time::sleep_until(due.into()).await;
                    let answer = connection.send(&request).await.unwrap();
                    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
                    latencies.saturating_record(due.elapsed().as_nanos() as u64);
                }
            })
        })
        .collect();
    let latencies = gather(tasks).await;
    (latencies.len() as f64 / begun.elapsed().as_secs_f64(), latencies)
}

pub async fn gather(tasks: Vec<tokio::task::JoinHandle<Histogram<u64>>>) -> Histogram<u64> {
    let mut all = histogram();
    for task in tasks {
        all.add(task.await.unwrap()).unwrap();
    }
    all
}
