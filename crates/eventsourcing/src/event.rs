//! Events as stores keep them: bytes with a name, an identity and a place. What the bytes mean is
//! the domain's to say.

use std::borrow::Cow;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use crate::{Metadata, Position, Revision, StreamId};

/// The identity of an event. Deterministic, so that a retried append is recognised (see
/// [`EventId::derive`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub Uuid);

impl EventId {
    /// Derives the id from the stream, the revision the event is to have, and the command that caused
    /// it: UUID version 5 (RFC 9562) in the namespace of the command id.
    #[must_use]
    pub fn derive(stream: &StreamId, revision: Revision, command: Uuid) -> Self {
        let mut name = Vec::with_capacity(stream.as_str().len() + 8);
        name.extend_from_slice(&revision.0.to_be_bytes());
        name.extend_from_slice(stream.as_str().as_bytes());
        Self(Uuid::new_v5(&command, &name))
    }
}

/// An event that is about to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// See [`EventId`].
    pub id: EventId,
    /// The name of the event, for instance `ORDER_CREATED`.
    pub event_type: Cow<'static, str>,
    /// The payload, JSON.
    pub data: Bytes,
    /// What surrounds it, JSON; see [`Metadata`].
    pub metadata: Bytes,
}

/// An event as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Its place in the stream.
    pub revision: Revision,
    /// Its place in the store.
    pub position: Position,
    /// See [`EventId`].
    pub id: EventId,
    /// The name of the event.
    pub event_type: Cow<'static, str>,
    /// The payload as it was written.
    pub data: Bytes,
    /// The metadata as it was written; [`RecordedEvent::metadata`] reads it.
    pub raw_metadata: Bytes,
    /// When the store accepted it, by the store's clock, to the millisecond at least. See
    /// [`RecordedEvent::happened_at`].
    pub recorded_at: Timestamp,
}

/// Where an event's trace is named; see [`Metadata`].
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TraceHeaders<'a> {
    /// See [`Metadata::traceparent`].
    #[serde(borrow)]
    pub traceparent: Option<Cow<'a, str>>,
    /// See [`Metadata::uber_trace_id`].
    #[serde(borrow, rename = "uber-trace-id")]
    pub uber_trace_id: Option<Cow<'a, str>>,
}

impl RecordedEvent {
    /// The metadata. What cannot be read (foreign writers may put anything there) counts as absent.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        Metadata::from_json(&self.raw_metadata)
    }

    /// When the event was recorded first: in this store, or in the one that it was copied from.
    #[must_use]
    pub fn happened_at(&self) -> Timestamp {
        self.metadata().recorded_at.unwrap_or(self.recorded_at)
    }

    /// Only the headers that name the trace, at a fraction of what [`RecordedEvent::metadata`] costs.
    #[must_use]
    pub fn trace_headers(&self) -> TraceHeaders<'_> {
        serde_json::from_slice(&self.raw_metadata).unwrap_or_else(|_| {
            let Metadata { traceparent, uber_trace_id, .. } = self.metadata();
            TraceHeaders { traceparent: traceparent.map(Cow::Owned), uber_trace_id: uber_trace_id.map(Cow::Owned) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(metadata: &'static str) -> RecordedEvent {
        RecordedEvent {
            stream: StreamId::new("a"),
            revision: Revision(0),
            position: Position(1),
            id: EventId(Uuid::nil()),
            event_type: "A".into(),
            data: Bytes::new(),
            raw_metadata: metadata.into(),
            recorded_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_trace_is_found_whatever_stands_beside_it() {
        let traceparent = |metadata| event(metadata).trace_headers().traceparent.map(Cow::into_owned);
        assert_eq!(traceparent(r#"{"schemaVersion":2,"traceparent":"00-a\u002d"}"#).as_deref(), Some("00-a-"));
        assert_eq!(traceparent(r#"{"uber-trace-id":7,"traceparent":"b"}"#).as_deref(), Some("b"));
        assert_eq!(event(r#"{"uber-trace-id":"1:2:0:1"}"#).trace_headers().uber_trace_id.as_deref(), Some("1:2:0:1"));
        assert_eq!(event("no json").trace_headers(), TraceHeaders::default());
    }

    #[test]
    fn a_copied_event_happened_when_it_was_recorded_first() {
        let first: Timestamp = "2026-11-29T12:00:00.000001Z".parse().unwrap();
        for metadata in [
            r#"{"recordedAt":"2026-11-29T12:00:00.000001Z"}"#,
            r#"{"schemaVersion":"x","recordedAt":"2026-11-29T12:00:00.000001Z"}"#,
        ] {
            assert_eq!(event(metadata).happened_at(), first);
        }
        for metadata in ["", "{}", r#"{"recordedAt":"yesterday"}"#, r#"{"recordedAt":7}"#] {
            assert_eq!(event(metadata).happened_at(), Timestamp::UNIX_EPOCH);
        }
    }

    #[test]
    fn an_id_depends_on_stream_revision_and_command_and_on_nothing_else() {
        let command = Uuid::from_u128(7);
        let id = |stream: &str, revision, command| EventId::derive(&StreamId::new(stream), Revision(revision), command);
        assert_eq!(id("a", 1, command), id("a", 1, command));
        assert_ne!(id("a", 1, command), id("b", 1, command));
        assert_ne!(id("a", 1, command), id("a", 2, command));
        assert_ne!(id("a", 1, command), id("a", 1, Uuid::from_u128(8)));
    }
}
