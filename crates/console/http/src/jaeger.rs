//! Jaeger's query API over the console's store: the older one, which its pages and Grafana speak, and version
//! 3. Where it differs from Jaeger on purpose is listed, with reasons, in `tests/jaeger/ledger.rs`. How spans
//! are kept, found and received is not known here.

mod answer;
mod parameters;
mod resource_spans;
mod search;
mod tag;
mod trace;
mod transform;
mod v3;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use console_storage::Store;
use eventsourcing::Clock;
use serde::Serialize;

use crate::graph;
use crate::intake::body::Budget;
use crate::reads::Reads;
use answer::{Envelope, Refusal, StructuredError, json, not_found, write};
use parameters::Parameters;
use search::Wanted;
use trace::TraceView;

/// Reads at a time; more wait, so that slow ones take neither every thread nor all memory.
const READS_AT_ONCE: usize = 4;
const READ_LIMIT: Duration = Duration::from_secs(20);
/// How far back dependencies are looked for where nothing is said, milliseconds.
const DEPENDENCIES_LOOKBACK_MS: i64 = 24 * 60 * 60 * 1_000;

/// The query's pairs as they came: a name may come more than once.
type Pairs = Vec<(String, String)>;

#[derive(Clone)]
struct Shared {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    reads: Reads,
    graphs: Reads,
    bodies: Arc<Budget>,
}

impl Shared {
    fn now_ns(&self) -> u64 {
        u64::try_from(self.clock.now().as_nanosecond()).unwrap_or(0)
    }

    async fn services(&self) -> Result<Vec<String>, Refusal> {
        let store = self.store.clone();
        let read = self.reads.run(move |_| Ok(store.trace_services())).await;
        Ok(read?.into_iter().map(String::from).collect())
    }
}

/// Serves Jaeger's query API, with paths that begin with `/api`; it is meant to be nested under `/jaeger`.
pub fn router(store: Arc<Store>, clock: Arc<dyn Clock>) -> Router {
    let reads = Reads::new(READS_AT_ONCE, READ_LIMIT);
    let graphs = Reads::new(graph::READS_AT_ONCE, graph::READ_LIMIT);
    let shared = Shared { store, clock, reads, graphs, bodies: Arc::default() };
    Router::new()
        .route("/api/services", get(services))
        .route("/api/services/{service}/operations", get(operation_names))
        .route("/api/operations", get(operations))
        .route("/api/traces", get(traces))
        .route("/api/traces/{id}", get(one_trace))
        .route("/api/dependencies", get(dependencies))
        .route("/api/archive/{id}", post(archive))
        .route("/api/metrics/{kind}", get(metrics))
        .route("/api/transform", post(transform::transform))
        .merge(v3::routes())
        .fallback(unknown_path)
        .with_state(shared)
}

/// An operation, as both APIs write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct OperationBody {
    name: String,
    span_kind: &'static str,
}

/// The operations of a service, of one kind if that is asked for.
fn operations_of(store: &Store, service: &str, kind: Option<&str>) -> Vec<OperationBody> {
    let operations = store.operations(service).into_iter();
    operations
        .map(|operation| OperationBody { name: operation.name.into(), span_kind: operation.kind.name() })
        .filter(|operation| kind.is_none_or(|kind| kind == operation.span_kind))
        .collect()
}

fn asked(reason: String) -> Response {
    Refusal::asked(reason).classic()
}

async fn services(State(shared): State<Shared>, Query(pairs): Query<Pairs>) -> Result<Response, Response> {
    let services = shared.services().await.map_err(Refusal::classic)?;
    let total = services.len();
    Ok(json(write(&Envelope::of(services, total), is_pretty(&Parameters::new(pairs)))))
}

fn is_pretty(parameters: &Parameters) -> bool {
    parameters.is_true("prettyPrint")
}

async fn operations(State(shared): State<Shared>, Query(pairs): Query<Pairs>) -> Result<Response, Response> {
    let parameters = Parameters::new(pairs);
    let Some(service) = parameters.first("service").map(str::to_owned) else {
        return Err(asked("parameter 'service' is required".to_owned()));
    };
    let kind = parameters.first("spanKind").map(str::to_owned);
    let read = shared.reads.run({
        let store = shared.store.clone();
        move |_| Ok(operations_of(&store, &service, kind.as_deref()))
    });
    let operations = read.await.map_err(|failure| Refusal::from(failure).classic())?;
    let total = operations.len();
    Ok(json(write(&Envelope::of(operations, total), is_pretty(&parameters))))
}

/// The names alone, each once; none at all is `null`, as in Jaeger.
async fn operation_names(
    State(shared): State<Shared>,
    Path(service): Path<String>,
    Query(pairs): Query<Pairs>,
) -> Result<Response, Response> {
    let store = shared.store.clone();
    let read = shared.reads.run(move |_| Ok(operations_of(&store, &service, None))).await;
    let operations = read.map_err(|failure| Refusal::from(failure).classic())?;
    // They are sorted by name, then kind.
    let mut names: Vec<String> = operations.into_iter().map(|operation| operation.name).collect();
    names.dedup();
    let total = names.len();
    let names = (total > 0).then_some(names);
    Ok(json(write(&Envelope::of(names, total), is_pretty(&Parameters::new(pairs)))))
}

async fn traces(State(shared): State<Shared>, Query(pairs): Query<Pairs>) -> Result<Response, Response> {
    let parameters = Parameters::new(pairs);
    let wanted = search::classic(&parameters, shared.now_ns()).map_err(asked)?;
    let (is_raw, is_pretty) = (parameters.is_true("raw"), is_pretty(&parameters));
    let store = shared.store.clone();
    let read = shared.reads.run(move |stop| Ok(write_found(&search::find(&store, wanted, stop)?, is_raw, is_pretty)));
    Ok(json(read.await.map_err(|failure| Refusal::from(failure).classic())?))
}

fn write_found(found: &search::Found, is_raw: bool, is_pretty: bool) -> Vec<u8> {
    let notice = found.notice();
    let last = found.traces.len().saturating_sub(1);
    let views: Vec<TraceView<'_>> = found
        .traces
        .iter()
        .enumerate()
        .map(|(at, (trace_id, trace))| {
            let notice = notice.as_deref().filter(|_| at == last);
            TraceView { trace_id: *trace_id, trace, is_raw, notice }
        })
        .collect();
    let missing = |(id, evicted): &(String, Vec<console_storage::Evicted>)| StructuredError {
        code: None,
        msg: not_found("trace not found", evicted),
        trace_id: Some(id.clone()),
    };
    let errors: Vec<StructuredError> = found.missing.iter().map(missing).collect();
    let mut envelope = Envelope::of(views, 0);
    envelope.errors = (!errors.is_empty()).then_some(errors);
    write(&envelope, is_pretty)
}

async fn one_trace(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Query(pairs): Query<Pairs>,
) -> Result<Response, Response> {
    let parameters = Parameters::new(pairs);
    let trace_id = parameters::trace_id(&id).map_err(asked)?;
    // A trace is found by its id alone; the times are but checked.
    search::classic_times(&parameters, shared.now_ns()).map_err(asked)?;
    let (is_raw, is_pretty) = (parameters.is_true("raw"), is_pretty(&parameters));
    let store = shared.store.clone();
    let read = shared.reads.run(move |stop| {
        let mut found = search::find(&store, Wanted::Ids(vec![(id, trace_id)]), stop)?;
        Ok(match found.missing.pop() {
            Some((_, evicted)) => Err(not_found("trace not found", &evicted)),
            None => Ok(write_found(&found, is_raw, is_pretty)),
        })
    });
    match read.await.map_err(|failure| Refusal::from(failure).classic())? {
        Ok(body) => Ok(json(body)),
        Err(nothing) => Err(Refusal::new(StatusCode::NOT_FOUND, nothing).classic()),
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    parent: String,
    child: String,
    call_count: u64,
}

async fn dependencies(State(shared): State<Shared>, Query(pairs): Query<Pairs>) -> Result<Response, Response> {
    let parameters = Parameters::new(pairs);
    let end_ms = parameters.integer("endTs").map_err(asked)?;
    let lookback_ms = parameters.integer("lookback").map_err(asked)?.unwrap_or(DEPENDENCIES_LOOKBACK_MS);
    let nanoseconds = |ms: i64| u64::try_from(ms).unwrap_or(0).saturating_mul(1_000_000);
    let to_ns = end_ms.map_or_else(|| shared.now_ns(), |end_ms| nanoseconds(end_ms).saturating_add(999_999));
    let from_ns = to_ns.saturating_sub(nanoseconds(lookback_ms));
    let store = shared.store.clone();
    let read = shared.graphs.run(move |stop| graph::read(&store, from_ns, to_ns, stop)).await;
    let graph = read.map_err(|failure| Refusal::from(failure).classic())?;
    let mut dependencies: Vec<Dependency> = Vec::new();
    // Edges are sorted: calls that are waited for and calls that are not follow each other.
    for edge in graph.edges {
        match dependencies.last_mut().filter(|last| last.parent == edge.from && last.child == edge.to) {
            Some(last) => last.call_count = last.call_count.saturating_add(edge.calls.count),
            None => dependencies.push(Dependency {
                parent: edge.from.into(),
                child: edge.to.into(),
                call_count: edge.calls.count,
            }),
        }
    }
    Ok(json(write(&Envelope::of(dependencies, 0), is_pretty(&parameters))))
}

/// As in a Jaeger without a store for archived traces: what is kept is kept by the store's own rules.
async fn archive() -> Response {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "archive span storage was not configured").classic()
}

/// As in a Jaeger without a store for metrics; the console's metrics are under `/prometheus`.
async fn metrics() -> Response {
    Refusal::new(StatusCode::NOT_IMPLEMENTED, "metrics querying is currently disabled").classic()
}

/// That there is no answer now, as clients of the API that was asked know it.
pub(crate) fn unavailable(path: &str, told: String) -> Response {
    let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, told);
    if path.starts_with("/jaeger/api/v3/") { refusal.v3() } else { refusal.classic() }
}

async fn unknown_path() -> Response {
    let message = "Jaeger's query API has no such path; it has /api/services, /api/operations, /api/traces, \
                   /api/traces/{id}, /api/dependencies, /api/transform, and the most of these under /api/v3";
    Refusal::new(StatusCode::NOT_FOUND, message).classic()
}
