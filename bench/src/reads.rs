//! Reads by id over HTTP, from the read model.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Row;
use crate::client::{Connection, get, post};
use crate::commands::{gather, histogram, percentiles};
use crate::orders::order;
use crate::server::Server;

const ORDERS: u64 = 10_000;
const SECONDS: u64 = 6;

pub async fn by_id() -> Vec<Row> {
    let folder = tempfile::tempdir_in(".").unwrap();
    let server = Server::start(folder.path(), &["up", "--no-traffic", "--no-console"]);
    let ids = Arc::new(create(&server, ORDERS).await);
    let mut rows = Vec::new();
    for concurrency in [1, 64] {
        let begun = Instant::now();
        let tasks: Vec<_> = (0..concurrency)
            .map(|task| {
                let (address, ids) = (server.address, Arc::clone(&ids));
                tokio::spawn(async move {
                    let mut connection = Connection::open(address).await.unwrap();
                    let mut latencies = histogram();
                    let mut next = task * 7_919;
                    while begun.elapsed() < Duration::from_secs(SECONDS) {
                        next = (next + 7_919) % ids.len();
                        let sent = Instant::now();
                        let answer = connection.send(&get(&format!("/api/orders/{}", ids[next]))).await.unwrap();
                        assert_eq!(answer.status, 200);
                        latencies.saturating_record(sent.elapsed().as_nanos() as u64);
                    }
                    latencies
                })
            })
            .collect();
        let latencies = gather(tasks).await;
        let rate = latencies.len() as f64 / begun.elapsed().as_secs_f64();
        rows.push(Row::new(format!("read by id, {concurrency} at once"), rate, "reads/s", percentiles(&latencies)));
    }
    rows
}

/// Creates orders over 64 connections and waits until the read model has them.
pub async fn create(server: &Server, orders: u64) -> Vec<String> {
    let tasks: Vec<_> = (0..64)
        .map(|task| {
            let address = server.address;
            tokio::spawn(async move {
                let mut connection = Connection::open(address).await.unwrap();
                let mut ids = Vec::new();
                for number in (task..orders).step_by(64) {
                    let answer = connection.send(&post("/api/orders", &order(number))).await.unwrap();
                    assert_eq!(answer.status, 201);
                    ids.push(serde_json::from_slice::<String>(&answer.body).unwrap());
                }
                ids
            })
        })
        .collect();
    let mut ids = Vec::new();
    for task in tasks {
        ids.extend(task.await.unwrap());
    }
    let mut connection = Connection::open(server.address).await.unwrap();
    loop {
        let path = format!("/api/orders?limit=1&minPosition={orders}&waitMs=10000");
        if connection.send(&get(&path)).await.unwrap().status == 200 {
            return ids;
        }
    }
}
