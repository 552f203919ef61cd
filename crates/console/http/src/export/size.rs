//! About how many bytes values take, so that an answer has an end. Nothing depends on it being exact.

use console_model::{Attributes, LogRecord, Span, SpanGroup, Value};

/// What an attribute, an event, a link or a record takes beside its text.
const ENTRY: usize = 64;

/// A sender's spans.
pub(super) fn of_group(group: &SpanGroup) -> usize {
    let origin = of_attributes(&group.resource.attributes) + of_attributes(&group.scope.attributes);
    origin + group.spans.iter().map(of_span).sum::<usize>()
}

fn of_span(span: &Span) -> usize {
    let events = span.events.iter().map(|event| ENTRY + event.name.len() + of_attributes(&event.attributes));
    let links = span.links.iter().map(|link| ENTRY + link.trace_state.len() + of_attributes(&link.attributes));
    let own = 4 * ENTRY + span.name.len() + span.trace_state.len() + span.status.message.len();
    own + of_attributes(&span.attributes) + events.sum::<usize>() + links.sum::<usize>()
}

/// A log record.
pub(super) fn of_record(record: &LogRecord) -> usize {
    4 * ENTRY + of_value(&record.body) + of_attributes(&record.attributes)
}

fn of_attributes(attributes: &Attributes) -> usize {
    attributes.iter().map(|attribute| ENTRY + attribute.key.len() + of_value(&attribute.value)).sum()
}

/// How deep values nest is bounded where they are decoded.
fn of_value(value: &Value) -> usize {
    match value {
        Value::Empty | Value::Bool(_) | Value::Int(_) | Value::Double(_) => ENTRY / 4,
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len() * 4 / 3,
        Value::Array(values) => values.iter().map(|value| ENTRY / 4 + of_value(value)).sum(),
        Value::Map(attributes) => of_attributes(attributes),
    }
}
