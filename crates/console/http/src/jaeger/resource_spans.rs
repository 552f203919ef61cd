//! Spans in OTLP's JSON as version 3 of Jaeger's API has it: attributes sorted by key, what is empty left out.

use console_model::{Attributes, Link, Resource, Scope, Span, SpanBatch, SpanEvent, SpanGroup, Status, TraceId, Value};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

/// The spans of one sender, by scope.
#[derive(Debug)]
pub(super) struct ResourceSpans<'a> {
    resource: &'a Resource,
    groups: &'a [SpanGroup],
}

impl<'a> ResourceSpans<'a> {
    /// A batch by sender. Groups of one sender that do not follow each other stay apart, as OTLP allows.
    pub(super) fn of(batch: &'a SpanBatch) -> impl Iterator<Item = Self> {
        let by_sender = batch.groups.chunk_by(|a, b| a.resource == b.resource);
        by_sender.filter_map(|groups| groups.first().map(|first| Self { resource: &first.resource, groups }))
    }
}

/// A map whose empty entries are left out.
struct Fields<M>(M);

impl<M: SerializeMap> Fields<M> {
    fn any(&mut self, key: &'static str, value: &(impl Serialize + ?Sized)) -> Result<(), M::Error> {
        self.0.serialize_entry(key, value)
    }

    fn text(&mut self, key: &'static str, text: &str) -> Result<(), M::Error> {
        if text.is_empty() { Ok(()) } else { self.any(key, text) }
    }

    fn count(&mut self, key: &'static str, count: u32) -> Result<(), M::Error> {
        if count == 0 { Ok(()) } else { self.any(key, &count) }
    }

    /// Nanoseconds, which JSON has as text.
    fn time(&mut self, key: &'static str, time_ns: u64) -> Result<(), M::Error> {
        if time_ns == 0 { Ok(()) } else { self.any(key, &time_ns.to_string()) }
    }

    fn attributes(&mut self, attributes: &Attributes, dropped: u32) -> Result<(), M::Error> {
        if !attributes.is_empty() {
            self.any("attributes", &KeyValues { attributes, is_sorted: true })?;
        }
        self.count("droppedAttributesCount", dropped)
    }
}

fn fields<S: Serializer>(serializer: S) -> Result<Fields<S::SerializeMap>, S::Error> {
    serializer.serialize_map(None).map(Fields)
}

impl Serialize for ResourceSpans<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = fields(serializer)?;
        fields.any("resource", &ResourceBody(self.resource))?;
        let scopes: Vec<ScopeSpans<'_>> = self.groups.iter().map(ScopeSpans).collect();
        fields.any("scopeSpans", &scopes)?;
        fields.text("schemaUrl", &self.resource.schema_url)?;
        fields.0.end()
    }
}

struct ResourceBody<'a>(&'a Resource);

impl Serialize for ResourceBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = fields(serializer)?;
        fields.attributes(&self.0.attributes, self.0.dropped_attributes_count)?;
        fields.0.end()
    }
}

struct ScopeSpans<'a>(&'a SpanGroup);

impl Serialize for ScopeSpans<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = fields(serializer)?;
        fields.any("scope", &ScopeBody(&self.0.scope))?;
        let spans: Vec<SpanBody<'_>> = self.0.spans.iter().map(SpanBody).collect();
        fields.any("spans", &spans)?;
        fields.text("schemaUrl", &self.0.scope.schema_url)?;
        fields.0.end()
    }
}

struct ScopeBody<'a>(&'a Scope);

impl Serialize for ScopeBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = fields(serializer)?;
        fields.text("name", &self.0.name)?;
        fields.text("version", &self.0.version)?;
        fields.attributes(&self.0.attributes, self.0.dropped_attributes_count)?;
        fields.0.end()
    }
}

struct SpanBody<'a>(&'a Span);

impl Serialize for SpanBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let span = self.0;
        let mut fields = fields(serializer)?;
        fields.any("traceId", &span.trace_id.to_string())?;
        fields.any("spanId", &span.span_id.to_string())?;
        fields.text("traceState", &span.trace_state)?;
        if let Some(parent) = span.parent_span_id {
            fields.any("parentSpanId", &parent.to_string())?;
        }
        fields.count("flags", span.flags)?;
        fields.text("name", &span.name)?;
        fields.count("kind", u32::from(span.kind.number()))?;
        fields.time("startTimeUnixNano", span.start_ns)?;
        fields.time("endTimeUnixNano", span.end_ns)?;
        fields.attributes(&span.attributes, span.dropped_attributes_count)?;
        if !span.events.is_empty() {
            fields.any("events", &span.events.iter().map(EventBody).collect::<Vec<_>>())?;
        }
        fields.count("droppedEventsCount", span.dropped_events_count)?;
        if !span.links.is_empty() {
            fields.any("links", &span.links.iter().map(LinkBody).collect::<Vec<_>>())?;
        }
        fields.count("droppedLinksCount", span.dropped_links_count)?;
        fields.any("status", &StatusBody(&span.status))?;
        fields.0.end()
    }
}

struct EventBody<'a>(&'a SpanEvent);

impl Serialize for EventBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = fields(serializer)?;
        fields.time("timeUnixNano", self.0.time_ns)?;
        fields.text("name", &self.0.name)?;
        fields.attributes(&self.0.attributes, self.0.dropped_attributes_count)?;
        fields.0.end()
    }
}

struct LinkBody<'a>(&'a Link);

impl Serialize for LinkBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let link = self.0;
        let trace_id: TraceId = link.trace_id;
        let mut fields = fields(serializer)?;
        fields.any("traceId", &trace_id.to_string())?;
        fields.any("spanId", &link.span_id.to_string())?;
        fields.text("traceState", &link.trace_state)?;
        fields.attributes(&link.attributes, link.dropped_attributes_count)?;
        fields.count("flags", link.flags)?;
        fields.0.end()
    }
}

struct StatusBody<'a>(&'a Status);

impl Serialize for StatusBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = fields(serializer)?;
        fields.text("message", &self.0.message)?;
        fields.count("code", u32::from(self.0.code.number()))?;
        fields.0.end()
    }
}

struct KeyValues<'a> {
    attributes: &'a Attributes,
    is_sorted: bool,
}

impl Serialize for KeyValues<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct KeyValue<'a> {
            key: &'a str,
            value: AnyValue<'a>,
        }
        let mut sorted: Vec<_> = self.attributes.iter().collect();
        if self.is_sorted {
            sorted.sort_by(|a, b| a.key.cmp(&b.key));
        }
        let mut sequence = serializer.serialize_seq(Some(sorted.len()))?;
        for attribute in sorted {
            sequence.serialize_element(&KeyValue { key: &attribute.key, value: AnyValue(&attribute.value) })?;
        }
        sequence.end()
    }
}

struct AnyValue<'a>(&'a Value);

impl Serialize for AnyValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.0 {
            Value::Empty => {}
            Value::String(text) => map.serialize_entry("stringValue", text.as_str())?,
            Value::Bool(truth) => map.serialize_entry("boolValue", truth)?,
            Value::Int(number) => map.serialize_entry("intValue", &number.to_string())?,
            Value::Double(number) if number.is_nan() => map.serialize_entry("doubleValue", "NaN")?,
            Value::Double(number) if number.is_infinite() => {
                map.serialize_entry("doubleValue", if *number > 0.0 { "Infinity" } else { "-Infinity" })?;
            }
            Value::Double(number) => map.serialize_entry("doubleValue", number)?,
            bytes @ Value::Bytes(_) => map.serialize_entry("bytesValue", &bytes.to_string())?,
            Value::Array(values) => {
                let values: Vec<AnyValue<'_>> = values.iter().map(AnyValue).collect();
                map.serialize_entry("arrayValue", &Values { values })?;
            }
            Value::Map(attributes) => {
                let values = KeyValues { attributes, is_sorted: false };
                map.serialize_entry("kvlistValue", &Values { values })?;
            }
        }
        map.end()
    }
}

#[derive(Serialize)]
struct Values<T> {
    values: T,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: &Value) -> String {
        serde_json::to_string(&AnyValue(value)).unwrap()
    }

    #[test]
    fn every_value_is_as_otlps_json_has_it() {
        assert_eq!(json(&Value::Empty), "{}");
        assert_eq!(json(&"".into()), r#"{"stringValue":""}"#);
        assert_eq!(json(&i64::MIN.into()), r#"{"intValue":"-9223372036854775808"}"#);
        assert_eq!(json(&f64::NEG_INFINITY.into()), r#"{"doubleValue":"-Infinity"}"#);
        assert_eq!(json(&f64::NAN.into()), r#"{"doubleValue":"NaN"}"#);
        assert_eq!(json(&Value::Bytes(Box::new([1, 2]))), r#"{"bytesValue":"AQI="}"#);
        assert_eq!(json(&Value::Array(Vec::new())), r#"{"arrayValue":{"values":[]}}"#);
        let map = Value::Map([console_model::Attribute::new("k", true)].into_iter().collect());
        assert_eq!(json(&map), r#"{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":true}}]}}"#);
    }
}
