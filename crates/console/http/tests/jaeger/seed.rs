//! Reads the spans that the recordings were made from: just as much of OTLP's JSON as they use.

use std::sync::Arc;

use console_model::{
    Attribute, Attributes, Link, Resource, Scope, Span, SpanBatch, SpanEvent, SpanGroup, SpanId, SpanKind, Status,
    StatusCode, Text, TraceId, Value,
};
use serde_json::Value as Json;

pub(crate) fn read(json: &str) -> SpanBatch {
    let json: Json = serde_json::from_str(json).expect("JSON");
    let mut groups = Vec::new();
    for sender in list(&json["request"], "resourceSpans") {
        let resource = Arc::new(Resource { attributes: attributes(&sender["resource"]), ..Resource::default() });
        for scoped in list(sender, "scopeSpans") {
            let (name, version) = (text(&scoped["scope"], "name"), text(&scoped["scope"], "version"));
            let scope = Arc::new(Scope { name, version, ..Scope::default() });
            let spans = list(scoped, "spans").iter().map(span).collect();
            groups.push(SpanGroup { resource: resource.clone(), scope, spans });
        }
    }
    SpanBatch { groups }
}

fn list<'a>(json: &'a Json, key: &str) -> &'a [Json] {
    json[key].as_array().map_or(&[], Vec::as_slice)
}

fn text(json: &Json, key: &str) -> Text {
    json[key].as_str().unwrap_or_default().into()
}

fn time_ns(json: &Json, key: &str) -> u64 {
    json[key].as_str().expect("a time").parse().expect("nanoseconds")
}

fn ids(json: &Json) -> (TraceId, SpanId) {
    let id = |key: &str| json[key].as_str().expect("an id");
    (id("traceId").parse().expect("a trace's id"), id("spanId").parse().expect("a span's id"))
}

fn span(json: &Json) -> Span {
    let (trace_id, span_id) = ids(json);
    Span {
        parent_span_id: json["parentSpanId"].as_str().and_then(|id| id.parse().ok()),
        trace_state: text(json, "traceState"),
        name: text(json, "name"),
        kind: SpanKind::from_number(json["kind"].as_i64().unwrap_or(0) as i32),
        start_ns: time_ns(json, "startTimeUnixNano"),
        end_ns: time_ns(json, "endTimeUnixNano"),
        attributes: attributes(json),
        events: list(json, "events").iter().map(event).collect(),
        links: list(json, "links").iter().map(link).collect(),
        status: Status {
            code: StatusCode::from_number(json["status"]["code"].as_i64().unwrap_or(0) as i32),
            message: text(&json["status"], "message"),
        },
        ..Span::new(trace_id, span_id)
    }
}

fn event(json: &Json) -> SpanEvent {
    SpanEvent {
        time_ns: time_ns(json, "timeUnixNano"),
        name: text(json, "name"),
        attributes: attributes(json),
        dropped_attributes_count: 0,
    }
}

fn link(json: &Json) -> Link {
    let (trace_id, span_id) = ids(json);
    Link {
        trace_id,
        span_id,
        trace_state: text(json, "traceState"),
        attributes: attributes(json),
        dropped_attributes_count: 0,
        flags: 0,
    }
}

fn attributes(json: &Json) -> Attributes {
    pairs(list(json, "attributes"))
}

fn pairs(list: &[Json]) -> Attributes {
    list.iter().map(|json| Attribute { key: text(json, "key"), value: value(&json["value"]) }).collect()
}

fn value(json: &Json) -> Value {
    let (kind, inner) = json.as_object().and_then(|object| object.iter().next()).expect("a value");
    match kind.as_str() {
        "stringValue" => Value::from(inner.as_str().expect("text")),
        "boolValue" => Value::from(inner.as_bool().expect("truth")),
        "intValue" => Value::from(inner.as_str().expect("text").parse::<i64>().expect("a number")),
        "doubleValue" => Value::from(inner.as_f64().expect("a number")),
        "arrayValue" => Value::Array(list(inner, "values").iter().map(value).collect()),
        "kvlistValue" => Value::Map(pairs(list(inner, "values"))),
        // The one that there is.
        "bytesValue" if inner == "AQI=" => Value::Bytes(Box::new([1, 2])),
        other => panic!("a value of {other}: {inner}"),
    }
}
