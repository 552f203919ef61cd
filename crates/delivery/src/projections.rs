//! The read side's fold: from recorded events to the document that read model and search index keep.
//! How events arrive, and what happens when one cannot be applied, is the projector's business.

use eventsourcing::{Aggregate, Position, RecordedEvent, Revision};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::aggregate::Order;
use crate::events::codec;
use crate::models::OrderId;

/// An order as of one of its revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderView {
    /// Which order.
    pub id: OrderId,
    /// The revision of the last event applied.
    pub revision: Revision,
    /// The position of the order's first event: orders sort by it, newest first.
    pub created_position: Position,
    /// When the order's first event was recorded.
    pub created_at: Timestamp,
    /// When the last event applied was recorded.
    pub updated_at: Timestamp,
    /// Its state.
    pub order: Order,
}

/// Why an event cannot be applied to a view. Such an event is parked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The event is not one of an order.
    #[error("stream {0} does not belong to an order")]
    ForeignStream(String),
    /// The event cannot be read.
    #[error("the event cannot be read")]
    Unreadable(#[from] codec::Error),
    /// Events before it have not been applied.
    #[error("revision {found} cannot be applied before revision {expected}")]
    Gap {
        /// The revision that has to come next.
        expected: Revision,
        /// The event's.
        found: Revision,
    },
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// The view has changed; each line is an adjustment of [`codec::Decoded`].
    Changed(OrderView, Vec<String>),
    /// The view had seen the event already: redelivery changes nothing.
    AlreadySeen(OrderView),
}

/// Applies an event to the view of its order (`None` before its first event).
pub fn apply(view: Option<OrderView>, recorded: &RecordedEvent) -> Result<Applied, Error> {
    let id = OrderId::from_stream(&recorded.stream).ok_or_else(|| Error::ForeignStream(recorded.stream.to_string()))?;
    let expected = view.as_ref().map_or(Revision::FIRST, |view| view.revision.next());
    if let Some(view) = view.as_ref().filter(|_| recorded.revision < expected) {
        return Ok(Applied::AlreadySeen(view.clone()));
    }
    if recorded.revision > expected {
        return Err(Error::Gap { expected, found: recorded.revision });
    }
    let metadata = recorded.metadata();
    let decoded = codec::decode(&recorded.event_type, &recorded.data, metadata.schema_version)?;
    let happened_at = metadata.recorded_at.unwrap_or(recorded.recorded_at);
    let (created_position, created_at, order) = match view {
        Some(view) => (view.created_position, view.created_at, view.order),
        None => (recorded.position, happened_at, Order::default()),
    };
    let view = OrderView {
        id,
        revision: recorded.revision,
        created_position,
        created_at,
        updated_at: happened_at,
        order: Order::evolve(order, &decoded.event),
    };
    Ok(Applied::Changed(view, decoded.adjustments))
}

/// Folds a whole stream, or the part of it up to some revision, oldest first.
pub fn fold(events: &[RecordedEvent]) -> Result<Option<OrderView>, Error> {
    events.iter().try_fold(None, |view, event| {
        Ok(Some(match apply(view, event)? {
            Applied::Changed(view, _) | Applied::AlreadySeen(view) => view,
        }))
    })
}

/// The stored form of a view: what adapters keep as the document. JSON, internal to highbeam.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<O> {
    id: OrderId,
    revision: u64,
    created_position: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
    order: O,
}

impl OrderView {
    /// Writes the stored form.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Document {
            id: self.id,
            revision: self.revision.0,
            created_position: self.created_position.0,
            created_at: self.created_at,
            updated_at: self.updated_at,
            order: &self.order,
        })
    }

    /// Reads the stored form.
    pub fn from_json(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let document: Document<Order> = serde_json::from_slice(bytes)?;
        Ok(Self {
            id: document.id,
            revision: Revision(document.revision),
            created_position: Position(document.created_position),
            created_at: document.created_at,
            updated_at: document.updated_at,
            order: document.order,
        })
    }
}

#[cfg(test)]
mod tests;
