//! The suite of [`OrderReadModel`]: what readers see of what a projection wrote.
#![allow(missing_docs, reason = "the name of a case says what it shows")]

use std::sync::Arc;

use delivery::aggregate::Status;
use delivery::projections::OrderView;
use delivery::queries::ListOrders;
use delivery::repository::{OrderReadModel, ProjectionStore};
use eventsourcing::Position;

use crate::orders::{at_revision, id, view, with_status};
use crate::progress::{self, Reader};
use crate::projection::{live, write, write_live};

/// Runs the suite. `place` makes a fresh, empty place, `open` opens a model in it.
#[macro_export]
macro_rules! order_read_model_contract {
    (place: $place:expr, open: $open:expr) => {
        $crate::cases!(
            $crate::read_model,
            $place,
            $open,
            [
                an_order_is_read_as_projected,
                an_unknown_order_is_none,
                a_list_is_newest_first,
                a_list_has_at_most_as_many_orders_as_asked_for,
                a_list_goes_on_strictly_before_a_position,
                pages_are_stable_while_orders_arrive,
                a_list_keeps_only_the_status_asked_for,
                an_order_that_was_never_created_is_in_no_status,
                readers_see_the_old_generation_until_promotion_and_then_only_the_new,
                concurrent_readers_see_one_generation_or_the_other,
                an_open_model_answers_a_ping,
            ]
        );
        $crate::progress_contract!($crate::read_model, $place, $open);
    };
}

/// Runs the suite of two handles on one model: two processes, as far as the engine can tell.
#[macro_export]
macro_rules! order_read_model_shared_contract {
    (place: $place:expr, open: $open:expr) => {
        $crate::reopen_cases!(
            $crate::read_model,
            $place,
            $open,
            [progress_of_another_handle_is_noticed, a_promotion_by_another_handle_switches_readers,]
        );
    };
}

/// Runs all suites of an adapter that keeps its documents: as the projector's store and as readers see it, opened again
/// and side by side. `place` and `open` are as seen from a module below the caller's.
#[macro_export]
macro_rules! order_read_model_adapter {
    (place: $place:expr, open: $open:expr) => {
        mod store {
            $crate::projection_store_contract!(place: $place, open: $open);
        }

        mod store_reopened {
            $crate::projection_store_reopen_contract!(place: $place, open: $open);
        }

        mod reader {
            $crate::order_read_model_contract!(place: $place, open: $open);
        }

        mod reader_shared {
            $crate::order_read_model_shared_contract!(place: $place, open: $open);
        }
    };
}

const ALL: ListOrders = ListOrders { status: None, before: None, limit: 100 };

async fn list(model: &impl OrderReadModel, query: ListOrders) -> Vec<u64> {
    let views = model.list(&query).await.unwrap();
    views.into_iter().map(|view| view.created_position.0).collect()
}

/// The positions on all pages of this size, calling `between` before every page but the first.
async fn walk(model: &impl OrderReadModel, mut query: ListOrders, mut between: impl AsyncFnMut()) -> Vec<u64> {
    let mut positions = Vec::new();
    loop {
        let page = list(model, query).await;
        positions.extend(&page);
        match page.last() {
            Some(last) if page.len() == query.limit => query.before = Some(Position(*last)),
            _ => return positions,
        }
        between().await;
    }
}

pub async fn an_order_is_read_as_projected(model: Arc<impl OrderReadModel + ProjectionStore>) {
    let order = with_status(at_revision(1, 4), Status::Cancelled);
    write_live(&*model, vec![order.clone(), view(2)], 4).await;
    assert_eq!(model.get(id(1)).await.unwrap(), Some(order));
    write_live(&*model, vec![at_revision(1, 5)], 5).await;
    assert_eq!(model.get(id(1)).await.unwrap(), Some(at_revision(1, 5)));
}

pub async fn an_unknown_order_is_none(model: Arc<impl OrderReadModel + ProjectionStore>) {
    assert_eq!(model.get(id(1)).await.unwrap(), None);
    write_live(&*model, vec![view(2)], 2).await;
    assert_eq!(model.get(id(1)).await.unwrap(), None);
}

pub async fn a_list_is_newest_first(model: Arc<impl OrderReadModel + ProjectionStore>) {
    assert_eq!(list(&*model, ALL).await, [0; 0]);
    // Neither in the order of commits nor in that of changes.
    for number in [20, 3, 100, 7] {
        write_live(&*model, vec![view(number)], number).await;
    }
    write_live(&*model, vec![at_revision(3, 9)], 101).await;
    assert_eq!(list(&*model, ALL).await, [100, 20, 7, 3]);
    assert_eq!(model.list(&ALL).await.unwrap()[3], at_revision(3, 9));
}

pub async fn a_list_has_at_most_as_many_orders_as_asked_for(model: Arc<impl OrderReadModel + ProjectionStore>) {
    write_live(&*model, (1..=9).map(view).collect(), 9).await;
    for limit in [0, 1, 8, 9, 10, 1_000] {
        let found = list(&*model, ListOrders { limit, ..ALL }).await;
        let expected: Vec<u64> = (1..=9).rev().take(limit).collect();
        assert_eq!(found, expected, "{limit}");
    }
}

pub async fn a_list_goes_on_strictly_before_a_position(model: Arc<impl OrderReadModel + ProjectionStore>) {
    write_live(&*model, [10, 20, 30].map(view).to_vec(), 30).await;
    let cases: [(u64, &[u64]); 6] =
        [(0, &[]), (10, &[]), (11, &[10]), (25, &[20, 10]), (30, &[20, 10]), (u64::MAX, &[30, 20, 10])];
    for (before, expected) in cases {
        let before = Some(Position(before));
        assert_eq!(list(&*model, ListOrders { before, ..ALL }).await, expected, "{before:?}");
    }
}

pub async fn pages_are_stable_while_orders_arrive(model: Arc<impl OrderReadModel + ProjectionStore>) {
    write_live(&*model, (1..=25).map(view).collect(), 25).await;
    for limit in [1, 4, 5] {
        let before = list(&*model, ALL).await;
        let mut newest = before[0];
        let found = walk(&*model, ListOrders { limit, ..ALL }, async || {
            newest += 1;
            write_live(&*model, vec![view(newest), at_revision(2, newest)], newest).await;
        })
        .await;
        assert_eq!(found, before, "pages of {limit}");
    }
}

pub async fn a_list_keeps_only_the_status_asked_for(model: Arc<impl OrderReadModel + ProjectionStore>) {
    let numbers = || (1..=60).zip(Status::ALL.into_iter().cycle());
    let orders = numbers().map(|(number, status)| with_status(view(number), status));
    write_live(&*model, orders.collect(), 60).await;
    for wanted in Status::ALL {
        let mut expected: Vec<u64> = numbers().filter(|(_, status)| *status == wanted).map(|(n, _)| n).collect();
        expected.reverse();
        let query = ListOrders { status: Some(wanted), limit: 5, ..ALL };
        assert_eq!(walk(&*model, query, async || ()).await, expected, "{wanted:?}");
    }
    // An order that moves on leaves the list of where it stood.
    write_live(&*model, vec![with_status(at_revision(1, 1), Status::Paid)], 61).await;
    let holds = async |status| {
        let status = Some(status);
        list(&*model, ListOrders { status, ..ALL }).await.contains(&1)
    };
    assert!(!holds(Status::Draft).await);
    assert!(holds(Status::Paid).await);
}

/// Streams of older programs may begin with something else than the creation.
pub async fn an_order_that_was_never_created_is_in_no_status(model: Arc<impl OrderReadModel + ProjectionStore>) {
    let mut order = view(1);
    order.order.created = false;
    write_live(&*model, vec![order.clone()], 1).await;
    assert_eq!(model.list(&ALL).await.unwrap(), [order]);
    for status in Status::ALL {
        let status = Some(status);
        assert_eq!(list(&*model, ListOrders { status, ..ALL }).await, [0; 0]);
    }
}

pub async fn readers_see_the_old_generation_until_promotion_and_then_only_the_new(
    model: Arc<impl OrderReadModel + ProjectionStore>,
) {
    write_live(&*model, vec![view(1), at_revision(2, 7)], 2).await;
    let building = model.begin_rebuild().await.unwrap();
    write(&*model, building, vec![at_revision(2, 8), view(3)], 3).await;
    assert_eq!(list(&*model, ALL).await, [2, 1]);
    assert_eq!(model.get(id(2)).await.unwrap(), Some(at_revision(2, 7)));
    assert_eq!(model.get(id(3)).await.unwrap(), None);
    model.promote(building).await.unwrap();
    assert_eq!(list(&*model, ALL).await, [3, 2]);
    assert_eq!(model.get(id(1)).await.unwrap(), None);
    assert_eq!(model.get(id(2)).await.unwrap(), Some(at_revision(2, 8)));
    // A rebuild given up is never seen.
    let building = model.begin_rebuild().await.unwrap();
    write(&*model, building, vec![view(4)], 4).await;
    model.discard(building).await.unwrap();
    assert_eq!(list(&*model, ALL).await, [3, 2]);
}

/// The orders of generation `round`, as they are told apart by [`assert_whole`].
fn generation_of(round: u64) -> Vec<OrderView> {
    (1..=20).map(|number| at_revision(number, round)).collect()
}

/// A list MUST hold one generation, whole.
fn assert_whole(views: &[OrderView]) {
    let revision = views[0].revision;
    assert_eq!(views.len(), 20);
    assert!(views.iter().all(|view| view.revision == revision), "two generations in one list");
}

/// Promotes generation after generation with `writer` while tasks read through `reader`.
async fn promote_while_reading<T>(reader: Arc<T>, writer: &T)
where
    T: OrderReadModel + ProjectionStore + 'static,
{
    write_live(writer, generation_of(0), 1).await;
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (reader, done) = (Arc::clone(&reader), Arc::clone(&done));
            tokio::spawn(async move {
                let mut reads = 0_u64;
                let mut last = None;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let views = reader.list(&ALL).await.unwrap();
                    assert_whole(&views);
                    assert!(reader.get(id(7)).await.unwrap().is_some());
                    assert!(last <= Some(views[0].revision), "an old generation came back");
                    last = Some(views[0].revision);
                    reads += 1;
                    tokio::task::yield_now().await;
                }
                reads
            })
        })
        .collect();
    for round in 1..=10 {
        let building = writer.begin_rebuild().await.unwrap();
        write(writer, building, generation_of(round), 1).await;
        writer.promote(building).await.unwrap();
        let views = reader.list(&ALL).await.unwrap();
        assert_eq!(views[0].revision.0, round, "what was promoted is not seen");
        tokio::task::yield_now().await;
    }
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
}

pub async fn concurrent_readers_see_one_generation_or_the_other<T>(model: Arc<T>)
where
    T: OrderReadModel + ProjectionStore + 'static,
{
    promote_while_reading(Arc::clone(&model), &*model).await;
    assert_eq!(live(&*model).await.orders, 20);
}

pub async fn an_open_model_answers_a_ping(model: Arc<impl OrderReadModel>) {
    model.ping().await.unwrap();
}

progress::suite!(OrderReadModel, Model);

pub async fn a_promotion_by_another_handle_switches_readers<T>(open: impl AsyncFn() -> Arc<T>)
where
    T: OrderReadModel + ProjectionStore + 'static,
{
    let (here, there) = (open().await, open().await);
    promote_while_reading(Arc::clone(&here), &*there).await;
    assert_eq!(here.get(id(7)).await.unwrap(), Some(at_revision(7, 10)));
}
