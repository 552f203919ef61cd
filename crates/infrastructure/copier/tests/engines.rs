//! Between real engines: files of SQLite, and KurrentDB's protocol over a socket. What moves is compared
//! event by event, not by the digest that is under test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod support;

use std::sync::Arc;

use copier::{Error, Options, copy, digest};
use eventsourcing::{EventStore, ExpectedRevision, Revision, StreamId};
use kurrentdb_testserver::Cluster;
use support::{Liar, Place, events, fill, new_event, shape, sqlite};

fn quietly(_: copier::Progress) {}

#[tokio::test]
async fn what_moves_to_production_and_back_is_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let laptop = sqlite(&folder, "laptop");
    fill(&laptop, 40, 700).await;
    let (_cluster, production) = support::kurrentdb();
    let there = copy(&laptop, &production, &Options::default(), quietly).await.unwrap();
    assert_eq!((there.events, there.held, there.timeless), (700, 0, 0));
    let back = sqlite(&folder, "back");
    let again = copy(&production, &back, &Options::default(), quietly).await.unwrap();
    assert_eq!((again.events, again.digest), (700, there.digest));
    let (first, second, third) = (shape(&laptop).await, shape(&production).await, shape(&back).await);
    assert_eq!(first.len(), 700);
    assert!(first == second && first == third);
}

#[tokio::test]
async fn times_go_along_although_the_target_has_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let laptop = sqlite(&folder, "laptop");
    fill(&laptop, 3, 30).await;
    let (_cluster, production) = support::kurrentdb();
    copy(&laptop, &production, &Options::default(), quietly).await.unwrap();
    let (before, after) = (events(&laptop).await, events(&production).await);
    let times = |events: &[eventsourcing::RecordedEvent]| {
        let mut times: Vec<_> = events.iter().map(|event| (event.id, event.happened_at())).collect();
        times.sort_unstable();
        times
    };
    assert_eq!(times(&before), times(&after));
}

#[tokio::test]
async fn with_one_at_a_time_the_order_of_all_events_stays() {
    let folder = tempfile::tempdir().unwrap();
    let laptop = sqlite(&folder, "laptop");
    fill(&laptop, 20, 300).await;
    let (_cluster, production) = support::kurrentdb();
    let options = Options { concurrency: 1, ..Options::default() };
    copy(&laptop, &production, &options, quietly).await.unwrap();
    let ids = |events: Vec<eventsourcing::RecordedEvent>| events.iter().map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(ids(events(&laptop).await), ids(events(&production).await));
}

/// Stopped at every point that there is, by what a kill does to it: its future goes no further.
#[tokio::test]
async fn a_copy_that_was_stopped_anywhere_goes_on_from_there() {
    for place in [Place::Sqlite, Place::Kurrentdb] {
        let folder = tempfile::tempdir().unwrap();
        let source = sqlite(&folder, "source");
        fill(&source, 30, 1_200).await;
        let (_cluster, target) = support::target(place, &folder);
        let (options, mut stops) = (Options::default(), 0);
        let report = loop {
            let limit = Liar::after(Arc::clone(&target), 10 + stops);
            let limited: Arc<dyn EventStore> = Arc::clone(&limit) as _;
            tokio::select! {
                done = copy(&source, &limited, &options, quietly) => break done.unwrap(),
                () = limit.is_reached() => stops += 1,
            }
        };
        assert!(stops >= 5, "{stops}");
        assert!(report.held > 0 && report.events == 1_200);
        assert!(shape(&source).await == shape(&target).await);
    }
}

#[tokio::test]
async fn a_copy_again_takes_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (sqlite(&folder, "source"), sqlite(&folder, "target"));
    let nothing = copy(&source, &target, &Options::default(), quietly).await.unwrap();
    assert_eq!(nothing.events, 0);
    fill(&source, 5, 100).await;
    assert_eq!(copy(&source, &target, &Options::default(), quietly).await.unwrap().held, 0);
    let stream = StreamId::new("order-new");
    source.append(&stream, ExpectedRevision::NoStream, vec![new_event(9_999)]).await.unwrap();
    let report = copy(&source, &target, &Options::default(), quietly).await.unwrap();
    assert_eq!((report.events, report.held), (101, 100));
    let again = copy(&source, &target, &Options::default(), quietly).await.unwrap();
    assert_eq!((again.events, again.held, again.digest), (101, 101, report.digest));
}

#[tokio::test]
async fn a_target_that_holds_something_else_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let source = sqlite(&folder, "source");
    fill(&source, 5, 600).await;
    for (name, stream, number) in [("stranger", "order-of-another", 5_000), ("changed", "order-0", 6_000)] {
        let target = sqlite(&folder, name);
        target.append(&StreamId::new(stream), ExpectedRevision::NoStream, vec![new_event(number)]).await.unwrap();
        let refused = copy(&source, &target, &Options::default(), quietly).await.unwrap_err();
        let Error::Foreign { stream: found, revision } = refused else { panic!("{refused}") };
        assert_eq!((found.as_str(), revision), (stream, Revision(0)));
        assert_eq!(events(&target).await.len(), 1);
    }
    // Copied, and then used: what was added is not overwritten either.
    let target = sqlite(&folder, "used");
    copy(&source, &target, &Options::default(), quietly).await.unwrap();
    target.append(&StreamId::new("order-later"), ExpectedRevision::NoStream, vec![new_event(7_000)]).await.unwrap();
    let refused = copy(&source, &target, &Options::default(), quietly).await.unwrap_err();
    assert!(matches!(refused, Error::Foreign { .. }), "{refused}");
}

#[tokio::test]
async fn a_prefix_keeps_to_its_streams_on_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let source = sqlite(&folder, "source");
    fill(&source, 5, 100).await;
    source.append(&StreamId::new("other-1"), ExpectedRevision::NoStream, vec![new_event(8_000)]).await.unwrap();
    let (_cluster, target) = support::kurrentdb();
    target.append(&StreamId::new("theirs-1"), ExpectedRevision::NoStream, vec![new_event(8_001)]).await.unwrap();
    let options = Options { prefix: "order-".to_owned(), ..Options::default() };
    assert_eq!(copy(&source, &target, &options, quietly).await.unwrap().events, 100);
    assert_eq!(digest(&source, &options).await.unwrap(), digest(&target, &options).await.unwrap());
}

#[tokio::test]
async fn a_target_that_changes_a_byte_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let source = sqlite(&folder, "source");
    fill(&source, 5, 300).await;
    let target = sqlite(&folder, "target");
    for lie in [Liar::changing(Arc::clone(&target)), Liar::losing(sqlite(&folder, "losing"))] {
        let refused = copy(&source, &(lie as _), &Options::default(), quietly).await.unwrap_err();
        assert!(matches!(refused, Error::Differs { expected_events: 300, .. }), "{refused}");
    }
    // And is no beginning of a copy either.
    let again = copy(&source, &target, &Options::default(), quietly).await.unwrap_err();
    assert!(matches!(again, Error::Foreign { .. }), "{again}");
}

/// As a KurrentDB is whose streams are cut to a length, and that has been scavenged.
#[tokio::test]
async fn a_stream_whose_beginning_was_deleted_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let source = sqlite(&folder, "source");
    fill(&source, 2, 40).await;
    let source: Arc<dyn EventStore> = Liar::beheading(source);
    let refused = copy(&source, &sqlite(&folder, "target"), &Options::default(), quietly).await.unwrap_err();
    let Error::Beheaded { stream, revision } = refused else { panic!("{refused}") };
    assert_eq!((stream.as_str(), revision), ("order-1", Revision(5)));
}

#[tokio::test]
async fn an_engine_that_is_down_for_a_while_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let source = sqlite(&folder, "source");
    fill(&source, 30, 1_000).await;
    let (cluster, target) = support::kurrentdb();
    let cluster: Arc<Cluster> = Arc::new(cluster);
    let (mut outages, mut coming_back) = (0, Vec::new());
    // Down at each quarter of what is appended, for a while.
    let tell = |progress: copier::Progress| {
        if progress.events >= (outages + 1) * 250 && outages < 3 {
            outages += 1;
            cluster.stop(0);
            let cluster = Arc::clone(&cluster);
            coming_back.push(tokio::spawn(async move {
                tokio::time::sleep(std::time::Duration::from_millis(400)).await;
                cluster.restart(0).unwrap();
            }));
        }
    };
    assert_eq!(copy(&source, &target, &Options::default(), tell).await.unwrap().events, 1_000);
    assert_eq!(outages, 3);
    for back in coming_back {
        back.await.unwrap();
    }
    assert!(shape(&source).await == shape(&target).await);
}
