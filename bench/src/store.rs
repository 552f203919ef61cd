//! The event store called directly, without HTTP: what group commit makes of the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use eventsourcing::{EventId, EventStore, ExpectedRevision, NewEvent, Revision, clock};
use uuid::Uuid;

use crate::Row;
use crate::orders::order;

const SECONDS: u64 = 5;

pub async fn append() -> Vec<Row> {
    let mut rows = Vec::new();
    for concurrency in [1, 8, 64, 256] {
        let folder = tempfile::tempdir_in(".").unwrap();
        let store = sqlite::EventStore::open(folder.path().join("events.db"), Arc::new(clock::System)).unwrap();
        let rate = appends_a_second(&store, concurrency, SECONDS).await;
        rows.push(Row::new(
            format!("append to the store, {concurrency} at once"),
            rate,
            "events/s",
            "durable, no HTTP",
        ));
    }
    rows
}

/// So many at once, for so many seconds.
pub async fn appends_a_second<S>(store: &S, concurrency: u64, seconds: u64) -> f64
where
    S: EventStore + Clone + 'static,
{
    let (begun, count) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let tasks: Vec<_> = (0..concurrency)
        .map(|_| {
            let (store, count) = (store.clone(), Arc::clone(&count));
            tokio::spawn(async move {
                while begun.elapsed() < Duration::from_secs(seconds) {
                    append_one(&store, count.fetch_add(1, Ordering::Relaxed)).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    count.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

pub async fn append_one(store: &dyn EventStore, number: u64) {
    let command = Uuid::now_v7();
    let stream = delivery::models::OrderId(command).stream();
    let event = NewEvent {
        id: EventId::derive(&stream, Revision::FIRST, command),
        event_type: "ORDER_CREATED".into(),
        data: order(number).into(),
        metadata: r#"{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","schemaVersion":2}"#
            .into(),
    };
    store.append(&stream, ExpectedRevision::NoStream, vec![event]).await.unwrap();
}
