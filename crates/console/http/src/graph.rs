//! `/api/graph`: which service calls which, how often, how well, asynchronous calls included. How calls are
//! found is in `tally`; how the store keeps spans is not known here.

pub mod histogram;
pub mod tally;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use console_storage::{ReadError, Store};
use eventsourcing::Clock;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::reads::{ReadFailure, Reads, Stop};
use tally::Tally;

/// Graphs at a time: each may take memory for a full table of spans, and is done within a second or so.
pub(crate) const READS_AT_ONCE: usize = 1;
pub(crate) const READ_LIMIT: Duration = Duration::from_secs(20);
/// The time that is looked at where none is named.
const DEFAULT_RANGE_NS: u64 = 15 * 60 * 1_000_000_000;
/// How long before the time a parent may have begun and still be known as the caller.
const PARENTS_BEFORE_NS: u64 = 60 * 1_000_000_000;
/// How long a page is kept waiting for spans to be counted, with as much again for what is not counting.
const COUNTING_MAX: Duration = Duration::from_millis(400);
/// The newest time that is counted in any case; the ones before it are each twice as long.
const NEWEST_NS: u64 = 1_000_000_000;

/// What the handler needs.
#[derive(Clone)]
pub(crate) struct Shared {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    reads: Reads,
}

/// Serves `/api/graph`.
pub fn router(store: Arc<Store>, clock: Arc<dyn Clock>) -> Router {
    let shared = Shared { store, clock, reads: Reads::new(READS_AT_ONCE, READ_LIMIT) };
    Router::new().route("/api/graph", get(graph)).with_state(shared)
}

/// What a graph is asked for with.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct GraphParameters {
    /// The earliest start of a span, nanoseconds since the Unix epoch; 15 minutes before the end if missing.
    start: Option<String>,
    /// The latest start of a span, nanoseconds since the Unix epoch; now if missing.
    end: Option<String>,
    /// `true` leaves out calls of which none failed, and services that have no failed span and no such call.
    errors_only: Option<String>,
}

/// The services of a time and the calls between them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceGraph {
    /// The services, sorted.
    pub nodes: Vec<ServiceNode>,
    /// The calls between different services, sorted by who calls whom.
    pub edges: Vec<ServiceEdge>,
    /// The earliest start of a span that was counted, nanoseconds since the Unix epoch: what was asked for, or later
    /// where counting all of it would take too long. Rates are of the time since then.
    pub since: String,
    /// Whether there was more than can be told apart: calls are estimated from a part of the traces then.
    pub truncated: bool,
    /// How long it took, milliseconds.
    pub elapsed_ms: u64,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceNode {
    /// Its name.
    pub service: String,
    /// How many spans of it began in the time.
    pub spans: u64,
    /// The same by second.
    pub per_second: f64,
    /// The share of spans that failed, 0 to 1.
    pub error_rate: f64,
    /// The duration that half of the spans did not exceed, nanoseconds; right within 2 %.
    pub p50: String,
    /// The duration that 95 % of the spans did not exceed, nanoseconds; right within 2 %.
    pub p95: String,
}

/// How a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CallKind {
    /// The caller waits.
    Sync,
    /// The caller goes on: messages, links, and spans that begin after their parent has ended.
    Async,
}

/// Calls from a service to another.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceEdge {
    /// Who calls.
    pub from: String,
    /// Who is called.
    pub to: String,
    /// How.
    pub kind: CallKind,
    /// How often in the time.
    pub calls: u64,
    /// The same by second.
    pub per_second: f64,
    /// The share of called spans that failed, 0 to 1.
    pub error_rate: f64,
    /// The duration that 95 % of the called spans did not exceed, nanoseconds; right within 2 %.
    pub p95: String,
}

/// An error of the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GraphError {
    /// The error.
    pub error: GraphErrorText,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GraphErrorText {
    /// In words for a person.
    pub message: String,
}

/// Why there is no graph.
#[derive(Debug)]
enum Failure {
    Asked(String),
    Read(ReadFailure),
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Asked(message) => (StatusCode::BAD_REQUEST, message),
            Self::Read(failure) => (failure.status(), failure.tell()),
        };
        (status, Json(GraphError { error: GraphErrorText { message } })).into_response()
    }
}

/// Which service calls which.
#[utoipa::path(get, path = "/api/graph", operation_id = "graph", tag = "traces", params(GraphParameters), responses(
    (status = 200, description = "The services and the calls between them", body = ServiceGraph),
    (status = 400, description = "A parameter is wrong", body = GraphError),
    (status = 500, description = "The store cannot be read", body = GraphError),
    (status = 503, description = "The store is busy", body = GraphError),
    (status = 504, description = "It took too long", body = GraphError),
))]
pub(crate) async fn graph(
    State(shared): State<Shared>,
    parameters: Result<Query<GraphParameters>, QueryRejection>,
) -> Result<Json<ServiceGraph>, Response> {
    let asked = |message: String| Failure::Asked(message).into_response();
    let Query(parameters) = parameters.map_err(|rejection| asked(rejection.body_text()))?;
    let now_ns = u64::try_from(shared.clock.now().as_nanosecond()).unwrap_or(0);
    let (from_ns, to_ns) = range(&parameters, now_ns).map_err(asked)?;
    let errors_only = match parameters.errors_only.as_deref() {
        None | Some("" | "false") => false,
        Some("true") => true,
        Some(other) => return Err(asked(format!("errorsOnly is {other:?}, but it is true or false"))),
    };
    let began = Instant::now();
    let store = shared.store.clone();
    let read = shared.reads.run(move |stop| read_newest(&store, from_ns, to_ns, COUNTING_MAX, stop)).await;
    let (graph, since_ns) = read.map_err(|failure| Failure::Read(failure).into_response())?;
    let mut graph = present(graph, since_ns, to_ns, errors_only);
    graph.elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Json(graph))
}

fn range(parameters: &GraphParameters, now_ns: u64) -> Result<(u64, u64), String> {
    let time = |name: &str, text: &Option<String>| match text.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| {
            format!("{name} is {text:?}, but it is nanoseconds since the Unix epoch, as in 1732540000000000000")
        }),
    };
    let to_ns = time("end", &parameters.end)?.unwrap_or(now_ns);
    let from_ns = time("start", &parameters.start)?.unwrap_or_else(|| to_ns.saturating_sub(DEFAULT_RANGE_NS));
    if from_ns > to_ns {
        return Err(format!("start is {from_ns}, which is after the end, {to_ns}; the start has to come first"));
    }
    Ok((from_ns, to_ns))
}

/// The graph of the spans that started in `from_ns..=to_ns`. Ends early, with less, when told to stop.
pub(crate) fn read(store: &Store, from_ns: u64, to_ns: u64, stop: &Stop) -> Result<tally::Graph, ReadError> {
    let mut tally = Tally::new(from_ns, to_ns);
    store.span_heads(from_ns.saturating_sub(PARENTS_BEFORE_NS), to_ns, |head| {
        tally.add(head);
        !stop.is_set()
    })?;
    Ok(tally.finish())
}

/// The same for as much of the time, from its end back, as can be counted in about `counting_max`; with the time
/// from which on it was.
fn read_newest(
    store: &Store,
    from_ns: u64,
    to_ns: u64,
    counting_max: Duration,
    stop: &Stop,
) -> Result<(tally::Graph, u64), ReadError> {
    let began = Instant::now();
    let mut tally = Tally::new(from_ns, to_ns);
    let (mut since_ns, mut length_ns) = (to_ns.saturating_add(1), NEWEST_NS);
    while since_ns > from_ns && !stop.is_set() {
        let part_began = Instant::now();
        let part_ns = since_ns.saturating_sub(length_ns).max(from_ns);
        store.span_heads(part_ns, since_ns - 1, |head| {
            tally.add(head);
            !stop.is_set()
        })?;
        (since_ns, length_ns) = (part_ns, length_ns.saturating_mul(2));
        // The next part has about twice as much in it.
        if began.elapsed() + part_began.elapsed() * 2 > counting_max {
            break;
        }
    }
    if since_ns == from_ns {
        store.span_heads(from_ns.saturating_sub(PARENTS_BEFORE_NS), from_ns.saturating_sub(1), |head| {
            tally.add(head);
            !stop.is_set() && began.elapsed() < counting_max
        })?;
    }
    Ok((tally.finish(), since_ns))
}

/// What a tally comes to, as it is sent: calls between different services only, rates of the time that was counted.
fn present(graph: tally::Graph, since_ns: u64, to_ns: u64, errors_only: bool) -> ServiceGraph {
    let seconds = (to_ns.saturating_sub(since_ns) as f64 / 1e9).max(1e-9);
    let edges: Vec<tally::Edge> = graph
        .edges
        .into_iter()
        .filter(|edge| edge.from != edge.to && (!errors_only || edge.calls.errors > 0))
        .collect();
    let is_in_edge = |service: &str| edges.iter().any(|edge| edge.from == service || edge.to == service);
    let nodes = graph.nodes.into_iter().filter(|node| {
        let service = node.service.as_str();
        !errors_only || node.spans.errors > 0 || is_in_edge(service)
    });
    let nodes = nodes
        .map(|node| ServiceNode {
            service: node.service.to_string(),
            spans: node.spans.count,
            per_second: node.spans.count as f64 / seconds,
            error_rate: node.spans.error_rate(),
            p50: node.spans.durations.quantile_ns(0.5).to_string(),
            p95: node.spans.durations.quantile_ns(0.95).to_string(),
        })
        .collect();
    let edges = edges
        .iter()
        .map(|edge| ServiceEdge {
            from: edge.from.to_string(),
            to: edge.to.to_string(),
            kind: if edge.is_async { CallKind::Async } else { CallKind::Sync },
            calls: edge.calls.count,
            per_second: edge.calls.count as f64 / seconds,
            error_rate: edge.calls.error_rate(),
            p95: edge.calls.durations.quantile_ns(0.95).to_string(),
        })
        .collect();
    ServiceGraph { nodes, edges, since: since_ns.to_string(), truncated: graph.is_truncated, elapsed_ms: 0 }
}

#[cfg(test)]
mod tests;
