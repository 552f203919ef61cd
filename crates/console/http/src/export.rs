//! Out again, and in again: any selection as OTLP JSON, and the same taken back. How OTLP is written is the
//! codec's business.

mod size;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use console_model::{LogBatch, LogGroup, SampleBatch, SeriesSamples, SpanBatch, TraceId};
use console_storage::{Direction, InvalidPattern, LogQuery, Matcher, Point, ReadError, Store, TraceQuery};
use serde::Deserialize;

use crate::intake::{Encoding, Failure, Intake, Signal};
use crate::reads::{ReadFailure, Reads, Stop};

/// Traces in one answer, unless said otherwise, and at most.
const TRACES: usize = 1_000;
const TRACES_MAX: usize = 10_000;
/// Spans, records or samples in one answer at most: what is written to JSON in memory.
const ITEMS_MAX: usize = 200_000;
/// Series in one answer at most.
const SERIES_MAX: usize = 20_000;
/// Bytes of values in one answer, roughly; it goes on to the end of the trace that reaches it.
const BYTES_MAX: usize = 64 << 20;
/// Exports that are made at the same time: each may hold what it gives twice, as values and as text.
const EXPORTS_MAX: usize = 1;
/// How long one may take.
const EXPORT_TIME_MAX: Duration = Duration::from_secs(30);

/// What an export is made of and where an import goes.
#[derive(Clone)]
struct Shared {
    store: Arc<Store>,
    intake: Arc<Intake>,
    reads: Reads,
}

/// The routes.
pub(crate) fn router(store: Arc<Store>, intake: Arc<Intake>) -> Router {
    Router::new().route("/api/export", get(export)).route("/api/import", post(import)).with_state(Shared {
        store,
        intake,
        reads: Reads::new(EXPORTS_MAX, EXPORT_TIME_MAX),
    })
}

/// What is to be exported.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Selection {
    /// `traces`, `logs` or `metrics`.
    signal: String,
    /// One trace, by its id; its log records, with `signal=logs`.
    trace_id: Option<String>,
    /// Of one service, whatever its namespace.
    service: Option<String>,
    /// The earliest, nanoseconds since the Unix epoch.
    start: Option<u64>,
    /// The latest, nanoseconds since the Unix epoch.
    end: Option<u64>,
    /// Traces, records or samples at most.
    limit: Option<usize>,
}

/// Why there is no export, for whoever asked.
#[derive(Debug)]
struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, axum::Json(serde_json::json!({ "error": { "message": self.1 } }))).into_response()
    }
}

fn unreadable(error: ReadError) -> Refusal {
    let failure = ReadFailure::from(error);
    Refusal(failure.status(), failure.tell())
}

/// An export, with whether the selection had more than an answer holds.
type Exported = (String, bool);

async fn export(
    State(shared): State<Shared>,
    selection: Result<Query<Selection>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(selection) = selection.map_err(|error| {
        let example = "/api/export?signal=traces&service=checkout&start=1732540000000000000";
        Refusal(StatusCode::BAD_REQUEST, format!("{}; for example {example}", error.body_text()))
    })?;
    let store = Arc::clone(&shared.store);
    let made = shared.reads.run(move |stop| {
        Ok(match selection.signal.as_str() {
            "traces" => traces(&store, &selection, stop),
            "logs" => logs(&store, &selection, stop),
            "metrics" => metrics(&store, &selection),
            _ => Err(Refusal(StatusCode::BAD_REQUEST, "signal must be traces, logs or metrics".to_owned())),
        })
    });
    let made = made.await.map_err(|failure| Refusal(failure.status(), failure.tell()))?;
    let (text, is_truncated) = made?;
    let mut response = ([(header::CONTENT_TYPE, "application/json")], text).into_response();
    if is_truncated {
        response.headers_mut().insert("x-truncated", axum::http::HeaderValue::from_static("true"));
    }
    Ok(response)
}

impl Selection {
    fn range_ns(&self) -> (u64, u64) {
        (self.start.unwrap_or(0), self.end.unwrap_or(u64::MAX))
    }

    fn trace(&self) -> Result<Option<TraceId>, Refusal> {
        let parse =
            |text: &String| text.parse().map_err(|error| Refusal(StatusCode::BAD_REQUEST, format!("traceId: {error}")));
        self.trace_id.as_ref().map(parse).transpose()
    }
}

fn traces(store: &Store, selection: &Selection, stop: &Stop) -> Result<Exported, Refusal> {
    let limit = selection.limit.unwrap_or(TRACES).min(TRACES_MAX);
    let (from_ns, to_ns) = selection.range_ns();
    let ids = match selection.trace()? {
        Some(id) => vec![id],
        None => {
            let service = selection.service.as_deref().map(Into::into);
            let query = TraceQuery { service, from_ns, to_ns, limit, ..TraceQuery::default() };
            store.search_traces(&query).map_err(unreadable)?
        }
    };
    let mut is_truncated = selection.trace_id.is_none() && ids.len() == limit;
    let mut batch = SpanBatch::default();
    let (mut spans, mut bytes) = (0, 0);
    for id in ids {
        let trace = store.trace(id).map_err(unreadable)?;
        spans += trace.batch.len();
        bytes += trace.batch.groups.iter().map(size::of_group).sum::<usize>();
        is_truncated |= trace.is_truncated;
        batch.groups.extend(trace.batch.groups);
        if spans >= ITEMS_MAX || bytes >= BYTES_MAX || stop.is_set() {
            is_truncated = true;
            break;
        }
    }
    Ok((console_otlp::export::traces_json(&batch), is_truncated))
}

fn logs(store: &Store, selection: &Selection, stop: &Stop) -> Result<Exported, Refusal> {
    let limit = selection.limit.unwrap_or(ITEMS_MAX).min(ITEMS_MAX);
    let (from_ns, to_ns) = selection.range_ns();
    let matchers = selection.service.iter().map(|name| Matcher::equal("service_name", name.as_str())).collect();
    let query = LogQuery { matchers, from_ns, to_ns, trace_id: selection.trace()?, ..LogQuery::default() };
    let mut lines = store.log_lines(query, Direction::Forward).map_err(unreadable)?;
    let mut groups: Vec<LogGroup> = Vec::new();
    let (mut is_truncated, mut bytes) = (false, 0);
    for taken in 0.. {
        let Some(line) = lines.next() else { break };
        if taken == limit || bytes >= BYTES_MAX || stop.is_set() {
            is_truncated = true;
            break;
        }
        let line = line.map_err(unreadable)?;
        // What is damaged has been told by the store already.
        let (Some(stream), Some(resource), Some(scope)) = (line.stream(), line.resource(), line.scope()) else {
            continue;
        };
        let Some(record) = line.record() else { continue };
        bytes += size::of_record(&record);
        match groups.last_mut() {
            Some(group) if group.stream == *stream && group.resource == *resource && group.scope == *scope => {
                group.records.push(record);
            }
            _ => groups.push(LogGroup {
                stream: stream.clone(),
                resource: Arc::clone(resource),
                scope: Arc::clone(scope),
                records: vec![record],
            }),
        }
    }
    Ok((console_otlp::export::logs_json(&LogBatch { groups }), is_truncated))
}

fn metrics(store: &Store, selection: &Selection) -> Result<Exported, Refusal> {
    let limit = selection.limit.unwrap_or(ITEMS_MAX).min(ITEMS_MAX);
    let (from_ns, to_ns) = selection.range_ns();
    let milliseconds = |ns: u64| i64::try_from(ns / 1_000_000).unwrap_or(i64::MAX);
    let selections = of_service(selection.service.as_deref())?;
    let from_ms = if selection.start.is_none() { i64::MIN } else { milliseconds(from_ns) };
    let (mut selected, mut exemplars) = (Vec::new(), BTreeMap::new());
    for matchers in &selections {
        let series = store.select_series(matchers, from_ms, milliseconds(to_ns), SERIES_MAX - selected.len());
        selected.extend(series.map_err(|error| match error {
            ReadError::TooMany { what: what @ "series", .. } => {
                unreadable(ReadError::TooMany { what, limit: SERIES_MAX })
            }
            error => unreadable(error),
        })?);
        exemplars.extend(store.exemplars(matchers, from_ms, milliseconds(to_ns)));
    }
    selected.sort_by(|one, other| one.labels.cmp(&other.labels));
    let mut batch = SampleBatch { series: Vec::new(), metadata: store.metric_metadata() };
    let (mut left, mut bytes) = (limit, BYTES_MAX);
    let mut is_truncated = false;
    for series in selected {
        if left == 0 {
            is_truncated = true;
            break;
        }
        let (mut samples, mut histograms) = (Vec::new(), Vec::new());
        for point in series.points() {
            if left == 0 {
                is_truncated = true;
                break;
            }
            left -= 1;
            match point {
                Point::Float(sample) => samples.push(sample),
                Point::Histogram(sample) => {
                    bytes = bytes.saturating_sub(sample.histogram.bytes());
                    histograms.push(sample);
                }
            }
            // Histograms of thousands of buckets are as much as thousands of samples.
            left = if bytes == 0 { 0 } else { left };
        }
        let exemplars = exemplars.remove(&series.labels).unwrap_or_default();
        batch.series.push(SeriesSamples { labels: series.labels, samples, histograms, exemplars });
    }
    Ok((console_otlp::export::samples_json(&batch), is_truncated))
}

/// What selects the series of a service, each series once. A service that has a namespace is the job
/// `namespace/name`; what was scraped or written by others may have a label of its own for it.
fn of_service(name: Option<&str>) -> Result<Vec<Vec<Matcher>>, Refusal> {
    let Some(name) = name else { return Ok(vec![Vec::new()]) };
    let pattern = format!(".+/{}", escaped(name));
    let refused = |error: InvalidPattern| Refusal(StatusCode::BAD_REQUEST, format!("service: {error}"));
    let others = Matcher::matches_not("job", &pattern).map_err(refused)?;
    Ok(vec![
        vec![Matcher::equal("job", name)],
        vec![Matcher::matches("job", &pattern).map_err(refused)?],
        vec![Matcher::equal("service_name", name), Matcher::not_equal("job", name), others],
    ])
}

/// Text as a regular expression that matches just it.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// Takes back what [`export`] gave, or any file of OTLP JSON.
async fn import(State(shared): State<Shared>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    // A browser asks before it sends this type for a page of another site.
    if crate::intake::otlp::encoding(&parts.headers) != Some(Encoding::Json) {
        let told = "content-type must be application/json".to_owned();
        return Refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, told).into_response();
    }
    let taken = match shared.intake.receive(&parts.headers, body, "").await {
        Ok(received) => shared.intake.run(received, |intake, bytes| take(intake, &bytes[..])).await,
        Err(failure) => Err(failure),
    };
    match taken {
        Ok(taken) => {
            axum::Json(serde_json::json!({ "rejected": taken.rejected, "message": taken.message })).into_response()
        }
        Err(failure) => Refusal(failure.status(), failure.to_string()).into_response(),
    }
}

/// What became of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// Items that were not taken.
    pub rejected: u64,
    /// Why, of the first.
    pub message: String,
}

/// Takes a document of OTLP JSON: one object for each signal, or several after one another, as the file
/// exporter of the collector writes them, one a line.
pub fn take(intake: &Intake, from: impl std::io::Read) -> Result<Imported, Failure> {
    let mut imported = Imported::default();
    let mut documents = serde_json::Deserializer::from_reader(from).into_iter::<Box<serde_json::value::RawValue>>();
    let mut number = 0_usize;
    loop {
        number += 1;
        let document = match documents.next() {
            None if number == 1 => {
                return Err(Failure::Malformed(
                    "nothing is in it; an import is OTLP JSON, as /api/export gives".to_owned(),
                ));
            }
            None => return Ok(imported),
            Some(Ok(document)) => document,
            Some(Err(error)) => return Err(broken_off(number, error)),
        };
        let text = document.get();
        let present: Present = serde_json::from_str(text).map_err(|error| broken_off(number, error))?;
        let signals = [
            (present.resource_spans.is_some(), Signal::Traces),
            (present.resource_logs.is_some(), Signal::Logs),
            (present.resource_metrics.is_some(), Signal::Metrics),
        ];
        if signals.iter().all(|(is_there, _)| !is_there) {
            return Err(broken_off(number, "it has none of resourceSpans, resourceLogs, resourceMetrics"));
        }
        for (_, signal) in signals.into_iter().filter(|(is_there, _)| *is_there) {
            let rejected = intake.otlp(signal, Encoding::Json, text.as_bytes());
            let rejected = rejected.map_err(|failure| match failure {
                Failure::Malformed(told) => broken_off(number, told),
                Failure::TooLarge(told) => Failure::TooLarge(broken_off(number, told).to_string()),
                other => other,
            })?;
            imported.rejected += rejected.count;
            if imported.message.is_empty() {
                imported.message = rejected.message;
            }
        }
    }
}

/// Says where an import ended, and what of it is in the store by then.
fn broken_off(number: usize, reason: impl std::fmt::Display) -> Failure {
    let before = match number - 1 {
        0 => "nothing was taken".to_owned(),
        1 => "the one before it was taken".to_owned(),
        taken => format!("the {taken} before it were taken"),
    };
    Failure::Malformed(format!("document {number}: {reason}; {before}"))
}

/// Which signals a document has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Present {
    #[serde(alias = "resource_spans")]
    resource_spans: Option<serde::de::IgnoredAny>,
    #[serde(alias = "resource_logs")]
    resource_logs: Option<serde::de::IgnoredAny>,
    #[serde(alias = "resource_metrics")]
    resource_metrics: Option<serde::de::IgnoredAny>,
}

#[cfg(test)]
mod tests;
