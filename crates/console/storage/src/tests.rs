//! Tests of the store as a whole, by what goes in and what comes out.

mod bounds;
mod crash;
mod disk;
mod folder;
mod histograms;
mod hostile;
mod kept;
pub(crate) mod made;
mod shared;
mod soak;
mod torn;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use eventsourcing::Clock;
use jiff::Timestamp;

use crate::{Options, Store};

/// A clock that a test sets.
#[derive(Debug)]
pub(crate) struct SetClock(pub(crate) AtomicI64);

/// Where the tests' clock begins: 2026-11-25 10:00 UTC, milliseconds.
pub(crate) const NOW_MS: i64 = 1_795_600_800_000;

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

pub(crate) fn clock() -> Arc<SetClock> {
    Arc::new(SetClock(AtomicI64::new(NOW_MS)))
}

/// Options of a store that does nothing on its own while a test looks.
pub(crate) fn quiet() -> Options {
    Options { flush_interval: Duration::from_secs(3_600), retention_age: Duration::ZERO, ..Options::default() }
}

pub(crate) fn open(path: &Path) -> Store {
    Store::open(path, quiet(), clock()).expect("the store opens")
}

/// Opens what a crash right now would leave: the files as they are, without a flush of what is in memory.
pub(crate) fn open_copy(path: &Path) -> (tempfile::TempDir, Store) {
    let copy = tempfile::tempdir().expect("a folder");
    copy_folder(path, copy.path());
    let store = open(copy.path());
    (copy, store)
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
