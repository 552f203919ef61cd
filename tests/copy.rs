//! `highbeam copy`: a laptop's orders go to KurrentDB and back, a copy that is killed goes on, and what
//! cannot be copied is said.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "of what tests share, each uses a part")]

mod support;

use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use eventsourcing::{EventId, EventStore as _, ExpectedRevision, NewEvent, Position, StreamId};
use kurrentdb_testserver::{Cluster, Options};
use serde_json::json;
use support::{Service, binary, order, wait_for};

struct Server {
    cluster: Cluster,
    runtime: tokio::runtime::Runtime,
}

impl Server {
    fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let cluster = {
            let _inside = runtime.enter();
            Cluster::start(Options::default()).unwrap()
        };
        Self { cluster, runtime }
    }

    fn url(&self) -> String {
        format!("{}&defaultDeadline=2000", self.cluster.url())
    }

    fn store(&self) -> kurrentdb::EventStore {
        kurrentdb::EventStore::open(kurrentdb::Settings::parse(&self.url()).unwrap()).unwrap()
    }

    /// Where it ends.
    fn head(&self) -> Position {
        self.runtime.block_on(async { self.store().head().await.unwrap() })
    }

    /// How many events it holds.
    fn events(&self) -> usize {
        self.runtime.block_on(async {
            let store = self.store();
            let (mut count, mut after) = (0, Position::START);
            loop {
                let page = store.read_all(after, 1_000, "").await.unwrap();
                count += page.events.len();
                if page.next == after {
                    return count;
                }
                after = page.next;
            }
        })
    }
}

fn file(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

fn copy(from: &str, to: &str) -> Output {
    binary().args(["copy", "--from", from, "--to", to]).output().unwrap()
}

/// What a copy that went well said.
fn copied(from: &str, to: &str) -> String {
    let output = copy(from, to);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    told
}

/// What one that did not said.
fn refused(from: &str, to: &str) -> String {
    let output = copy(from, to);
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn orders_go_to_production_and_back_with_their_times() {
    let (laptop, server) = (tempfile::tempdir().unwrap(), Server::start());
    let service = Service::up(laptop.path());
    let id = service.create(&order("1 Laptop Lane"));
    let payment = json!({ "paymentID": "p1", "timestamp": "2026-11-29T12:00:00Z" });
    service.command("PUT", &format!("/api/orders/pay/{id}"), Some(&payment)).expect(200);
    let before = service.get(&format!("/api/orders/{id}/events")).expect(200).json();
    assert!(service.stop().success());
    let events = laptop.path().join("events.db");
    let there = copied(&file(&events), &server.url());
    assert!(there.contains("2 events are in the target, 0 of them"), "{there}");
    // On the larger machine, with what was copied.
    let (production, setting) = (tempfile::tempdir().unwrap(), "EVENTSTORE_CONFIG_CONNECTION_STRING");
    let url = server.url();
    let service = Service::start_in(&[(setting, &url)], production.path(), &["serve", "--role", "all"]);
    wait_for(|| {
        let found = service.get(&format!("/api/orders/{id}"));
        (found.status == 200 && found.json()["paid"] == json!(true)).then_some(())
    });
    let after = service.get(&format!("/api/orders/{id}/events")).expect(200).json();
    let told = |history: &serde_json::Value| {
        let events = history["events"].as_array().or(history.as_array()).unwrap().clone();
        let told = |event: &serde_json::Value| {
            (event["timestamp"].clone(), event["type"].clone(), event["id"].clone(), event["traceId"].clone())
        };
        events.iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(told(&before), told(&after), "times, ids and traces are those of the laptop");
    service.command("PUT", &format!("/api/orders/submit/{id}"), None).expect(200);
    assert!(service.stop().success());
    // And back, with what was added there.
    let back = tempfile::tempdir().unwrap();
    let told = copied(&server.url(), &file(&back.path().join("events.db")));
    assert!(told.contains("3 events are in the target"), "{told}");
    let service = Service::up(back.path());
    wait_for(|| {
        let found = service.get(&format!("/api/orders/{id}"));
        (found.status == 200 && found.json()["submitted"] == json!(true)).then_some(())
    });
}

#[test]
fn a_copy_that_is_killed_goes_on_and_copies_nothing_twice() {
    const EVENTS: u64 = 30_000;
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
    let path = folder.path().join("events.db");
    server.runtime.block_on(async {
        let store = sqlite::EventStore::open(&path, Arc::new(eventsourcing::clock::System)).unwrap();
        for stream in 0..EVENTS / 100 {
            let events = (0..100).map(|number| NewEvent {
                id: EventId(uuid::Uuid::from_u128(u128::from(stream * 100 + number) + 1)),
                event_type: "COUNTED".into(),
                data: format!("{{\"number\":{number}}}").into(),
                metadata: "{}".into(),
            });
            let name = StreamId::new(format!("order-{stream}"));
            store.append(&name, ExpectedRevision::NoStream, events.collect()).await.unwrap();
        }
    });
    let (from, to) = (file(&path), server.url());
    let mut kills = 0;
    for _ in 0..4 {
        let before = server.head();
        let mut command = binary();
        command.args(["copy", "--from", &from, "--to", &to, "--concurrency", "1"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let is_running = wait_for(|| match child.try_wait().unwrap() {
            Some(_) => Some(false),
            None => (server.head() > before).then_some(true),
        });
        child.kill().unwrap();
        child.wait().unwrap();
        kills += u32::from(is_running);
        // What was on its way when the process died may still arrive.
        std::thread::sleep(Duration::from_millis(300));
    }
    let part = server.events();
    assert!(kills >= 2 && part > 0, "{kills}, {part}");
    println!("{kills} times killed, {part} of {EVENTS} there");
    let told = copied(&from, &to);
    assert!(told.contains(&format!("{EVENTS} events are in the target, {part} of them were there before")), "{told}");
    assert_eq!(u64::try_from(server.events()).unwrap(), EVENTS);
    let digest = |told: &str| told.lines().last().unwrap().to_owned();
    let again = copied(&from, &to);
    assert!(again.contains(&format!("{EVENTS} of them were there before")), "{again}");
    assert_eq!(digest(&told), digest(&again));
    assert!(told.contains('%'), "it tells how far it is: {told}");
}

#[test]
fn what_cannot_be_copied_is_said_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here.db"), folder.path().join("there.db"));
    let missing = refused(&file(&here), &file(&there));
    assert!(missing.contains("there is no file") && !there.exists(), "{missing}");
    let server = Server::start();
    let same = refused(&server.url(), &server.url());
    assert!(same.contains("the same event store"), "{same}");
    // The orders of one laptop onto those of another.
    let laptops = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for laptop in &laptops {
        let service = Service::up(laptop.path());
        service.create(&order("1 Laptop Lane"));
        assert!(service.stop().success());
    }
    let [one, other] = laptops.map(|laptop| (file(&laptop.path().join("events.db")), laptop));
    let foreign = refused(&one.0, &other.0);
    assert!(foreign.contains("the target holds other events"), "{foreign}");
    server.cluster.stop(0);
}
