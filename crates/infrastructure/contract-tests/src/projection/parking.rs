//! Cases about parked events.
#![allow(missing_docs, reason = "the name of a case says what it shows")]

use std::sync::Arc;

use delivery::repository::{Batch, Generation, ProjectionStore};
use eventsourcing::Position;

use super::{live, write};
use crate::orders::{at_revision, parked, view};

pub(super) async fn park(store: &impl ProjectionStore, generation: Generation, positions: &[u64]) {
    let batch = Batch { park: positions.iter().map(|position| parked(*position, 1)).collect(), ..Batch::default() };
    store.commit(generation, batch).await.unwrap();
}

pub(super) async fn release(store: &impl ProjectionStore, generation: Generation, positions: &[u64]) {
    let batch = Batch { release: positions.iter().copied().map(Position).collect(), ..Batch::default() };
    store.commit(generation, batch).await.unwrap();
}

pub async fn parked_events_come_by_position_and_at_most_as_many_as_asked_for(store: Arc<impl ProjectionStore>) {
    let generation = live(&*store).await.generation;
    park(&*store, generation, &[20, 300]).await;
    park(&*store, generation, &[100, 3]).await;
    let all = [3, 20, 100, 300].map(|position| parked(position, 1));
    for max in 0..=5 {
        let found = store.parked(generation, max).await.unwrap();
        assert_eq!(found, all[..max.min(4)]);
    }
}

pub async fn an_event_parked_again_is_replaced(store: Arc<impl ProjectionStore>) {
    let generation = live(&*store).await.generation;
    park(&*store, generation, &[1, 2]).await;
    let batch = Batch { park: vec![parked(1, 2)], ..Batch::default() };
    store.commit(generation, batch).await.unwrap();
    assert_eq!(store.parked(generation, 10).await.unwrap(), [parked(1, 2), parked(2, 1)]);
}

pub async fn a_released_event_is_no_longer_parked(store: Arc<impl ProjectionStore>) {
    let generation = live(&*store).await.generation;
    park(&*store, generation, &[1, 2, 3]).await;
    release(&*store, generation, &[1, 3, 99]).await;
    assert_eq!(store.parked(generation, 10).await.unwrap(), [parked(2, 1)]);
}

/// The batch says two things about one event; the one that loses no event holds.
pub async fn an_event_released_and_parked_in_one_batch_stays_parked(store: Arc<impl ProjectionStore>) {
    let generation = live(&*store).await.generation;
    park(&*store, generation, &[1]).await;
    let batch = Batch { park: vec![parked(1, 2)], release: vec![Position(1)], ..Batch::default() };
    store.commit(generation, batch).await.unwrap();
    assert_eq!(store.parked(generation, 10).await.unwrap(), [parked(1, 2)]);
    assert_eq!(live(&*store).await.parked, 1);
}

pub async fn orders_and_parked_events_are_counted(store: Arc<impl ProjectionStore>) {
    let generation = live(&*store).await.generation;
    let counts = async || {
        let status = live(&*store).await;
        (status.orders, status.parked)
    };
    write(&*store, generation, vec![view(1), view(2), at_revision(1, 1)], 2).await;
    park(&*store, generation, &[5, 6, 7, 5]).await;
    assert_eq!(counts().await, (2, 3));
    write(&*store, generation, vec![at_revision(1, 2), view(3)], 3).await;
    park(&*store, generation, &[5]).await;
    release(&*store, generation, &[6, 6, 99]).await;
    assert_eq!(counts().await, (3, 2));
}
