//! Log records as an `ExportLogsServiceRequest` in JSON.

use std::sync::Arc;

use console_model::{LogBatch, LogRecord};

use super::json::{Object, object, resource, scope, value};
use crate::logs::stream;

/// The records as JSON. Groups keep their order. Where the stream's labels are
/// not those that the resource leads to, as it is with what came through Loki's push, the resource gets a
/// last attribute, `highbeam.stream`, with the labels as a list of keys and values; the import takes it out.
pub fn logs_json(batch: &LogBatch) -> String {
    let mut out = String::new();
    object(&mut out, |request| {
        let of_one_stream = batch.groups.chunk_by(|a, b| Arc::ptr_eq(&a.resource, &b.resource) && a.stream == b.stream);
        request.list("resourceLogs", of_one_stream, |sender, groups| {
            if let Some(first) = groups.first() {
                resource(sender, &first.resource, stream::mark(&first.stream, &first.resource).as_ref());
            }
            sender.list("scopeLogs", groups, |object, group| {
                scope(object, &group.scope);
                object.list("logRecords", &group.records, record);
            });
        });
    });
    out
}

fn record(object: &mut Object<'_>, record: &LogRecord) {
    object.integer_if("timeUnixNano", record.time_ns);
    object.integer_if("observedTimeUnixNano", record.observed_time_ns);
    if record.severity_number != 0 {
        object.number("severityNumber", record.severity_number);
    }
    object.text_if("severityText", &record.severity_text);
    if !record.body.is_empty() {
        object.object("body", |object| value(object, &record.body));
    }
    object.attributes("attributes", &record.attributes);
    object.number_if("droppedAttributesCount", record.dropped_attributes_count);
    object.number_if("flags", record.flags);
    if let Some(trace_id) = record.trace_id {
        object.text("traceId", &trace_id.to_string());
    }
    if let Some(span_id) = record.span_id {
        object.text("spanId", &span_id.to_string());
    }
    object.text_if("eventName", &record.event_name);
}
