//! The law of the whole: however a history is cut into pages, partitions, runs and redeliveries, the
//! projection ends at what one plain fold of each order gives, and a rebuild ends there too.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use delivery::models::OrderId;
use delivery::projections::{OrderView, fold};
use delivery::repository::{Generation, ParkedEvent, ProjectionStore};
use eventsourcing::{NewEvent, Position, RecordedEvent, StreamId};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::world::{World, created, id, moved, paid, submitted, unreadable};

const ORDERS: u64 = 12;

/// One more event of some stream.
#[derive(Debug, Clone)]
enum Next {
    Order(u64),
    /// Nothing can be done with it, nor with what follows in its order.
    Poison(u64),
    /// Of a stream with the prefix of orders, but without an order's id.
    Nobody,
    /// Of a stream that is not followed.
    Foreign,
}

#[derive(Debug, Clone)]
struct Plan {
    partitions: usize,
    live_batch: usize,
    rebuild_batch: usize,
    /// What each run of the projection finds in the store when it starts, and what it finds appended
    /// once it runs.
    runs: Vec<(Vec<Next>, Vec<Next>)>,
    /// Where each run starts, as percents of the checkpoint.
    falls: Vec<u64>,
}

fn next() -> impl Strategy<Value = Next> {
    prop_oneof![
        40 => (0..ORDERS).prop_map(Next::Order),
        1 => (0..ORDERS).prop_map(Next::Poison),
        1 => Just(Next::Nobody),
        2 => Just(Next::Foreign),
    ]
}

/// Steps are spread over partitions from 128 events upwards, so `events` a run should be beyond that.
fn plan(events: usize) -> impl Strategy<Value = Plan> {
    let batch = || prop_oneof![Just(1_usize), 2_usize..20, 100_usize..300, Just(1_000)];
    let run = (prop::collection::vec(next(), 0..events), prop::collection::vec(next(), 0..events / 4));
    let runs = prop::collection::vec(run, 1..4);
    (1_usize..9, batch(), batch(), runs, prop::collection::vec(0_u64..=100, 4)).prop_map(
        |(partitions, live_batch, rebuild_batch, runs, falls)| Plan {
            partitions,
            live_batch,
            rebuild_batch,
            runs,
            falls,
        },
    )
}

/// What a projection is expected to hold, or holds.
#[derive(Debug, PartialEq)]
struct Contents {
    documents: BTreeMap<OrderId, OrderView>,
    /// By position: the first of an order with its own error, the others behind it.
    parked: Vec<(Position, String)>,
}

/// One fold for each stream, one event after the other.
fn expected(history: &[RecordedEvent]) -> Contents {
    let mut streams: BTreeMap<&StreamId, Vec<RecordedEvent>> = BTreeMap::new();
    for event in history.iter().filter(|event| event.stream.as_str().starts_with("order-")) {
        streams.entry(&event.stream).or_default().push(event.clone());
    }
    let mut contents = Contents { documents: BTreeMap::new(), parked: Vec::new() };
    for events in streams.values() {
        let readable = (0..events.len()).find(|count| fold(&events[..=*count]).is_err()).unwrap_or(events.len());
        if let Some(view) = fold(&events[..readable]).unwrap() {
            contents.documents.insert(view.id, view);
        }
        for (index, event) in events.iter().enumerate().skip(readable) {
            let error = match OrderId::from_stream(&event.stream) {
                _ if index > readable => "an earlier event of this order is parked".to_owned(),
                None => format!("stream {} does not belong to an order", event.stream),
                Some(_) => {
                    "the event cannot be read: malformed payload of ORDER_PAID: eof error at line 1 column 1".to_owned()
                }
            };
            contents.parked.push((event.position, error));
        }
    }
    contents.parked.sort();
    contents
}

impl Contents {
    /// In words, since thousands of fields side by side say nothing.
    fn differences(&self, expected: &Self) -> Vec<String> {
        let ids = self.documents.keys().chain(expected.documents.keys()).collect::<BTreeSet<_>>();
        let documents = ids.into_iter().filter_map(|id| {
            let (found, expected) = (self.documents.get(id), expected.documents.get(id));
            let revision = |view: Option<&OrderView>| view.map(|view| view.revision);
            (found != expected).then(|| format!("order {id}: {:?}, not {:?}", revision(found), revision(expected)))
        });
        let more = self.parked.iter().filter(|parked| !expected.parked.contains(parked));
        let less = expected.parked.iter().filter(|parked| !self.parked.contains(parked));
        let parked = more.map(|parked| format!("is parked: {parked:?}"));
        documents.chain(parked).chain(less.map(|parked| format!("is not parked: {parked:?}"))).collect()
    }
}

async fn found(world: &World, generation: Generation) -> Contents {
    let ids: Vec<_> = (0..ORDERS).map(id).collect();
    let documents = world.target.load(generation, &ids).await.unwrap();
    let parked = world.parked(generation).await;
    assert!(parked.iter().all(|parked| parked.attempts == 1 && parked.parked_at == world.now()));
    Contents {
        documents: documents.into_iter().map(|view| (view.id, view)).collect(),
        parked: parked.into_iter().map(|ParkedEvent { event, error, .. }| (event.position, error)).collect(),
    }
}

/// Appends; what each order is told is told from how much it has been told already.
async fn append(world: &World, nexts: &[Next], told: &mut BTreeMap<u64, u64>) {
    for next in nexts {
        let (order, poison) = match next {
            Next::Order(order) => (*order, false),
            Next::Poison(order) => (*order, true),
            Next::Nobody => {
                world.append_to(&StreamId::new("order-of-nobody"), vec![paid()]).await;
                continue;
            }
            Next::Foreign => {
                world.append_to(&StreamId::new("basket-1"), vec![paid()]).await;
                continue;
            }
        };
        let count = told.entry(order).or_default();
        let event = if poison { unreadable() } else { nth(*count) };
        *count += 1;
        world.append(order, vec![event]).await;
    }
}

fn nth(count: u64) -> NewEvent {
    match count {
        0 => created("street 0"),
        3 => paid(),
        7 => submitted(),
        _ => moved(&format!("street {count}")),
    }
}

/// The position of the last event that the projection follows.
fn last(history: &[RecordedEvent]) -> Option<Position> {
    history.iter().rfind(|event| event.stream.as_str().starts_with("order-")).map(|event| event.position)
}

async fn check(mut world: World, plan: Plan) -> Result<(), TestCaseError> {
    world.options.partitions = NonZeroUsize::new(plan.partitions).unwrap();
    world.options.live_batch = plan.live_batch;
    world.options.rebuild_batch = plan.rebuild_batch;
    let mut told = BTreeMap::new();
    for (run, (before, during)) in plan.runs.iter().enumerate() {
        append(&world, before, &mut told).await;
        let from = Position(world.live().await.checkpoint.0 * plan.falls[run] / 100);
        world.target.rewind(from);
        let running = world.start();
        append(&world, during, &mut told).await;
        let history = world.history().await;
        let live = world.live().await.generation;
        if let Some(last) = last(&history).filter(|last| *last > from) {
            world.committed(live, last).await;
        }
        let differences = found(&world, live).await.differences(&expected(&history));
        prop_assert_eq!(differences, Vec::<String>::new(), "after run {}", run);
        drop(running.stop().await);
    }

    let history = world.history().await;
    let running = world.start();
    let building = running.projector.rebuild(false).await.unwrap();
    if let Some(last) = last(&history) {
        world.committed(building, last).await;
    }
    let differences = found(&world, building).await.differences(&expected(&history));
    prop_assert_eq!(differences, Vec::<String>::new(), "rebuilt");
    drop(running.stop().await);

    let status = world.building().await.unwrap();
    let (orders, parked) = (status.orders, status.parked);
    let contents = expected(&history);
    prop_assert_eq!((orders, parked), (contents.documents.len() as u64, contents.parked.len() as u64));
    Ok(())
}

/// With threads, so that partitions do run side by side.
fn run(check: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(check)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_in_memory_projects_to_its_plain_fold(plan in plan(600)) {
        run(check(World::memory(), plan))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_history_in_sqlite_projects_to_its_plain_fold(plan in plan(200)) {
        run(check(World::sqlite(), plan))?;
    }
}
