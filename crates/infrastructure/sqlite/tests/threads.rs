//! No thread outlives the last handle. Alone in its program, because it counts threads.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use contract_tests::clock::Manual;
use eventsourcing::{EventStore as _, Position};

fn threads() -> usize {
    let names = std::fs::read_dir("/proc/self/task").unwrap().filter_map(|task| {
        // A thread may end between the listing and the look.
        std::fs::read_to_string(task.ok()?.path().join("comm")).ok()
    });
    names.filter(|name| name.starts_with("sqlite-")).count()
}

fn wait_until(is_so: impl Fn(usize) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_so(threads()) {
        assert!(Instant::now() < deadline, "there are still {} threads", threads());
        std::thread::yield_now();
    }
}

#[test]
fn dropped_handles_end_their_threads() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(threads(), 0);
    for _ in 0..3 {
        let store = sqlite::EventStore::open(folder.path().join("events.db"), Arc::new(Manual::default())).unwrap();
        let model = sqlite::OrderReadModel::open(&folder.path().join("orders.db")).unwrap();
        let clone = store.clone();
        drop(store);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let subscription = clone.subscribe(Position::START, "").await.unwrap();
            drop(clone);
            // The subscription holds the store. A thread takes its name a moment after it was started.
            wait_until(|threads| threads >= 6);
            drop(subscription);
        });
        drop(model);
        wait_until(|threads| threads == 0);
    }
}
