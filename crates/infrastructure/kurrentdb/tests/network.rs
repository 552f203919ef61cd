//! What the network does between store and server: cut, stalled, slow, refusing. Whatever happens, calls
//! end within their deadline, and what was acknowledged is there exactly once and is seen exactly once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use contract_tests::chaos::{Fault, Proxy};
use eventsourcing::store::Error;
use eventsourcing::{EventStore as _, ExpectedRevision, Position, Revision, StreamId};
use kurrentdb::EventStore;
use kurrentdb_testserver::{Cluster, Options};
use support::{append, event, follow, number, store};

const DEADLINE_MS: u64 = 1_000;

fn behind_a_network() -> (Cluster, Proxy, EventStore) {
    let cluster = Cluster::start(Options::default()).unwrap();
    let proxy = Proxy::start(&format!("127.0.0.1:{}", cluster.node(0).port()), Fault::None);
    // Shorter than any test waits, as the network is dead while the connection is not.
    let store = store(&format!(
        "esdb://{}?tls=false&defaultDeadline={DEADLINE_MS}&keepAliveInterval=1000&keepAliveTimeout=1000",
        proxy.address()
    ));
    (cluster, proxy, store)
}

#[tokio::test]
async fn a_network_that_swallows_everything_costs_the_deadline_and_no_more() {
    let (_cluster, proxy, store) = behind_a_network();
    append(&store, "order-1", 0).await;
    proxy.set(Fault::Stalled);
    for _ in 0..2 {
        let begun = Instant::now();
        let stream = StreamId::new("order-1");
        let lost = store.append(&stream, ExpectedRevision::Exact(Revision(0)), vec![event(1)]).await;
        assert!(matches!(lost, Err(Error::Unavailable { .. })), "{lost:?}");
        assert!(begun.elapsed() < Duration::from_millis(DEADLINE_MS + 500), "{:?}", begun.elapsed());
    }
    proxy.set(Fault::None);
    store.ping().await.unwrap();
    let stream = StreamId::new("order-1");
    store.append(&stream, ExpectedRevision::Exact(Revision(0)), vec![event(1)]).await.unwrap();
    assert_eq!(support::numbers(&store, "order-1").await, [0, 1]);
}

#[tokio::test]
async fn a_subscription_over_a_dead_connection_notices_and_goes_on() {
    let (cluster, proxy, store) = behind_a_network();
    let mut subscription = store.subscribe(Position::START, "order-").await.unwrap();
    append(&store, "order-1", 0).await;
    assert_eq!(follow(&mut subscription, 1).await, [0]);
    proxy.set(Fault::Stalled);
    // Written past the network.
    let direct = support::store(&cluster.url());
    append(&direct, "order-1", 1).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    proxy.set(Fault::None);
    assert_eq!(follow(&mut subscription, 1).await, [1]);
}

#[tokio::test]
async fn a_slow_network_is_slow_and_nothing_else() {
    let (_cluster, proxy, store) = behind_a_network();
    proxy.set(Fault::Slow(Duration::from_millis(40)));
    let mut subscription = store.subscribe(Position::START, "").await.unwrap();
    for number in 0..5 {
        append(&store, "order-1", number).await;
    }
    assert_eq!(follow(&mut subscription, 5).await, [0, 1, 2, 3, 4]);
}

/// Writers that retry as a service does, while the network is as bad as it can be.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_ledger_holds_whatever_the_network_does() {
    const WRITERS: u64 = 6;
    const APPENDS: u64 = 40;
    let (cluster, proxy, store) = behind_a_network();
    let mut subscription = store.subscribe(Position::START, "order-").await.unwrap();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                let stream = StreamId::new(format!("order-{writer}"));
                let mut last = None;
                for index in 0..APPENDS {
                    let new = event(writer * 1_000 + index);
                    loop {
                        let expected = ExpectedRevision::after(last);
                        match store.append(&stream, expected, vec![new.clone()]).await {
                            Ok(appended) => {
                                last = Some(appended.revision);
                                break;
                            }
                            Err(Error::Unavailable { .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
                            Err(other) => panic!("{other}: {other:?}"),
                        }
                    }
                }
            })
        })
        .collect();
    let weather = tokio::spawn(async move {
        for round in 0_u64.. {
            match round % 6 {
                0 => proxy.set(Fault::Cut),
                1 => proxy.set(Fault::Slow(Duration::from_millis(5))),
                2 => cluster.node(0).faults().lose_acknowledgements(3),
                3 => proxy.set(Fault::Refused),
                4 => proxy.set(Fault::Reset),
                _ => cluster.node(0).faults().drop_subscriptions(),
            }
            tokio::time::sleep(Duration::from_millis(60)).await;
            proxy.set(Fault::None);
            tokio::time::sleep(Duration::from_millis(120)).await;
        }
    });
    // The follower does as the projector does when a subscription ends: again, from where it was.
    let (mut seen, mut after) = (Vec::new(), Position::START);
    let total = usize::try_from(WRITERS * APPENDS).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while seen.len() < total {
        assert!(Instant::now() < deadline, "{} of {total} were seen", seen.len());
        match tokio::time::timeout(Duration::from_secs(1), subscription.next(16)).await {
            Ok(Ok(page)) => {
                seen.extend(page.events.iter().map(number));
                after = page.next;
            }
            Ok(Err(_)) => {
                while let Err(error) = store.subscribe(after, "order-").await.map(|again| subscription = again) {
                    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            Err(_) => {}
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    weather.abort();
    let distinct: BTreeSet<_> = seen.iter().copied().collect();
    assert_eq!((distinct.len(), seen.len()), (total, total), "each was seen once");
    for writer in 0..WRITERS {
        let of_writer: Vec<_> = seen.iter().copied().filter(|number| number / 1_000 == writer).collect();
        assert_eq!(of_writer, (writer * 1_000..writer * 1_000 + APPENDS).collect::<Vec<_>>(), "in their order");
    }
}
