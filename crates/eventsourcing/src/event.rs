//! Events as stores keep them: bytes with a name, an identity and a place. What the bytes mean is
//! the domain's to say.

use std::borrow::Cow;

use bytes::Bytes;
use jiff::Timestamp;
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
    /// When the store accepted it, by the store's clock, to the millisecond at least.
    pub recorded_at: Timestamp,
}

impl RecordedEvent {
    /// The metadata. What cannot be read (foreign writers may put anything there) counts as absent.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        Metadata::from_json(&self.raw_metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
