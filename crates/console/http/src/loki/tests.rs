//! Loki's API as its clients see it: requests in, JSON out, over a store in a folder of its own. The examples are
//! those of <https://grafana.com/docs/loki/latest/reference/loki-http-api/>.

mod exploring;
mod queries;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use console_model::{Attribute, Attributes, Labels, LogBatch, LogGroup, LogRecord, Resource, Value as Held};
use console_storage::{Options, Store};
use eventsourcing::Clock;
use http_body_util::BodyExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Tails, router};

/// What time it is in these tests, seconds.
const NOW_S: u64 = 1_795_600_800;
const SECOND: u64 = 1_000_000_000;

struct SetClock;

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(NOW_S as i64).unwrap()
    }
}

/// The API alone.
struct Loki {
    store: Arc<Store>,
    router: Router,
    _folder: tempfile::TempDir,
}

impl Loki {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { flush_interval: Duration::from_secs(3_600), ..Options::default() };
        let clock = Arc::new(SetClock);
        let store = Arc::new(Store::open(folder.path(), options, clock.clone()).unwrap());
        let router = router(Arc::clone(&store), clock, Arc::new(Tails::default()), "1.2.3");
        Self { store, router, _folder: folder }
    }

    /// Takes lines of a stream: seconds before now, and what they say.
    fn take(&self, stream: &[(&str, &str)], lines: &[(u64, &str)]) -> &Self {
        let records: Vec<LogRecord> = lines.iter().map(|(ago, line)| record(*ago, line)).collect();
        self.take_records(stream, records)
    }

    fn take_records(&self, stream: &[(&str, &str)], records: Vec<LogRecord>) -> &Self {
        let stream = Labels::from_pairs(stream.iter().copied());
        let resource = Arc::new(Resource::default());
        let groups = vec![LogGroup { stream, resource, scope: Arc::default(), records }];
        self.store.ingest_logs(&LogBatch { groups }).unwrap();
        self
    }

    async fn ask(&self, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, headers, String::from_utf8(body.to_vec()).unwrap())
    }

    /// The answer to a path with parameters.
    async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let (status, _, body) = self.ask(Request::get(address(path, parameters)).body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// The refusal of a path with parameters.
    async fn refused(&self, path: &str, parameters: &[(&str, &str)]) -> (u16, String) {
        let (status, headers, body) =
            self.ask(Request::get(address(path, parameters)).body(Body::empty()).unwrap()).await;
        assert_eq!(headers.get(header::CONTENT_TYPE).unwrap(), "text/plain; charset=utf-8", "{body}");
        assert_eq!(headers.get(header::X_CONTENT_TYPE_OPTIONS).unwrap(), "nosniff");
        (status.as_u16(), body)
    }
}

fn record(ago: u64, line: &str) -> LogRecord {
    LogRecord {
        time_ns: (NOW_S - ago) * SECOND,
        observed_time_ns: NOW_S * SECOND,
        severity_number: 9,
        body: Held::from(line),
        ..LogRecord::default()
    }
}

fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    format!("/loki/api/v1{path}?{}", pairs.join("&"))
}

fn nanoseconds(ago: u64) -> String {
    ((NOW_S - ago) * SECOND).to_string()
}

#[tokio::test]
async fn queries_are_formatted() {
    let loki = Loki::new();
    let answer = loki.get("/format_query", &[("query", "{foo=   \"bar\"}")]).await;
    assert_eq!(answer, json!({ "status": "success", "data": "{foo=\"bar\"}" }));
    let (status, body) = loki.refused("/format_query", &[("query", "{foo=")]).await;
    assert_eq!(
        (status, body.as_str()),
        (400, "parse error at line 1, col 6: syntax error: unexpected $end, expecting STRING\n")
    );
}

#[tokio::test]
async fn clients_learn_what_they_talk_to() {
    let answer = Loki::new().get("/status/buildinfo", &[]).await;
    for field in ["version", "revision", "branch", "buildDate", "buildUser", "goVersion"] {
        assert!(answer[field].is_string(), "{field}");
    }
    assert!(answer["revision"].as_str().unwrap().contains("1.2.3"));
    assert_eq!(Loki::new().get("/drilldown-limits", &[]).await["pattern_ingester_enabled"], true);
}

#[tokio::test]
async fn parameters_come_in_a_form_as_well() {
    let loki = Loki::new();
    loki.take(&[("app", "loki")], &[(10, "a")]);
    let body = Body::from("match[]=%7Bapp%3D%22loki%22%7D&match[]={none=\"x\"}");
    let request = Request::post("/loki/api/v1/series")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body)
        .unwrap();
    let (status, _, body) = loki.ask(request).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, r#"{"status":"success","data":[{"app":"loki"}]}"#));
    let large = Request::post("/loki/api/v1/series")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(vec![b'x'; 300_000]))
        .unwrap();
    assert_eq!(loki.ask(large).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}
