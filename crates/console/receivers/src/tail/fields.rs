//! Which names of fields mean what, in JSON and in logfmt alike, and the record that they make. How fields
//! are written is the formats' business.

use console_model::{Attribute, Attributes, LogRecord, Text, Value};

use super::line::Parsed;
use super::time;
use crate::{exemplar, severity};

const MESSAGE: [&str; 3] = ["message", "msg", "body"];
const LEVEL: [&str; 6] = ["level", "severity", "lvl", "loglevel", "log.level", "severity_text"];
const TIME: [&str; 5] = ["timestamp", "time", "ts", "@timestamp", "t"];
const SERVICE: [&str; 4] = ["service_name", "service.name", "service", "app"];

/// Whether a line with such a field is meant as fields.
pub(super) fn is_telling(name: &str) -> bool {
    MESSAGE.contains(&name) || LEVEL.contains(&name) || TIME.contains(&name)
}

/// The record that these fields make. A field that is not what its name says stays an attribute.
pub(super) fn record(fields: Attributes, line: &str, arrival_ns: u64) -> Parsed {
    let mut record = LogRecord { observed_time_ns: arrival_ns, ..LogRecord::default() };
    let mut service = None;
    let mut body = None;
    let mut attributes = Vec::with_capacity(fields.len());
    for Attribute { key, value } in fields {
        let name = key.as_str();
        if body.is_none() && MESSAGE.contains(&name) && !matches!(value, Value::Map(_) | Value::Empty) {
            body = Some(value);
        } else if record.severity_text.is_empty() && LEVEL.contains(&name) && level(&value, &mut record) {
            // It is in the record.
        } else if record.time_ns == 0
            && TIME.contains(&name)
            && let Some(time_ns) = time_of(&value)
        {
            record.time_ns = time_ns;
        } else if record.trace_id.is_none()
            && exemplar::TRACE_ID.contains(&name)
            && let Some(id) = value.as_str().and_then(|id| id.parse().ok())
        {
            record.trace_id = Some(id);
        } else if record.span_id.is_none()
            && exemplar::SPAN_ID.contains(&name)
            && let Some(id) = value.as_str().and_then(|id| id.parse().ok())
        {
            record.span_id = Some(id);
        } else if service.is_none()
            && SERVICE.contains(&name)
            && let Some(name) = value.as_str().filter(|name| !name.is_empty() && name.len() <= 256)
        {
            service = Some(Text::from(name));
        } else {
            attributes.push(Attribute { key, value });
        }
    }
    record.body = body.or_else(|| nested(&mut attributes)).unwrap_or_else(|| Value::from(line));
    record.attributes = Attributes(attributes);
    if record.time_ns == 0 {
        record.time_ns = arrival_ns;
    }
    Parsed { record, service }
}

/// The message among `fields`, where the `tracing` of Rust puts it.
fn nested(attributes: &mut [Attribute]) -> Option<Value> {
    let fields = attributes.iter_mut().find(|attribute| attribute.key == "fields")?;
    let Value::Map(Attributes(fields)) = &mut fields.value else { return None };
    let position = fields.iter().position(|field| field.key == "message")?;
    Some(fields.remove(position).value)
}

fn level(value: &Value, record: &mut LogRecord) -> bool {
    match value {
        Value::String(word) if !word.is_empty() && word.len() <= 32 => {
            record.severity_number = severity::from_word(word);
            record.severity_text = word.clone();
            true
        }
        Value::Int(number) if severity::from_pino(*number) != 0 => {
            record.severity_number = severity::from_pino(*number);
            record.severity_text = Text::from(number.to_string());
            true
        }
        _ => false,
    }
}

fn time_of(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => time::from_text(text),
        Value::Int(number) => time::from_integer(*number),
        Value::Double(number) => time::from_number(*number),
        _ => None,
    }
}
