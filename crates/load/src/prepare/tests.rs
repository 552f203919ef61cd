//! Requests as they go out, held against the contract's tables.

use serde_json::Value;

use super::*;
use crate::{
    planner::Planner,
    scenario::{Mix, Scenario},
    session::Learned,
    trace::{Tracing, Untraced},
};

const ID: &str = "0196f0a0-0000-4000-8000-000000000001";
const NOW: &str = "2026-01-02T03:04:05Z";

fn manner() -> Manner<'static> {
    Manner { keyed: true, guarded: true, now: &|| NOW.to_owned() }
}

fn created() -> Session {
    Session {
        order_id: ID.to_owned(),
        etag: Some("\"3\"".to_owned()),
        created_etag: Some("\"0\"".to_owned()),
        position: Some("a b".to_owned()),
        create_key: Some("first-key".to_owned()),
        ..Session::default()
    }
}

fn new_order() -> Box<NewOrder> {
    let mut planner = Planner::new(1, Mix::only(Scenario::Abandon), std::time::Duration::ZERO);
    match planner.next().steps.remove(0).action {
        Action::Create(order) => order,
        other => panic!("{other:?}"),
    }
}

fn line(prepared: &Prepared) -> String {
    format!("{} {}", prepared.method, prepared.path)
}

fn body(prepared: &Prepared) -> Value {
    prepared.body.as_ref().map_or(Value::Null, |body| serde_json::from_slice(body).unwrap())
}

#[test]
fn every_action_has_the_contracts_route() {
    let session = created();
    let cart = new_order().cart;
    for (action, wanted) in [
        (Action::Create(new_order()), "POST /orders".to_owned()),
        (Action::UpdateCart(cart), format!("PUT /orders/cart/{ID}")),
        (Action::ChangeAddress("Elsewhere 1".into()), format!("PUT /orders/address/{ID}")),
        (Action::Pay { payment_id: "p".into() }, format!("PUT /orders/pay/{ID}")),
        (Action::Submit, format!("PUT /orders/submit/{ID}")),
        (Action::Complete, format!("POST /orders/complete/{ID}")),
        (Action::Cancel { reason: "because" }, format!("POST /orders/cancel/{ID}")),
        (Action::Get, format!("GET /orders/{ID}")),
        (Action::GetFresh, format!("GET /orders/{ID}?minPosition=a%20b&waitMs=2000")),
        (Action::GetAsCreated, format!("GET /orders/{ID}?asOfRevision=0")),
        (Action::History, format!("GET /orders/{ID}/events")),
        (
            Action::Search("wool scarf é".into()),
            "GET /orders/search?search=wool%20scarf%20%C3%A9&page=1&size=20".to_owned(),
        ),
        (Action::GetFound, "GET /orders?limit=20".to_owned()),
    ] {
        assert_eq!(line(&prepare(&action, &session, &manner()).unwrap()), wanted);
    }
}

#[test]
fn commands_have_the_contracts_bodies() {
    let session = created();
    let pay = Action::Pay { payment_id: "pay-1".into() };
    assert_eq!(
        body(&prepare(&pay, &session, &manner()).unwrap()),
        serde_json::json!({"paymentID": "pay-1", "timestamp": NOW})
    );
    let cancel = Action::Cancel { reason: "because" };
    assert_eq!(body(&prepare(&cancel, &session, &manner()).unwrap()), serde_json::json!({"cancelReason": "because"}));
    let address = Action::ChangeAddress("Elsewhere 1".into());
    assert_eq!(
        body(&prepare(&address, &session, &manner()).unwrap()),
        serde_json::json!({"deliveryAddress": "Elsewhere 1"})
    );
    assert!(prepare(&Action::Submit, &session, &manner()).unwrap().body.is_none());
}

#[test]
fn each_attempt_has_ids_of_its_own_in_one_trace() {
    let prepared = prepare(&Action::Submit, &created(), &manner()).unwrap();
    let journey = Untraced.journey("order");
    let trace_id = journey.traceparent()[3..35].to_owned();
    let send = || {
        let ids = AttemptIds::new(journey.request("submit").traceparent());
        let request = prepared.request("http://127.0.0.1:5007/api", &ids).unwrap();
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(request.uri(), &*format!("http://127.0.0.1:5007/api/orders/submit/{ID}"));
        assert_eq!(header("if-match"), "\"3\"");
        let traceparent = header("traceparent");
        assert!(traceparent.starts_with(&format!("00-{trace_id}-")) && traceparent.ends_with("-01"));
        assert_eq!(traceparent.len(), 55);
        (traceparent, header("x-request-id"), header("idempotency-key"))
    };
    let (first, second) = (send(), send());
    assert_ne!(first.0, second.0);
    assert_ne!(first.1, second.1);
    assert_eq!(first.2, second.2);
}

#[test]
fn a_repeat_is_the_same_to_the_byte_and_expects_the_same_order() {
    let mut session = Session::default();
    let action = Action::Create(new_order());
    let first = prepare(&action, &session, &manner()).unwrap();
    session.learn(&action, Learned { order_id: Some(ID.to_owned()), ..Learned::default() });
    session.last_command = Some(first.clone());
    let again = prepare(&Action::Repeat, &session, &manner()).unwrap();
    assert_eq!((&again.body, &again.key, line(&again)), (&first.body, &first.key, line(&first)));
    assert_eq!(again.operation, Operation::Retry);
    assert_eq!(again.expectation, Expectation::Created { same_as: Some(ID.to_owned()) });
}

#[test]
fn each_mistake_is_the_mistake_it_says() {
    let session = created();
    let prepared = |mistake| prepare(&Action::Invalid(mistake, new_order()), &session, &manner()).unwrap();
    for mistake in Mistake::ALL {
        let expectation = prepared(mistake).expectation;
        assert_eq!(expectation, Expectation::Refused(mistake.status()));
        assert_eq!(mistake.status() / 100, 4);
    }
    let text = |mistake| String::from_utf8(prepared(mistake).body.unwrap().to_vec()).unwrap();
    assert!(serde_json::from_str::<Value>(&text(Mistake::MalformedJson)).is_err());
    assert_eq!(body(&prepared(Mistake::NoItems))["shopItems"], serde_json::json!([]));
    assert_eq!(body(&prepared(Mistake::QuantityZero))["shopItems"][0]["quantity"], 0);
    assert!(text(Mistake::ThreeDecimals).contains("\"price\":9.995"));
    assert!(!body(&prepared(Mistake::BadEmail))["accountEmail"].as_str().unwrap().contains('@'));
    assert_eq!(prepared(Mistake::WrongContentType).content_type, "text/plain");
    assert_eq!(prepared(Mistake::KeyReused).key.as_deref(), Some("first-key"));
    assert_eq!(prepared(Mistake::StaleRevision).if_match.as_deref(), Some("\"999999999\""));
}
