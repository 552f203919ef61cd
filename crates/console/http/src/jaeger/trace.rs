//! A trace as Jaeger's JSON has it: spans with references, tags and logs, and the processes they refer to.

use std::collections::{BTreeMap, HashMap, HashSet};

use console_model::{Link, Scope, Span, SpanId, TraceId};
use console_storage::{TRACE_SPANS_MAX, Trace};
use serde::{Serialize, Serializer};

use super::answer::evictions;
use super::tag::{self, Tag};

/// A trace to be written. Jaeger's form of it is made while it is written, and dropped thereafter.
#[derive(Debug, Clone, Copy)]
pub(super) struct TraceView<'a> {
    pub(super) trace_id: TraceId,
    pub(super) trace: &'a Trace,
    /// As it came: nothing sorted, no warnings about spans.
    pub(super) is_raw: bool,
    /// More to say about the answer as a whole.
    pub(super) notice: Option<&'a str>,
}

#[derive(Serialize)]
struct TraceBody<'a> {
    #[serde(rename = "traceID")]
    trace_id: String,
    spans: Vec<SpanBody<'a>>,
    processes: BTreeMap<String, Process<'a>>,
    warnings: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpanBody<'a> {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
    operation_name: &'a str,
    references: Vec<Reference>,
    /// Microseconds since the Unix epoch.
    start_time: u64,
    /// Microseconds.
    duration: u64,
    tags: Vec<Tag<'a>>,
    logs: Vec<Log<'a>>,
    #[serde(rename = "processID")]
    process_id: String,
    warnings: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    ref_type: &'static str,
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
}

#[derive(Serialize)]
struct Log<'a> {
    /// Microseconds since the Unix epoch.
    timestamp: u64,
    fields: Vec<Tag<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Process<'a> {
    service_name: &'a str,
    tags: Vec<Tag<'a>>,
}

impl Serialize for TraceView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.body().serialize(serializer)
    }
}

impl<'a> TraceView<'a> {
    fn body(&self) -> TraceBody<'a> {
        let groups = &self.trace.batch.groups;
        let mut rows: Vec<(&Span, usize)> =
            groups.iter().enumerate().flat_map(|(at, group)| group.spans.iter().map(move |span| (span, at))).collect();
        rows.sort_by_key(|(span, _)| (span.start_ns, span.span_id));
        let known: HashSet<SpanId> = rows.iter().map(|(span, _)| span.span_id).collect();
        let mut processes = Processes::new(self.trace, self.is_raw);
        let mut spans = Vec::with_capacity(rows.len());
        for (span, at) in rows {
            let Some(group) = groups.get(at) else { continue };
            let process_id = processes.id(at);
            spans.push(self.span(span, &group.scope, process_id, &known));
        }
        let trace_id = self.trace_id.to_string();
        TraceBody { trace_id, spans, processes: processes.finish(), warnings: self.warnings() }
    }

    fn span(&self, span: &'a Span, scope: &'a Scope, process_id: String, known: &HashSet<SpanId>) -> SpanBody<'a> {
        let mut logs: Vec<Log<'a>> = span
            .events
            .iter()
            .map(|event| Log { timestamp: event.time_ns / 1_000, fields: tag::of_event(event, self.is_raw) })
            .collect();
        if !self.is_raw {
            logs.sort_by_key(|log| log.timestamp);
        }
        SpanBody {
            trace_id: span.trace_id.to_string(),
            span_id: span.span_id.to_string(),
            operation_name: &span.name,
            references: references(span),
            start_time: span.start_ns / 1_000,
            duration: span.duration_ns() / 1_000,
            tags: tag::of_span(span, scope, self.is_raw),
            logs,
            process_id,
            warnings: self.span_warnings(span, known),
        }
    }

    fn span_warnings(&self, span: &Span, known: &HashSet<SpanId>) -> Option<Vec<String>> {
        let mut warnings = Vec::new();
        if self.is_raw {
            return None;
        }
        if let Some(parent) = span.parent_span_id.filter(|parent| !known.contains(parent)) {
            warnings.push(format!("invalid parent span IDs={parent}; skipping clock skew adjustment"));
        }
        if span.end_ns < span.start_ns {
            let by_ns = span.start_ns - span.end_ns;
            warnings.push(format!("it ends {by_ns} ns before it starts; its duration is shown as 0"));
        }
        (!warnings.is_empty()).then_some(warnings)
    }

    fn warnings(&self) -> Option<Vec<String>> {
        let mut warnings = Vec::new();
        if self.trace.is_truncated {
            warnings.push(format!("it has more spans than are shown, which are at most {TRACE_SPANS_MAX}"));
        }
        if !self.trace.evicted.is_empty() {
            warnings.push(format!("it is not whole: {}", evictions(&self.trace.evicted)));
        }
        warnings.extend(self.notice.map(str::to_owned));
        (!warnings.is_empty()).then_some(warnings)
    }
}

fn references(span: &Span) -> Vec<Reference> {
    let reference = |ref_type, trace_id: TraceId, span_id: SpanId| Reference {
        ref_type,
        trace_id: trace_id.to_string(),
        span_id: span_id.to_string(),
    };
    let is_child = |link: &Link| link.attributes.text("opentracing.ref_type") == Some("child_of");
    let links = span.links.iter().map(|link| {
        let ref_type = if is_child(link) { "CHILD_OF" } else { "FOLLOWS_FROM" };
        reference(ref_type, link.trace_id, link.span_id)
    });
    span.parent_span_id.map(|parent| reference("CHILD_OF", span.trace_id, parent)).into_iter().chain(links).collect()
}

/// The processes of a trace, numbered in order of their first span, equal ones once.
struct Processes<'a> {
    trace: &'a Trace,
    is_raw: bool,
    /// The number of each group's process, once it has one.
    of_group: Vec<Option<usize>>,
    /// The number of each process by its JSON.
    of_text: HashMap<String, usize>,
    all: BTreeMap<String, Process<'a>>,
}

impl<'a> Processes<'a> {
    fn new(trace: &'a Trace, is_raw: bool) -> Self {
        let of_group = vec![None; trace.batch.groups.len()];
        Self { trace, is_raw, of_group, of_text: HashMap::new(), all: BTreeMap::new() }
    }

    fn id(&mut self, group_at: usize) -> String {
        let name = |number: usize| format!("p{number}");
        if let Some(Some(number)) = self.of_group.get(group_at) {
            return name(*number);
        }
        let Some(group) = self.trace.batch.groups.get(group_at) else { return String::new() };
        let resource = &group.resource;
        let process = Process { service_name: resource.service(), tags: tag::of_resource(resource, self.is_raw) };
        // Writing to memory does not fail.
        let text = serde_json::to_string(&process).unwrap_or_default();
        let next = self.of_text.len() + 1;
        let number = *self.of_text.entry(text).or_insert(next);
        if let Some(place) = self.of_group.get_mut(group_at) {
            *place = Some(number);
        }
        self.all.entry(name(number)).or_insert(process);
        name(number)
    }

    fn finish(self) -> BTreeMap<String, Process<'a>> {
        self.all
    }
}

#[cfg(test)]
mod tests;
