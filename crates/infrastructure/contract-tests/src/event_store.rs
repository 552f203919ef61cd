//! The suite of [`EventStore`]: appending and reading. Following the store is in `follow`, what
//! outlives a process in `restart`.
#![allow(missing_docs, reason = "the name of a case says what it shows")]

pub mod follow;
pub mod restart;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use eventsourcing::store::{Error, Page};
use eventsourcing::{
    Appended, EventId, EventStore, ExpectedRevision, NewEvent, Position, RecordedEvent, Revision, StreamId,
};
use uuid::Uuid;

/// Runs the suite. `place` makes a fresh, empty place, `open` opens a store in it.
#[macro_export]
macro_rules! event_store_contract {
    (place: $place:expr, open: $open:expr) => {
        $crate::cases!(
            $crate::event_store,
            $place,
            $open,
            [
                what_was_appended_is_read_as_it_was,
                odd_stream_names_do_not_share_anything,
                a_large_payload_is_read_as_it_was,
                revisions_follow_each_other,
                a_stale_expectation_conflicts_and_leaves_no_trace,
                of_concurrent_appends_with_one_expectation_one_wins,
                an_append_repeated_is_told_its_place,
                an_append_of_several_repeated_is_told_its_place,
                concurrent_repeats_are_stored_once,
                other_ids_at_the_same_place_conflict,
                partly_the_same_ids_conflict,
                an_empty_append_is_invalid,
                a_stream_is_read_in_pages,
                a_missing_stream_reads_as_empty,
                positions_increase,
                an_empty_store_is_at_the_start,
                the_head_is_the_last_position,
                a_healthy_store_answers_pings,
            ]
        );
        $crate::cases!(
            $crate::event_store::follow,
            $place,
            $open,
            [
                the_store_is_read_in_pages,
                the_store_is_read_by_prefix,
                nothing_is_skipped_while_writers_append,
                a_subscription_catches_up_and_goes_on,
                a_subscription_starts_after_its_position,
                a_subscription_keeps_to_its_prefix,
                a_subscription_returns_at_most_as_many_as_asked_for,
                a_subscription_waits_and_wakes_up,
                a_subscription_survives_dropped_waits,
                subscriptions_do_not_share_anything,
            ]
        );
    };
}

/// Runs the suite of what survives the end of a process.
#[macro_export]
macro_rules! event_store_reopen_contract {
    (place: $place:expr, open: $open:expr) => {
        $crate::reopen_cases!(
            $crate::event_store::restart,
            $place,
            $open,
            [
                events_survive,
                expectations_and_ids_survive,
                two_handles_see_each_others_appends,
                of_appends_of_two_handles_one_wins,
                two_handles_wake_each_others_subscriptions,
            ]
        );
    };
}

pub(crate) const NONE: ExpectedRevision = ExpectedRevision::NoStream;

pub(crate) const fn at(revision: u64) -> ExpectedRevision {
    ExpectedRevision::Exact(Revision(revision))
}

pub(crate) fn stream(name: &str) -> StreamId {
    StreamId::new(name)
}

/// An event whose id and payload follow from `number`.
pub(crate) fn event(number: u64) -> NewEvent {
    NewEvent {
        id: EventId(Uuid::from_u128(u128::from(number))),
        event_type: Cow::Borrowed("COUNTED"),
        data: Bytes::from(format!("{{\"number\":{number}}}")),
        metadata: Bytes::from_static(b"{}"),
    }
}

pub(crate) fn events(numbers: impl IntoIterator<Item = u64>) -> Vec<NewEvent> {
    numbers.into_iter().map(event).collect()
}

/// The numbers of [`event`]s, as they were read.
pub(crate) fn numbers(events: &[RecordedEvent]) -> Vec<u64> {
    events.iter().map(|event| u64::try_from(event.id.0.as_u128()).unwrap()).collect()
}

pub(crate) async fn append(
    store: &impl EventStore,
    name: &str,
    expected: ExpectedRevision,
    numbers: impl IntoIterator<Item = u64>,
) -> Appended {
    let appended = store.append(&stream(name), expected, events(numbers)).await.unwrap();
    assert!(!appended.duplicate);
    appended
}

pub(crate) async fn read(store: &impl EventStore, name: &str) -> Vec<RecordedEvent> {
    store.read(&stream(name), Revision::FIRST, usize::MAX).await.unwrap()
}

/// The whole store, asked for in pages so that an adapter's bound on a page does not matter.
pub(crate) async fn read_all(store: &impl EventStore) -> Vec<RecordedEvent> {
    let (mut all, mut after) = (Vec::new(), Position::START);
    loop {
        let Page { events, next } = store.read_all(after, 1_000, "").await.unwrap();
        if next == after {
            assert_eq!(events, [], "a page with events moves on");
            return all;
        }
        all.extend(events);
        after = next;
    }
}

fn assert_conflict(result: Result<Appended, Error>, name: &str, revision: Option<u64>) {
    let told = match &result {
        Err(Error::Conflict { stream, current }) => Some((stream.as_str(), current.map(|revision| revision.0))),
        _ => None,
    };
    assert_eq!(told, Some((name, revision)), "{result:?}");
}

pub async fn what_was_appended_is_read_as_it_was(store: Arc<impl EventStore>) {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let new = [
        NewEvent {
            id: EventId(Uuid::from_u128(u128::MAX)),
            event_type: Cow::Borrowed("ORDER_CREATED"),
            data: Bytes::from(every_byte.clone()),
            metadata: Bytes::from_static(br#"{"causationId":"00000000-0000-0000-0000-000000000007"}"#),
        },
        NewEvent {
            id: EventId(Uuid::nil()),
            event_type: Cow::Borrowed(""),
            data: Bytes::new(),
            metadata: Bytes::new(),
        },
        NewEvent {
            id: EventId(Uuid::from_u128(3)),
            event_type: Cow::Owned("sehr \"ungewöhnlich\"\0\n🎉".to_owned()),
            data: Bytes::from_static(b"\0"),
            metadata: Bytes::from(every_byte),
        },
    ];
    let appended = store.append(&stream("s"), NONE, new.to_vec()).await.unwrap();
    assert_eq!((appended.revision, appended.duplicate), (Revision(2), false));
    let found = read(&*store, "s").await;
    assert_eq!(found.len(), new.len());
    for ((found, new), revision) in found.iter().zip(new).zip(0..) {
        assert_eq!(found.stream, stream("s"));
        assert_eq!(found.revision, Revision(revision));
        assert_eq!(found.id, new.id);
        assert_eq!(found.event_type, new.event_type);
        assert_eq!(found.data, new.data);
        assert_eq!(found.raw_metadata, new.metadata);
    }
    assert_eq!(found.last().unwrap().position, appended.position);
    assert_eq!(found[0].metadata().causation_id, Some(Uuid::from_u128(7)));
    // However it is asked for, it is the same event, the time of its recording included.
    assert_eq!(read_all(&*store).await, found);
    let mut subscription = store.subscribe(Position::START, "").await.unwrap();
    assert_eq!(subscription.next(10).await.unwrap().events, found);
}

pub async fn odd_stream_names_do_not_share_anything(store: Arc<impl EventStore>) {
    let names =
        ["order-1", "ORDER-1", "order-1 ", "order-", "orde", "ключ", "k\0y", "k", "", "'; DROP TABLE events; --"];
    for (name, number) in names.iter().zip(1..) {
        append(&*store, name, NONE, [number]).await;
    }
    for (name, number) in names.iter().zip(1..) {
        let found = read(&*store, name).await;
        assert_eq!(numbers(&found), [number], "{name:?}");
        assert_eq!(found[0].stream.as_str(), *name);
    }
}

pub async fn a_large_payload_is_read_as_it_was(store: Arc<impl EventStore>) {
    let data: Bytes = (0..1024 * 1024_u32).map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let large = NewEvent { data: data.clone(), ..event(1) };
    store.append(&stream("s"), NONE, vec![large, event(2)]).await.unwrap();
    let found = read(&*store, "s").await;
    assert_eq!(numbers(&found), [1, 2]);
    assert!(found[0].data == data, "1 MiB came back otherwise");
}

pub async fn revisions_follow_each_other(store: Arc<impl EventStore>) {
    assert_eq!(append(&*store, "s", NONE, [1]).await.revision, Revision(0));
    assert_eq!(append(&*store, "s", at(0), [2, 3, 4]).await.revision, Revision(3));
    assert_eq!(append(&*store, "s", at(3), [5]).await.revision, Revision(4));
    assert_eq!(append(&*store, "other", NONE, [6]).await.revision, Revision(0));
    let found = read(&*store, "s").await;
    assert_eq!(numbers(&found), [1, 2, 3, 4, 5]);
    assert!(found.iter().zip(0..).all(|(event, revision)| event.revision == Revision(revision)));
}

pub async fn a_stale_expectation_conflicts_and_leaves_no_trace(store: Arc<impl EventStore>) {
    let attempt = async |expected, number| store.append(&stream("s"), expected, events([number, number + 1])).await;
    for expected in [at(0), at(7), at(u64::MAX / 2)] {
        assert_conflict(attempt(expected, 10).await, "s", None);
    }
    assert_eq!(read_all(&*store).await, []);
    append(&*store, "s", NONE, [1, 2, 3]).await;
    let (before, head) = (read_all(&*store).await, store.head().await.unwrap());
    for expected in [NONE, at(0), at(1), at(3), at(4), at(u64::MAX / 2)] {
        assert_conflict(attempt(expected, 10).await, "s", Some(2));
    }
    assert_eq!(read_all(&*store).await, before);
    assert_eq!(store.head().await.unwrap(), head);
    append(&*store, "s", at(2), [10]).await;
}

pub async fn of_concurrent_appends_with_one_expectation_one_wins(store: Arc<impl EventStore + 'static>) {
    let mut expected = NONE;
    for round in 0..10 {
        let tasks: Vec<_> = (0..16)
            .map(|writer| {
                let store = Arc::clone(&store);
                // Of different lengths, so that a loser's rest would show.
                let new = (0..1 + writer % 3).map(move |index| 1_000 * (round + 1) + 10 * writer + index);
                tokio::spawn(async move { (new.clone(), store.append(&stream("s"), expected, events(new)).await) })
            })
            .collect();
        let mut winners = Vec::new();
        let mut told = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                (new, Ok(appended)) => winners.push((new.collect::<Vec<_>>(), appended)),
                (_, Err(Error::Conflict { current, .. })) => told.push(current),
                (_, Err(other)) => panic!("{other}"),
            }
        }
        assert_eq!((winners.len(), told.len()), (1, 15));
        let (new, appended) = winners.remove(0);
        assert!(!appended.duplicate);
        assert!(told.iter().all(|current| *current == Some(appended.revision)), "{told:?}");
        let found = numbers(&read(&*store, "s").await);
        assert!(found.ends_with(&new), "{found:?} {new:?}");
        assert_eq!(found.len() as u64, appended.revision.0 + 1);
        expected = ExpectedRevision::after(Some(appended.revision));
    }
}

pub async fn an_append_repeated_is_told_its_place(store: Arc<impl EventStore>) {
    let first = append(&*store, "s", NONE, [1]).await;
    let second = append(&*store, "s", at(0), [2]).await;
    let repeat = async |expected, number| store.append(&stream("s"), expected, events([number])).await.unwrap();
    for _ in 0..2 {
        assert_eq!(repeat(NONE, 1).await, Appended { duplicate: true, ..first });
        assert_eq!(repeat(at(0), 2).await, Appended { duplicate: true, ..second });
    }
    append(&*store, "s", at(1), 3..50).await;
    append(&*store, "other", NONE, [100]).await;
    let before = read_all(&*store).await;
    assert_eq!(repeat(NONE, 1).await, Appended { duplicate: true, ..first });
    assert_eq!(repeat(at(0), 2).await, Appended { duplicate: true, ..second });
    assert_eq!(read_all(&*store).await, before);
}

pub async fn an_append_of_several_repeated_is_told_its_place(store: Arc<impl EventStore>) {
    append(&*store, "s", NONE, [1]).await;
    let several = append(&*store, "s", at(0), [2, 3, 4]).await;
    let repeat = async || store.append(&stream("s"), at(0), events([2, 3, 4])).await.unwrap();
    assert_eq!(repeat().await, Appended { duplicate: true, ..several });
    append(&*store, "s", at(3), [5, 6]).await;
    let before = read_all(&*store).await;
    assert_eq!(repeat().await, Appended { duplicate: true, ..several });
    assert_eq!(read_all(&*store).await, before);
}

/// What happens when a client gives up waiting and tries again while the first attempt still runs.
pub async fn concurrent_repeats_are_stored_once(store: Arc<impl EventStore + 'static>) {
    for round in 0..10 {
        let name = format!("s{round}");
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (store, name) = (Arc::clone(&store), name.clone());
                tokio::spawn(async move {
                    store.append(&stream(&name), NONE, events([10 * round, 10 * round + 1])).await.unwrap()
                })
            })
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        assert_eq!(answers.iter().filter(|appended| !appended.duplicate).count(), 1, "{answers:?}");
        assert!(answers.iter().all(|a| (a.revision, a.position) == (Revision(1), answers[0].position)), "{answers:?}");
        assert_eq!(read(&*store, &name).await.len(), 2);
    }
}

pub async fn other_ids_at_the_same_place_conflict(store: Arc<impl EventStore>) {
    append(&*store, "s", NONE, [1, 2, 3]).await;
    let before = read_all(&*store).await;
    let attempt = async |expected, new: Vec<u64>| store.append(&stream("s"), expected, events(new)).await;
    assert_conflict(attempt(NONE, vec![9]).await, "s", Some(2));
    assert_conflict(attempt(NONE, vec![7, 8, 9]).await, "s", Some(2));
    // The ids are there, but elsewhere.
    assert_conflict(attempt(NONE, vec![2]).await, "s", Some(2));
    assert_conflict(attempt(at(0), vec![1]).await, "s", Some(2));
    assert_conflict(attempt(NONE, vec![2, 1, 3]).await, "s", Some(2));
    assert_eq!(read_all(&*store).await, before);
    // Another stream is another place.
    append(&*store, "other", NONE, [11]).await;
}

pub async fn partly_the_same_ids_conflict(store: Arc<impl EventStore>) {
    append(&*store, "s", NONE, [1, 2, 3]).await;
    let before = read_all(&*store).await;
    for (expected, new) in
        [(NONE, vec![1, 9]), (NONE, vec![9, 2]), (NONE, vec![1, 2, 3, 4]), (at(1), vec![3, 4]), (at(0), vec![2, 3, 4])]
    {
        assert_conflict(store.append(&stream("s"), expected, events(new)).await, "s", Some(2));
    }
    assert_eq!(read_all(&*store).await, before);
    // All of it, although not up to where the stream is now: that is a repeat.
    let repeat = store.append(&stream("s"), NONE, events([1, 2])).await.unwrap();
    assert_eq!((repeat.revision, repeat.duplicate), (Revision(1), true));
}

pub async fn an_empty_append_is_invalid(store: Arc<impl EventStore>) {
    append(&*store, "s", NONE, [1]).await;
    let before = read_all(&*store).await;
    for (name, expected) in [("s", NONE), ("s", at(0)), ("s", at(9)), ("other", NONE)] {
        let answer = store.append(&stream(name), expected, Vec::new()).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "{answer:?}");
    }
    assert_eq!(read_all(&*store).await, before);
}

pub async fn a_stream_is_read_in_pages(store: Arc<impl EventStore>) {
    append(&*store, "s", NONE, 0..10).await;
    append(&*store, "other", NONE, 20..30).await;
    append(&*store, "s", at(9), 10..13).await;
    let page = async |from, max| numbers(&store.read(&stream("s"), Revision(from), max).await.unwrap());
    assert_eq!(page(0, 5).await, [0, 1, 2, 3, 4]);
    assert_eq!(page(5, 5).await, [5, 6, 7, 8, 9]);
    assert_eq!(page(10, 5).await, [10, 11, 12]);
    assert_eq!(page(12, 1).await, [12]);
    assert_eq!(page(0, usize::MAX).await, (0..13).collect::<Vec<_>>());
    assert_eq!(page(0, 0).await, [0; 0]);
    for behind in [13, 14, 1_000, u64::MAX] {
        assert_eq!(page(behind, 5).await, [0; 0], "{behind}");
    }
}

pub async fn a_missing_stream_reads_as_empty(store: Arc<impl EventStore>) {
    for (expected, number) in [(NONE, 1), (at(0), 2)] {
        for from in [0, 1, u64::MAX] {
            assert_eq!(store.read(&stream("missing"), Revision(from), 10).await.unwrap(), []);
        }
        // Neither does one read nor what is elsewhere bring it into being.
        append(&*store, "missing-not", expected, [number]).await;
    }
}

pub async fn positions_increase(store: Arc<impl EventStore>) {
    let mut positions = vec![Position::START];
    for round in 0..20 {
        for name in ["a", "b"] {
            let expected = if round == 0 { NONE } else { at(3 * round - 1) };
            let number = 1_000 * round + if name == "a" { 0 } else { 500 };
            positions.push(append(&*store, name, expected, number..number + 3).await.position);
        }
    }
    assert!(positions.is_sorted_by(|a, b| a < b), "{positions:?}");
    let all = read_all(&*store).await;
    assert_eq!(all.len(), 120);
    assert!(all[0].position > Position::START);
    assert!(all.is_sorted_by(|a, b| a.position < b.position));
    let told: Vec<_> = all.iter().skip(2).step_by(3).map(|event| event.position).collect();
    assert_eq!(told, positions[1..]);
}

pub async fn an_empty_store_is_at_the_start(store: Arc<impl EventStore>) {
    assert_eq!(store.head().await.unwrap(), Position::START);
    assert_eq!(store.read_all(Position::START, 10, "").await.unwrap(), Page::default());
}

pub async fn the_head_is_the_last_position(store: Arc<impl EventStore>) {
    for number in 0..5 {
        let appended = append(&*store, &format!("s{number}"), NONE, [2 * number, 2 * number + 1]).await;
        assert_eq!(store.head().await.unwrap(), appended.position);
        assert_eq!(read_all(&*store).await.last().unwrap().position, appended.position);
    }
}

pub async fn a_healthy_store_answers_pings(store: Arc<impl EventStore>) {
    for number in 0..3 {
        store.ping().await.unwrap();
        append(&*store, &format!("s{number}"), NONE, [number]).await;
        store.ping().await.unwrap();
    }
    assert_eq!(read_all(&*store).await.len(), 3);
}
