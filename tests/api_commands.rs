//! The commands against the running program: what each answers and with which headers, and what an
//! idempotency key promises.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use support::problem::check;
use support::{Answer, Service, order, wait_for};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn pay() -> Value {
    json!({ "paymentID": "pay-1", "timestamp": "2026-01-02T03:04:05Z" })
}

/// Sends with a trace and an id of the caller's, and checks what every success has in common.
#[track_caller]
fn succeed(service: &Service, method: &str, path: &str, body: Option<&Value>, status: u16) -> Answer {
    let traceparent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let headers = [("traceparent", traceparent.as_str()), ("x-request-id", "caller-7")];
    let answer = service.send(method, path, &headers, body).expect(status);
    assert_eq!(answer.header("x-request-id"), Some("caller-7"));
    let response: Vec<_> = answer.header("traceresponse").unwrap().split('-').collect();
    assert_eq!((response[0], response[1], response[3]), ("00", TRACE, "01"), "the caller's trace goes on");
    assert_ne!(response[2], "b7ad6b7169203331", "with a span of ours");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    answer
}

#[test]
fn every_command_answers_as_the_contract_says() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let created = succeed(&service, "POST", "/api/orders", Some(&order("1 Main Street")), 201);
    let id = created.json().as_str().expect("the id is a bare JSON string").to_owned();
    assert_eq!(id.len(), 36);
    assert_eq!(created.header("content-type"), Some("application/json"));
    assert_eq!(created.header("location"), Some(format!("/api/orders/{id}").as_str()));
    assert_eq!((created.header("etag"), created.position()), (Some("\"0\""), "1"));

    let cart =
        json!({ "shopItems": [{ "id": "9", "title": "Cup", "description": "Blue", "quantity": 3, "price": 2.1 }] });
    let steps: [(&str, &str, Option<Value>); 5] = [
        ("PUT", "cart", Some(cart)),
        ("PUT", "address", Some(json!({ "deliveryAddress": "2 Main Street" }))),
        ("PUT", "pay", Some(pay())),
        ("PUT", "submit", None),
        ("POST", "complete", None),
    ];
    for (revision, (method, what, body)) in (1..).zip(&steps) {
        let answer = succeed(&service, method, &format!("/api/orders/{what}/{id}"), body.as_ref(), 200);
        assert_eq!(answer.json(), json!(id));
        assert_eq!(answer.revision(), revision);
        assert_eq!(answer.position(), (revision + 1).to_string());
        assert_eq!(answer.header("location"), None);
    }
    let read = succeed(&service, "GET", &format!("/api/orders/{id}"), None, 200);
    assert_eq!(read.header("etag"), Some("\"5\""));
    let mut body = read.json();
    let delivered = body.as_object_mut().unwrap().remove("deliveredTime").unwrap();
    assert!(delivered.as_str().unwrap().ends_with('Z'), "{delivered}");
    let expected = json!({
        "id": id, "orderId": id,
        "shopItems": [{ "id": "9", "title": "Cup", "description": "Blue", "quantity": 3, "price": 2.1 }],
        "accountEmail": "jane@example.com", "deliveryAddress": "2 Main Street", "totalPrice": 6.3,
        "paid": true, "submitted": true, "completed": true, "canceled": false,
        "payment": { "paymentID": "pay-1", "timestamp": "2026-01-02T03:04:05Z" }
    });
    assert_eq!(body, expected);
}

#[test]
fn an_order_can_be_called_off_and_what_is_not_set_is_absent() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let id = service.create(&order("1"));
    let draft = service.get(&format!("/api/orders/{id}")).json();
    for absent in ["cancelReason", "deliveredTime", "payment"] {
        assert!(draft.get(absent).is_none(), "{draft}");
    }
    assert_eq!(draft["totalPrice"], json!(59.99));
    let reason = json!({ "cancelReason": "ordered twice" });
    succeed(&service, "POST", &format!("/api/orders/cancel/{id}"), Some(&reason), 200);
    let canceled = service.get(&format!("/api/orders/{id}")).json();
    assert_eq!((&canceled["canceled"], &canceled["cancelReason"]), (&json!(true), &json!("ordered twice")));
}

#[test]
fn a_request_id_that_is_no_id_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    for bad in ["two words", &"x".repeat(129), ""] {
        let answer = service.send("GET", "/api/orders", &[("x-request-id", bad)], None).expect(200);
        let given = answer.header("x-request-id").unwrap();
        assert!(given != bad && given.len() == 36, "{given}");
    }
    for bad in ["", "00-0-0-0", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "ff-x"] {
        let answer = service.send("GET", "/api/orders", &[("traceparent", bad)], None).expect(200);
        let trace = answer.header("traceresponse").unwrap().split('-').nth(1).unwrap().to_owned();
        assert!(trace.len() == 32 && trace != "0".repeat(32), "a trace of ours instead: {trace}");
    }
}

#[test]
fn a_command_without_a_body_ignores_one() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let id = service.create(&order("1"));
    service.command("PUT", &format!("/api/orders/pay/{id}"), Some(&pay())).expect(200);
    let url = format!("{}/api/orders/submit/{id}", service.url);
    let answer = service.agent.put(url).header("content-type", "text/plain").send("whatever").unwrap();
    assert_eq!(answer.status().as_u16(), 200);
}

/// A replay shows the first answer, and says that it does.
#[track_caller]
fn assert_replay(first: &Answer, again: &Answer) {
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    for header in ["content-type", "etag", "location", "x-position"] {
        assert_eq!(first.header(header), again.header(header), "{header}");
    }
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
}

#[test]
fn a_key_replays_the_first_answer_and_a_restart_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Service::up(folder.path());
    let send = |service: &Service, key: &str, method: &str, path: &str, body: Option<&Value>| {
        service.send(method, path, &[("idempotency-key", key)], body)
    };
    let first = send(&service, "create-1", "POST", "/api/orders", Some(&order("1"))).expect(201);
    let id = first.json().as_str().unwrap().to_owned();
    let pay_path = format!("/api/orders/pay/{id}");
    let paid = send(&service, "pay-1", "PUT", &pay_path, Some(&pay())).expect(200);
    assert_replay(&first, &send(&service, "create-1", "POST", "/api/orders", Some(&order("1"))));
    assert_replay(&paid, &send(&service, "pay-1", "PUT", &pay_path, Some(&pay())));

    // What was refused for good is refused again, without being decided anew.
    let address = format!("/api/orders/cart/{id}");
    let cart = json!({ "shopItems": order("1")["shopItems"] });
    let refused = send(&service, "cart-1", "PUT", &address, Some(&cart));
    check(&refused, 409, "illegal-transition", &address);
    assert_replay(&refused, &send(&service, "cart-1", "PUT", &address, Some(&cart)));

    service.kill();
    let service = Service::up(folder.path());
    assert_replay(&first, &send(&service, "create-1", "POST", "/api/orders", Some(&order("1"))));
    assert_replay(&paid, &send(&service, "pay-1", "PUT", &pay_path, Some(&pay())));
    check(
        &send(&service, "create-1", "POST", "/api/orders", Some(&order("2"))),
        422,
        "idempotency-key-reused",
        "/api/orders",
    );
    check(
        &send(&service, "pay-1", "POST", &format!("/api/orders/complete/{id}"), None),
        422,
        "idempotency-key-reused",
        &format!("/api/orders/complete/{id}"),
    );
    let events = service.get(&format!("/api/orders/{id}/events")).expect(200).json();
    assert_eq!(events["events"].as_array().unwrap().len(), 2, "each command was carried out once");
}

#[test]
fn of_many_requests_with_one_key_one_is_carried_out() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let send = || {
            wait_for(|| {
                let answer = service.send("POST", "/api/orders", &[("idempotency-key", "k")], Some(&order("1")));
                // 409: the first is still running, and asks to come back.
                assert!(matches!(answer.status, 201 | 409), "{answer:?}");
                (answer.status == 201).then_some(answer)
            })
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| answer.body == answers[0].body), "{answers:?}");
    let firsts = answers.iter().filter(|answer| answer.header("idempotency-replayed").is_none()).count();
    assert_eq!(firsts, 1);
    let position = answers[0].position();
    let listed = service.get(&format!("/api/orders?minPosition={position}&waitMs=10000")).expect(200).json();
    assert_eq!(listed["orders"].as_array().unwrap().len(), 1);
}

#[test]
fn concurrent_changes_all_happen_or_say_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let id = service.create(&order("start"));
    let path = format!("/api/orders/address/{id}");
    let done: u64 = std::thread::scope(|scope| {
        let change = |client: u64| {
            let (service, path) = (&service, &path);
            scope.spawn(move || {
                (0..20)
                    .filter(|round| {
                        let body = json!({ "deliveryAddress": format!("{client}-{round}") });
                        let answer = service.command("PUT", path, Some(&body));
                        if answer.status == 409 {
                            check(&answer, 409, "concurrent-change", path);
                        } else {
                            answer.clone().expect(200);
                        }
                        answer.status == 200
                    })
                    .count() as u64
            })
        };
        let threads: Vec<_> = (0..4).map(change).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(service.get(&format!("/api/orders/{id}")).revision(), done, "one event for each success");
}
