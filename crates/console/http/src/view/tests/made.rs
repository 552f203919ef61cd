//! Made-up telemetry.

use std::sync::Arc;

use console_model::{
    Attributes, Link, Resource, Scope, Span, SpanBatch, SpanEvent, SpanGroup, SpanId, SpanKind, Status, StatusCode,
    TraceId, Value,
};

use super::NOW_NS;

pub(super) const ORDER: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;

pub(super) fn resource(service: &str) -> Arc<Resource> {
    let mut attributes = Attributes::new();
    attributes.push("service.name", service);
    attributes.push("host.name", "one");
    Arc::new(Resource { attributes, ..Resource::default() })
}

/// A span of a trace, from and to in milliseconds before now plus a minute.
pub(super) fn span(trace: u128, number: u64, parent: Option<u64>, name: &str, from_ms: u64, to_ms: u64) -> Span {
    let mut span = Span::new(TraceId::new(trace).unwrap(), SpanId::new(number).unwrap());
    span.parent_span_id = parent.and_then(SpanId::new);
    span.name = name.into();
    span.kind = SpanKind::Internal;
    span.start_ns = NOW_NS - 60_000_000_000 + from_ms * 1_000_000;
    span.end_ns = NOW_NS - 60_000_000_000 + to_ms * 1_000_000;
    span
}

pub(super) fn group(service: &str, spans: Vec<Span>) -> SpanGroup {
    let scope = Arc::new(Scope { name: "made".into(), version: "2".into(), ..Scope::default() });
    SpanGroup { resource: resource(service), scope, spans }
}

pub(super) fn batch(service: &str, spans: Vec<Span>) -> SpanBatch {
    SpanBatch { groups: vec![group(service, spans)] }
}

/// An order over three services: the API answers after 10 ms; the event that it appended is taken by two
/// projections, of which the search fails and ends last.
pub(super) fn order(trace: u128) -> SpanBatch {
    let mut request = span(trace, 1, None, "POST /orders", 0, 10);
    request.kind = SpanKind::Server;
    request.attributes.push("http.request.method", "POST");
    request.attributes.push("http.response.status_code", 201_i64);
    let mut append = span(trace, 2, Some(1), "append", 2, 8);
    append.kind = SpanKind::Producer;
    append.trace_state = "vendor=1".into();
    append.events.push(SpanEvent {
        time_ns: append.start_ns + 5_000,
        name: "synced".into(),
        attributes: [console_model::Attribute::new("bytes", 512_i64)].into_iter().collect(),
        dropped_attributes_count: 0,
    });
    let process = |number, from_ms, to_ms| {
        let mut process = span(trace, number, Some(2), "process ORDER_CREATED", from_ms, to_ms);
        process.kind = SpanKind::Consumer;
        process.links.push(Link {
            trace_id: process.trace_id,
            span_id: SpanId::new(2).unwrap(),
            trace_state: "".into(),
            attributes: Attributes::new(),
            dropped_attributes_count: 0,
            flags: 0,
        });
        process
    };
    let mut index = span(trace, 6, Some(5), "index", 16, 29);
    index.status = Status { code: StatusCode::Error, message: "the index is closed".into() };
    index.attributes.push("shards", Value::Array(vec![1_i64.into(), 2_i64.into()]));
    SpanBatch {
        groups: vec![
            group("api", vec![request, append]),
            group("orders-projector", vec![process(3, 12, 18), span(trace, 4, Some(3), "upsert", 13, 17)]),
            group("search-projector", vec![process(5, 15, 30), index]),
        ],
    }
}

/// A trace as wide as it is deep, with attributes as people have them.
pub(super) fn large(trace: u128, count: u64) -> SpanBatch {
    let spans = (1..=count)
        .map(|number| {
            let parent = (number > 1).then(|| if number % 4 == 0 { number - 1 } else { number / 2 });
            let mut span = span(trace, number, parent, "SELECT orders", number / 8, 50_000 - number / 8);
            for key in ["db.system.name", "db.collection.name", "server.address", "thread.name"] {
                span.attributes.push(key, "a value of usual length");
            }
            span.attributes.push("server.port", 5_432_i64);
            span.attributes.push("db.response.returned_rows", number as i64);
            span
        })
        .collect();
    batch("api", spans)
}
