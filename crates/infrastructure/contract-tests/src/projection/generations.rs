//! Cases about generations: beginning, promoting, giving up.
#![allow(missing_docs, reason = "the name of a case says what it shows")]

use std::sync::Arc;

use delivery::repository::{Batch, Error, GenerationState, GenerationStatus, ProjectionStore};
use eventsourcing::Position;

use super::parking::{park, release};
use super::{assert_unknown, live, load_one, write, write_live};
use crate::orders::{at_revision, parked, view};

pub async fn a_rebuild_begins_empty_beside_the_live_generation(store: Arc<impl ProjectionStore>) {
    write_live(&*store, vec![view(1)], 8).await;
    let before = live(&*store).await;
    let generation = store.begin_rebuild().await.unwrap();
    let mut all = store.generations().await.unwrap();
    all.retain(|status| status.generation != before.generation);
    let expected = GenerationStatus {
        generation,
        state: GenerationState::Building,
        checkpoint: Position::START,
        orders: 0,
        parked: 0,
    };
    assert_eq!(all, [expected]);
    assert_eq!(live(&*store).await, before);
}

pub async fn only_one_rebuild_runs(store: Arc<impl ProjectionStore>) {
    let first = store.begin_rebuild().await.unwrap();
    let second = store.begin_rebuild().await;
    assert!(matches!(second, Err(Error::RebuildRunning(running)) if running == first), "{second:?}");
}

pub async fn of_concurrent_rebuilds_one_begins(store: Arc<impl ProjectionStore + 'static>) {
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.begin_rebuild().await.is_ok() })
        })
        .collect();
    let mut begun = 0;
    for task in tasks {
        begun += u32::from(task.await.unwrap());
    }
    assert_eq!(begun, 1);
    assert_eq!(store.generations().await.unwrap().len(), 2);
}

pub async fn generations_do_not_share_anything(store: Arc<impl ProjectionStore>) {
    let live_generation = live(&*store).await.generation;
    let building = store.begin_rebuild().await.unwrap();
    write(&*store, live_generation, vec![at_revision(1, 5)], 5).await;
    write(&*store, building, vec![at_revision(1, 1), view(2)], 2).await;
    park(&*store, live_generation, &[3]).await;
    park(&*store, building, &[4, 5]).await;
    release(&*store, live_generation, &[4]).await;
    assert_eq!(load_one(&*store, live_generation, 1).await, Some(at_revision(1, 5)));
    assert_eq!(load_one(&*store, live_generation, 2).await, None);
    assert_eq!(load_one(&*store, building, 1).await, Some(at_revision(1, 1)));
    assert_eq!(store.parked(live_generation, 9).await.unwrap(), [parked(3, 1)]);
    assert_eq!(store.parked(building, 9).await.unwrap(), [parked(4, 1), parked(5, 1)]);
    let status = live(&*store).await;
    assert_eq!((status.checkpoint, status.orders, status.parked), (Position(5), 1, 1));
}

pub async fn a_promoted_generation_is_the_only_one(store: Arc<impl ProjectionStore>) {
    let old = live(&*store).await.generation;
    write(&*store, old, vec![view(1)], 5).await;
    park(&*store, old, &[3]).await;
    let new = store.begin_rebuild().await.unwrap();
    write(&*store, new, vec![view(1), view(2)], 9).await;
    store.promote(new).await.unwrap();
    let expected = GenerationStatus {
        generation: new,
        state: GenerationState::Live,
        checkpoint: Position(9),
        orders: 2,
        parked: 0,
    };
    assert_eq!(store.generations().await.unwrap(), [expected]);
    assert_unknown(store.commit(old, Batch::default()).await, old);
    assert_eq!(load_one(&*store, new, 2).await, Some(view(2)));
    // And on: the next rebuild works like the first.
    let next = store.begin_rebuild().await.unwrap();
    store.promote(next).await.unwrap();
    assert_eq!(live(&*store).await.generation, next);
}

pub async fn only_a_building_generation_is_promoted(store: Arc<impl ProjectionStore>) {
    let generation = live(&*store).await.generation;
    write(&*store, generation, vec![view(1)], 1).await;
    assert_unknown(store.promote(generation).await, generation);
    assert_eq!(load_one(&*store, generation, 1).await, Some(view(1)));
}

pub async fn a_discarded_generation_is_gone(store: Arc<impl ProjectionStore>) {
    write_live(&*store, vec![view(1)], 1).await;
    let before = live(&*store).await;
    let building = store.begin_rebuild().await.unwrap();
    write(&*store, building, vec![view(2)], 2).await;
    park(&*store, building, &[3]).await;
    store.discard(building).await.unwrap();
    assert_eq!(store.generations().await.unwrap(), std::slice::from_ref(&before));
    assert_unknown(store.commit(building, Batch::default()).await, building);
    assert_unknown(store.promote(building).await, building);
    assert_unknown(store.discard(building).await, building);
    assert_eq!(load_one(&*store, before.generation, 1).await, Some(view(1)));
}

pub async fn the_live_generation_cannot_be_discarded(store: Arc<impl ProjectionStore>) {
    write_live(&*store, vec![view(1)], 1).await;
    let before = store.generations().await.unwrap();
    assert_unknown(store.discard(before[0].generation).await, before[0].generation);
    assert_eq!(store.generations().await.unwrap(), before);
}

/// A projector that has not heard of the end of its rebuild must not write into the next one.
pub async fn a_number_is_never_used_again(store: Arc<impl ProjectionStore>) {
    let mut seen = vec![live(&*store).await.generation];
    for round in 0..4 {
        let generation = store.begin_rebuild().await.unwrap();
        assert!(!seen.contains(&generation), "{generation:?} was used before");
        seen.push(generation);
        if round % 2 == 0 {
            store.discard(generation).await.unwrap();
        } else {
            store.promote(generation).await.unwrap();
        }
    }
}
