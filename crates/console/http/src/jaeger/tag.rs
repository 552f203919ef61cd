//! Attributes as the tags of Jaeger's JSON: typed, flat, sorted unless asked for as they came.

use std::borrow::Cow;

use console_model::{Attribute, Span, SpanEvent, StatusCode, Value};
use serde::{Serialize, Serializer};

/// Integers beyond this are sent as text, for JavaScript would round them.
const SAFE_INTEGER_MAX: u64 = (1 << 53) - 1;

/// A key with a value of a type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Tag<'a> {
    key: Cow<'a, str>,
    #[serde(rename = "type")]
    kind: &'static str,
    value: TagValue<'a>,
}

#[derive(Debug, Clone, PartialEq)]
enum TagValue<'a> {
    Text(Cow<'a, str>),
    Bool(bool),
    Int(i64),
    Double(f64),
}

impl Serialize for TagValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Int(number) if number.unsigned_abs() > SAFE_INTEGER_MAX => serializer.collect_str(number),
            Self::Int(number) => serializer.serialize_i64(*number),
            // JSON has no number for these.
            Self::Double(number) if !number.is_finite() => serializer.collect_str(number),
            // Go writes whole doubles without a fraction.
            Self::Double(number) if number.fract() == 0.0 && number.abs() <= SAFE_INTEGER_MAX as f64 => {
                serializer.serialize_i64(*number as i64)
            }
            Self::Double(number) => serializer.serialize_f64(*number),
        }
    }
}

impl<'a> Tag<'a> {
    fn text(key: &'a str, value: &'a str) -> Self {
        Self { key: Cow::Borrowed(key), kind: "string", value: TagValue::Text(Cow::Borrowed(value)) }
    }

    fn of(attribute: &'a Attribute) -> Self {
        let (kind, value) = match &attribute.value {
            Value::Empty => ("string", TagValue::Text(Cow::Borrowed(""))),
            Value::String(text) => ("string", TagValue::Text(Cow::Borrowed(text))),
            Value::Bool(truth) => ("bool", TagValue::Bool(*truth)),
            Value::Int(number) => ("int64", TagValue::Int(*number)),
            Value::Double(number) => ("float64", TagValue::Double(*number)),
            bytes @ Value::Bytes(_) => ("binary", TagValue::Text(Cow::Owned(bytes.to_string()))),
            parts @ (Value::Array(_) | Value::Map(_)) => ("string", TagValue::Text(Cow::Owned(parts.to_string()))),
        };
        Self { key: Cow::Borrowed(&attribute.key), kind, value }
    }
}

/// Sorts by key, and leaves out what is there twice.
fn in_order(mut tags: Vec<Tag<'_>>, is_raw: bool) -> Vec<Tag<'_>> {
    if !is_raw {
        tags.sort_by(|a, b| a.key.cmp(&b.key));
        tags.dedup();
    }
    tags
}

/// The tags of a span: its scope, its attributes, then what OpenTelemetry has fields for.
pub(super) fn of_span<'a>(span: &'a Span, scope: &'a console_model::Scope, is_raw: bool) -> Vec<Tag<'a>> {
    let mut tags = Vec::with_capacity(span.attributes.len() + 5);
    let text = |tags: &mut Vec<Tag<'a>>, key: &'static str, value: &'a str| {
        if !value.is_empty() {
            tags.push(Tag::text(key, value));
        }
    };
    text(&mut tags, "otel.scope.name", &scope.name);
    text(&mut tags, "otel.scope.version", &scope.version);
    tags.extend(span.attributes.iter().map(Tag::of));
    text(&mut tags, "span.kind", span.kind.name());
    match span.status.code {
        StatusCode::Unset => {}
        StatusCode::Ok => text(&mut tags, "otel.status_code", "OK"),
        StatusCode::Error => {
            text(&mut tags, "otel.status_code", "ERROR");
            tags.push(Tag { key: Cow::Borrowed("error"), kind: "bool", value: TagValue::Bool(true) });
        }
    }
    text(&mut tags, "otel.status_description", &span.status.message);
    text(&mut tags, "w3c.tracestate", &span.trace_state);
    in_order(tags, is_raw)
}

/// The fields of an event, its name as the field `event` unless it has such an attribute.
pub(super) fn of_event(event: &SpanEvent, is_raw: bool) -> Vec<Tag<'_>> {
    let mut tags = Vec::with_capacity(event.attributes.len() + 1);
    if !event.name.is_empty() && event.attributes.get("event").is_none() {
        tags.push(Tag::text("event", &event.name));
    }
    tags.extend(event.attributes.iter().map(Tag::of));
    in_order(tags, is_raw)
}

/// The tags of a process: what its resource says, but for the service's name, which has its own place.
pub(super) fn of_resource(resource: &console_model::Resource, is_raw: bool) -> Vec<Tag<'_>> {
    let others = resource.attributes.iter().filter(|attribute| attribute.key != "service.name");
    in_order(others.map(Tag::of).collect(), is_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: impl Into<Value>) -> String {
        let attribute = Attribute::new("k", value);
        let json = serde_json::to_value(Tag::of(&attribute)).unwrap();
        format!("{} {}", json["type"].as_str().unwrap(), json["value"])
    }

    #[test]
    fn every_type_has_its_word_and_a_value_that_json_and_javascript_can_hold() {
        assert_eq!(json("a"), r#"string "a""#);
        assert_eq!(json(true), "bool true");
        assert_eq!(json(-7), "int64 -7");
        assert_eq!(json(i64::MIN), r#"int64 "-9223372036854775808""#);
        assert_eq!(json((1 << 53) - 1), "int64 9007199254740991");
        assert_eq!(json(12.0), "float64 12");
        assert_eq!(json(0.5), "float64 0.5");
        assert_eq!(json(f64::NAN), r#"float64 "NaN""#);
        assert_eq!(json(Value::Bytes(Box::new([1, 2]))), r#"binary "AQI=""#);
        assert_eq!(json(Value::Array(vec![1.into()])), r#"string "[1]""#);
        assert_eq!(json(Value::Empty), r#"string """#);
    }

    #[test]
    fn an_event_that_has_an_attribute_of_that_name_keeps_it() {
        let mut event = SpanEvent { name: "thrown".into(), ..SpanEvent::default() };
        assert_eq!(of_event(&event, false), [Tag::text("event", "thrown")]);
        event.attributes.push("event", "caught");
        assert_eq!(of_event(&event, false), [Tag::text("event", "caught")]);
    }
}
