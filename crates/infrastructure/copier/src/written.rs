//! What of an event is written to the target. All of it, but for its position, which is the target's, and
//! its time, which is the target's too: that of the source goes along in the metadata, where
//! [`RecordedEvent::happened_at`] finds it.

use bytes::{BufMut, Bytes, BytesMut};
use eventsourcing::{NewEvent, Position, RecordedEvent, Revision, StreamId};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// An event as its copy is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) stream: StreamId,
    pub(crate) revision: Revision,
    /// Where it was read.
    pub(crate) position: Position,
    pub(crate) event: NewEvent,
    /// Its time goes along.
    pub(crate) has_time: bool,
}

impl Written {
    /// Whether the two are copies of one event.
    pub(crate) fn is_copy_of(&self, other: &Self) -> bool {
        (&self.stream, self.revision, &self.event) == (&other.stream, other.revision, &other.event)
    }

    /// About how many bytes it takes on its way.
    pub(crate) fn len(&self) -> usize {
        self.event.data.len() + self.event.metadata.len() + self.event.event_type.len() + 64
    }
}

/// The form in which an event is written. That of a copy is the copy itself.
pub(crate) fn written(event: RecordedEvent) -> Written {
    let stamped = stamped(&event);
    Written {
        has_time: stamped.is_some(),
        event: NewEvent {
            id: event.id,
            event_type: event.event_type,
            data: event.data,
            metadata: stamped.unwrap_or(event.raw_metadata),
        },
        stream: event.stream,
        revision: event.revision,
        position: event.position,
    }
}

/// What is looked at before the time is put in.
#[derive(Deserialize)]
struct Fields {
    #[serde(rename = "recordedAt")]
    recorded_at: Option<IgnoredAny>,
}

/// The metadata with the event's time, and otherwise byte for byte as it was; `None` where that has no
/// place.
fn stamped(event: &RecordedEvent) -> Option<Bytes> {
    let metadata = event.raw_metadata.trim_ascii();
    let entry = || format!("\"recordedAt\":\"{}\"", event.recorded_at);
    if metadata.is_empty() {
        return Some(Bytes::from(format!("{{{}}}", entry())));
    }
    // An array would be taken for the fields of a structure one after another.
    let inner = metadata.strip_prefix(b"{")?.strip_suffix(b"}")?;
    let fields: Fields = serde_json::from_slice(metadata).ok()?;
    if fields.recorded_at.is_some() {
        return Some(event.raw_metadata.clone());
    }
    let entry = entry();
    let mut stamped = BytesMut::with_capacity(metadata.len() + entry.len() + 1);
    stamped.put_slice(b"{");
    stamped.put_slice(inner);
    if !inner.trim_ascii().is_empty() {
        stamped.put_slice(b",");
    }
    stamped.put_slice(entry.as_bytes());
    stamped.put_slice(b"}");
    Some(stamped.freeze())
}

#[cfg(test)]
mod tests {
    use eventsourcing::EventId;

    use super::*;

    fn event(metadata: &'static [u8]) -> RecordedEvent {
        RecordedEvent {
            stream: StreamId::new("order-1"),
            revision: Revision(0),
            position: Position(1),
            id: EventId(uuid::Uuid::from_u128(1)),
            event_type: "A".into(),
            data: Bytes::from_static(b"{}"),
            raw_metadata: Bytes::from_static(metadata),
            recorded_at: "2026-11-29T12:00:00.000001Z".parse().unwrap(),
        }
    }

    #[test]
    fn the_time_goes_along_and_the_rest_stays_as_it_was() {
        let entry = r#""recordedAt":"2026-11-29T12:00:00.000001Z""#;
        for (before, after) in [
            (&b""[..], format!("{{{entry}}}")),
            (b"{}", format!("{{{entry}}}")),
            (b" { } ", format!("{{ {entry}}}")),
            (br#"{"a" : 1.50,"b":{}}"#, format!(r#"{{"a" : 1.50,"b":{{}},{entry}}}"#)),
        ] {
            let written = written(event(before));
            assert_eq!((written.event.metadata, written.has_time), (Bytes::from(after), true));
        }
    }

    #[test]
    fn a_copy_is_copied_as_it_is() {
        let first = written(event(br#"{"a":1}"#));
        let copy = RecordedEvent {
            raw_metadata: first.event.metadata.clone(),
            recorded_at: "2027-01-01T00:00:00Z".parse().unwrap(),
            position: Position(77),
            ..event(b"")
        };
        assert_eq!(copy.happened_at(), event(b"").recorded_at);
        assert!(written(copy).is_copy_of(&first));
    }

    #[test]
    fn metadata_that_is_no_object_stays_as_it_is() {
        for odd in [&b"[1]"[..], b"null", b"{\"a\":}", b"\xff", b"{} {}", b"{", b"}"] {
            let written = written(event(odd));
            assert_eq!((&*written.event.metadata, written.has_time), (odd, false));
        }
    }
}
