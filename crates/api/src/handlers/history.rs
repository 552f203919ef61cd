//! An order's history: as pages, and as a stream of server-sent events.

use std::sync::Arc;

use axum::extract::State as Extract;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use delivery::events::codec;
use eventsourcing::{RecordedEvent, Revision};
use telemetry::TraceContext;

use super::{no_such_order, orders};
use crate::answer::Answer;
use crate::dto::{HistoryAnswer, HistoryEntry};
use crate::error::Error;
use crate::parameters::{Parameters, Segments, order_id};
use crate::{State, watch};

/// Read an order's history
#[utoipa::path(
    get, path = "/orders/{id}/events", tag = "queries", operation_id = "getOrderEvents",
    params(("id" = uuid::Uuid, Path, description = "The order"),
        ("from" = Option<u64>, Query, description = "The first revision", maximum = 9_223_372_036_854_775_807_i64),
        ("limit" = Option<u64>, Query, description = "Events on a page; 100 unless said", minimum = 1, maximum = 1_000)),
    responses((status = 200, description = "Events, oldest first", body = HistoryAnswer<'static>)),
)]
pub(crate) async fn events(
    Extract(state): Extract<Arc<State>>,
    Segments(id): Segments<String>,
    uri: Uri,
) -> Result<Answer, Error> {
    let queries = &orders(&state)?.queries;
    let id = order_id(&id)?;
    let parameters = Parameters::read(&uri)?;
    let from = parameters.number("from", 0..=i64::MAX as u64)?.unwrap_or(0);
    let limit = usize::try_from(parameters.number("limit", 1..=1_000)?.unwrap_or(100)).unwrap_or(100);
    let events = queries.history(id, Revision(from), limit).await?;
    // An empty page behind the end is an answer; a stream without a first event is no order.
    if events.is_empty() && (from == 0 || queries.history(id, Revision::FIRST, 1).await?.is_empty()) {
        return Err(no_such_order());
    }
    Answer::json(StatusCode::OK, &HistoryAnswer { events: events.iter().map(entry).collect() })
}

/// Follow an order's history
///
/// Server-sent events: `id` is the revision, `event` the type, `data` an entry of the history. The
/// stream begins with the first event, or after `Last-Event-ID`.
#[utoipa::path(
    get, path = "/orders/{id}/watch", tag = "queries", operation_id = "watchOrder",
    params(("id" = uuid::Uuid, Path, description = "The order"),
        ("Last-Event-ID" = Option<u64>, Header, description = "The last revision that was seen", maximum = 9_223_372_036_854_775_807_i64)),
    responses((status = 200, description = "Events as they happen", content_type = "text/event-stream", body = String)),
)]
pub(crate) async fn watch(
    Extract(state): Extract<Arc<State>>,
    Segments(id): Segments<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let queries = &orders(&state)?.queries;
    let id = order_id(&id)?;
    let from = match headers.get("last-event-id") {
        None => Revision::FIRST,
        Some(seen) => {
            let seen = seen.to_str().ok().and_then(|text| text.trim().parse::<u64>().ok());
            let seen = seen.filter(|seen| *seen <= i64::MAX as u64);
            Revision(seen.ok_or_else(|| Error::parameter("Last-Event-ID", "a revision such as 3"))?).next()
        }
    };
    if queries.history(id, Revision::FIRST, 1).await?.is_empty() {
        return Err(no_such_order());
    }
    watch::stream(&state, id, from)
}

/// An event as the contract shows it.
pub(crate) fn entry(event: &RecordedEvent) -> HistoryEntry<'_> {
    let metadata = event.metadata();
    let trace = TraceContext::from_headers(metadata.traceparent.as_deref(), metadata.uber_trace_id.as_deref());
    // What cannot be decoded is shown as it was recorded; that it is parked shows elsewhere.
    let decoded = codec::decode(&event.event_type, &event.data, metadata.schema_version);
    HistoryEntry {
        revision: event.revision.0,
        position: event.position.0,
        r#type: &event.event_type,
        id: event.id.0.to_string(),
        timestamp: metadata.recorded_at.unwrap_or(event.recorded_at).to_string(),
        trace_id: trace.map(|trace| trace.trace_id().to_string()),
        data: serde_json::from_slice(&event.data).ok(),
        adjustments: decoded.map(|decoded| decoded.adjustments).unwrap_or_default(),
    }
}
