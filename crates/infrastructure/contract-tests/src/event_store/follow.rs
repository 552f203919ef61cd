//! Cases about reading the whole store and about following it with an [`eventsourcing::Subscription`].
#![allow(missing_docs, reason = "the name of a case says what it shows")]

use std::sync::Arc;
use std::time::Duration;

use eventsourcing::store::Page;
use eventsourcing::{EventStore, ExpectedRevision, Position, RecordedEvent, Revision, Subscription};
use tokio::time::timeout;

use super::{NONE, append, at, events, numbers, read_all, stream};

/// How long a case waits for what has to come; only a failing case waits that long.
const DEADLINE: Duration = Duration::from_secs(30);

/// The next page of a subscription, which has to come.
pub(super) async fn next(subscription: &mut Box<dyn Subscription>, max: usize) -> Page {
    let page = timeout(DEADLINE, subscription.next(max)).await.expect("no page came").unwrap();
    assert!(!page.events.is_empty() && page.events.len() <= max);
    assert!(page.next >= page.events.last().unwrap().position);
    page
}

/// Pages of a subscription until `count` events are there.
pub(super) async fn take(subscription: &mut Box<dyn Subscription>, count: usize, max: usize) -> Vec<RecordedEvent> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.extend(next(subscription, max).await.events);
    }
    taken
}

/// Nothing more is there: whatever a subscription owed has been returned.
async fn assert_drained(subscription: &mut Box<dyn Subscription>) {
    let more = timeout(Duration::from_millis(120), subscription.next(10)).await;
    assert!(more.is_err(), "{more:?}");
}

/// Appends from `writers` tasks at once, each to streams of its own, alternating between two, in runs
/// of one to three.
async fn write_concurrently(store: &Arc<impl EventStore + 'static>, writers: u64, appends: u64) {
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let mut last = [None; 2];
                for index in 0..appends {
                    let name = ["even", "odd"][usize::try_from(index % 2).unwrap()];
                    let last = &mut last[usize::try_from(index % 2).unwrap()];
                    let first = writer * 1_000_000 + index * 10;
                    let new = events(first..first + 1 + index % 3);
                    let stream = stream(&format!("{name}-{writer}"));
                    let appended = store.append(&stream, ExpectedRevision::after(*last), new).await.unwrap();
                    *last = Some(appended.revision);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

pub async fn the_store_is_read_in_pages(store: Arc<impl EventStore>) {
    append(&*store, "a", NONE, 0..5).await;
    append(&*store, "b", NONE, 5..9).await;
    append(&*store, "a", at(4), 9..12).await;
    let all = read_all(&*store).await;
    assert_eq!(numbers(&all), (0..12).collect::<Vec<_>>());
    let mut after = Position::START;
    for expected in [0..5, 5..10, 10..12] {
        let page = store.read_all(after, 5, "").await.unwrap();
        assert_eq!(numbers(&page.events), expected.collect::<Vec<_>>());
        assert!(page.next >= page.events.last().unwrap().position);
        after = page.next;
    }
    for after in [after, all[11].position, Position(u64::MAX)] {
        let page = store.read_all(after, 5, "").await.unwrap();
        assert_eq!(page, Page { events: vec![], next: after });
    }
    let page = store.read_all(all[3].position, 1, "").await.unwrap();
    assert_eq!((numbers(&page.events), page.next), (vec![4], all[4].position));
    let page = store.read_all(all[3].position, 0, "").await.unwrap();
    assert_eq!(page, Page { events: vec![], next: all[3].position });
}

pub async fn the_store_is_read_by_prefix(store: Arc<impl EventStore>) {
    let streams = ["order-1", "cart-1", "order-2", "ORDER-1", "or%er-1", "order", "ordeR-1", "x-order-1"];
    for (name, number) in streams.iter().zip(0..) {
        append(&*store, name, NONE, [number]).await;
    }
    append(&*store, "order-1", at(0), [10]).await;
    let kept = async |prefix: &str| {
        let (mut kept, mut after) = (Vec::new(), Position::START);
        loop {
            let page = store.read_all(after, 2, prefix).await.unwrap();
            assert!(page.events.len() <= 2);
            if page.next == after {
                return kept;
            }
            assert!(page.next > after);
            after = page.next;
            kept.extend(numbers(&page.events));
        }
    };
    assert_eq!(kept("order-").await, [0, 2, 10]);
    assert_eq!(kept("order-1").await, [0, 10]);
    assert_eq!(kept("or%").await, [4]);
    assert_eq!(kept("or_er").await, [0; 0]);
    assert_eq!(kept("nothing").await, [0; 0]);
    assert_eq!(kept("").await, (0..8).chain([10]).collect::<Vec<_>>());
    // A filter that kept nothing has still looked at everything: who follows does not look again.
    let mut after = Position::START;
    while after < store.head().await.unwrap() {
        let page = store.read_all(after, 10, "nothing").await.unwrap();
        assert!(page.events.is_empty() && page.next > after);
        after = page.next;
    }
}

/// The trap of stores that number events before they commit them: a reader that saw 7 before 6.
pub async fn nothing_is_skipped_while_writers_append(store: Arc<impl EventStore + 'static>) {
    const WRITERS: u64 = 8;
    const APPENDS: u64 = 60;
    let total = WRITERS * APPENDS * 2;
    let followers: Vec<_> = [1, 7, 1_000]
        .into_iter()
        .map(|max| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let (mut seen, mut after) = (Vec::new(), Position::START);
                while (seen.len() as u64) < total {
                    let page = store.read_all(after, max, "").await.unwrap();
                    after = page.next;
                    seen.extend(page.events);
                    tokio::task::yield_now().await;
                }
                seen
            })
        })
        .collect();
    let subscriber = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            let mut subscription = store.subscribe(Position::START, "").await.unwrap();
            take(&mut subscription, usize::try_from(total).unwrap(), 11).await
        }
    });
    write_concurrently(&store, WRITERS, APPENDS).await;
    let all = read_all(&*store).await;
    assert_eq!(all.len() as u64, total);
    assert!(all.is_sorted_by(|a, b| a.position < b.position));
    for follower in followers.into_iter().chain([subscriber]) {
        let seen = timeout(DEADLINE, follower).await.expect("an event was skipped").unwrap();
        assert!(seen == all, "seen live: {:?}, in the end: {:?}", numbers(&seen), numbers(&all));
    }
}

pub async fn a_subscription_catches_up_and_goes_on(store: Arc<impl EventStore>) {
    append(&*store, "a", NONE, 0..10).await;
    let mut subscription = store.subscribe(Position::START, "").await.unwrap();
    let mut seen = take(&mut subscription, 10, 4).await;
    for number in 10..30 {
        append(&*store, "a", at(number - 1), [number]).await;
        if number % 3 == 0 {
            seen.extend(next(&mut subscription, 2).await.events);
        }
    }
    let missing = 30 - seen.len();
    seen.extend(take(&mut subscription, missing, 7).await);
    assert_eq!(seen, read_all(&*store).await);
    assert_drained(&mut subscription).await;
}

pub async fn a_subscription_starts_after_its_position(store: Arc<impl EventStore>) {
    append(&*store, "a", NONE, 0..5).await;
    let all = read_all(&*store).await;
    for from in 0..4 {
        let mut subscription = store.subscribe(all[from].position, "").await.unwrap();
        assert_eq!(take(&mut subscription, 4 - from, 10).await, all[from + 1..]);
    }
    let mut subscription = store.subscribe(store.head().await.unwrap(), "").await.unwrap();
    assert_drained(&mut subscription).await;
    append(&*store, "a", at(4), [5]).await;
    assert_eq!(numbers(&next(&mut subscription, 10).await.events), [5]);
}

pub async fn a_subscription_keeps_to_its_prefix(store: Arc<impl EventStore>) {
    append(&*store, "cart-1", NONE, 0..50).await;
    append(&*store, "order-1", NONE, [50]).await;
    let mut subscription = store.subscribe(Position::START, "order-").await.unwrap();
    assert_eq!(numbers(&next(&mut subscription, 3).await.events), [50]);
    append(&*store, "cart-1", at(49), [51]).await;
    assert_drained(&mut subscription).await;
    append(&*store, "order", NONE, [52]).await;
    append(&*store, "order-2", NONE, [53, 54]).await;
    append(&*store, "cart-1", at(50), [55]).await;
    append(&*store, "order-1", at(0), [56]).await;
    assert_eq!(numbers(&take(&mut subscription, 3, 2).await), [53, 54, 56]);
    assert_drained(&mut subscription).await;
}

pub async fn a_subscription_returns_at_most_as_many_as_asked_for(store: Arc<impl EventStore>) {
    append(&*store, "a", NONE, 0..20).await;
    let mut subscription = store.subscribe(Position::START, "").await.unwrap();
    let mut seen = Vec::new();
    for max in [1, 2, 3, 1, 5, 1, 100] {
        let page = next(&mut subscription, max).await;
        seen.extend(numbers(&page.events));
    }
    let missing = 20 - seen.len();
    seen.extend(numbers(&take(&mut subscription, missing, 1).await));
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
}

pub async fn a_subscription_waits_and_wakes_up(store: Arc<impl EventStore + 'static>) {
    let mut subscription = store.subscribe(Position::START, "").await.unwrap();
    for number in 0..20 {
        let waiter = tokio::spawn(async move {
            let page = next(&mut subscription, 10).await;
            (page, subscription)
        });
        // Whether it waits already or not: it has to notice.
        for _ in 0..number {
            tokio::task::yield_now().await;
        }
        assert!(!waiter.is_finished());
        let expected = if number == 0 { NONE } else { at(number - 1) };
        append(&*store, "a", expected, [number]).await;
        let (page, back) = timeout(Duration::from_secs(1), waiter).await.expect("not woken within a second").unwrap();
        assert_eq!(numbers(&page.events), [number]);
        subscription = back;
    }
}

/// A generator of the kind that needs no crate; what it gives only has to be spread.
fn scattered(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Lets other tasks and threads go on for a while that cannot be told beforehand.
async fn linger(turns: u64) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}

pub async fn a_subscription_survives_dropped_waits(store: Arc<impl EventStore + 'static>) {
    let mut random = 42;
    let writer = tokio::spawn({
        let store = Arc::clone(&store);
        async move { write_concurrently(&store, 4, 60).await }
    });
    let mut subscription = store.subscribe(Position::START, "even").await.unwrap();
    let mut seen = Vec::new();
    let mut dropped = 0;
    let is_complete = async {
        // Half of the appends go to the streams that are followed, in runs of one to three.
        while seen.len() < 4 * 60 {
            let max = usize::try_from(1 + scattered(&mut random) % 9).unwrap();
            let patience = match scattered(&mut random) % 4 {
                0 => 0,
                1 => scattered(&mut random) % 5,
                2 => scattered(&mut random) % 300,
                // Sometimes it is let through, so that the case ends on every machine.
                _ => u64::MAX,
            };
            tokio::select! {
                biased;
                () = linger(patience) => dropped += 1,
                page = subscription.next(max) => seen.extend(page.unwrap().events),
            }
        }
    };
    timeout(DEADLINE, is_complete).await.expect("an event was lost");
    writer.await.unwrap();
    assert!(dropped > 10, "only {dropped} were dropped");
    let mut expected = read_all(&*store).await;
    expected.retain(|event| event.stream.as_str().starts_with("even"));
    assert_eq!(numbers(&seen), numbers(&expected));
    assert_drained(&mut subscription).await;
}

pub async fn subscriptions_do_not_share_anything(store: Arc<impl EventStore + 'static>) {
    append(&*store, "a", NONE, 0..10).await;
    let start = read_all(&*store).await[4].position;
    let mut tasks = Vec::new();
    for (after, prefix, expected) in [
        (Position::START, "", (0..40).collect::<Vec<_>>()),
        (Position::START, "a", (0..25).collect()),
        (start, "", (5..40).collect()),
        (start, "b", (25..40).collect()),
        (Position::START, "", (0..40).collect()),
    ] {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            let mut subscription = store.subscribe(after, prefix).await.unwrap();
            let seen = take(&mut subscription, expected.len(), 3).await;
            assert_eq!(numbers(&seen), expected, "{after} {prefix:?}");
        }));
    }
    // One that is given up in between takes nothing away from the others.
    drop(store.subscribe(Position::START, "").await.unwrap());
    append(&*store, "a", at(9), 10..25).await;
    assert_eq!(append(&*store, "b", NONE, 25..40).await.revision, Revision(14));
    for task in tasks {
        timeout(DEADLINE, task).await.expect("an event was lost").unwrap();
    }
}
