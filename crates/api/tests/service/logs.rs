//! The request log: one line for each request that tells where to look, and never what was in it.
//! Everything is captured, down to the finest level.

use std::cell::RefCell;
use std::io::Write;
use std::sync::Once;
use std::sync::atomic::Ordering;

use serde_json::Value;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::support::{Answer, Service, Setup, order};

thread_local! {
    /// What this thread has logged. A test's runtime is a thread, so it is what the test's service has.
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Begins to capture, in all threads; every service does before its first line. A subscriber of one
/// thread alone would miss what others came across before it: `tracing` remembers that nobody listens.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let lines = telemetry::logging::json(vec!["delivery-api".to_owned()], || Lines);
        tracing_subscriber::registry().with(lines.with_filter(LevelFilter::TRACE)).init();
    });
}

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What this thread has logged since it was made.
pub(crate) struct Log;

impl Log {
    pub(crate) fn capture() -> Self {
        LINES.take();
        Self
    }

    fn text(&self) -> String {
        LINES.with_borrow(|lines| String::from_utf8(lines.clone()).unwrap())
    }

    /// The lines with this message.
    pub(crate) fn find(&self, message: &str) -> Vec<Value> {
        let lines: Vec<Value> = self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines.into_iter().filter(|line| line["message"] == message).collect()
    }
}

/// Trace and span of an answer, as `traceresponse` tells them.
fn ids(answer: &Answer) -> (String, String) {
    let mut parts = answer.header("traceresponse").unwrap().split('-').skip(1).map(str::to_owned);
    (parts.next().unwrap(), parts.next().unwrap())
}

fn ids_of_line(line: &Value) -> (String, String) {
    let text = |name: &str| line[name].as_str().unwrap().to_owned();
    (text("trace_id"), text("span_id"))
}

#[tokio::test]
async fn a_request_is_one_line_that_leads_to_its_trace() {
    let log = Log::capture();
    let service = Service::start(Setup::default()).await;
    let id = service.send("POST", "/api/orders", &[], &order()).await.expect(201).json();
    let path = format!("/api/orders/{}/events?limit=7", id.as_str().unwrap());
    let parent = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    let answer = service.send("GET", &path, &parent, "").await.expect(200);
    let lines = log.find("request served");
    let [created, read] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((&created["http.route"], &created["http.request.method"]), (&"/api/orders".into(), &"POST".into()));
    assert_eq!(read["level"], "info");
    assert_eq!(read["http.request.method"], "GET");
    assert_eq!(read["http.route"], "/api/orders/{id}/events");
    assert_eq!(read["http.response.status_code"], 200);
    assert!(read["duration_ms"].as_f64().is_some_and(|duration| duration > 0.0), "{read}");
    let decimals = read["duration_ms"].to_string().split_once('.').map_or(0, |(_, decimals)| decimals.len());
    assert!(decimals <= 3, "it is told in whole microseconds: {read}");
    assert_eq!(ids_of_line(read), ids(&answer));
    assert_eq!(ids_of_line(read).0, "0af7651916cd43dd8448eb211c80319c");
    assert_ne!(ids_of_line(created).0, ids_of_line(read).0);
}

#[tokio::test]
async fn a_failure_is_logged_once_with_its_causes() {
    let log = Log::capture();
    let service = Service::start(Setup::default()).await;
    let answer = service.get("/admin/projections/broken/parked").await.expect(503);
    let causes = log.find("request could not be served");
    assert_eq!(causes.len(), 1);
    assert_eq!(causes[0]["error.type"], "/problems/unavailable");
    assert_eq!(causes[0]["error.cause"], "the projection's engines failed: disk sda1 is full");
    assert_eq!(ids_of_line(&causes[0]), ids(&answer));
    assert_eq!(answer.json()["traceId"], ids(&answer).0, "the client can name it");
    let failed = log.find("request failed");
    assert_eq!((failed.len(), &failed[0]["level"]), (1, &"error".into()));
    assert_eq!(failed[0]["http.response.status_code"], 503);
    assert!(log.find("request served").is_empty());
}

#[tokio::test]
async fn a_panic_is_a_failure_in_the_log() {
    let log = Log::capture();
    let service = Service::start(Setup::default()).await;
    service.projections.panics.store(true, Ordering::SeqCst);
    let answer = service.get("/admin/projections").await.expect(500);
    let causes = log.find("request could not be served");
    assert_eq!((&causes[0]["error.cause"], causes.len()), (&"the handler panicked".into(), 1));
    assert_eq!(ids_of_line(&causes[0]), ids(&answer));
}

#[tokio::test]
async fn what_the_client_got_wrong_is_no_failure() {
    let log = Log::capture();
    let service = Service::start(Setup::default()).await;
    service.get("/api/orders/not-an-id").await.expect(400);
    assert_eq!(log.find("request served")[0]["http.response.status_code"], 400);
    assert!(!log.text().contains(r#""level":"error""#), "{}", log.text());
}

#[tokio::test]
async fn failures_are_told_however_many_there_are() {
    let log = Log::capture();
    let service = Service::start(Setup::default()).await;
    let mut connection = service.connect().await;
    for _ in 0..200 {
        connection.send("GET", "/admin/projections/broken/parked", &[], "").await.expect(503);
    }
    assert_eq!(log.find("request failed").len(), 200);
}

#[tokio::test]
async fn what_clients_make_up_is_not_written_down() {
    let log = Log::capture();
    let service = Service::start(Setup::default()).await;
    service.send("BREW", "/secret/path?token=hunter2", &[], "").await.expect(404);
    let line = &log.find("request served")[0];
    assert_eq!((&line["http.route"], &line["http.request.method"]), (&"unmatched".into(), &"_OTHER".into()));
    for made_up in ["BREW", "secret", "hunter2"] {
        assert!(!log.text().contains(made_up), "{}", log.text());
    }
}

#[tokio::test]
async fn the_log_holds_nothing_personal_and_nothing_secret() {
    let log = Log::capture();
    let mut setup = Setup::default();
    setup.config.admin_token = Some("0123456789abcdef".into());
    let service = Service::start(setup).await;
    let key = [("idempotency-key", "jane-1")];
    let id = service.send("POST", "/api/orders", &key, &order()).await.expect(201).json();
    let id = id.as_str().unwrap();
    let put = async |action: &str, body: &str, status| {
        service.send("PUT", &format!("/api/orders/{action}/{id}"), &[], body).await.expect(status);
    };
    put("address", r#"{"deliveryAddress":"2 Side Street"}"#, 200).await;
    put("address", r#"{"deliveryAddress":["2 Side Street"]}"#, 422).await;
    put("address", r#"{"deliveryAddress":"2 Side Street"#, 400).await;
    put("pay", r#"{"paymentID":"pay-83","timestamp":"2026-01-01T00:00:00Z"}"#, 200).await;
    let wrong = order().replace("jane@example.com", "jane at example.com");
    service.send("POST", "/api/orders", &key, &wrong).await.expect(422);
    service.get("/api/orders/search?search=jane@example.com").await.expect(200);
    let bearer = [("authorization", "Bearer 0123456789abcdef")];
    service.send("GET", "/admin/projections/orders/parked", &bearer, "").await.expect(200);
    assert_eq!(log.find("request served").len(), 8, "they were all captured");
    for never in ["jane", "example.com", "Street", "pay-83", "Tea", "0123456789abcdef", id] {
        assert!(!log.text().contains(never), "{never}: {}", log.text());
    }
}
