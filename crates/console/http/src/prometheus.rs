//! Prometheus' HTTP API over the console's store, under `/prometheus`: what Grafana, promtool and others ask.
//! Where it differs from Prometheus on purpose is listed, with reasons, in `tests/prometheus/ledger.rs`. How a
//! query is evaluated and how series are kept is not known here; rules and alerts have routes of their own.

mod answer;
mod exemplars;
mod expression;
mod json;
mod label_name;
mod listing;
mod metadata;
mod parameters;
mod query;
mod selector;
mod status;
mod storage;
mod targets;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use console_storage::Store;
use eventsourcing::Clock;
use tokio::time::Instant;

use crate::intake::body::Budget;
use crate::queries::{Outcome, Queries};
use crate::reads::{ReadFailure, Reads, Stop};
use answer::{Kind, Refusal, success};
use parameters::Parameters;

pub use storage::Stored;
pub use targets::Targets;

/// Queries that are evaluated at a time; more wait, so that heavy ones take neither every thread nor all memory.
const QUERIES_AT_ONCE: usize = 4;
/// How long a query may take, waiting included, unless it asks for less.
const QUERY_TIME_MAX: Duration = Duration::from_secs(60);
/// Samples of one query in memory at once: 16 bytes each, and as much again in the answer.
const SAMPLES_MAX: usize = 10_000_000;
/// Other reads at a time, which no query keeps waiting.
const READS_AT_ONCE: usize = 4;
const READ_TIME_MAX: Duration = Duration::from_secs(20);

/// What the API is made of.
#[derive(Clone)]
pub struct Parts {
    /// Where the series are.
    pub store: Arc<Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What is scraped.
    pub targets: Targets,
    /// Counts the queries.
    pub queries: Arc<Queries>,
    /// The program's version.
    pub version: &'static str,
}

/// What all requests share.
struct Shared {
    parts: Parts,
    started_ms: i64,
    queries: Reads,
    reads: Reads,
    bodies: Budget,
}

/// One request, on a thread that may block.
struct Call<'a> {
    shared: &'a Shared,
    parameters: &'a Parameters,
    /// Of the URL, escapes and all.
    path: &'a str,
    /// When nobody waits any more.
    stop: &'a Stop,
    deadline: Instant,
    /// How long it waited for its turn.
    waited: Duration,
}

impl Call<'_> {
    fn store(&self) -> &Arc<Store> {
        &self.shared.parts.store
    }

    fn now_ms(&self) -> i64 {
        self.shared.parts.clock.now().as_millisecond()
    }
}

/// Makes the body of an answer.
type Work = fn(&Call<'_>) -> Result<Vec<u8>, Refusal>;

/// Which turns a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Query,
    Read,
}

/// Serves the API, with paths that begin with `/prometheus`.
pub fn router(parts: Parts) -> Router {
    let started_ms = parts.clock.now().as_millisecond();
    let shared = Arc::new(Shared {
        parts,
        started_ms,
        queries: Reads::new(QUERIES_AT_ONCE, QUERY_TIME_MAX),
        reads: Reads::new(READS_AT_ONCE, READ_TIME_MAX),
        bodies: Budget::default(),
    });
    let api = |path: &str| format!("/prometheus/api/v1/{path}");
    let both: [(&str, Turn, Work); 7] = [
        ("query", Turn::Query, query::instant),
        ("query_range", Turn::Query, query::range),
        ("query_exemplars", Turn::Read, exemplars::exemplars),
        ("series", Turn::Read, listing::series),
        ("labels", Turn::Read, listing::labels),
        ("format_query", Turn::Read, expression::format),
        ("parse_query", Turn::Read, expression::parse),
    ];
    let only_get: [(&str, Work); 12] = [
        ("label/{name}/values", listing::values),
        ("metadata", metadata::metadata),
        ("targets", targets::targets),
        ("targets/metadata", targets::metadata),
        ("scrape_pools", targets::scrape_pools),
        ("notifications", status::notifications),
        ("status/buildinfo", status::build),
        ("status/runtimeinfo", status::runtime),
        ("status/tsdb", status::head),
        ("status/flags", status::flags),
        ("status/config", status::config),
        ("status/walreplay", status::replay),
    ];
    let mut router = Router::new();
    for (path, turn, work) in both {
        let serving = serving(&shared, turn, work);
        router = router.route(&api(path), allowing("GET, OPTIONS, POST", get(serving.clone()).post(serving)));
    }
    for (path, work) in only_get {
        router = router.route(&api(path), allowing("GET, OPTIONS", get(serving(&shared, Turn::Read, work))));
    }
    let store = Arc::clone(&shared.parts.store);
    let ready = move || status::ready(Arc::clone(&store));
    router
        .route("/prometheus/-/ready", allowing("GET, HEAD, OPTIONS", get(ready)))
        .route(
            "/prometheus/-/healthy",
            allowing("GET, HEAD, OPTIONS", get(|| async { "Prometheus Server is Healthy.\n" })),
        )
        .route("/prometheus/{*path}", axum::routing::any(unknown_path))
}

/// What a route does with methods that it does not have.
fn allowing<S: Clone + Send + Sync + 'static>(methods: &'static str, routes: MethodRouter<S>) -> MethodRouter<S> {
    let not_allowed = move || async move {
        let headers = [(header::ALLOW, HeaderValue::from_static(methods))];
        (StatusCode::METHOD_NOT_ALLOWED, headers, "Method Not Allowed\n")
    };
    routes.options(|| async { StatusCode::NO_CONTENT }).fallback(not_allowed)
}

/// That there is no answer now, as Prometheus' clients know it.
pub(crate) fn unavailable(told: String) -> Response {
    Refusal::unavailable(told).into_response()
}

async fn unknown_path() -> Response {
    (StatusCode::NOT_FOUND, "404 page not found\n").into_response()
}

/// A handler that does the work when it is its turn.
fn serving(
    shared: &Arc<Shared>,
    turn: Turn,
    work: Work,
) -> impl Fn(Request) -> std::pin::Pin<Box<dyn Future<Output = Response> + Send>> + Clone + Send + Sync + 'static {
    let shared = Arc::clone(shared);
    move |request| {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let counted = (turn == Turn::Query).then(|| shared.parts.queries.begin("prometheus"));
            let done = serve(&shared, turn, work, request).await;
            if let Some(counted) = counted {
                counted.end(done.as_ref().err().map_or(Outcome::Answered, |refusal| outcome(refusal.kind)));
            }
            done.map_or_else(IntoResponse::into_response, success)
        })
    }
}

async fn serve(shared: &Arc<Shared>, turn: Turn, work: Work, request: Request) -> Result<Vec<u8>, Refusal> {
    let path = request.uri().path().to_owned();
    let parameters = Parameters::receive(&shared.bodies, request).await?;
    let (reads, limit) = match turn {
        Turn::Query => (&shared.queries, parameters.timeout(QUERY_TIME_MAX)?),
        Turn::Read => (&shared.reads, READ_TIME_MAX),
    };
    let begun = Instant::now();
    let deadline = begun + limit;
    let shared = Arc::clone(shared);
    let done = reads.run_within(limit, move |stop| {
        let waited = begun.elapsed();
        let call = Call { shared: &shared, parameters: &parameters, path: &path, stop, deadline, waited };
        Ok(work(&call))
    });
    match done.await {
        Ok(done) => done,
        Err(ReadFailure::Lost) => {
            Err(Refusal { kind: Kind::Internal, text: "the query ended without an answer".to_owned() })
        }
        Err(failure) => Err(failure.into()),
    }
}

const fn outcome(kind: Kind) -> Outcome {
    match kind {
        Kind::BadData => Outcome::Malformed,
        Kind::Execution | Kind::Internal => Outcome::Failed,
        Kind::Timeout => Outcome::TimedOut,
        Kind::Canceled => Outcome::Canceled,
        Kind::Unavailable => Outcome::TurnedAway,
    }
}
