//! The contract, and what only this adapter promises: the disk may be full for a while, and whatever
//! is asked of it, it answers like the reference adapter.

mod equivalence;
mod full_disk;

use std::sync::Arc;

use contract_tests::clock::Manual;
use tempfile::TempDir;

use super::EventStore;

async fn open(folder: &TempDir) -> Arc<EventStore> {
    Arc::new(EventStore::open(folder.path().join("events.db"), Arc::new(Manual::default())).unwrap())
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

mod contract {
    contract_tests::event_store_contract!(place: super::folder, open: super::open);
}

mod reopened {
    contract_tests::event_store_reopen_contract!(place: super::folder, open: super::open);
}

mod commands {
    contract_tests::order_commands_contract!(place: super::folder, open: super::open);
}
