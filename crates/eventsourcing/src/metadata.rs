//! What travels beside an event's payload: trace context, causality, schema version.
//!
//! Values are kept as text: giving `traceparent` a meaning is the business of `telemetry`.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The metadata of an event. JSON keys are camel case, except those of the W3C trace context.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// W3C `traceparent` of the span that appended the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// W3C `tracestate`, as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<String>,
    /// Jaeger's propagation header, which older programs wrote instead of `traceparent`. Only read.
    #[serde(rename = "uber-trace-id", skip_serializing_if = "Option::is_none")]
    pub uber_trace_id: Option<String>,
    /// Groups everything that one request from outside led to.
    #[serde(rename = "correlationId", skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The id of the command that caused the event; retries of a command share it.
    #[serde(rename = "causationId", skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Uuid>,
    /// The version of the payload's shape; absent on events of older programs.
    #[serde(rename = "schemaVersion", skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<u32>,
    /// The client's idempotency key, when it sent one.
    #[serde(rename = "idempotencyKey", skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// When the event was recorded first, on one that was copied from another store since: the store
    /// itself tells when it was copied.
    #[serde(rename = "recordedAt", skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<Timestamp>,
}

impl Metadata {
    /// Reads metadata, field by field: a field of an unexpected kind, or bytes that are not a JSON
    /// object, count as absent, because metadata must never make an event unreadable.
    #[must_use]
    pub fn from_json(bytes: &[u8]) -> Self {
        if let Ok(metadata) = serde_json::from_slice(bytes) {
            return metadata;
        }
        let Ok(serde_json::Value::Object(fields)) = serde_json::from_slice(bytes) else {
            return Self::default();
        };
        let text = |key: &str| fields.get(key).and_then(|value| value.as_str()).map(str::to_owned);
        Self {
            traceparent: text("traceparent"),
            tracestate: text("tracestate"),
            uber_trace_id: text("uber-trace-id"),
            correlation_id: text("correlationId"),
            causation_id: text("causationId").and_then(|id| id.parse().ok()),
            schema_version: fields.get("schemaVersion").and_then(|v| v.as_u64()).and_then(|v| v.try_into().ok()),
            idempotency_key: text("idempotencyKey"),
            recorded_at: text("recordedAt").and_then(|time| time.parse().ok()),
        }
    }

    /// Writes the metadata as JSON.
    #[must_use]
    pub fn to_json(&self) -> Bytes {
        // Text, a UUID and an integer always have a JSON form, so there is no error to pass on.
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let metadata = Metadata {
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
            correlation_id: Some("r-1".into()),
            causation_id: Some(Uuid::from_u128(1)),
            schema_version: Some(2),
            ..Metadata::default()
        };
        assert_eq!(Metadata::from_json(&metadata.to_json()), metadata);
    }

    #[test]
    fn foreign_metadata_never_fails_and_keeps_what_is_good() {
        let metadata =
            Metadata::from_json(br#"{"uber-trace-id":"a:b:0:1","causationId":"not a uuid","schemaVersion":"x"}"#);
        assert_eq!(metadata.uber_trace_id.as_deref(), Some("a:b:0:1"));
        assert_eq!(metadata.causation_id, None);
        for bytes in [&b""[..], b"null", b"[1]", b"{", b"\xff\xfe"] {
            assert_eq!(Metadata::from_json(bytes), Metadata::default());
        }
    }
}
