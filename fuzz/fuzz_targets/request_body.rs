//! The bodies of commands, through the routes: from bytes to an appended event, or to a problem.
//!
//! An input is a line with the name of a command and the body of the request. It proves:
//!
//! - Any body is answered, and never as a failure of ours.
//! - A refusal is a problem that fits its status; each of its entries has a place and a fault, and nothing
//!   in it repeats a text of the body. Tried with [`MARK`] put behind every text.
//! - An accepted command appends one event, which reads as it was written and keeps the limits of the domain.
#![no_main]

use std::sync::LazyLock;

use axum::http::{StatusCode, header};
use delivery::events::Event;
use delivery::events::codec::{Decoded, SCHEMA_VERSION, decode, encode};
use delivery::models::cart::{MAX_DESCRIPTION_LENGTH, MAX_ITEMS, MAX_QUANTITY, MAX_TITLE_LENGTH, total_price};
use delivery::models::{AccountEmail, CancelReason, DeliveryAddress, Money, Payment, ShopItem};
use fuzz::MARK;
use fuzz::service::{Answer, BODY_LIMIT, DRAFT, Service};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

static SERVICE: LazyLock<Service> = LazyLock::new(Service::default);

/// The commands whose body counts: name, method, and what the path begins with.
const COMMANDS: [(&str, &str, &str); 5] = [
    ("create", "POST", ""),
    ("pay", "PUT", "/pay/"),
    ("cart", "PUT", "/cart/"),
    ("cancel", "POST", "/cancel/"),
    ("address", "PUT", "/address/"),
];

fuzz_target!(|input: &[u8]| {
    let [name, body] = fuzz::lines(input);
    let command = COMMANDS.iter().find(|(command, ..)| command.as_bytes() == name).unwrap_or(&COMMANDS[0]);

    let answer = send(command, body);
    match answer.status {
        StatusCode::OK | StatusCode::CREATED => check_accepted(command, &answer),
        StatusCode::BAD_REQUEST => check_problem(&answer, "/problems/malformed-json", 0),
        StatusCode::UNPROCESSABLE_ENTITY => check_problem(&answer, "/problems/validation", 1),
        StatusCode::PAYLOAD_TOO_LARGE => assert!(body.len() > BODY_LIMIT),
        _ => panic!("{answer:?}"),
    }
    if let Ok(mut value) = serde_json::from_slice(body) {
        assert_ne!(answer.status, StatusCode::BAD_REQUEST);
        mark(&mut value);
        let answer = send(command, value.to_string().as_bytes());
        let text = String::from_utf8_lossy(&answer.body);
        assert!(!text.contains(MARK), "{text}");
    }
});

fn send((name, method, path): &(&str, &str, &str), body: &[u8]) -> Answer {
    let id = if *name == "create" { "" } else { DRAFT };
    SERVICE.send(method, &format!("/api/orders{path}{id}"), body)
}

fn mark(value: &mut Value) {
    match value {
        Value::String(text) => text.push_str(MARK),
        Value::Array(values) => values.iter_mut().for_each(mark),
        Value::Object(fields) => fields.values_mut().for_each(mark),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn check_problem(answer: &Answer, kind: &str, least_errors: usize) {
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
    assert!(answer.appended.is_empty());
    let problem: Value = serde_json::from_slice(&answer.body).expect("a problem is JSON");
    assert_eq!(problem["type"], kind);
    assert_eq!(problem["status"], answer.status.as_u16());
    let errors = problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert!(errors.len() >= least_errors, "{problem}");
    for error in errors {
        let pointer = error["pointer"].as_str().expect("an entry has a place");
        assert!(pointer.is_empty() || pointer.starts_with('/'), "{problem}");
        assert!(error["detail"].as_str().is_some_and(|detail| detail.starts_with("must ")), "{problem}");
    }
}

fn check_accepted((name, ..): &(&str, &str, &str), answer: &Answer) {
    assert_eq!(answer.status == StatusCode::CREATED, *name == "create");
    let [event] = &answer.appended[..] else { panic!("{answer:?}") };
    let Decoded { event: decoded, adjustments } =
        decode(&event.event_type, &event.data, Some(SCHEMA_VERSION)).expect("what we write can be read");
    assert_eq!(adjustments, [""; 0]);
    assert_eq!(encode(&decoded), event.data);
    match decoded {
        Event::Created { shop_items, account_email, delivery_address } => {
            check_items(&shop_items);
            AccountEmail::new(account_email).expect("an address");
            DeliveryAddress::new(delivery_address).expect("an address");
        }
        Event::CartUpdated { shop_items } => check_items(&shop_items),
        Event::Paid(payment) => {
            let time = payment.timestamp.expect("a time that is kept");
            Payment::new(payment.payment_id, time).expect("a payment");
        }
        Event::Canceled { cancel_reason } => drop(CancelReason::new(cancel_reason).expect("a reason")),
        Event::AddressChanged { delivery_address } => drop(DeliveryAddress::new(delivery_address).expect("an address")),
        Event::Submitted | Event::Completed { .. } => panic!("{answer:?}"),
    }
}

fn check_items(items: &[ShopItem]) {
    assert!((1..=MAX_ITEMS).contains(&items.len()));
    assert!(total_price(items).is_some());
    for item in items {
        assert!(!item.title.trim().is_empty());
        assert!(item.title.chars().count() <= MAX_TITLE_LENGTH && item.id.chars().count() <= MAX_TITLE_LENGTH);
        assert!(item.description.chars().count() <= MAX_DESCRIPTION_LENGTH);
        assert!((1..=MAX_QUANTITY).contains(&item.quantity) && item.price >= Money::ZERO);
    }
}
