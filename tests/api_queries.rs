//! The reads against the running program: an order now and as it was, its history, pages of orders,
//! searches, and reading what was just written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::HashSet;

use serde_json::{Value, json};
use support::problem::check;
use support::{Service, order};

fn ids(page: &Value) -> Vec<String> {
    page["orders"].as_array().unwrap().iter().map(|order| order["id"].as_str().unwrap().to_owned()).collect()
}

/// An order of one item.
fn titled(title: &str, description: &str) -> Value {
    let mut order = order("1");
    order["shopItems"] = json!([{ "id": "1", "title": title, "description": description, "quantity": 1, "price": 1 }]);
    order
}

#[test]
fn what_was_written_is_read_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    for round in 0..50 {
        let id = service.create(&order(&round.to_string()));
        let path = format!("/api/orders/{id}");
        assert_eq!(service.get(&path).expect(200).json()["deliveryAddress"], json!(round.to_string()));
        let address = json!({ "deliveryAddress": format!("{round} b") });
        let changed = service.command("PUT", &format!("/api/orders/address/{id}"), Some(&address)).expect(200);
        let read = service.get(&path).expect(200);
        assert_eq!((read.revision(), &read.json()["deliveryAddress"]), (1, &address["deliveryAddress"]));
        // Lists and searches follow when they are asked to.
        let reached = format!("minPosition={}&waitMs=10000", changed.position());
        let listed = service.get(&format!("/api/orders?limit=1&{reached}")).expect(200).json();
        assert_eq!((&ids(&listed)[0], &listed["orders"][0]["deliveryAddress"]), (&id, &address["deliveryAddress"]));
        let found = service.get(&format!("/api/orders/search?search=tea&size=1&{reached}")).expect(200).json();
        assert_eq!(found["orders"][0], listed["orders"][0], "both read models tell the same");
        let waited = service.get(&format!("{path}?{reached}")).expect(200);
        assert_eq!(waited.json(), listed["orders"][0]);
    }
}

#[test]
fn a_revision_that_is_known_is_304() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let id = service.create(&order("1"));
    let path = format!("/api/orders/{id}");
    let read = |tag: &str| service.send("GET", &path, &[("if-none-match", tag)], None);
    for known in ["\"0\"", "W/\"0\"", "*", "\"7\", \"0\""] {
        let answer = read(known).expect(304);
        assert_eq!((answer.body.as_str(), answer.header("etag")), ("", Some("\"0\"")), "{known}");
        assert_eq!(answer.header("content-type"), None, "nothing is described where nothing is");
    }
    for unknown in ["\"1\"", "\"abc\"", "W/\"00\""] {
        assert_eq!(read(unknown).expect(200).json()["id"], json!(id), "{unknown}");
    }
    service.command("PUT", &format!("/api/orders/address/{id}"), Some(&json!({ "deliveryAddress": "2" }))).expect(200);
    assert_eq!(read("\"0\"").expect(200).header("etag"), Some("\"1\""));
}

#[test]
fn an_order_can_be_read_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let id = service.create(&order("address 0"));
    for revision in 1..=3 {
        let body = json!({ "deliveryAddress": format!("address {revision}") });
        service.command("PUT", &format!("/api/orders/address/{id}"), Some(&body)).expect(200);
    }
    for revision in 0..=3 {
        let was = service.get(&format!("/api/orders/{id}?asOfRevision={revision}")).expect(200);
        assert_eq!(was.revision(), revision);
        assert_eq!(was.json()["deliveryAddress"], json!(format!("address {revision}")));
    }
    let beyond = service.get(&format!("/api/orders/{id}?asOfRevision=9223372036854775807")).expect(200);
    assert_eq!(beyond.revision(), 3, "beyond the end it is as it is");
}

#[test]
fn history_tells_each_event_with_its_trace() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let id = service.create(&order("1"));
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let pay = json!({ "paymentID": "p", "timestamp": "2026-01-01T00:00:00Z" });
    let headers = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    service.send("PUT", &format!("/api/orders/pay/{id}"), &headers, Some(&pay)).expect(200);
    service.command("PUT", &format!("/api/orders/submit/{id}"), None).expect(200);
    let path = format!("/api/orders/{id}/events");
    let history = service.get(&path).expect(200).json();
    let events = history["events"].as_array().unwrap();
    let types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["ORDER_CREATED", "ORDER_PAID", "ORDER_SUBMITTED"]);
    for (revision, event) in events.iter().enumerate() {
        assert_eq!((&event["revision"], &event["position"]), (&json!(revision), &json!(revision + 1)));
        assert_eq!(event["traceId"].as_str().unwrap().len(), 32, "{event}");
        assert!(event["timestamp"].as_str().unwrap().ends_with('Z') && event.get("adjustments").is_none(), "{event}");
    }
    assert_eq!((&events[1]["traceId"], &events[1]["data"]), (&json!(trace), &pay));
    assert_eq!(events.iter().map(|event| event["id"].as_str().unwrap()).collect::<HashSet<_>>().len(), 3);
    let from = |query: &str| service.get(&format!("{path}?{query}")).expect(200).json()["events"].clone();
    assert_eq!(from("from=1"), json!(events[1..]));
    assert_eq!(from("from=1&limit=1"), json!(events[1..2]));
    assert_eq!(from("from=3"), json!([]), "behind the end there is nothing yet");
}

#[test]
fn pages_hold_still_while_orders_are_created() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let mut expected: Vec<String> = (0..25).map(|index| service.create(&order(&format!("old {index}")))).collect();
    expected.reverse();
    let last = service.get(&format!("/api/orders/{}/events", expected[0])).json()["events"][0]["position"].clone();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/orders?limit=7&cursor={cursor}&minPosition={last}&waitMs=10000");
        let page = service.get(&path).expect(200).json();
        seen.extend(ids(&page));
        // New ones come while somebody turns pages.
        let new = service.command("POST", "/api/orders", Some(&order("new"))).expect(201);
        service.get(&format!("/api/orders?limit=1&minPosition={}&waitMs=10000", new.position())).expect(200);
        match page["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(seen, expected, "newest first, each once, none of those that came later");
}

#[test]
fn a_state_filters_and_belongs_to_its_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let orders: Vec<String> = (0..6).map(|index| service.create(&order(&index.to_string()))).collect();
    let pay = json!({ "paymentID": "p", "timestamp": "2026-01-01T00:00:00Z" });
    for id in &orders[..3] {
        service.command("PUT", &format!("/api/orders/pay/{id}"), Some(&pay)).expect(200);
    }
    let reason = json!({ "cancelReason": "x" });
    let canceled = service.command("POST", &format!("/api/orders/cancel/{}", orders[5]), Some(&reason)).expect(200);
    let position = canceled.position();
    let list = |query: &str| service.get(&format!("/api/orders?minPosition={position}&waitMs=10000&{query}"));
    let of = |state: &str| ids(&list(&format!("state={state}")).expect(200).json());
    assert_eq!(of("paid"), [&*orders[2], &orders[1], &orders[0]]);
    assert_eq!(of("draft"), [&*orders[4], &orders[3]]);
    assert_eq!(of("cancelled"), [&*orders[5]]);
    assert_eq!((of("submitted").len(), of("completed").len(), of("").len()), (0, 0, 6));

    let first = list("state=paid&limit=2").expect(200).json();
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = list(&format!("state=paid&limit=2&cursor={cursor}")).expect(200).json();
    assert_eq!((ids(&second), second.get("nextCursor")), (vec![orders[0].clone()], None));
    for state in ["draft", ""] {
        check(&list(&format!("state={state}&cursor={cursor}")), 400, "invalid-parameter", "/api/orders");
    }
    for at in [0, 5, cursor.len() - 2] {
        let mut tampered = cursor.to_owned();
        tampered.replace_range(at..=at, if &cursor[at..=at] == "A" { "B" } else { "A" });
        check(&list(&format!("state=paid&cursor={tampered}")), 400, "invalid-parameter", "/api/orders");
    }
    check(&list(&format!("state=paid&cursor={}", "A".repeat(10_000))), 400, "invalid-parameter", "/api/orders");
}

#[test]
fn a_cursor_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let orders: Vec<String> = (0..3).map(|index| service.create(&order(&index.to_string()))).collect();
    let page = service.get("/api/orders?limit=2&minPosition=3&waitMs=10000").expect(200).json();
    let cursor = page["nextCursor"].as_str().unwrap().to_owned();
    assert!(service.stop().success());
    let service = Service::up(folder.path());
    assert_eq!(ids(&service.get(&format!("/api/orders?cursor={cursor}")).expect(200).json()), [&*orders[0]]);
}

#[test]
fn a_search_finds_phrases_that_may_be_only_begun() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let tea = service.create(&titled("Green Tea", "Loose leaf from Uji, 250 g"));
    let pot = service.create(&titled("Teapot", "Cast iron; keeps green tea warm"));
    let cafe = service.create(&titled("Café crème", "\"Fine\" cups (6) OR mugs NOT glasses*"));
    let search = |text: &str| {
        let text: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let found =
            service.get(&format!("/api/orders/search?search={text}&minPosition=3&waitMs=10000")).expect(200).json();
        let (found, count) = (ids(&found), found["pagination"]["totalCount"].as_u64().unwrap());
        assert_eq!(found.len() as u64, count);
        found
    };
    let cases: &[(&str, &[&String])] = &[
        ("green tea", &[&pot, &tea]),
        ("GREEN", &[&pot, &tea]),
        ("green te", &[&pot, &tea]),
        ("tea", &[&pot, &tea]),
        ("tea green", &[]),
        ("gree tea", &[]),
        ("reen", &[]),
        ("loose leaf from uji", &[&tea]),
        ("cafe", &[&cafe]),
        ("fine cups 6", &[&cafe]),
        ("\"", &[&cafe, &pot, &tea]),
        ("OR mugs", &[&cafe]),
        ("glasses*", &[&cafe]),
        ("warm nothing", &[]),
        ("x' OR 1=1 --", &[]),
        ("title:green", &[]),
        ("", &[&cafe, &pot, &tea]),
    ];
    for (text, expected) in cases {
        assert_eq!(search(text).iter().collect::<Vec<_>>(), *expected, "{text:?}");
    }
}

#[test]
fn a_search_counts_its_pages() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let mut orders: Vec<String> =
        (0..12).map(|index| service.create(&titled("Green tea", &index.to_string()))).collect();
    orders.reverse();
    let page = |query: &str| {
        service.get(&format!("/api/orders/search?minPosition=12&waitMs=10000&{query}")).expect(200).json()
    };
    let first = page("search=green");
    assert_eq!(
        first["pagination"],
        json!({ "totalCount": 12, "totalPages": 2, "page": 1, "size": 10, "hasMore": true })
    );
    assert_eq!(ids(&first), orders[..10]);
    let second = page("search=green&page=2");
    assert_eq!(
        second["pagination"],
        json!({ "totalCount": 12, "totalPages": 2, "page": 2, "size": 10, "hasMore": false })
    );
    assert_eq!(ids(&second), orders[10..]);
    let beyond = page("search=green&page=1000000&size=100");
    assert_eq!((ids(&beyond).len(), &beyond["pagination"]["hasMore"]), (0, &json!(false)));
    let none = page("search=absent");
    assert_eq!(
        none["pagination"],
        json!({ "totalCount": 0, "totalPages": 0, "page": 1, "size": 10, "hasMore": false })
    );
    assert_eq!(page("search=green&page=4&size=3")["pagination"]["hasMore"], json!(false));
    let empty = service.get("/api/orders/search?search=green&page=");
    assert_eq!(empty.status, 400, "an empty value is not a number");
}
