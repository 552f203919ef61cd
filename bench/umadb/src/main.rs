//! Durable appends to a UmaDB server over gRPC: `bench-umadb URL CONCURRENCY SECONDS` prints a rate. The
//! event has the bytes that an order of ours has.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use umadb_client::UmaDbClient;
use umadb_dcb::{DcbEvent, DcbEventStoreAsync};
use uuid::Uuid;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, url, concurrency, seconds] = arguments.as_slice() else { panic!("bench-umadb URL CONCURRENCY SECONDS") };
    let concurrency: usize = concurrency.parse().unwrap();
    let end = Instant::now() + Duration::from_secs(seconds.parse().unwrap());
    let count = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..concurrency {
        let client = UmaDbClient::new(url.clone()).connect_async().await.unwrap();
        let count = Arc::clone(&count);
        tasks.push(tokio::spawn(async move {
            while Instant::now() < end {
                let number = count.fetch_add(1, Ordering::Relaxed);
                let stream = format!("order-{}", Uuid::new_v4());
                let event = DcbEvent::default()
                    .event_type("ORDER_CREATED")
                    .tags([stream.as_str()])
                    .data(order(number).as_bytes())
                    .uuid(Uuid::new_v4());
                client.append(vec![event], None, None).await.unwrap();
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
