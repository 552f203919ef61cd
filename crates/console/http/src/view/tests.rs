//! The page API as pages see it: requests in, JSON out, over a store in a folder of its own.

mod answers;
mod made;
mod refusals;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use console_model::SpanBatch;
use console_storage::{Options, Store};
use eventsourcing::Clock;
use http_body_util::BodyExt;
use jiff::Timestamp;
use serde_json::Value;
use tower::ServiceExt;

use super::{State, router};
use crate::arrivals::Arrivals;

/// Where the tests' clock begins: 2026-11-25 10:00 UTC, milliseconds.
const NOW_MS: i64 = 1_795_600_800_000;
const NOW_NS: u64 = NOW_MS as u64 * 1_000_000;

struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// A console with nothing but its pages.
struct Console {
    store: Arc<Store>,
    arrivals: Arc<Arrivals>,
    clock: Arc<SetClock>,
    router: Router,
    _folder: tempfile::TempDir,
}

impl Console {
    fn new() -> Self {
        Self::with(Options::default())
    }

    /// A store that does nothing on its own while a test looks.
    fn with(options: Options) -> Self {
        let options = Options { flush_interval: Duration::from_secs(3_600), ..options };
        Self::ticking(options)
    }

    fn ticking(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock(AtomicI64::new(NOW_MS)));
        let store = Arc::new(Store::open(folder.path(), options, clock.clone()).unwrap());
        let arrivals = Arc::new(Arrivals::new());
        let state = State {
            store: store.clone(),
            arrivals: arrivals.clone(),
            clock: clock.clone(),
            version: "1.2.3".to_owned(),
            ports: super::wire::Ports { otlp_grpc: 4317, otlp_http: 4318 },
        };
        let graph = crate::graph::router(Arc::clone(&store), clock.clone());
        Self { store, arrivals, clock, router: router(state).merge(graph), _folder: folder }
    }

    /// Takes spans as the receivers do.
    fn take(&self, batch: &SpanBatch) {
        self.arrivals.spans(batch, self.clock.0.load(Ordering::SeqCst));
        self.store.ingest_spans(batch).unwrap();
    }

    async fn answer(&self, path: &str) -> (StatusCode, Value) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json", "{path}");
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.answer(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    async fn refusal(&self, path: &str) -> (u16, String) {
        let (status, body) = self.answer(path).await;
        (status.as_u16(), body["error"]["message"].as_str().unwrap().to_owned())
    }
}

/// A value behind an equals sign.
fn escaped(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02x}")).collect()
}
