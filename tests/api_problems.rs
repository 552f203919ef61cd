//! Every row of the contract's table of errors, asked of the running program: status, type, and that the
//! problem is complete and repeats nothing of what was sent.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use support::problem::{check, pointers};
use support::{Answer, Service, order, wire};
use tempfile::TempDir;

/// Stands in every bad value; no answer may repeat it.
const SECRET: &str = "S3cretMark";
/// No order has it.
const NOBODY: &str = "0191e2a4-7c5e-7b3a-9f10-3f6f0c1d2e3f";

fn up() -> (TempDir, Service) {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    (folder, service)
}

/// Sends bytes as a body, whatever they are.
fn send_text(service: &Service, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    let raw = wire::exchange(&mut wire::connect(&service.url), format!("{request}\r\n{body}").as_bytes());
    let headers = raw.head.lines().skip(1).filter_map(|line| line.split_once(": "));
    Answer {
        status: raw.status,
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: String::from_utf8(raw.body).unwrap(),
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn a_body_that_is_not_json_is_400() {
    let (_folder, service) = up();
    for body in ["", "{", "{\"shopItems\": S3cretMark}", "\u{feff}{}", "{}{}", "nul"] {
        let answer = send_text(&service, "POST", "/api/orders", &[JSON], body);
        let problem = check(&answer, 400, "malformed-json", "/api/orders");
        assert!(!problem.to_string().contains(SECRET), "{problem}");
    }
    let deep = "[".repeat(100_000);
    let body = format!("{{\"accountEmail\": {deep}");
    check(&send_text(&service, "POST", "/api/orders", &[JSON], &body), 400, "malformed-json", "/api/orders");
}

#[test]
fn an_id_that_is_not_a_uuid_is_400() {
    let (_folder, service) = up();
    let body = json!({ "deliveryAddress": "x" });
    for id in [SECRET, "1", "0191e2a47c5e7b3a9f103f6f0c1d2e3f", "%00", "%ff", "..%2F..%2Fetc"] {
        for (method, route, body) in [
            ("GET", "/api/orders/{id}", None),
            ("GET", "/api/orders/{id}/events", None),
            ("GET", "/api/orders/{id}/watch", None),
            ("PUT", "/api/orders/address/{id}", Some(&body)),
            ("PUT", "/api/orders/submit/{id}", None),
            ("POST", "/api/orders/complete/{id}", None),
        ] {
            let path = route.replace("{id}", id);
            let problem = check(&service.send(method, &path, &[], body), 400, "invalid-parameter", &path);
            assert_eq!(pointers(&problem), ["id"], "{problem}");
            assert!(!problem["detail"].to_string().contains(SECRET), "{problem}");
        }
    }
}

#[test]
fn a_parameter_that_cannot_be_read_is_400_and_is_named() {
    let (_folder, service) = up();
    let id = service.create(&order("1"));
    let one = format!("/api/orders/{id}");
    let cases: &[(&str, &str, &str)] = &[
        ("/api/orders/search", "page", "-1"),
        ("/api/orders/search", "page", "0"),
        ("/api/orders/search", "page", SECRET),
        ("/api/orders/search", "page", "1.5"),
        ("/api/orders/search", "page", "99999999999999999999999"),
        ("/api/orders/search", "size", "0"),
        ("/api/orders/search", "size", "101"),
        ("/api/orders/search", "size", "%2B5"),
        ("/api/orders/search", "minPosition", "-1"),
        ("/api/orders/search", "waitMs", "10001"),
        ("/api/orders", "state", SECRET),
        ("/api/orders", "state", "Draft"),
        ("/api/orders", "limit", "0"),
        ("/api/orders", "limit", "101"),
        ("/api/orders", "cursor", SECRET),
        (&one, "asOfRevision", "-1"),
        (&one, "asOfRevision", SECRET),
        (&one, "minPosition", "9223372036854775808"),
        (&format!("{one}/events"), "from", "-1"),
        (&format!("{one}/events"), "limit", "1001"),
    ];
    for (path, name, value) in cases {
        let answer = service.get(&format!("{path}?{name}={value}"));
        let problem = check(&answer, 400, "invalid-parameter", path);
        assert_eq!(pointers(&problem), [*name], "{problem}");
        assert!(!problem.to_string().contains(SECRET), "{problem}");
    }
    let long = "x".repeat(1_001);
    check(&service.get(&format!("/api/orders/search?search={long}")), 400, "invalid-parameter", "/api/orders/search");
    for (header, path) in [("if-none-match", one.clone()), ("last-event-id", format!("{one}/watch"))] {
        let problem = check(&service.send("GET", &path, &[(header, SECRET)], None), 400, "invalid-parameter", &path);
        assert!(!problem.to_string().contains(SECRET), "{problem}");
    }
}

#[test]
fn an_unknown_order_is_404() {
    let (_folder, service) = up();
    let pay = json!({ "paymentID": "p", "timestamp": "2026-01-01T00:00:00Z" });
    let cart = json!({ "shopItems": order("1")["shopItems"] });
    let (address, cancel) = (json!({ "deliveryAddress": "x" }), json!({ "cancelReason": "x" }));
    for (method, route, body) in [
        ("GET", "/api/orders/{id}", None),
        ("GET", "/api/orders/{id}?asOfRevision=0", None),
        ("GET", "/api/orders/{id}/events", None),
        ("GET", "/api/orders/{id}/events?from=7", None),
        ("GET", "/api/orders/{id}/watch", None),
        ("PUT", "/api/orders/pay/{id}", Some(&pay)),
        ("PUT", "/api/orders/submit/{id}", None),
        ("PUT", "/api/orders/cart/{id}", Some(&cart)),
        ("POST", "/api/orders/cancel/{id}", Some(&cancel)),
        ("POST", "/api/orders/complete/{id}", None),
        ("PUT", "/api/orders/address/{id}", Some(&address)),
    ] {
        let path = route.replace("{id}", NOBODY);
        let answer = service.send(method, &path, &[], body);
        check(&answer, 404, "not-found", path.split('?').next().unwrap());
    }
    assert_eq!(service.get("/api/orders").json()["orders"], json!([]), "asking for an order does not make one");
}

#[test]
fn an_unknown_route_is_404() {
    let (_folder, service) = up();
    for path in ["/", "/api", "/api/", "/api/order", "/orders", "/api/v1/orders/x/y/z", "/favicon.ico"] {
        for method in ["GET", "POST", "DELETE"] {
            check(&service.send(method, path, &[], None), 404, "unknown-route", path);
        }
    }
}

#[test]
fn a_method_that_a_route_does_not_know_is_405_and_says_which_it_knows() {
    let (_folder, service) = up();
    let id = service.create(&order("1"));
    for (method, route, allow) in [
        ("DELETE", "/api/orders", "GET,HEAD,POST"),
        ("PUT", "/api/orders", "GET,HEAD,POST"),
        ("POST", "/api/orders/search", "GET,HEAD"),
        ("PATCH", "/api/orders/{id}", "GET,HEAD"),
        ("GET", "/api/orders/pay/{id}", "PUT"),
        ("POST", "/api/orders/submit/{id}", "PUT"),
        ("PUT", "/api/orders/cancel/{id}", "POST"),
        ("GET", "/api/orders/complete/{id}", "POST"),
        ("BREW", "/api/orders/{id}/events", "GET,HEAD"),
        ("POST", "/livez", "GET,HEAD"),
        ("DELETE", "/metrics", "GET,HEAD"),
        ("GET", "/admin/projections/orders/rebuild", "POST"),
    ] {
        let path = route.replace("{id}", &id);
        let answer = send_text(&service, method, &path, &[], "");
        check(&answer, 405, "method-not-allowed", &path);
        let mut allowed: Vec<_> = answer.header("allow").unwrap().split(',').map(str::trim).collect();
        allowed.sort_unstable();
        assert_eq!(allowed.join(","), allow, "{method} {path}");
    }
}

#[test]
fn a_command_that_the_status_forbids_is_409() {
    let (_folder, service) = up();
    let id = service.create(&order("1"));
    let pay = json!({ "paymentID": "p1", "timestamp": "2026-01-01T00:00:00Z" });
    let cart = json!({ "shopItems": [{ "id": "9", "title": "Cup", "description": "", "quantity": 1, "price": 1 }] });
    let cancel = json!({ "cancelReason": "changed my mind" });
    let refused = |method: &str, what: &str, body: Option<&Value>| {
        let path = format!("/api/orders/{what}/{id}");
        check(&service.command(method, &path, body), 409, "illegal-transition", &path);
    };
    let done = |method: &str, what: &str, body: Option<&Value>| {
        service.command(method, &format!("/api/orders/{what}/{id}"), body).expect(200);
    };
    refused("PUT", "submit", None);
    refused("POST", "complete", None);
    done("PUT", "pay", Some(&pay));
    refused("PUT", "cart", Some(&cart));
    refused("POST", "complete", None);
    refused("PUT", "pay", Some(&json!({ "paymentID": "p2", "timestamp": "2026-01-01T00:00:00Z" })));
    done("PUT", "submit", None);
    refused("PUT", "pay", Some(&json!({ "paymentID": "p2", "timestamp": "2026-01-01T00:00:00Z" })));
    done("POST", "complete", None);
    refused("POST", "cancel", Some(&cancel));
    refused("PUT", "address", Some(&json!({ "deliveryAddress": "elsewhere" })));
}

#[test]
fn a_command_that_changes_nothing_is_409_with_a_type_of_its_own() {
    let (_folder, service) = up();
    let id = service.create(&order("1"));
    let pay = json!({ "paymentID": "p1", "timestamp": "2026-01-01T00:00:00Z" });
    let twice = |method: &str, what: &str, body: Option<&Value>, first: u16| {
        let path = format!("/api/orders/{what}/{id}");
        if first == 200 {
            service.command(method, &path, body).expect(200);
        }
        check(&service.command(method, &path, body), 409, "already-applied", &path);
    };
    twice("PUT", "cart", Some(&json!({ "shopItems": order("1")["shopItems"] })), 409);
    twice("PUT", "address", Some(&json!({ "deliveryAddress": "1" })), 409);
    twice("PUT", "address", Some(&json!({ "deliveryAddress": "2" })), 200);
    twice("PUT", "pay", Some(&pay), 200);
    twice("PUT", "submit", None, 200);
    let other = service.create(&order("3"));
    twice("POST", "complete", None, 200);
    let path = format!("/api/orders/cancel/{other}");
    service.command("POST", &path, Some(&json!({ "cancelReason": "x" }))).expect(200);
    check(&service.command("POST", &path, Some(&json!({ "cancelReason": "x" }))), 409, "already-applied", &path);
}

#[test]
fn if_match_with_another_revision_is_412() {
    let (_folder, service) = up();
    let id = service.create(&order("1"));
    let path = format!("/api/orders/address/{id}");
    let send = |tag: &str, address: &str| {
        service.send("PUT", &path, &[("if-match", tag)], Some(&json!({ "deliveryAddress": address })))
    };
    for tag in ["\"1\"", "\"999\"", "\"abc\"", "W/\"0\"", "\"7\", \"8\"", "\"00\""] {
        check(&send(tag, "2"), 412, "precondition-failed", &path);
    }
    assert_eq!(send("\"0\"", "2").expect(200).revision(), 1);
    check(&send("\"0\"", "3"), 412, "precondition-failed", &path);
    assert_eq!(send("\"0\", \"1\"", "3").expect(200).revision(), 2);
    assert_eq!(send("*", "4").expect(200).revision(), 3);
    check(&send("0", "5"), 400, "invalid-parameter", &path);
    let nobody = format!("/api/orders/submit/{NOBODY}");
    check(&service.send("PUT", &nobody, &[("if-match", "\"0\"")], None), 404, "not-found", &nobody);
}

#[test]
fn a_body_over_two_megabytes_is_413() {
    let (_folder, service) = up();
    let limit = 2 * 1024 * 1024;
    let body = |length: usize| format!("{{\"accountEmail\":\"{}\"}}", "a".repeat(length - 19));
    let sent = |body: &str| send_text(&service, "POST", "/api/orders", &[JSON], body);
    check(&sent(&body(limit)), 422, "validation", "/api/orders");
    check(&sent(&body(limit + 1)), 413, "body-too-large", "/api/orders");

    // Without an announced length the limit holds as well.
    let mut chunked = b"POST /api/orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
        transfer-encoding: chunked\r\n\r\n"
        .to_vec();
    for _ in 0..33 {
        chunked.extend_from_slice(b"10000\r\n");
        chunked.resize(chunked.len() + 0x1_0000, b' ');
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(wire::exchange(&mut wire::connect(&service.url), &chunked).status, 413);

    let id = service.create(&order("1"));
    let path = format!("/api/orders/submit/{id}");
    check(&send_text(&service, "PUT", &path, &[], &body(limit + 1)), 413, "body-too-large", &path);
}

#[test]
fn a_body_that_is_not_announced_as_json_is_415() {
    let (_folder, service) = up();
    let body = order("1").to_string();
    for announced in
        ["text/plain", "application/xml", "application/x-www-form-urlencoded", "json", "application/jsonp", ""]
    {
        let answer = send_text(&service, "POST", "/api/orders", &[("content-type", announced)], &body);
        check(&answer, 415, "unsupported-media-type", "/api/orders");
    }
    check(&send_text(&service, "POST", "/api/orders", &[], &body), 415, "unsupported-media-type", "/api/orders");
    for announced in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
        send_text(&service, "POST", "/api/orders", &[("content-type", announced)], &body).expect(201);
    }
}

#[test]
fn a_command_under_a_used_idempotency_key_is_422() {
    let (_folder, service) = up();
    let key = [("idempotency-key", "k-1")];
    service.send("POST", "/api/orders", &key, Some(&order("1"))).expect(201);
    check(&service.send("POST", "/api/orders", &key, Some(&order("2"))), 422, "idempotency-key-reused", "/api/orders");
    let id = service.create(&order("3"));
    let path = format!("/api/orders/submit/{id}");
    check(&service.send("PUT", &path, &key, None), 422, "idempotency-key-reused", &path);
    for bad in ["", " ", &"x".repeat(256)] {
        let answer = service.send("POST", "/api/orders", &[("idempotency-key", bad)], Some(&order("1")));
        check(&answer, 400, "invalid-parameter", "/api/orders");
    }
}

#[test]
fn whoever_sends_too_much_is_429_until_later() {
    let folder = tempfile::tempdir().unwrap();
    let limited = ["up", "--no-traffic", "--rate-limit-per-second", "1", "--rate-limit-burst", "3"];
    let service = Service::start(folder.path(), &limited);
    let refused = support::wait_for(|| Some(service.get("/api/orders")).filter(|answer| answer.status != 200));
    check(&refused, 429, "rate-limited", "/api/orders");
    for free in ["/livez", "/readyz", "/metrics"] {
        (0..10).for_each(|_| drop(service.get(free).expect(200)));
    }
    support::wait_for(|| Some(service.get("/api/orders")).filter(|answer| answer.status == 200));
}

#[test]
fn a_position_that_is_not_reached_is_503() {
    let (_folder, service) = up();
    let id = service.create(&order("1"));
    for path in [format!("/api/orders/{id}"), "/api/orders".to_owned(), "/api/orders/search".to_owned()] {
        let answer = service.get(&format!("{path}?minPosition=999999&waitMs=0"));
        check(&answer, 503, "position-not-reached", &path);
        let answer = service.get(&format!("{path}?minPosition=999999&waitMs=20"));
        check(&answer, 503, "position-not-reached", &path);
    }
}

#[test]
fn a_request_that_takes_too_long_is_503() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), &["up", "--no-traffic", "--request-timeout-seconds", "1"]);
    let answer = service.get("/api/orders?minPosition=999999&waitMs=10000");
    check(&answer, 503, "deadline-exceeded", "/api/orders");
    // A body that never comes is the client's slowness, and ends just as well.
    let mut stream = wire::connect(&service.url);
    let head = b"POST /api/orders HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{";
    assert_eq!(wire::exchange(&mut stream, head).status, 503);
}
