//! Spans as an `ExportTraceServiceRequest` in protobuf. The numbers are those of `trace.proto`.

use std::sync::Arc;

use console_model::{Attribute, Attributes, Span, SpanBatch, SpanGroup, SpanKind, StatusCode, Value};
use console_wire::Writer;

/// The spans as protobuf. Groups keep their order.
pub fn traces_protobuf(batch: &SpanBatch) -> Vec<u8> {
    let mut out = Vec::new();
    let mut request = Writer::new(&mut out);
    for groups in batch.groups.chunk_by(|a, b| Arc::ptr_eq(&a.resource, &b.resource)) {
        let Some(resource) = groups.first().map(|group| &group.resource) else { continue };
        request.message(1, |resource_spans| {
            resource_spans.message(1, |writer| {
                attributes(writer, 1, &resource.attributes);
                count(writer, 2, resource.dropped_attributes_count);
            });
            groups.iter().for_each(|group| resource_spans.message(2, |writer| scope_spans(writer, group)));
            text(resource_spans, 3, &resource.schema_url);
        });
    }
    out
}

fn scope_spans(writer: &mut Writer<'_>, group: &SpanGroup) {
    writer.message(1, |scope| {
        text(scope, 1, &group.scope.name);
        text(scope, 2, &group.scope.version);
        attributes(scope, 3, &group.scope.attributes);
        count(scope, 4, group.scope.dropped_attributes_count);
    });
    for item in &group.spans {
        writer.message(2, |writer| span(writer, item));
    }
    text(writer, 3, &group.scope.schema_url);
}

fn text(writer: &mut Writer<'_>, number: u32, value: &str) {
    if !value.is_empty() {
        writer.text(number, value);
    }
}

fn count(writer: &mut Writer<'_>, number: u32, value: u32) {
    if value != 0 {
        writer.varint(number, value.into());
    }
}

fn fixed32(writer: &mut Writer<'_>, number: u32, value: u32) {
    if value != 0 {
        writer.fixed32(number, value);
    }
}

fn attributes(writer: &mut Writer<'_>, number: u32, attributes: &Attributes) {
    for item in attributes {
        writer.message(number, |writer| attribute(writer, item));
    }
}

fn attribute(writer: &mut Writer<'_>, attribute: &Attribute) {
    text(writer, 1, &attribute.key);
    writer.message(2, |writer| value(writer, &attribute.value));
}

/// `AnyValue`. It recurses as deep as the value is, and decoders bound that. Defaults are written, for they
/// say which kind of value it is.
fn value(writer: &mut Writer<'_>, value_written: &Value) {
    match value_written {
        Value::Empty => {}
        Value::String(text) => writer.text(1, text),
        Value::Bool(truth) => writer.varint(2, (*truth).into()),
        Value::Int(number) => writer.int64(3, *number),
        Value::Double(number) => writer.double(4, *number),
        Value::Array(values) => writer.message(5, |writer| {
            for item in values {
                writer.message(1, |writer| value(writer, item));
            }
        }),
        Value::Map(pairs) => writer.message(6, |writer| attributes(writer, 1, pairs)),
        Value::Bytes(bytes) => writer.bytes(7, bytes),
    }
}

fn span(writer: &mut Writer<'_>, span: &Span) {
    writer.bytes(1, &span.trace_id.to_bytes());
    writer.bytes(2, &span.span_id.to_bytes());
    text(writer, 3, &span.trace_state);
    if let Some(parent) = span.parent_span_id {
        writer.bytes(4, &parent.to_bytes());
    }
    text(writer, 5, &span.name);
    if span.kind != SpanKind::Unspecified {
        writer.varint(6, span.kind.number().into());
    }
    writer.fixed64(7, span.start_ns);
    writer.fixed64(8, span.end_ns);
    attributes(writer, 9, &span.attributes);
    count(writer, 10, span.dropped_attributes_count);
    for event in &span.events {
        writer.message(11, |writer| {
            writer.fixed64(1, event.time_ns);
            text(writer, 2, &event.name);
            attributes(writer, 3, &event.attributes);
            count(writer, 4, event.dropped_attributes_count);
        });
    }
    count(writer, 12, span.dropped_events_count);
    for link in &span.links {
        writer.message(13, |writer| {
            writer.bytes(1, &link.trace_id.to_bytes());
            writer.bytes(2, &link.span_id.to_bytes());
            text(writer, 3, &link.trace_state);
            attributes(writer, 4, &link.attributes);
            count(writer, 5, link.dropped_attributes_count);
            fixed32(writer, 6, link.flags);
        });
    }
    count(writer, 14, span.dropped_links_count);
    if !span.status.message.is_empty() || span.status.code != StatusCode::Unset {
        writer.message(15, |writer| {
            text(writer, 2, &span.status.message);
            if span.status.code != StatusCode::Unset {
                writer.varint(3, span.status.code.number().into());
            }
        });
    }
    fixed32(writer, 16, span.flags);
}
