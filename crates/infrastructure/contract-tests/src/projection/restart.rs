//! Cases about what survives the end of a process, and about two processes on one store.
#![allow(missing_docs, reason = "the name of a case says what it shows")]

use std::sync::Arc;

use delivery::repository::{Batch, ProjectionStore};
use eventsourcing::{Position, Revision};

use super::parking::park;
use super::{assert_unknown, live, load_one, write};
use crate::orders::{at_revision, parked, view};

pub async fn what_was_committed_survives<T: ProjectionStore>(open: impl AsyncFn() -> Arc<T>) {
    let store = open().await;
    let generation = live(&*store).await.generation;
    write(&*store, generation, vec![at_revision(1, 2), view(2)], 7).await;
    park(&*store, generation, &[5]).await;
    let before = store.generations().await.unwrap();
    drop(store);
    let store = open().await;
    assert_eq!(store.generations().await.unwrap(), before);
    assert_eq!(load_one(&*store, generation, 1).await, Some(at_revision(1, 2)));
    assert_eq!(store.parked(generation, 9).await.unwrap(), [parked(5, 1)]);
}

pub async fn a_running_rebuild_survives<T: ProjectionStore>(open: impl AsyncFn() -> Arc<T>) {
    let store = open().await;
    let building = store.begin_rebuild().await.unwrap();
    write(&*store, building, vec![view(1)], 1).await;
    let before = store.generations().await.unwrap();
    drop(store);
    let store = open().await;
    assert_eq!(store.generations().await.unwrap(), before);
    store.promote(building).await.unwrap();
    assert_eq!(live(&*store).await.generation, building);
}

pub async fn a_promotion_survives<T: ProjectionStore>(open: impl AsyncFn() -> Arc<T>) {
    let store = open().await;
    let building = store.begin_rebuild().await.unwrap();
    write(&*store, building, vec![view(1)], 1).await;
    store.promote(building).await.unwrap();
    drop(store);
    let store = open().await;
    let status = live(&*store).await;
    assert_eq!((status.generation, status.checkpoint), (building, Position(1)));
    assert_eq!(load_one(&*store, building, 1).await.map(|view| view.revision), Some(Revision::FIRST));
}

pub async fn two_handles_see_one_store<T: ProjectionStore>(open: impl AsyncFn() -> Arc<T>) {
    let (here, there) = (open().await, open().await);
    let old = live(&*here).await.generation;
    write(&*here, old, vec![view(1)], 1).await;
    assert_eq!(load_one(&*there, old, 1).await, Some(view(1)));
    let new = there.begin_rebuild().await.unwrap();
    write(&*here, new, vec![view(2)], 2).await;
    there.promote(new).await.unwrap();
    assert_unknown(here.commit(old, Batch::default()).await, old);
    assert_eq!(here.generations().await.unwrap(), there.generations().await.unwrap());
    assert_eq!(load_one(&*here, new, 2).await, Some(view(2)));
}
