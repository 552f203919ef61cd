//! Spans as an `ExportTraceServiceRequest` in JSON.

use std::sync::Arc;

use console_model::{Span, SpanBatch, SpanKind, StatusCode};

use super::json::{Object, object, resource, scope};

/// The spans as JSON. Groups keep their order.
pub fn traces_json(batch: &SpanBatch) -> String {
    let mut out = String::new();
    object(&mut out, |request| {
        let of_one_sender = batch.groups.chunk_by(|a, b| Arc::ptr_eq(&a.resource, &b.resource));
        request.list("resourceSpans", of_one_sender, |sender, groups| {
            if let Some(first) = groups.first() {
                resource(sender, &first.resource, None);
            }
            sender.list("scopeSpans", groups, |object, group| {
                scope(object, &group.scope);
                object.list("spans", &group.spans, span);
            });
        });
    });
    out
}

fn span(object: &mut Object<'_>, span: &Span) {
    object.text("traceId", &span.trace_id.to_string());
    object.text("spanId", &span.span_id.to_string());
    object.text_if("traceState", &span.trace_state);
    if let Some(parent) = span.parent_span_id {
        object.text("parentSpanId", &parent.to_string());
    }
    object.number_if("flags", span.flags);
    object.text_if("name", &span.name);
    if span.kind != SpanKind::Unspecified {
        object.number("kind", span.kind.number());
    }
    object.integer("startTimeUnixNano", span.start_ns);
    object.integer("endTimeUnixNano", span.end_ns);
    object.attributes("attributes", &span.attributes);
    object.number_if("droppedAttributesCount", span.dropped_attributes_count);
    object.list_if("events", &span.events, |object, event| {
        object.integer("timeUnixNano", event.time_ns);
        object.text_if("name", &event.name);
        object.attributes("attributes", &event.attributes);
        object.number_if("droppedAttributesCount", event.dropped_attributes_count);
    });
    object.number_if("droppedEventsCount", span.dropped_events_count);
    object.list_if("links", &span.links, |object, link| {
        object.text("traceId", &link.trace_id.to_string());
        object.text("spanId", &link.span_id.to_string());
        object.text_if("traceState", &link.trace_state);
        object.attributes("attributes", &link.attributes);
        object.number_if("droppedAttributesCount", link.dropped_attributes_count);
        object.number_if("flags", link.flags);
    });
    object.number_if("droppedLinksCount", span.dropped_links_count);
    object.object("status", |object| {
        object.text_if("message", &span.status.message);
        if span.status.code != StatusCode::Unset {
            object.number("code", span.status.code.number());
        }
    });
}
