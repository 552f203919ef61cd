//! Answers as Loki writes them: streams, vectors and matrices with what they took, and errors in plain text.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use console_logql::{FoundLine, Origin, QueryError, Scan, Series, format_number};
use console_model::{Labels, Text};
use hashbrown::HashMap;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use super::status_of;
use crate::reads::ReadFailure;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// The request is wrong.
    pub(super) fn asked(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

impl From<ReadFailure> for Refusal {
    fn from(failure: ReadFailure) -> Self {
        Self::new(failure.status(), failure.tell())
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        Self::new(status_of(&error), error.to_string())
    }
}

impl IntoResponse for Refusal {
    /// Plain text with a line's end, as Loki sends it.
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ];
        (self.status, headers, self.message.trim_end().to_owned() + "\n").into_response()
    }
}

/// A body of JSON.
pub(super) fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json; charset=UTF-8")], body).into_response(),
        Err(_) => Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the answer cannot be written").into_response(),
    }
}

#[derive(Serialize)]
struct Envelope<'a, R> {
    status: &'static str,
    data: Data<'a, R>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a, R> {
    result_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_flags: Option<&'a [&'static str]>,
    result: R,
    stats: Stats,
}

/// What an answer took, under the names that Loki has for it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Took {
    pub(super) scan: Scan,
    pub(super) time: Duration,
    /// Lines or series of the answer.
    pub(super) entries: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    bytes_processed_per_second: u64,
    lines_processed_per_second: u64,
    total_bytes_processed: u64,
    total_lines_processed: u64,
    exec_time: f64,
    queue_time: f64,
    subqueries: u64,
    total_entries_returned: u64,
    splits: u64,
    shards: u64,
    total_post_filter_lines: u64,
    total_structured_metadata_bytes_processed: u64,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Chunks {
    head_chunk_bytes: u64,
    head_chunk_lines: u64,
    decompressed_bytes: u64,
    decompressed_lines: u64,
    compressed_bytes: u64,
    total_duplicates: u64,
    post_filter_lines: u64,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct StoreStats {
    total_chunks_ref: u64,
    total_chunks_downloaded: u64,
    chunks_download_time: u64,
    chunk: Chunks,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Ingester {
    total_reached: u64,
    total_chunks_matched: u64,
    total_batches: u64,
    total_lines_sent: u64,
    store: StoreStats,
}

#[derive(Serialize)]
struct Querier {
    store: StoreStats,
}

#[derive(Serialize)]
struct Stats {
    summary: Summary,
    querier: Querier,
    ingester: Ingester,
}

impl From<Took> for Stats {
    fn from(took: Took) -> Self {
        let seconds = took.time.as_secs_f64();
        let per_second = |count: u64| if seconds > 0.0 { (count as f64 / seconds) as u64 } else { 0 };
        let Scan { bytes, lines, blocks, blocks_skipped } = took.scan;
        let chunk = Chunks {
            decompressed_bytes: bytes,
            decompressed_lines: lines,
            post_filter_lines: lines,
            ..Chunks::default()
        };
        Self {
            summary: Summary {
                bytes_processed_per_second: per_second(bytes),
                lines_processed_per_second: per_second(lines),
                total_bytes_processed: bytes,
                total_lines_processed: lines,
                exec_time: seconds,
                queue_time: 0.0,
                subqueries: 0,
                total_entries_returned: took.entries as u64,
                splits: 0,
                shards: 0,
                total_post_filter_lines: lines,
                total_structured_metadata_bytes_processed: 0,
            },
            querier: Querier {
                store: StoreStats {
                    total_chunks_ref: blocks + blocks_skipped,
                    total_chunks_downloaded: blocks,
                    chunks_download_time: 0,
                    chunk,
                },
            },
            ingester: Ingester { total_reached: 1, ..Ingester::default() },
        }
    }
}

/// Pairs as an object.
struct Pairs<'a>(Vec<(&'a str, &'a str)>);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Labels as an object.
pub(super) struct LabelMap<'a>(pub(super) &'a Labels);

impl Serialize for LabelMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Pairs(self.0.iter().collect()).serialize(serializer)
    }
}

/// A line with its time, and where asked for with the labels that are not its stream's.
struct Entry<'a> {
    line: &'a FoundLine,
    is_categorized: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Categories<'a> {
    #[serde(skip_serializing_if = "is_empty")]
    structured_metadata: Pairs<'a>,
    #[serde(skip_serializing_if = "is_empty")]
    parsed: Pairs<'a>,
}

fn is_empty(pairs: &Pairs<'_>) -> bool {
    pairs.0.is_empty()
}

fn of_origin<'a>(labels: &'a [(Text, Text, Origin)], wanted: Origin) -> Pairs<'a> {
    let pair = |(name, value, _): &'a (Text, Text, Origin)| (name.as_str(), value.as_str());
    Pairs(labels.iter().filter(|(.., origin)| *origin == wanted).map(pair).collect())
}

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entry = serializer.serialize_seq(None)?;
        entry.serialize_element(&self.line.time_ns.to_string())?;
        entry.serialize_element(self.line.line.as_str())?;
        if self.is_categorized {
            entry.serialize_element(&Categories {
                structured_metadata: of_origin(&self.line.labels, Origin::Metadata),
                parsed: of_origin(&self.line.labels, Origin::Parsed),
            })?;
        }
        entry.end()
    }
}

#[derive(Serialize)]
pub(super) struct Stream<'a> {
    stream: Pairs<'a>,
    values: Vec<Entry<'a>>,
}

/// Lines by stream, in the order of their first lines. Labels that are not the stream's tell streams apart as
/// well, unless they are shown with each line.
pub(super) fn streams(lines: &[FoundLine], is_categorized: bool) -> Vec<Stream<'_>> {
    let mut streams: Vec<Stream<'_>> = Vec::new();
    let mut by_labels: HashMap<Vec<(&str, &str)>, usize> = HashMap::new();
    for line in lines {
        let labels = if is_categorized {
            of_origin(&line.labels, Origin::Stream)
        } else {
            Pairs(line.labels.iter().map(|(name, value, _)| (name.as_str(), value.as_str())).collect())
        };
        let at = *by_labels.entry(labels.0.clone()).or_insert(streams.len());
        if at == streams.len() {
            streams.push(Stream { stream: labels, values: Vec::new() });
        }
        if let Some(stream) = streams.get_mut(at) {
            stream.values.push(Entry { line, is_categorized });
        }
    }
    streams
}

/// The answer to a query of lines.
pub(super) fn of_lines(lines: &[FoundLine], is_categorized: bool, took: Took) -> Response {
    let flags: &[&str] = &["categorize-labels"];
    json(&Envelope {
        status: "success",
        data: Data {
            result_type: "streams",
            encoding_flags: is_categorized.then_some(flags),
            result: streams(lines, is_categorized),
            stats: took.into(),
        },
    })
}

/// A time in seconds, with a fraction only where there is one.
struct Seconds(i64);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Milliseconds are what times of samples are told in.
        let milliseconds = self.0.div_euclid(1_000_000);
        if milliseconds % 1_000 == 0 {
            serializer.serialize_i64(milliseconds / 1_000)
        } else {
            serializer.serialize_f64(milliseconds as f64 / 1e3)
        }
    }
}

/// A value at a time.
struct Point {
    time_ns: i64,
    value: f64,
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (Seconds(self.time_ns), format_number(self.value)).serialize(serializer)
    }
}

#[derive(Serialize)]
struct One<'a> {
    metric: LabelMap<'a>,
    value: Point,
}

#[derive(Serialize)]
struct Many<'a> {
    metric: LabelMap<'a>,
    values: Vec<Point>,
}

/// The answer of a query at one time that has one number without a series.
pub(super) fn of_scalar(value: f64, time_ns: i64, took: Took) -> Response {
    let result = Point { time_ns, value };
    let data = Data { result_type: "scalar", encoding_flags: None, result, stats: took.into() };
    json(&Envelope { status: "success", data })
}

/// The answer of a query at one time.
pub(super) fn of_vector(series: &[Series], time_ns: i64, took: Took) -> Response {
    let one = |series: &'_ Series| {
        let value = series.points.first().map_or(f64::NAN, |(_, value)| *value);
        Point { time_ns, value }
    };
    let result: Vec<One<'_>> =
        series.iter().map(|series| One { metric: LabelMap(&series.labels), value: one(series) }).collect();
    let data = Data { result_type: "vector", encoding_flags: None, result, stats: took.into() };
    json(&Envelope { status: "success", data })
}

/// The answer of a query at many times.
pub(super) fn of_matrix(series: &[Series], start_ns: i64, step_ns: i64, took: Took) -> Response {
    let points = |series: &Series| {
        let point = |(step, value): &(u32, f64)| Point {
            time_ns: start_ns.saturating_add(step_ns.saturating_mul(i64::from(*step))),
            value: *value,
        };
        series.points.iter().map(point).collect()
    };
    let result: Vec<Many<'_>> =
        series.iter().map(|series| Many { metric: LabelMap(&series.labels), values: points(series) }).collect();
    let data = Data { result_type: "matrix", encoding_flags: None, result, stats: took.into() };
    json(&Envelope { status: "success", data })
}
