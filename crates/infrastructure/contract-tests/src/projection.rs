//! The suite of [`ProjectionStore`]: documents, parked events, checkpoints, generations. What readers
//! see of them belongs to the suites of `read_model` and `search`.
#![allow(missing_docs, reason = "the name of a case says what it shows")]

pub mod generations;
pub mod parking;
pub mod restart;

use std::collections::HashMap;
use std::sync::Arc;

use delivery::projections::OrderView;
use delivery::repository::{Batch, Error, Generation, GenerationState, GenerationStatus, ProjectionStore};
use eventsourcing::Position;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::orders::{at_revision, id, parked, view, with_status};

/// Runs the suite. `place` makes a fresh, empty place, `open` opens a store in it.
#[macro_export]
macro_rules! projection_store_contract {
    (place: $place:expr, open: $open:expr) => {
        $crate::cases!(
            $crate::projection,
            $place,
            $open,
            [
                it_starts_with_one_live_empty_generation,
                what_was_committed_is_loaded_as_it_was,
                a_load_leaves_unknown_orders_out,
                a_load_takes_many_orders,
                only_a_higher_revision_is_written,
                the_highest_revision_of_a_batch_is_written,
                a_batch_applied_again_changes_nothing,
                batches_converge_in_any_order_and_any_number,
                concurrent_batches_are_all_applied,
                the_checkpoint_never_moves_back,
                a_batch_without_checkpoint_leaves_it,
                an_empty_batch_changes_nothing,
                an_unknown_generation_is_refused,
            ]
        );
        $crate::cases!(
            $crate::projection::parking,
            $place,
            $open,
            [
                parked_events_come_by_position_and_at_most_as_many_as_asked_for,
                an_event_parked_again_is_replaced,
                a_released_event_is_no_longer_parked,
                an_event_released_and_parked_in_one_batch_stays_parked,
                orders_and_parked_events_are_counted,
            ]
        );
        $crate::cases!(
            $crate::projection::generations,
            $place,
            $open,
            [
                a_rebuild_begins_empty_beside_the_live_generation,
                only_one_rebuild_runs,
                of_concurrent_rebuilds_one_begins,
                generations_do_not_share_anything,
                a_promoted_generation_is_the_only_one,
                only_a_building_generation_is_promoted,
                a_discarded_generation_is_gone,
                the_live_generation_cannot_be_discarded,
                a_number_is_never_used_again,
            ]
        );
    };
}

/// Runs the suite of what survives the end of a process.
#[macro_export]
macro_rules! projection_store_reopen_contract {
    (place: $place:expr, open: $open:expr) => {
        $crate::reopen_cases!(
            $crate::projection::restart,
            $place,
            $open,
            [what_was_committed_survives, a_running_rebuild_survives, a_promotion_survives, two_handles_see_one_store,]
        );
    };
}

/// The live generation, of which there has to be exactly one.
pub(crate) async fn live(store: &impl ProjectionStore) -> GenerationStatus {
    let mut live = store.generations().await.unwrap();
    live.retain(|status| status.state == GenerationState::Live);
    assert_eq!(live.len(), 1, "{live:?}");
    live.remove(0)
}

/// Commits orders to a generation, with a checkpoint.
pub(crate) async fn write(
    store: &impl ProjectionStore,
    generation: Generation,
    upserts: Vec<OrderView>,
    checkpoint: u64,
) {
    let batch = Batch { upserts, checkpoint: Some(Position(checkpoint)), ..Batch::default() };
    store.commit(generation, batch).await.unwrap();
}

/// Commits orders to the live generation, with a checkpoint.
pub(crate) async fn write_live(store: &impl ProjectionStore, upserts: Vec<OrderView>, checkpoint: u64) {
    let generation = live(store).await.generation;
    write(store, generation, upserts, checkpoint).await;
}

async fn load_one(store: &impl ProjectionStore, generation: Generation, number: u64) -> Option<OrderView> {
    let mut views = store.load(generation, &[id(number)]).await.unwrap();
    assert!(views.len() <= 1);
    views.pop()
}

fn assert_unknown<V: std::fmt::Debug>(result: Result<V, Error>, generation: Generation) {
    assert!(matches!(result, Err(Error::UnknownGeneration(found)) if found == generation), "{result:?}");
}

pub async fn it_starts_with_one_live_empty_generation(store: Arc<impl ProjectionStore>) {
    let all = store.generations().await.unwrap();
    assert_eq!(all.len(), 1);
    let status = live(&*store).await;
    assert_eq!((status.checkpoint, status.orders, status.parked), (Position::START, 0, 0));
}

pub async fn what_was_committed_is_loaded_as_it_was(store: Arc<impl ProjectionStore>) {
    let views: Vec<_> = delivery::aggregate::Status::ALL
        .into_iter()
        .zip(1..)
        .map(|(status, number)| with_status(at_revision(number, number), status))
        .collect();
    write_live(&*store, views.clone(), 9).await;
    let generation = live(&*store).await.generation;
    for (expected, number) in views.into_iter().zip(1..) {
        assert_eq!(load_one(&*store, generation, number).await, Some(expected));
    }
}

pub async fn a_load_leaves_unknown_orders_out(store: Arc<impl ProjectionStore>) {
    write_live(&*store, vec![view(1)], 1).await;
    let generation = live(&*store).await.generation;
    assert_eq!(store.load(generation, &[id(2), id(1), id(3)]).await.unwrap(), [view(1)]);
    assert_eq!(store.load(generation, &[]).await.unwrap(), []);
}

pub async fn a_load_takes_many_orders(store: Arc<impl ProjectionStore>) {
    // More than goes into one command of any engine's, and no more: FerretDB reads all for each that it writes.
    let there: Vec<_> = (1..=3_000).step_by(5).map(view).collect();
    write_live(&*store, there.clone(), 3_000).await;
    let generation = live(&*store).await.generation;
    let ids: Vec<_> = (1..=3_000).map(id).collect();
    let mut loaded = store.load(generation, &ids).await.unwrap();
    loaded.sort_by_key(|view| view.created_position);
    assert_eq!(loaded, there);
}

pub async fn only_a_higher_revision_is_written(store: Arc<impl ProjectionStore>) {
    let generation = live(&*store).await.generation;
    write(&*store, generation, vec![at_revision(1, 5)], 5).await;
    for revision in [0, 4] {
        write(&*store, generation, vec![at_revision(1, revision)], 5).await;
    }
    let mut same_revision = at_revision(1, 5);
    same_revision.order.delivery_address = "elsewhere".to_owned();
    write(&*store, generation, vec![same_revision], 5).await;
    assert_eq!(load_one(&*store, generation, 1).await, Some(at_revision(1, 5)));
    write(&*store, generation, vec![at_revision(1, 6)], 6).await;
    assert_eq!(load_one(&*store, generation, 1).await, Some(at_revision(1, 6)));
}

pub async fn the_highest_revision_of_a_batch_is_written(store: Arc<impl ProjectionStore>) {
    let generation = live(&*store).await.generation;
    let batch = [1, 3, 2].map(|revision| at_revision(1, revision)).to_vec();
    write(&*store, generation, batch, 3).await;
    assert_eq!(load_one(&*store, generation, 1).await, Some(at_revision(1, 3)));
    assert_eq!(live(&*store).await.orders, 1);
}

pub async fn a_batch_applied_again_changes_nothing(store: Arc<impl ProjectionStore>) {
    let generation = live(&*store).await.generation;
    let old = Batch {
        upserts: vec![at_revision(1, 1), at_revision(2, 1)],
        park: vec![parked(3, 1)],
        release: vec![Position(2)],
        checkpoint: Some(Position(3)),
    };
    store.commit(generation, old.clone()).await.unwrap();
    write(&*store, generation, vec![at_revision(1, 2)], 4).await;
    let before = store.generations().await.unwrap();
    store.commit(generation, old).await.unwrap();
    assert_eq!(store.generations().await.unwrap(), before);
    assert_eq!(load_one(&*store, generation, 1).await, Some(at_revision(1, 2)));
    assert_eq!(load_one(&*store, generation, 2).await, Some(at_revision(2, 1)));
    assert_eq!(store.parked(generation, 10).await.unwrap(), [parked(3, 1)]);
}

/// A property: whatever batches are delivered, however often and in whatever order, each order ends
/// at its highest revision and the checkpoint at its highest position.
pub async fn batches_converge_in_any_order_and_any_number(store: Arc<impl ProjectionStore>) {
    let upserts = proptest::collection::vec((1_u64..6, 0_u64..8), 0..6);
    let deliveries = proptest::collection::vec((upserts, proptest::option::of(0_u64..50)), 1..20);
    let mut runner = TestRunner::deterministic();
    for _ in 0..24 {
        let deliveries = deliveries.new_tree(&mut runner).unwrap().current();
        let generation = store.begin_rebuild().await.unwrap();
        let mut expected = HashMap::new();
        let mut checkpoint = 0;
        // Delivered forwards, then once more backwards: every batch is a late duplicate of itself.
        for (upserts, position) in deliveries.iter().chain(deliveries.iter().rev()) {
            for (number, revision) in upserts {
                let highest = expected.entry(*number).or_insert(*revision);
                *highest = (*highest).max(*revision);
            }
            checkpoint = checkpoint.max(position.unwrap_or_default());
            let batch = Batch {
                upserts: upserts.iter().map(|(number, revision)| at_revision(*number, *revision)).collect(),
                checkpoint: position.map(Position),
                ..Batch::default()
            };
            store.commit(generation, batch).await.unwrap();
        }
        for (number, revision) in &expected {
            let found = load_one(&*store, generation, *number).await;
            assert_eq!(found, Some(at_revision(*number, *revision)), "{deliveries:?}");
        }
        let all = store.generations().await.unwrap();
        let status = all.iter().find(|status| status.generation == generation).unwrap();
        assert_eq!((status.checkpoint.0, status.orders), (checkpoint, expected.len() as u64), "{deliveries:?}");
        store.discard(generation).await.unwrap();
    }
}

pub async fn concurrent_batches_are_all_applied(store: Arc<impl ProjectionStore + 'static>) {
    let generation = live(&*store).await.generation;
    let tasks: Vec<_> = (0..8)
        .map(|lane| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for step in 0..20 {
                    let upserts = vec![at_revision(1 + lane, step), at_revision(100, lane + 8 * step)];
                    write(&*store, generation, upserts, 1 + lane + 8 * step).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    for lane in 0..8 {
        assert_eq!(load_one(&*store, generation, 1 + lane).await, Some(at_revision(1 + lane, 19)));
    }
    assert_eq!(load_one(&*store, generation, 100).await, Some(at_revision(100, 159)));
    let status = live(&*store).await;
    assert_eq!((status.checkpoint, status.orders), (Position(160), 9));
}

pub async fn the_checkpoint_never_moves_back(store: Arc<impl ProjectionStore>) {
    for (written, expected) in [(7, 7), (5, 7), (0, 7), (8, 8)] {
        write_live(&*store, vec![], written).await;
        assert_eq!(live(&*store).await.checkpoint, Position(expected));
    }
}

pub async fn a_batch_without_checkpoint_leaves_it(store: Arc<impl ProjectionStore>) {
    write_live(&*store, vec![], 7).await;
    let generation = live(&*store).await.generation;
    let batch = Batch { upserts: vec![view(9)], ..Batch::default() };
    store.commit(generation, batch).await.unwrap();
    assert_eq!(live(&*store).await.checkpoint, Position(7));
    assert_eq!(load_one(&*store, generation, 9).await, Some(view(9)));
}

pub async fn an_empty_batch_changes_nothing(store: Arc<impl ProjectionStore>) {
    write_live(&*store, vec![view(1)], 1).await;
    let before = store.generations().await.unwrap();
    store.commit(before[0].generation, Batch::default()).await.unwrap();
    assert_eq!(store.generations().await.unwrap(), before);
}

pub async fn an_unknown_generation_is_refused(store: Arc<impl ProjectionStore>) {
    let unknown = Generation(4_711);
    let before = store.generations().await.unwrap();
    let batch =
        Batch { upserts: vec![view(1)], park: vec![parked(1, 1)], release: vec![], checkpoint: Some(Position(1)) };
    assert_unknown(store.commit(unknown, batch).await, unknown);
    assert_unknown(store.commit(unknown, Batch::default()).await, unknown);
    assert_unknown(store.promote(unknown).await, unknown);
    assert_unknown(store.discard(unknown).await, unknown);
    assert_unknown(store.load(unknown, &[id(1)]).await, unknown);
    assert_unknown(store.parked(unknown, 1).await, unknown);
    assert_eq!(store.generations().await.unwrap(), before);
}
