//! Idempotency keys: however often a request comes, its command is carried out once and has one answer.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use eventsourcing::{EventStore, Position};

use crate::fakes::Keys;
use crate::support::{Answer, PATIENCE, Service, Setup, order};

const KEYED: &[(&str, &str)] = &[("idempotency-key", "k-1")];
const PAYMENT: &str = r#"{"paymentID":"p-1","timestamp":"2026-01-01T00:00:00Z"}"#;

/// A service, and what outlives it.
struct Place {
    service: Service,
    events: memory::EventStore,
    keys: Arc<Keys>,
}

impl Place {
    async fn start(setup: Setup) -> Self {
        let (events, keys) = (setup.events.clone(), Arc::clone(&setup.keys));
        Self { service: Service::start(setup).await, events, keys }
    }

    async fn create(&self, headers: &[(&str, &str)]) -> Answer {
        self.service.send("POST", "/api/orders", headers, &order()).await
    }

    async fn created(&self) -> String {
        self.create(&[]).await.expect(201).json().as_str().unwrap().to_owned()
    }

    async fn put(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.service.send("PUT", &format!("/api/orders/{path}"), headers, body).await
    }

    async fn assert_events(&self, count: u64) {
        assert_eq!(self.events.head().await.unwrap(), Position(count));
    }
}

/// Checks that it is the first answer once more.
fn assert_replays(again: &Answer, first: &Answer) {
    assert_eq!((again.status, again.text()), (first.status, first.text()));
    for header in ["content-type", "etag", "location", "x-position"] {
        assert_eq!(again.header(header), first.header(header), "{header}");
    }
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), (None, Some("true")));
    assert_ne!(again.header("x-request-id"), first.header("x-request-id"), "it is another request all the same");
}

#[tokio::test]
async fn a_key_has_one_answer() {
    let place = Place::start(Setup::default()).await;
    let first = place.create(KEYED).await.expect(201);
    assert!(first.header("location").is_some());
    assert_replays(&place.create(KEYED).await, &first);
    place.assert_events(1).await;
}

#[tokio::test]
async fn without_a_key_each_request_is_a_command() {
    let place = Place::start(Setup::default()).await;
    assert_ne!(place.created().await, place.created().await);
    assert!(place.keys.begun.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_key_is_for_one_request() {
    let place = Place::start(Setup::default()).await;
    let id = place.created().await;
    let pay = format!("pay/{id}");
    place.put(&pay, KEYED, PAYMENT).await.expect(200);
    let conditional = [KEYED[0], ("if-match", "\"0\"")];
    for answer in [
        place.put(&pay, KEYED, &PAYMENT.replace("p-1", "p-2")).await,
        place.put(&format!("submit/{id}"), KEYED, PAYMENT).await,
        place.put(&pay, &conditional, PAYMENT).await,
        place.create(KEYED).await,
    ] {
        assert_eq!(answer.header("idempotency-replayed"), None);
        answer.expect_problem(422, "idempotency-key-reused");
    }
    place.assert_events(2).await;
}

#[tokio::test]
async fn a_key_that_cannot_be_read_runs_nothing() {
    let place = Place::start(Setup::default()).await;
    let long = "k".repeat(256);
    for key in ["", "two words", "schlüssel", &long] {
        let problem = place.create(&[("idempotency-key", key)]).await.expect_problem(400, "invalid-parameter");
        assert_eq!(problem["errors"][0]["pointer"], "Idempotency-Key", "{key}");
    }
    let two = [("idempotency-key", "k-1"), ("idempotency-key", "k-2")];
    place.create(&two).await.expect_problem(400, "invalid-parameter");
    place.assert_events(0).await;
    place.create(&[("idempotency-key", &long[1..])]).await.expect(201);
}

#[tokio::test]
async fn a_final_refusal_is_the_answer_of_its_key() {
    let place = Place::start(Setup::default()).await;
    let id = place.created().await;
    let submit = format!("submit/{id}");
    let first = place.put(&submit, KEYED, "").await;
    place.put(&format!("pay/{id}"), &[], PAYMENT).await.expect(200);
    assert_replays(&place.put(&submit, KEYED, "").await, &first);
    first.expect_problem(409, "illegal-transition");
    place.put(&submit, &[], "").await.expect(200);
}

#[tokio::test]
async fn a_body_that_is_wrong_stays_wrong() {
    let place = Place::start(Setup::default()).await;
    for (key, body, status) in [("k-1", "{", 400), ("k-2", "{}", 422)] {
        let send = async || place.service.send("POST", "/api/orders", &[("idempotency-key", key)], body).await;
        let first = send().await.expect(status);
        assert_replays(&send().await, &first);
    }
}

#[tokio::test]
async fn a_passing_failure_is_not_kept() {
    let place = Place::start(Setup::default()).await;
    place.events.faults().fail_next(1);
    let failed = place.create(KEYED).await;
    assert_eq!(failed.header("retry-after"), Some("1"));
    failed.expect_problem(503, "unavailable");
    place.keys.released().await;
    let retry = place.create(KEYED).await.expect(201);
    assert_eq!(retry.header("idempotency-replayed"), None);
    let runs = place.keys.runs();
    assert_eq!(runs[1], (runs[0].0, true), "the same command, which may have been carried out");
}

#[tokio::test]
async fn a_second_request_does_not_overtake_the_first() {
    let place = Place::start(Setup::default()).await;
    place.events.faults().delay(PATIENCE);
    let mut first = place.service.connect().await;
    first.begin("POST", "/api/orders", KEYED, &order()).await;
    place.keys.claimed.acquire().await.unwrap().forget();
    let second = place.create(KEYED).await;
    assert_eq!(second.header("retry-after"), Some("1"));
    second.expect_problem(409, "idempotency-key-in-use");
    assert_eq!(place.keys.runs().len(), 1);
}

#[tokio::test]
async fn a_client_that_leaves_gives_its_key_back() {
    let place = Place::start(Setup::default()).await;
    place.events.faults().delay(PATIENCE);
    let mut first = place.service.connect().await;
    first.begin("POST", "/api/orders", KEYED, &order()).await;
    place.keys.claimed.acquire().await.unwrap().forget();
    drop(first);
    place.keys.released().await;
    place.events.faults().heal();
    place.create(KEYED).await.expect(201);
    place.assert_events(1).await;
}

#[tokio::test]
async fn a_deadline_and_a_drain_give_the_key_back() {
    let mut setup = Setup::default();
    setup.config.request_timeout = Duration::from_millis(50);
    let place = Place::start(setup).await;
    place.events.faults().delay(PATIENCE);
    place.create(KEYED).await.expect_problem(503, "deadline-exceeded");
    place.keys.released().await;

    let mut setup = Setup::default();
    setup.options.grace = Duration::ZERO;
    let place = Place::start(setup).await;
    place.events.faults().delay(PATIENCE);
    let mut connection = place.service.connect().await;
    connection.begin("POST", "/api/orders", KEYED, &order()).await;
    place.keys.claimed.acquire().await.unwrap().forget();
    assert_eq!(place.service.stop().await.unwrap().aborted, 1);
    place.keys.released().await;
}

#[tokio::test]
async fn an_answer_that_could_not_be_kept_is_given_again_and_nothing_done_twice() {
    let place = Place::start(Setup::default()).await;
    place.keys.forgets.store(true, Ordering::SeqCst);
    let first = place.create(KEYED).await.expect(201);
    place.keys.released().await;
    // A restart makes no difference.
    let (events, keys) = (place.events.clone(), Arc::clone(&place.keys));
    place.service.stop().await.unwrap();
    keys.forgets.store(false, Ordering::SeqCst);
    let place = Place::start(Setup { events, keys, ..Setup::default() }).await;
    let again = place.create(KEYED).await.expect(201);
    assert_eq!(again.text(), first.text());
    for header in ["etag", "location", "x-position"] {
        assert_eq!(again.header(header), first.header(header), "{header}");
    }
    place.assert_events(1).await;
    assert_replays(&place.create(KEYED).await, &again);
}

#[tokio::test]
async fn a_change_that_was_done_is_found_behind_later_ones() {
    let place = Place::start(Setup::default()).await;
    let id = place.created().await;
    place.keys.forgets.store(true, Ordering::SeqCst);
    let pay = format!("pay/{id}");
    let first = place.put(&pay, KEYED, PAYMENT).await.expect(200);
    place.keys.released().await;
    place.put(&format!("submit/{id}"), &[], "").await.expect(200);
    let again = place.put(&pay, KEYED, PAYMENT).await.expect(200);
    assert_eq!((again.text(), again.header("etag")), (first.text(), first.header("etag")));
    place.assert_events(3).await;
}
