//! Catching up on engines that variables of the environment name: events of a file into Elasticsearch and
//! MongoDB, one by one as events that just come, and in batches as a rebuild takes them.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use delivery::repository::{GenerationState, ProjectionStore};
use eventsourcing::{Position, clock};
use projector::{Options, Ports, Projector};
use telemetry::{Metrics, Tracer};
use tokio::sync::watch;
use uuid::Uuid;

use crate::Row;
use crate::cost::median;
use crate::replay::{EVENTS_OF_ONE, fill};

const ROUNDS: usize = 3;
/// Orders that are projected, and the size of a batch in events.
type Runs = [(u64, usize); 3];
const RUNS: Runs = [(100, 1), (5_000, 1_000), (25_000, 4_000)];
/// On FerretDB 1, which reads every order for each that it writes.
const RUNS_ON_FERRETDB: Runs = [(10, 1), (50, 100), (250, 1_000)];

/// Where the projection goes: made anew for each run.
type Open<'a> = dyn Fn() -> Arc<dyn ProjectionStore> + 'a;

pub async fn catch_up() -> Vec<Row> {
    let mut rows = Vec::new();
    match variable("TEST_ELASTICSEARCH_URL") {
        Some(url) => rows.extend(into("Elasticsearch", &RUNS, &|| elasticsearch(&url)).await),
        None => println!("skipped: TEST_ELASTICSEARCH_URL does not name an engine"),
    }
    match variable("TEST_MONGODB_URL") {
        Some(url) => rows.extend(into("MongoDB", &RUNS_ON_FERRETDB, &|| mongodb(&url)).await),
        None => println!("skipped: TEST_MONGODB_URL does not name an engine"),
    }
    rows
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|url| !url.is_empty())
}

fn elasticsearch(url: &str) -> Arc<dyn ProjectionStore> {
    let name = elasticsearch::Name::new(format!("bench-{}", Uuid::new_v4())).unwrap();
    let address = elasticsearch::Address::parse(url).unwrap();
    Arc::new(elasticsearch::OrderSearch::open(&elasticsearch::Config { address, name }).unwrap())
}

/// With no more orders in a command than FerretDB 1 takes, so that the figures are of one kind.
fn mongodb(url: &str) -> Arc<dyn ProjectionStore> {
    Arc::new(mongodb_adapter::OrderReadModel::open(mongodb_adapter::Config {
        uri: mongodb_adapter::Uri::parse(url).unwrap(),
        credential: None,
        database: "highbeam-bench".to_owned(),
        name: format!("bench-{}", Uuid::new_v4().simple()),
        statements_max: 50,
    }))
}

/// A row for each size of a batch.
async fn into(engine: &str, runs: &Runs, open: &Open<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for &(orders, batch) in runs {
        let folder = tempfile::tempdir_in(".").unwrap();
        let store = sqlite::EventStore::open(folder.path().join("events.db"), Arc::new(clock::System)).unwrap();
        let store = Arc::new(store);
        fill(&store, orders).await;
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            rates.push(run(&store, open(), orders * EVENTS_OF_ONE, batch).await);
        }
        let what = format!("catch-up into {engine}, batches of {batch}");
        let detail = format!("{} events, median of {ROUNDS}", orders * EVENTS_OF_ONE);
        rows.push(Row::new(what, median(rates), "events/s", detail));
    }
    rows
}

/// Events a second.
async fn run(store: &Arc<sqlite::EventStore>, target: Arc<dyn ProjectionStore>, events: u64, batch: usize) -> f64 {
    // Makes what it keeps its documents in; that is no part of catching up.
    target.generations().await.unwrap();
    let ports = Ports {
        store: Arc::clone(store) as _,
        target: Arc::clone(&target),
        clock: Arc::new(clock::System),
        metrics: Arc::new(Metrics::new("bench", "0")),
        tracer: Tracer::disabled(),
    };
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let options = Options { live_batch: batch, ..Options::new("orders", "order-", cores) };
    let (stop, stopped) = watch::channel(false);
    let begun = Instant::now();
    let (_projector, task) = Projector::start(options, ports, stopped);
    loop {
        let generations = target.generations().await.unwrap();
        let live = generations.iter().find(|status| status.state == GenerationState::Live).unwrap();
        if live.checkpoint >= Position(events) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let rate = events as f64 / begun.elapsed().as_secs_f64();
    stop.send(true).unwrap();
    task.await.unwrap();
    rate
}
