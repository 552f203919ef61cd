//! Cases about what outlives a process, and about several handles on one place.
#![allow(missing_docs, reason = "the name of a case says what it shows")]

use std::sync::Arc;
use std::time::Duration;

use eventsourcing::store::Error;
use eventsourcing::{Appended, EventStore, ExpectedRevision, Position, Revision};
use tokio::time::timeout;

use super::follow::{next, take};
use super::{NONE, append, at, events, numbers, read, read_all, stream};

pub async fn events_survive<T: EventStore>(open: impl AsyncFn() -> Arc<T>) {
    let store = open().await;
    append(&*store, "a", NONE, 0..5).await;
    append(&*store, "b", NONE, 5..7).await;
    append(&*store, "a", at(4), [7]).await;
    let (all, head) = (read_all(&*store).await, store.head().await.unwrap());
    drop(store);
    for _ in 0..3 {
        let store = open().await;
        assert_eq!(read_all(&*store).await, all);
        assert_eq!(store.head().await.unwrap(), head);
        assert_eq!(numbers(&read(&*store, "a").await), [0, 1, 2, 3, 4, 7]);
        let mut subscription = store.subscribe(all[2].position, "").await.unwrap();
        assert_eq!(take(&mut subscription, 5, 2).await, all[3..]);
    }
}

pub async fn expectations_and_ids_survive<T: EventStore>(open: impl AsyncFn() -> Arc<T>) {
    let first = append(&*open().await, "a", NONE, [1, 2]).await;
    let store = open().await;
    let repeat = store.append(&stream("a"), NONE, events([1, 2])).await.unwrap();
    assert_eq!(repeat, Appended { duplicate: true, ..first });
    let late = store.append(&stream("a"), NONE, events([3])).await;
    assert!(matches!(late, Err(Error::Conflict { current: Some(Revision(1)), .. })), "{late:?}");
    let next = append(&*store, "a", at(1), [3]).await;
    assert!(next.position > first.position);
    drop(store);
    assert!(append(&*open().await, "b", NONE, [4]).await.position > next.position);
}

pub async fn two_handles_see_each_others_appends<T: EventStore>(open: impl AsyncFn() -> Arc<T>) {
    let (here, there) = (open().await, open().await);
    let mut expected = NONE;
    for number in 0..20 {
        let (writer, reader) = if number % 2 == 0 { (&here, &there) } else { (&there, &here) };
        let appended = append(&**writer, "a", expected, [number]).await;
        assert_eq!(reader.head().await.unwrap(), appended.position);
        assert_eq!(numbers(&read(&**reader, "a").await), (0..=number).collect::<Vec<_>>());
        let repeat = reader.append(&stream("a"), expected, events([number])).await.unwrap();
        assert_eq!(repeat, Appended { duplicate: true, ..appended });
        expected = ExpectedRevision::after(Some(appended.revision));
    }
    assert_eq!(read_all(&*here).await, read_all(&*there).await);
}

pub async fn of_appends_of_two_handles_one_wins<T: EventStore + 'static>(open: impl AsyncFn() -> Arc<T>) {
    let handles = [open().await, open().await];
    let mut expected = NONE;
    for round in 0..20 {
        let tasks: Vec<_> = handles
            .iter()
            .zip([1, 2])
            .map(|(store, writer)| {
                let store = Arc::clone(store);
                tokio::spawn(async move { store.append(&stream("a"), expected, events([10 * round + writer])).await })
            })
            .collect();
        let mut won = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(appended) => won.push(appended),
                Err(Error::Conflict { .. }) => {}
                Err(other) => panic!("{other}: {other:?}"),
            }
        }
        assert_eq!(won.len(), 1, "{won:?}");
        assert_eq!(won[0].revision, Revision(round));
        expected = at(round);
    }
    assert_eq!(read(&*handles[0], "a").await.len(), 20);
}

pub async fn two_handles_wake_each_others_subscriptions<T: EventStore>(open: impl AsyncFn() -> Arc<T>) {
    let (here, there) = (open().await, open().await);
    let mut subscriptions =
        [here.subscribe(Position::START, "").await.unwrap(), there.subscribe(Position::START, "").await.unwrap()];
    let mut expected = NONE;
    for number in 0..10 {
        let writer = if number % 2 == 0 { &here } else { &there };
        let appended = append(&**writer, "a", expected, [number]).await;
        expected = ExpectedRevision::after(Some(appended.revision));
        for subscription in &mut subscriptions {
            let page = timeout(Duration::from_secs(1), next(subscription, 10)).await.expect("not within a second");
            assert_eq!(numbers(&page.events), [number]);
        }
    }
}
