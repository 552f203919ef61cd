//! Watching an order: what was, what comes, going on where one left off, and how it ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::sync::mpsc::channel;

use serde_json::{Value, json};
use support::watch::Watch;
use support::{PATIENCE, Service, order, wire};

fn address(service: &Service, id: &str, text: &str) {
    let body = json!({ "deliveryAddress": text });
    service.command("PUT", &format!("/api/orders/address/{id}"), Some(&body)).expect(200);
}

#[test]
fn a_watcher_sees_what_was_and_what_comes() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let id = service.create(&order("0"));
    address(&service, &id, "1");
    let mut watch = Watch::open(&service, &id, None);
    assert_eq!(watch.content_type, "text/event-stream");
    let mut seen: Vec<_> = watch.by_ref().take(2).collect();
    // Only now, so that they cannot have been there when it began.
    for revision in 2..=5 {
        address(&service, &id, &revision.to_string());
        let other = service.create(&order("somebody else's"));
        address(&service, &other, "of no interest");
        seen.push(watch.next().unwrap());
    }
    let history = service.get(&format!("/api/orders/{id}/events")).expect(200).json();
    for (index, event) in seen.iter().enumerate() {
        assert_eq!(event.id, index as u64);
        assert_eq!(event.data, history["events"][index], "as the history tells it");
        assert_eq!(json!(event.name), event.data["type"]);
    }
}

#[test]
fn a_watcher_goes_on_where_it_left_off() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let id = service.create(&order("0"));
    for revision in 1..=3 {
        address(&service, &id, &revision.to_string());
    }
    let seen: Vec<u64> = Watch::open(&service, &id, Some("1")).take(2).map(|event| event.id).collect();
    assert_eq!(seen, [2, 3]);
    // Further than the end: waits for what comes behind it.
    let mut ahead = Watch::open(&service, &id, Some("4"));
    address(&service, &id, "4");
    address(&service, &id, "5");
    assert_eq!(ahead.next().unwrap().id, 5);
}

#[test]
fn many_watch_one_order() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let id = service.create(&order("0"));
    let mut watchers: Vec<_> = (0..20).map(|_| Watch::open(&service, &id, Some("0"))).collect();
    address(&service, &id, "1");
    for watch in &mut watchers {
        assert_eq!(watch.next().unwrap().data["data"], json!({ "deliveryAddress": "1" }));
    }
    // Leaving makes room and disturbs nobody.
    watchers.truncate(10);
    address(&service, &id, "2");
    assert!(watchers.iter_mut().all(|watch| watch.next().unwrap().id == 2));
}

#[test]
fn a_stop_ends_watchers_and_idle_connections_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let id = service.create(&order("0"));
    let mut watch = Watch::open(&service, &id, None);
    watch.next().unwrap();
    let mut idle = wire::connect(&service.url);
    assert_eq!(wire::exchange(&mut idle, b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").status, 200);
    // In flight when the signal comes: waits for a position that nobody writes.
    let mut busy = wire::connect(&service.url);
    let slow = "GET /api/orders?minPosition=999999&waitMs=1500 HTTP/1.1\r\nhost: localhost\r\n\r\n";
    std::io::Write::write_all(&mut busy, slow.as_bytes()).unwrap();
    support::wait_for(|| {
        let metrics = service.get("/metrics").body;
        let active = metrics.lines().find(|line| line.starts_with("http_server_active_requests"))?;
        // The slow one and the one that asks; a stream counts as answered once it has begun.
        active.ends_with(" 2").then_some(())
    });
    let (sender, receiver) = channel();
    let ended = std::thread::spawn(move || {
        let rest: Vec<Value> = watch.map(|event| event.data).collect();
        sender.send(rest).unwrap();
    });
    let status = service.stop();
    assert_eq!(status.code(), Some(0), "{status}");
    assert_eq!(receiver.recv_timeout(PATIENCE).unwrap(), Vec::<Value>::new(), "the stream ended, and not by breaking");
    ended.join().unwrap();
    let answer = wire::read(&mut busy);
    assert_eq!(answer.status, 503, "what was begun was answered: {}", String::from_utf8_lossy(&answer.body));
    assert_eq!(std::io::Read::read(&mut idle, &mut [0]).unwrap(), 0, "closed, not reset");
}
