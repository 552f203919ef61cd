//! Appends through KurrentDB's own crate: `bench-kurrentdb-official URL CONCURRENCY SECONDS` prints a rate.
//! The event has the bytes that an order of ours has.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kurrentdb::{AppendToStreamOptions, Client, EventData, StreamState};
use uuid::Uuid;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, url, concurrency, seconds] = arguments.as_slice() else {
        panic!("bench-kurrentdb-official URL CONCURRENCY SECONDS")
    };
    let concurrency: usize = concurrency.parse().unwrap();
    let client = Client::new(url.parse().unwrap()).unwrap();
    // The connection is not what is measured.
    let options = AppendToStreamOptions::default().stream_state(StreamState::NoStream);
    let first = EventData::binary("ORDER_CREATED", order(0).into()).id(Uuid::new_v4());
    client.append_to_stream(format!("order-{}", Uuid::new_v4()), &options, first).await.unwrap();
    let end = Instant::now() + Duration::from_secs(seconds.parse().unwrap());
    let count = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..concurrency {
        let (client, count) = (client.clone(), Arc::clone(&count));
        tasks.push(tokio::spawn(async move {
            let options = AppendToStreamOptions::default().stream_state(StreamState::NoStream);
            while Instant::now() < end {
                let number = count.fetch_add(1, Ordering::Relaxed);
                let stream = format!("order-{}", Uuid::new_v4());
                let event = EventData::binary("ORDER_CREATED", order(number).into()).id(Uuid::new_v4());
                client.append_to_stream(stream, &options, event).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    println!("{:.0}", count.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64());
}

fn order(number: u64) -> String {
    format!(
        r#"{{"shopItems":[{{"id":"{number}","title":"Green tea {number}","description":"Loose leaf, first flush, {number} g","quantity":2,"price":12.5}},{{"id":"2","title":"Teapot","description":"Cast iron, black","quantity":1,"price":34.99}}],"accountEmail":"customer{number}@example.com","deliveryAddress":"{number} Main Street, Springfield"}}"#
    )
}
