//! Measures the projections: writing, reading, searching. `cargo run --release -p sqlite --example
//! projection -- [orders]`, 100,000 orders unless told otherwise.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement prints its figures and stops at the first error"
)]

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract_tests::orders::{id, view, with_items, with_status};
use delivery::aggregate::Status;
use delivery::projections::OrderView;
use delivery::queries::{ListOrders, SearchOrders};
use delivery::repository::{Batch, Generation, OrderReadModel as _, OrderSearch as _, ProjectionStore};
use eventsourcing::{Position, Revision};
use uuid::Uuid;

const BATCH: u64 = 1_000;
const WORDS: [&str; 16] = [
    "green", "black", "white", "oolong", "kettle", "pot", "cup", "iron", "glass", "bamboo", "whisk", "tray", "spring",
    "autumn", "harvest", "organic",
];

/// Ids that begin with a time, as version 7 has them.
fn timed(mut order: OrderView) -> OrderView {
    let number = u128::from(order.created_position.0);
    order.id.0 = Uuid::from_u128((number << 80) | (order.id.0.as_u128() >> 80));
    order
}

/// An order with two items of fourteen words; every one has `tea` in a title.
fn order(number: u64) -> OrderView {
    let word = |salt: u64| {
        let index = (number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17) ^ salt.wrapping_mul(0x85eb_ca6b)) >> 3;
        WORDS[usize::try_from(index % 16).unwrap_or_default()]
    };
    let text = |from: u64, count: u64| (from..from + count).map(word).collect::<Vec<_>>().join(" ");
    let title = format!("{} tea number{number}", text(1, 2));
    let (first, second, other) = (text(3, 5), text(20, 4), text(30, 2));
    with_items(view(number), &[(&title, &first), (&other, &second)])
}

fn paid(number: u64) -> OrderView {
    let mut order = with_status(order(number), Status::Paid);
    order.revision = Revision(1);
    order
}

fn batch(from: u64, make: impl Fn(u64) -> OrderView) -> Batch {
    Batch {
        upserts: (from..from + BATCH).map(make).collect(),
        checkpoint: Some(Position(from + BATCH)),
        ..Batch::default()
    }
}

/// Commits all batches, so many at a time. Building them is not measured.
async fn write<S: ProjectionStore + 'static>(
    store: &Arc<S>,
    name: &str,
    orders: u64,
    lanes: usize,
    make: fn(u64) -> OrderView,
) {
    let mut spent = Duration::ZERO;
    let starts: Vec<_> = (1..=orders).step_by(usize::try_from(BATCH).unwrap_or(1)).collect();
    for starts in starts.chunks(16 * lanes) {
        let mut batches: Vec<Vec<_>> = (0..lanes).map(|_| Vec::new()).collect();
        for (index, from) in starts.iter().enumerate() {
            batches[index % lanes].push(batch(*from, make));
        }
        let begun = Instant::now();
        let tasks: Vec<_> =
            batches.into_iter().map(|batches| tokio::spawn(commit_all(Arc::clone(store), batches))).collect();
        for task in tasks {
            task.await.unwrap();
        }
        spent += begun.elapsed();
    }
    println!("{name}, {lanes} at a time: {:.0} documents/s", orders as f64 / spent.as_secs_f64());
}

async fn commit_all(store: Arc<impl ProjectionStore>, batches: Vec<Batch>) {
    for batch in batches {
        store.commit(Generation(1), batch).await.unwrap();
    }
}

async fn time<F: Future>(name: &str, rounds: u32, call: impl Fn(u64) -> F) {
    let mut times: Vec<_> = Vec::new();
    for round in 0..rounds {
        let begun = Instant::now();
        call(u64::from(round)).await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!("{name}: median {:?}, p99 {:?}", at(50), at(99));
}

async fn measure_read_model(folder: &std::path::Path, orders: u64) {
    for lanes in [1, 4] {
        let file = format!("timed{lanes}.db");
        let model = Arc::new(sqlite::OrderReadModel::open(&folder.join(file)).unwrap());
        write(&model, "read model, new orders, ids by time", orders, lanes, |number| timed(order(number))).await;
        write(&model, "read model, changed orders, ids by time", orders, lanes, |number| timed(paid(number))).await;
        let file = format!("random{lanes}.db");
        let model = Arc::new(sqlite::OrderReadModel::open(&folder.join(file)).unwrap());
        write(&model, "read model, new orders, random ids", orders, lanes, order).await;
        write(&model, "read model, changed orders, random ids", orders, lanes, paid).await;
    }
    let model = Arc::new(sqlite::OrderReadModel::open(&folder.join("orders.db")).unwrap());
    write(&model, "read model, new orders, random ids", orders, 1, order).await;
    write(&model, "read model, the same orders again", orders, 1, order).await;
    write(&model, "read model, changed orders, random ids", orders, 1, paid).await;
    time("get", 20_000, |round| model.get(id(1 + round * 7_919 % orders))).await;
    let ids: Vec<_> = (1..=BATCH).map(|number| id(number * 31 % orders)).collect();
    time("load 1,000", 100, |_| model.load(Generation(1), &ids)).await;
    for (name, status) in [("list 50", None), ("list 50 by status", Some(Status::Paid))] {
        time(name, 2_000, |round| {
            let before = Some(Position(orders - round * 13 % orders));
            let limit = 50;
            let query = ListOrders { status, before, limit };
            let model = &model;
            async move { model.list(&query).await.unwrap() }
        })
        .await;
    }
    time("generations", 2_000, |_| model.generations()).await;
    let building = model.begin_rebuild().await.unwrap();
    let begun = Instant::now();
    model.promote(building).await.unwrap();
    println!("promote, dropping {orders} orders: {:?}", begun.elapsed());
}

async fn measure_search(folder: &std::path::Path, orders: u64) {
    let search = Arc::new(sqlite::OrderSearch::open(&folder.join("search.db")).unwrap());
    write(&search, "search, new orders", orders, 1, order).await;
    write(&search, "search, changed orders, same texts", orders, 1, paid).await;
    let last_page = orders / 10;
    for (text, page) in [
        ("tea", 1),
        ("tea", last_page / 2),
        ("tea", last_page),
        ("green", 1),
        ("t", 1),
        ("number1", 1),
        ("number12345", 1),
        ("green kettle", 1),
        ("nothing", 1),
        ("", 1),
        ("", last_page / 2),
        ("", last_page),
    ] {
        let query = SearchOrders { text: text.to_owned(), page, size: 10 };
        let total = search.search(&query).await.unwrap().total_count;
        let name = format!("search {text:?}, page {page}, {total} matches");
        time(&name, 50, |_| search.search(&query)).await;
    }
}

#[tokio::main]
async fn main() {
    let orders = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir().unwrap();
    println!("{} bytes a document", order(orders).to_json().unwrap().len());
    measure_read_model(folder.path(), orders).await;
    measure_search(folder.path(), orders).await;
    for file in ["orders.db", "search.db"] {
        let bytes = std::fs::metadata(folder.path().join(file)).unwrap().len();
        println!("{file}: {} bytes an order", bytes / orders);
    }
}
