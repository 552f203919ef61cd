//! What is written into an index and read back: orders, parked events, checkpoints. How it gets there is
//! the business of `bulk` and `store`.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use delivery::projections::OrderView;
use delivery::repository::{Error, ParkedEvent};
use eventsourcing::{EventId, Position, RecordedEvent, Revision, StreamId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::ENGINE;
use crate::failure::{Failure, corrupt};
use crate::words;

/// The id of a generation's checkpoint.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// The id of what the live generation knows about the one that is being built.
pub(crate) const CLAIM: &str = "claim";
/// The largest number that the engine takes for a version or a `long`.
const NUMBER_MAX: u64 = i64::MAX as u64;

/// An order, as far as readers need it.
#[derive(Deserialize)]
pub(crate) struct Order {
    /// The domain's stored form. As text, so that the engine gives it back to the letter: it would write
    /// numbers in its own way.
    document: String,
}

impl Order {
    /// Whether one of its texts has the phrase.
    pub(crate) fn has(&self, phrase: &str) -> Result<bool, Failure> {
        let view = OrderView::from_json(self.document.as_bytes());
        let view = view.map_err(|_| Failure::Damaged("a document cannot be read".to_owned()))?;
        Ok(words::texts(&view.order.shop_items).iter().any(|text| words::holds(text, phrase)))
    }

    pub(crate) fn view(self) -> Result<OrderView, Error> {
        OrderView::from_json(self.document.as_bytes()).map_err(|error| corrupt("a document cannot be read", error))
    }
}

/// How far a generation is.
#[derive(Deserialize)]
pub(crate) struct Checkpoint {
    pub(crate) checkpoint: u64,
}

/// One line, or two, of a bulk request.
pub(crate) type Operation = Bytes;

fn lines(values: &[&serde_json::Value]) -> Operation {
    let mut lines = String::new();
    for value in values {
        lines.push_str(&value.to_string());
        lines.push('\n');
    }
    lines.into()
}

/// Writes an order unless the one in its place is as new: the revision is its version there.
pub(crate) fn upsert(view: &OrderView) -> Result<Operation, Error> {
    let too_large = |number: u64| {
        (number > NUMBER_MAX).then(|| Error::Corrupt {
            engine: ENGINE,
            reason: format!("order {} has a number beyond 2^63", view.id),
            source: None,
        })
    };
    if let Some(error) = too_large(view.revision.0).or_else(|| too_large(view.created_position.0)) {
        return Err(error);
    }
    let unwritable = |error| corrupt(format!("order {} cannot be written as JSON", view.id), error);
    let document = view.to_json().map_err(unwritable)?;
    let source = json!({
        "kind": "order",
        "created_position": view.created_position.0,
        "revision": view.revision.0,
        "texts": words::texts(&view.order.shop_items),
        "document": String::from_utf8_lossy(&document),
    });
    let action = json!({"index": {"_id": view.id.to_string(), "version": view.revision.0, "version_type": "external"}});
    Ok(lines(&[&action, &source]))
}

/// Parks an event, in place of what is parked there.
pub(crate) fn park(parked: &ParkedEvent) -> Result<Operation, Error> {
    let unwritable = |error| corrupt("a parked event cannot be written as JSON", error);
    let source = json!({
        "kind": "parked",
        "position": parked.event.position.0.min(NUMBER_MAX),
        "parked": serde_json::to_value(Stored::of(parked)).map_err(unwritable)?,
    });
    Ok(lines(&[&json!({"index": {"_id": parked_id(parked.event.position)}}), &source]))
}

/// Releases a parked event, if it is one.
pub(crate) fn release(position: Position) -> Operation {
    lines(&[&json!({"delete": {"_id": parked_id(position)}})])
}

fn parked_id(position: Position) -> String {
    format!("parked-{}", position.0)
}

/// How a checkpoint is written: its path below the alias, and the document. Its version is the position,
/// so that the engine itself lets none go back.
pub(crate) fn checkpoint(position: Position) -> (String, serde_json::Value) {
    let position = position.0.min(NUMBER_MAX);
    let path = format!("_doc/{CHECKPOINT}?version={position}&version_type=external&require_alias=true");
    (path, json!({"kind": "checkpoint", "checkpoint": position}))
}

/// A document that holds a parked event.
#[derive(Deserialize)]
pub(crate) struct Parked {
    parked: Stored<'static>,
}

impl Parked {
    pub(crate) fn event(self) -> Result<ParkedEvent, Error> {
        self.parked.event()
    }
}

/// A parked event, for people to read but for the bytes.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    stream: Cow<'a, str>,
    revision: u64,
    position: u64,
    event_id: Uuid,
    event_type: Cow<'a, str>,
    /// Base64, since nobody knows what is in an event that cannot be read.
    data: String,
    metadata: String,
    recorded_at: Timestamp,
    error: Cow<'a, str>,
    attempts: u32,
    parked_at: Timestamp,
}

impl<'a> Stored<'a> {
    fn of(parked: &'a ParkedEvent) -> Self {
        let event = &parked.event;
        Self {
            stream: event.stream.as_str().into(),
            revision: event.revision.0,
            position: event.position.0,
            event_id: event.id.0,
            event_type: Cow::Borrowed(&event.event_type),
            data: STANDARD.encode(&event.data),
            metadata: STANDARD.encode(&event.raw_metadata),
            recorded_at: event.recorded_at,
            error: Cow::Borrowed(&parked.error),
            attempts: parked.attempts,
            parked_at: parked.parked_at,
        }
    }

    fn event(self) -> Result<ParkedEvent, Error> {
        let position = self.position;
        let bytes = |text: &str| {
            let decoded = STANDARD.decode(text).map(Bytes::from);
            decoded.map_err(|error| corrupt(format!("the event parked at {position} cannot be read"), error))
        };
        Ok(ParkedEvent {
            event: RecordedEvent {
                stream: StreamId::new(self.stream.into_owned()),
                revision: Revision(self.revision),
                position: Position(position),
                id: EventId(self.event_id),
                event_type: Cow::Owned(self.event_type.into_owned()),
                data: bytes(&self.data)?,
                raw_metadata: bytes(&self.metadata)?,
                recorded_at: self.recorded_at,
            },
            error: self.error.into_owned(),
            attempts: self.attempts,
            parked_at: self.parked_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use contract_tests::orders::{parked, view, with_items};

    use super::*;

    fn source(operation: &Operation) -> serde_json::Value {
        serde_json::from_slice(operation.split(|byte| *byte == b'\n').nth(1).unwrap()).unwrap()
    }

    #[test]
    fn an_order_comes_back_to_the_letter() {
        let order = with_items(view(7), &[("Grüner \"Tee\"\n", "x"), ("", "\u{1f375}")]);
        let operation = upsert(&order).unwrap();
        assert_eq!(operation.iter().filter(|byte| **byte == b'\n').count(), 2, "two lines, whatever is in it");
        let source = source(&operation);
        assert_eq!(source["texts"], json!(["gruner tee", "x"]));
        let stored: Order = serde_json::from_value(json!({"document": source["document"]})).unwrap();
        assert_eq!(stored.view().unwrap(), order);
    }

    #[test]
    fn a_number_that_the_engine_cannot_keep_is_refused_with_the_order_named() {
        let mut order = view(1);
        order.revision = Revision(u64::MAX);
        let error = upsert(&order).unwrap_err().to_string();
        assert!(error.contains(&order.id.to_string()), "{error}");
    }

    #[test]
    fn a_parked_event_comes_back_with_its_bytes() {
        let operation = park(&parked(300, 2)).unwrap();
        let source = source(&operation).to_string();
        let stored: Parked = serde_json::from_str(&source).unwrap();
        assert_eq!(stored.event().unwrap(), parked(300, 2));
    }
}
