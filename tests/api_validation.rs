//! Every fault of a body that the contract names: 422, all faults at once, each with its pointer, none
//! with its value.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use support::problem::{check, pointers};
use support::{Service, order};

/// Stands in bad values; no answer may repeat it.
const SECRET: &str = "S3cretMark";

/// A good order with one place of it replaced.
fn with(pointer: &str, value: Value) -> Value {
    let mut order = order("1");
    *order.pointer_mut(pointer).unwrap() = value;
    order
}

/// A good order with one key of an object taken out.
fn without(object: &str, key: &str) -> Value {
    let mut order = order("1");
    order.pointer_mut(object).unwrap().as_object_mut().unwrap().remove(key);
    order
}

#[track_caller]
fn refused(service: &Service, method: &str, path: &str, body: &Value) -> Value {
    let problem = check(&service.command(method, path, Some(body)), 422, "validation", path);
    assert!(!problem.to_string().contains(SECRET), "no value is repeated: {problem}");
    let rust = ["i64", "struct ", "sequence", "Body", "u64"];
    assert!(!rust.iter().any(|word| problem.to_string().contains(word)), "clients do not speak Rust: {problem}");
    problem
}

#[test]
fn each_fault_of_a_new_order_has_its_pointer() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let long = |length: usize| json!("x".repeat(length));
    let many = Value::Array(vec![order("1")["shopItems"][0].clone(); 1_001]);
    let email = |local: usize| json!(format!("{}@example.com", "a".repeat(local)));
    let cases = [
        (with("/accountEmail", json!("")), "/accountEmail"),
        (with("/accountEmail", json!(SECRET)), "/accountEmail"),
        (with("/accountEmail", json!("S3cretMark @x.com")), "/accountEmail"),
        (with("/accountEmail", email(243)), "/accountEmail"),
        (with("/accountEmail", json!(7)), "/accountEmail"),
        (with("/accountEmail", json!(null)), "/accountEmail"),
        (without("", "accountEmail"), "/accountEmail"),
        (with("/deliveryAddress", json!("")), "/deliveryAddress"),
        (with("/deliveryAddress", json!(" \t\n")), "/deliveryAddress"),
        (with("/deliveryAddress", long(1_001)), "/deliveryAddress"),
        (with("/deliveryAddress", json!([SECRET])), "/deliveryAddress"),
        (without("", "deliveryAddress"), "/deliveryAddress"),
        (with("/shopItems", json!([])), "/shopItems"),
        (with("/shopItems", many), "/shopItems"),
        (with("/shopItems", json!(SECRET)), "/shopItems"),
        (with("/shopItems", json!({ "0": SECRET })), "/shopItems"),
        (without("", "shopItems"), "/shopItems"),
        (with("/shopItems/1", json!(SECRET)), "/shopItems/1"),
        (with("/shopItems/1", json!(["1", "an array", "is no item", 1, 2])), "/shopItems/1"),
        (with("/shopItems/0/id", long(501)), "/shopItems/0/id"),
        (with("/shopItems/0/id", json!(5)), "/shopItems/0/id"),
        (with("/shopItems/1/title", json!("")), "/shopItems/1/title"),
        (with("/shopItems/1/title", long(501)), "/shopItems/1/title"),
        (without("/shopItems/1", "title"), "/shopItems/1/title"),
        (with("/shopItems/0/description", long(10_001)), "/shopItems/0/description"),
        (with("/shopItems/0/quantity", json!(0)), "/shopItems/0/quantity"),
        (with("/shopItems/0/quantity", json!(-1)), "/shopItems/0/quantity"),
        (with("/shopItems/0/quantity", json!(10_001)), "/shopItems/0/quantity"),
        (with("/shopItems/0/quantity", json!(u64::MAX)), "/shopItems/0/quantity"),
        (with("/shopItems/0/quantity", json!(1.5)), "/shopItems/0/quantity"),
        (with("/shopItems/0/quantity", json!(SECRET)), "/shopItems/0/quantity"),
        (without("/shopItems/0", "quantity"), "/shopItems/0/quantity"),
        (with("/shopItems/0/price", json!(-0.01)), "/shopItems/0/price"),
        (with("/shopItems/0/price", json!(1.005)), "/shopItems/0/price"),
        (with("/shopItems/0/price", json!(1e13)), "/shopItems/0/price"),
        (with("/shopItems/0/price", json!(1e300)), "/shopItems/0/price"),
        (with("/shopItems/0/price", json!(SECRET)), "/shopItems/0/price"),
        (with("/shopItems/0/price", json!(null)), "/shopItems/0/price"),
        (with("/shopItems/0/price", json!({ "amount": SECRET })), "/shopItems/0/price"),
        (without("/shopItems/0", "price"), "/shopItems/0/price"),
        // The item is right by itself; the total is not.
        (with("/shopItems/0/price", json!(9_999_999_999_999.99)), "/shopItems"),
    ];
    for (body, pointer) in cases {
        let problem = refused(&service, "POST", "/api/orders", &body);
        assert_eq!(pointers(&problem), [pointer], "{problem}");
    }
    for body in [json!(null), json!([]), json!(SECRET), json!(1), json!([[], "a@b.co", "an array is no order"])] {
        let problem = refused(&service, "POST", "/api/orders", &body);
        assert_eq!(pointers(&problem), [""], "the whole body: {problem}");
    }
    assert_eq!(service.get("/api/orders").json()["orders"], json!([]), "nothing was created on the way");
}

#[test]
fn all_faults_come_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let body = json!({
        "shopItems": [
            { "id": "1", "title": " ", "description": "", "quantity": 0, "price": 1.005 },
            { "id": "2", "title": "Tea", "description": "", "quantity": 10_001, "price": -1 }
        ],
        "accountEmail": SECRET,
        "deliveryAddress": " "
    });
    let problem = refused(&service, "POST", "/api/orders", &body);
    let mut named = pointers(&problem);
    named.sort_unstable();
    let expected = [
        "/accountEmail",
        "/deliveryAddress",
        "/shopItems/0/price",
        "/shopItems/0/quantity",
        "/shopItems/0/title",
        "/shopItems/1/price",
        "/shopItems/1/quantity",
    ];
    assert_eq!(named, expected, "{problem}");
}

#[test]
fn each_fault_of_a_change_has_its_pointer() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let id = service.create(&order("1"));
    let time = "2026-01-01T00:00:00Z";
    let cases: Vec<(&str, &str, Value, Vec<&str>)> = vec![
        ("PUT", "pay", json!({ "paymentID": "", "timestamp": time }), vec!["/paymentID"]),
        ("PUT", "pay", json!({ "paymentID": "x".repeat(201), "timestamp": time }), vec!["/paymentID"]),
        ("PUT", "pay", json!({ "timestamp": time }), vec!["/paymentID"]),
        ("PUT", "pay", json!({ "paymentID": "p" }), vec!["/timestamp"]),
        ("PUT", "pay", json!({ "paymentID": "p", "timestamp": 5 }), vec!["/timestamp"]),
        ("PUT", "pay", json!({ "paymentID": "p", "timestamp": "expected S3cretMark" }), vec!["/timestamp"]),
        ("PUT", "pay", json!({ "paymentID": "p", "timestamp": "2026-02-30T00:00:00Z" }), vec!["/timestamp"]),
        ("PUT", "pay", json!({ "paymentID": "p", "timestamp": "2026-01-01" }), vec!["/timestamp"]),
        // The older program's time that was never set.
        ("PUT", "pay", json!({ "paymentID": "p", "timestamp": "0001-01-01T00:00:00Z" }), vec!["/timestamp"]),
        ("PUT", "pay", json!({ "paymentID": " ", "timestamp": SECRET }), vec!["/paymentID", "/timestamp"]),
        ("PUT", "cart", json!({ "shopItems": [] }), vec!["/shopItems"]),
        ("PUT", "cart", json!({}), vec!["/shopItems"]),
        ("POST", "cancel", json!({ "cancelReason": " " }), vec!["/cancelReason"]),
        ("POST", "cancel", json!({ "cancelReason": "x".repeat(2_001) }), vec!["/cancelReason"]),
        ("POST", "cancel", json!({}), vec!["/cancelReason"]),
        ("POST", "cancel", json!({ "cancelReason": { "why": SECRET } }), vec!["/cancelReason"]),
        ("PUT", "address", json!({ "deliveryAddress": "" }), vec!["/deliveryAddress"]),
        ("PUT", "address", json!(["an array is no body"]), vec![""]),
    ];
    for (method, what, body, expected) in cases {
        let problem = refused(&service, method, &format!("/api/orders/{what}/{id}"), &body);
        assert_eq!(pointers(&problem), expected, "{problem}");
    }
    assert_eq!(service.get(&format!("/api/orders/{id}")).revision(), 0, "nothing has changed on the way");
}

#[test]
fn a_key_given_twice_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let id = service.create(&order("1"));
    let url = format!("{}/api/orders/address/{id}", service.url);
    let body = r#"{"deliveryAddress":"one","deliveryAddress":"two"}"#;
    let mut answer = service.agent.put(url).header("content-type", "application/json").send(body).unwrap();
    assert_eq!(answer.status().as_u16(), 422);
    let problem: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!(pointers(&problem), ["/deliveryAddress"]);
    assert_eq!(problem["errors"][0]["detail"], "must be there only once");
}

#[test]
fn what_is_at_the_edge_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let long = |length: usize| json!("ä".repeat(length));
    for body in [
        with("/deliveryAddress", long(1_000)),
        with("/shopItems/0/title", long(500)),
        with("/shopItems/0/description", long(10_000)),
        with("/shopItems/0/quantity", json!(10_000)),
        with("/shopItems/0/price", json!(0)),
        with("/shopItems/0/price", json!(0.01)),
        with("/shopItems/0/price", json!(1_000_000_000_000_i64)),
        without("/shopItems/0", "id"),
        without("/shopItems/0", "description"),
    ] {
        service.command("POST", "/api/orders", Some(&body)).expect(201);
    }
}
