//! What the store does when the server does not do what it should: nothing is lost, nothing is there
//! twice, and nobody waits longer than they were ready to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod support;

use std::time::{Duration, Instant};

use bytes::Bytes;
use contract_tests::away::told;
use eventsourcing::store::Error;
use eventsourcing::{Appended, EventStore as _, ExpectedRevision, NewEvent, Position, Revision, StreamId};
use kurrentdb_testserver::Options;
use support::{append, cluster, event, follow, number, numbers, patient_for, store};

fn is_unavailable<T: std::fmt::Debug>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Unavailable { .. }))
}

#[tokio::test]
async fn an_append_whose_acknowledgement_is_lost_is_stored_once() {
    let (cluster, store) = cluster(Options::default());
    append(&store, "order-1", 0).await;
    cluster.node(0).faults().lose_acknowledgements(2);
    let appended = append(&store, "order-1", 1).await;
    assert_eq!(appended.revision, Revision(1));
    assert_eq!(cluster.node(0).faults().appends_seen(), 4, "one, and one that was sent three times");
    assert_eq!(numbers(&store, "order-1").await, [0, 1]);
}

#[tokio::test]
async fn a_busy_server_is_asked_again_but_not_for_ever() {
    let (cluster, store) = cluster(Options::default());
    append(&store, "order-1", 0).await;
    cluster.node(0).faults().refuse_next(3);
    append(&store, "order-1", 1).await;
    cluster.node(0).faults().refuse_next(u64::MAX);
    let begun = Instant::now();
    let refused = store.append(&StreamId::new("order-1"), ExpectedRevision::Exact(Revision(1)), vec![event(2)]).await;
    assert!(is_unavailable(&refused) && told(&refused.unwrap_err()).contains("Too Busy"));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    cluster.node(0).faults().heal();
    append(&store, "order-1", 2).await;
}

#[tokio::test]
async fn a_slow_acknowledgement_is_waited_for_within_the_deadline() {
    let (cluster, store) = cluster(Options::default());
    append(&store, "order-1", 0).await;
    let faults = cluster.node(0).faults();
    faults.acknowledge_after(Duration::from_millis(600));
    append(&store, "order-1", 1).await;
    faults.acknowledge_after(Duration::from_secs(60));
    let begun = Instant::now();
    let late = store.append(&StreamId::new("order-1"), ExpectedRevision::Exact(Revision(1)), vec![event(2)]).await;
    assert!(is_unavailable(&late), "{late:?}");
    assert!((Duration::from_millis(1_500)..Duration::from_millis(2_500)).contains(&begun.elapsed()));
    faults.heal();
    // It had been stored all the same, and the caller that tries again is told so.
    let again = store.append(&StreamId::new("order-1"), ExpectedRevision::Exact(Revision(1)), vec![event(2)]).await;
    assert!(matches!(again, Ok(Appended { revision: Revision(2), duplicate: true, .. })), "{again:?}");
    assert_eq!(numbers(&store, "order-1").await, [0, 1, 2]);
}

#[tokio::test]
async fn every_call_to_a_server_that_hangs_ends_within_its_deadline() {
    let (cluster, store) = cluster(Options::default());
    append(&store, "order-1", 0).await;
    cluster.node(0).faults().hang();
    let stream = StreamId::new("order-1");
    let begun = Instant::now();
    let (appended, read, all, head, subscribed, pinged) = tokio::join!(
        store.append(&stream, ExpectedRevision::Exact(Revision(0)), vec![event(1)]),
        store.read(&stream, Revision::FIRST, 10),
        store.read_all(Position::START, 10, ""),
        store.head(),
        store.subscribe(Position::START, ""),
        store.ping(),
    );
    assert!(is_unavailable(&appended) && is_unavailable(&read) && is_unavailable(&all) && is_unavailable(&head));
    assert!(subscribed.is_err() && is_unavailable(&pinged));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    cluster.node(0).faults().heal();
    store.ping().await.unwrap();
    append(&store, "order-2", 0).await;
}

#[tokio::test]
async fn a_server_that_is_down_at_start_may_come_and_go() {
    let (cluster, store) = cluster(Options::default());
    for round in 0..3 {
        cluster.stop(0);
        let begun = Instant::now();
        let down = store.ping().await;
        assert!(is_unavailable(&down) && begun.elapsed() < Duration::from_secs(2), "{down:?} {:?}", begun.elapsed());
        assert!(told(&down.unwrap_err()).contains("refused"), "it says why");
        cluster.restart(0).unwrap();
        store.ping().await.unwrap();
        append(&store, "order-1", round).await;
    }
    assert_eq!(numbers(&store, "order-1").await, [0, 1, 2]);
}

#[tokio::test]
async fn a_follower_is_followed_to_its_leader() {
    let (cluster, _) = cluster(Options { nodes: 2, ..Options::default() });
    // It knows of the follower alone, and so of no cluster to ask.
    let store = store(&patient_for(&cluster.node(1).url(), 2_000));
    append(&store, "order-1", 0).await;
    assert_eq!(numbers(&store, "order-1").await, [0]);
    assert_eq!(cluster.node(0).faults().appends_seen(), 1);
    // And back, when the leader hands over.
    cluster.elect(Some(1));
    append(&store, "order-1", 1).await;
    assert_eq!(cluster.node(1).faults().appends_seen(), 1);
}

#[tokio::test]
async fn writing_and_following_go_on_when_the_lead_moves() {
    let (cluster, store) = cluster(Options { nodes: 3, ..Options::default() });
    let mut subscription = store.subscribe(Position::START, "order-").await.unwrap();
    for number in 0..60 {
        match number % 12 {
            3 => cluster.elect(Some(1)),
            6 => cluster.elect(Some(2)),
            9 => cluster.elect(Some(0)),
            _ => {}
        }
        append(&store, "order-1", number).await;
    }
    assert_eq!(follow(&mut subscription, 60).await, (0..60).collect::<Vec<_>>());
    assert!((0..3).all(|node| cluster.node(node).faults().appends_seen() > 0));
}

#[tokio::test]
async fn writing_and_following_go_on_when_the_leader_dies() {
    let (cluster, store) = cluster(Options { nodes: 3, ..Options::default() });
    let mut subscription = store.subscribe(Position::START, "order-").await.unwrap();
    append(&store, "order-1", 0).await;
    for (number, (dies, leads)) in (1..).zip([(0, 1), (1, 2), (2, 0)]) {
        cluster.stop(dies);
        cluster.elect(Some(leads));
        append(&store, "order-1", number).await;
        cluster.restart(dies).unwrap();
    }
    assert_eq!(follow(&mut subscription, 4).await, [0, 1, 2, 3]);
    assert_eq!(numbers(&store, "order-1").await, [0, 1, 2, 3]);
}

#[tokio::test]
async fn an_election_is_waited_for_within_the_deadline() {
    let (cluster, store) = cluster(Options { nodes: 3, ..Options::default() });
    append(&store, "order-1", 0).await;
    cluster.elect(None);
    let begun = Instant::now();
    let leaderless = store.ping().await;
    assert!(is_unavailable(&leaderless) && begun.elapsed() < Duration::from_secs(3), "{leaderless:?}");
    let (appended, ()) = tokio::join!(append(&store, "order-1", 1), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        cluster.elect(Some(2));
    });
    assert_eq!(appended.revision, Revision(1));
    assert_eq!(cluster.node(2).faults().appends_seen(), 1);
}

#[tokio::test]
async fn subscriptions_go_to_the_nodes_that_are_preferred_and_writes_do_not() {
    let (cluster, _) = cluster(Options { nodes: 2, ..Options::default() });
    let store = store(&format!("{}&nodePreference=follower", patient_for(&cluster.url(), 2_000)));
    let mut subscription = store.subscribe(Position::START, "").await.unwrap();
    append(&store, "order-1", 0).await;
    assert_eq!(follow(&mut subscription, 1).await, [0]);
    let seen = |node| {
        let faults = cluster.node(node).faults();
        (faults.appends_seen(), faults.subscriptions_seen())
    };
    assert_eq!((seen(0), seen(1)), ((1, 0), (0, 1)));
}

#[tokio::test]
async fn a_subscription_that_is_dropped_goes_on_where_it_was() {
    let (cluster, store) = cluster(Options::default());
    let mut subscription = store.subscribe(Position::START, "order-").await.unwrap();
    let mut seen = Vec::new();
    for number in 0..40 {
        append(&store, "order-1", number).await;
        append(&store, "cart-1", number).await;
        match number % 10 {
            3 => cluster.node(0).faults().drop_subscriptions(),
            7 => cluster.node(0).cut_connections(),
            5 => seen.extend(follow(&mut subscription, 3).await),
            _ => {}
        }
    }
    let missing = 40 - seen.len();
    seen.extend(follow(&mut subscription, missing).await);
    assert_eq!(seen, (0..40).collect::<Vec<_>>());
    assert!(cluster.node(0).faults().subscriptions_seen() > 2, "it had been dropped");
}

#[tokio::test]
async fn a_subscription_ends_with_an_error_when_the_server_stays_away() {
    let (cluster, store) = cluster(Options::default());
    append(&store, "order-1", 0).await;
    append(&store, "order-1", 1).await;
    let mut subscription = store.subscribe(Position::START, "").await.unwrap();
    assert_eq!(follow(&mut subscription, 2).await, [0, 1]);
    let checkpoint = store.head().await.unwrap();
    cluster.stop(0);
    let end = tokio::time::timeout(Duration::from_secs(30), subscription.next(10)).await.expect("it ends");
    assert!(is_unavailable(&end), "{end:?}");
    assert!(subscription.next(10).await.is_err(), "and stays ended");
    cluster.restart(0).unwrap();
    append(&store, "order-1", 2).await;
    let mut subscription = store.subscribe(checkpoint, "").await.unwrap();
    assert_eq!(follow(&mut subscription, 1).await, [2]);
}

#[tokio::test]
async fn what_comes_before_the_end_of_a_subscription_is_not_lost() {
    let (cluster, store) = cluster(Options::default());
    let mut subscription = store.subscribe(Position::START, "").await.unwrap();
    for number in 0..10 {
        append(&store, "order-1", number).await;
    }
    // They wait here when the server goes.
    tokio::time::sleep(Duration::from_millis(100)).await;
    cluster.stop(0);
    assert_eq!(follow(&mut subscription, 10).await, (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn events_of_the_engine_itself_are_never_seen_but_gone_by() {
    let (_cluster, store) = cluster(Options::default());
    let mut after = Position::START;
    for number in 0..5 {
        append(&store, "order-1", number).await;
        let page = store.read_all(after, 100, "").await.unwrap();
        assert_eq!(page.events.iter().map(number_of_order).collect::<Vec<_>>(), [number]);
        assert_eq!(page.next, store.head().await.unwrap());
        after = page.next;
    }
    let nothing = store.read_all(after, 100, "").await.unwrap();
    assert_eq!((nothing.events.len(), nothing.next), (0, after));
}

fn number_of_order(event: &eventsourcing::RecordedEvent) -> u64 {
    assert!(event.stream.as_str().starts_with("order-"), "{}", event.stream);
    number(event)
}

#[tokio::test]
async fn names_of_the_engine_itself_can_be_used_without_meaning_them() {
    let (_cluster, store) = cluster(Options::default());
    for stream in ["$all", "$$order-1", "$stats-127.0.0.1:2113", "%", "%$x"] {
        append(&store, stream, 0).await;
        assert_eq!(numbers(&store, stream).await, [0], "{stream}");
    }
    let kept = store.read_all(Position::START, 10, "$").await.unwrap();
    assert_eq!(kept.events.len(), 3);
}

#[tokio::test]
async fn a_catch_up_looks_at_a_long_way_of_others_only_once() {
    let (cluster, store) = cluster(Options { has_statistics: false, ..Options::default() });
    let others = (0..2_000).map(event).collect();
    store.append(&StreamId::new("cart-1"), ExpectedRevision::NoStream, others).await.unwrap();
    append(&store, "order-1", 0).await;
    let mut subscription = store.subscribe(Position::START, "order-").await.unwrap();
    assert_eq!(follow(&mut subscription, 1).await, [0]);
    cluster.node(0).faults().drop_subscriptions();
    append(&store, "order-1", 1).await;
    let page = subscription.next(10).await.unwrap();
    assert_eq!((page.events.len(), page.next), (1, store.head().await.unwrap()));
}

#[tokio::test]
async fn an_append_that_is_too_large_is_refused_for_what_it_is() {
    let (_cluster, store) = cluster(Options { append_bytes_max: 1_000, ..Options::default() });
    let large = NewEvent { data: Bytes::from(vec![b'1'; 1_001]), ..event(0) };
    let refused = store.append(&StreamId::new("order-1"), ExpectedRevision::NoStream, vec![large]).await.unwrap_err();
    assert!(matches!(&refused, Error::Invalid(words) if words.contains("Maximum Append Size of 1000")), "{refused}");
    append(&store, "order-1", 0).await;
}

#[tokio::test]
async fn a_stream_that_was_deleted_for_good_needs_a_person() {
    let (cluster, store) = cluster(Options::default());
    append(&store, "order-1", 0).await;
    cluster.tombstone("order-1");
    let stream = StreamId::new("order-1");
    let appended = store.append(&stream, ExpectedRevision::Exact(Revision(0)), vec![event(1)]).await;
    assert!(matches!(appended, Err(Error::Corrupt { .. })), "{appended:?}");
    assert!(matches!(store.read(&stream, Revision::FIRST, 1).await, Err(Error::Corrupt { .. })));
}

#[tokio::test]
async fn a_server_too_old_to_tell_positions_is_told_to_be() {
    let (_cluster, store) = cluster(Options { tells_stream_positions: false, ..Options::default() });
    append(&store, "order-1", 0).await;
    let read = store.read(&StreamId::new("order-1"), Revision::FIRST, 1).await.unwrap_err();
    assert!(read.to_string().contains("22.6"), "{read}");
}

#[tokio::test]
async fn a_position_of_another_store_is_refused() {
    let (_cluster, store) = cluster(Options::default());
    append(&store, "order-1", 0).await;
    for position in [Position(7), Position(u64::MAX)] {
        let subscribed = store.subscribe(position, "").await.map(drop);
        assert!(matches!(subscribed, Err(Error::Invalid(_))), "{position}: {subscribed:?}");
    }
}

#[tokio::test]
async fn the_servers_version_is_told() {
    let (_cluster, store) = cluster(Options::default());
    assert_eq!(store.server_version().await.unwrap(), "24.10.0");
}
