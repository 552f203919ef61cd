//! What `record.sh` recorded, multiplied: the same lines, spans and samples again with other ids and later
//! times. Spans are made of the request log's own ids, routes, results and durations.

use std::path::Path;
use std::sync::Arc;

use console_model::{
    Attributes, Labels, LogBatch, LogGroup, LogRecord, Resource, Sample, SampleBatch, Scope, SeriesSamples, Span,
    SpanBatch, SpanGroup, SpanId, SpanKind, Text, TraceId, Value,
};
use serde_json::Value as Json;

/// When everything happened, nanoseconds since the Unix epoch.
pub const BASE_NS: u64 = 1_795_600_000_000_000_000;

pub struct Recorded {
    lines: Vec<(Text, Option<TraceId>)>,
    spans: Vec<Span>,
    /// Series with the values of all scrapes.
    series: Vec<(Labels, Vec<f64>)>,
    resources: Vec<Arc<Resource>>,
    scope: Arc<Scope>,
}

impl Recorded {
    pub fn read(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("lines.json")).expect("lines.json; run record.sh first");
        let parsed: Vec<(&str, Json)> =
            text.lines().filter_map(|line| Some((line, serde_json::from_str(line).ok()?))).collect();
        let id = |json: &Json| json["trace_id"].as_str().and_then(|id| id.parse().ok());
        let lines = parsed.iter().map(|(line, json)| (Text::from(*line), id(json))).collect();
        let spans: Vec<Span> = parsed.iter().filter_map(|(_, json)| span(json)).collect();
        assert!(spans.len() > 100, "too little was recorded");
        let resource = |service: &&str| {
            let mut attributes = Attributes::new();
            attributes.push("service.name", *service);
            attributes.push("service.version", "0.1.0");
            attributes.push("host.name", "laptop");
            attributes.push("process.pid", 4_242_i64);
            attributes.push("telemetry.sdk.language", "rust");
            Arc::new(Resource { attributes, ..Resource::default() })
        };
        let scope = Arc::new(Scope { name: "api".into(), version: "0.1.0".into(), ..Scope::default() });
        let resources = ["orders-api", "orders-projector", "search-projector"].iter().map(resource).collect();
        Self { lines, spans, series: series(folder), resources, scope }
    }

    pub fn spans_a_round(&self) -> usize {
        self.spans.len()
    }

    pub fn lines_a_round(&self) -> usize {
        self.lines.len()
    }

    /// All recorded spans with the ids and times of this round, over three services, 500 to a batch. Each
    /// trace is one of the recorded request's, half a second wide.
    pub fn spans(&self, round: u64) -> Vec<SpanBatch> {
        let all: Vec<Span> = self.spans.iter().zip(0_u64..).map(|(span, number)| again(span, round, number)).collect();
        let groups = |chunk: &[Span]| {
            let mut groups: Vec<SpanGroup> = self
                .resources
                .iter()
                .map(|resource| SpanGroup { resource: resource.clone(), scope: self.scope.clone(), spans: Vec::new() })
                .collect();
            for (number, span) in chunk.iter().enumerate() {
                groups[number % 3].spans.push(span.clone());
            }
            SpanBatch { groups }
        };
        all.chunks(500).map(groups).collect()
    }

    /// The id of a recorded trace in a round.
    pub fn trace(&self, round: u64, number: usize) -> TraceId {
        changed(self.spans[number % self.spans.len()].trace_id, round)
    }

    pub fn lines(&self, round: u64) -> Vec<LogBatch> {
        let record = |(number, (line, trace)): (u64, &(Text, Option<TraceId>))| LogRecord {
            time_ns: BASE_NS + (round * 4_096 + number) * 100_000,
            observed_time_ns: BASE_NS + (round * 4_096 + number) * 100_000,
            severity_number: 9,
            severity_text: "INFO".into(),
            body: Value::String(line.clone()),
            trace_id: trace.map(|id| changed(id, round)),
            ..LogRecord::default()
        };
        let records: Vec<LogRecord> = (0_u64..).zip(&self.lines).map(record).collect();
        let stream = Labels::from_pairs([("service_name", "orders-api"), ("level", "info")]);
        let batch = |chunk: &[LogRecord]| LogBatch {
            groups: vec![LogGroup {
                stream: stream.clone(),
                resource: self.resources[0].clone(),
                scope: self.scope.clone(),
                records: chunk.to_vec(),
            }],
        };
        records.chunks(1_000).map(batch).collect()
    }

    /// One scrape of `instances` copies of the recorded metrics.
    pub fn scrape(&self, step: u64, instances: u64) -> SampleBatch {
        let mut batch = SampleBatch::default();
        let time_ms = (BASE_NS / 1_000_000 + step * 15_000) as i64;
        for instance in 0..instances {
            for (labels, values) in &self.series {
                let rounds = step / values.len() as u64;
                let (first, last) = (values[0], values[values.len() - 1]);
                let value = values[(step % values.len() as u64) as usize] + rounds as f64 * (last - first);
                batch.series.push(SeriesSamples {
                    labels: with_instance(labels, instance),
                    samples: vec![Sample { time_ms, value }],
                    histograms: Vec::new(),
                    exemplars: Vec::new(),
                });
            }
        }
        batch
    }

    pub fn series_a_scrape(&self) -> usize {
        self.series.len()
    }
}

fn with_instance(labels: &Labels, instance: u64) -> Labels {
    let instance = format!("10.0.0.{instance}:5007");
    Labels::from_pairs(labels.iter().chain([("instance", instance.as_str()), ("job", "orders-api")]))
}

fn changed(id: TraceId, round: u64) -> TraceId {
    TraceId::new(id.get() ^ u128::from(round.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 32).expect("not zero")
}

fn again(span: &Span, round: u64, number: u64) -> Span {
    let mut span = span.clone();
    let duration = span.end_ns;
    span.trace_id = changed(span.trace_id, round);
    span.span_id = SpanId::new(span.span_id.get() ^ round << 20).unwrap_or(span.span_id);
    span.start_ns = BASE_NS + (round * 4_096 + number) * 250_000;
    span.end_ns = span.start_ns + duration;
    span
}

/// A span of a line of the request log; its end is its duration.
fn span(json: &Json) -> Option<Span> {
    let trace = json["trace_id"].as_str()?.parse().ok()?;
    let mut span = Span::new(trace, json["span_id"].as_str()?.parse().ok()?);
    let (method, route) = (json["http.request.method"].as_str()?, json["http.route"].as_str()?);
    span.name = format!("{method} {route}").into();
    span.kind = SpanKind::Server;
    span.end_ns = (json["duration_ms"].as_f64()? * 1e6) as u64;
    span.attributes.push("http.request.method", method);
    span.attributes.push("http.route", route);
    span.attributes.push("http.response.status_code", json["http.response.status_code"].as_i64()?);
    span.attributes.push("url.scheme", "http");
    span.attributes.push("server.address", "127.0.0.1");
    span.attributes.push("server.port", 5_007_i64);
    span.attributes.push("request.id", json["span_id"].as_str()?);
    span.attributes.push("code.namespace", json["target"].as_str().unwrap_or_default());
    Some(span)
}

fn series(folder: &Path) -> Vec<(Labels, Vec<f64>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("the folder").filter_map(Result::ok).collect();
    files.retain(|file| file.path().extension().is_some_and(|extension| extension == "prom"));
    files.sort_by_key(|file| file.path());
    let mut all: std::collections::BTreeMap<Labels, Vec<f64>> = std::collections::BTreeMap::new();
    for file in files {
        for line in std::fs::read_to_string(file.path()).expect("a scrape").lines().filter(|it| !it.starts_with('#')) {
            let Some((series, rest)) = line.split_once("} ").or_else(|| line.split_once(' ')) else { continue };
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let pairs = labels.split("\",").filter_map(|pair| pair.split_once("=\""));
            let pairs = pairs.map(|(name, value)| (name, value.trim_end_matches('"')));
            let labels = Labels::from_pairs(pairs.chain([("__name__", name)]));
            let value = rest.split(' ').next().and_then(|value| value.parse::<f64>().ok());
            all.entry(labels).or_default().extend(value);
        }
    }
    let scrapes = all.values().map(Vec::len).max().unwrap_or(0);
    all.into_iter().filter(|(_, values)| values.len() == scrapes).collect()
}
