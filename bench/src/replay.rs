//! A rebuild: one million events of the store into an empty read model.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use delivery::repository::{GenerationState, ProjectionStore};
use eventsourcing::{EventId, EventStore, ExpectedRevision, Position, Revision, clock};
use projector::{Options, Ports, Projector};
use telemetry::{Metrics, Tracer};
use tokio::sync::watch;
use uuid::Uuid;

use crate::Row;
use crate::orders::order;

const ORDERS: u64 = 250_000;
/// Created, address changed, paid, submitted.
pub(crate) const EVENTS_OF_ONE: u64 = 4;

pub async fn into_read_model() -> Vec<Row> {
    let folder = tempfile::tempdir_in(".").unwrap();
    let store = Arc::new(sqlite::EventStore::open(folder.path().join("events.db"), Arc::new(clock::System)).unwrap());
    fill(&store, ORDERS).await;
    let target = Arc::new(sqlite::OrderReadModel::open(&folder.path().join("orders.db")).unwrap());
    let ports = Ports {
        store,
        target: Arc::clone(&target) as _,
        clock: Arc::new(clock::System),
        metrics: Arc::new(Metrics::new("bench", "0")),
        tracer: Tracer::disabled(),
    };
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let options = Options { live_batch: 4_000, ..Options::new("orders", "order-", cores) };
    let (stop, stopped) = watch::channel(false);
    let begun = Instant::now();
    let (_projector, task) = Projector::start(options, ports, stopped);
    loop {
        let generations = target.generations().await.unwrap();
        let live = generations.iter().find(|status| status.state == GenerationState::Live).unwrap();
        if live.checkpoint >= Position(ORDERS * EVENTS_OF_ONE) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let rate = (ORDERS * EVENTS_OF_ONE) as f64 / begun.elapsed().as_secs_f64();
    stop.send(true).unwrap();
    task.await.unwrap();
    vec![Row::new("replay of 1,000,000 events into the read model", rate, "events/s", "SQLite to SQLite, one process")]
}

/// That many orders, each with its whole history.
pub(crate) async fn fill(store: &Arc<sqlite::EventStore>, orders: u64) {
    let tasks: Vec<_> = (0..64)
        .map(|task| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for number in (task..orders).step_by(64) {
                    fill_one(&*store, number).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn fill_one(store: &dyn EventStore, number: u64) {
    let command = Uuid::now_v7();
    let stream = delivery::models::OrderId(command).stream();
    let history = [
        ("ORDER_CREATED", order(number)),
        ("DELIVERY_ADDRESS_CHANGED", format!(r#"{{"deliveryAddress":"{number} Side Street"}}"#)),
        ("ORDER_PAID", format!(r#"{{"paymentID":"pay-{number}","timestamp":"2026-01-01T00:00:00Z"}}"#)),
        ("ORDER_SUBMITTED", "{}".to_owned()),
    ];
    let events = history.into_iter().zip(0..).map(|((event_type, data), revision)| eventsourcing::NewEvent {
        id: EventId::derive(&stream, Revision(revision), command),
        event_type: event_type.into(),
        data: data.into(),
        metadata: r#"{"schemaVersion":2}"#.into(),
    });
    store.append(&stream, ExpectedRevision::NoStream, events.collect()).await.unwrap();
}
