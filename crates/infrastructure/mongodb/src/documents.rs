//! What is written into collections and read back: orders and parked events, in BSON that a person can ask
//! for in the engine's own language.

use std::borrow::Cow;

use delivery::aggregate::Status;
use delivery::models::OrderId;
use delivery::projections::OrderView;
use delivery::repository::ParkedEvent;
use eventsourcing::{EventId, Position, RecordedEvent, Revision, StreamId};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{self, Binary, Bson, Document, doc};
use serde_json::Value;
use uuid::Uuid;

use crate::failure::{Failure, Source};

/// The fields by which orders are asked for.
pub(crate) const CREATED_POSITION: &str = "createdPosition";
pub(crate) const REVISION: &str = "revision";
pub(crate) const STATUS: &str = "status";

/// As the engine keeps it, or the largest it can keep: for bounds, and for numbers that engines never take
/// so far.
pub(crate) fn saturating(number: u64) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// As it was before it was kept.
pub(crate) fn unsigned(number: i64) -> u64 {
    number.try_into().unwrap_or_default()
}

/// The key of an order.
pub(crate) fn key(id: OrderId) -> Bson {
    Bson::Binary(Binary { subtype: BinarySubtype::Uuid, bytes: id.0.as_bytes().to_vec() })
}

/// An order: the domain's stored form with the id as the key, and the status that lists ask for.
pub(crate) fn order(view: &OrderView) -> Result<Document, Failure> {
    let unwritable = |error: Source| Failure::damaged(format!("order {} cannot be written", view.id), error);
    let json = view.to_json().map_err(|error| unwritable(Box::new(error)))?;
    let mut fields = match serde_json::from_slice(&json) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return Err(unwritable("its stored form is no object".into())),
        Err(error) => return Err(unwritable(Box::new(error))),
    };
    fields.remove("id");
    // Numbers beyond 2^63 fail here: the engine has none.
    let mut document = bson::serialize_to_document(&fields).map_err(|error| unwritable(Box::new(error)))?;
    document.insert("_id", key(view.id));
    document.insert(STATUS, view.order.status().map(Status::name));
    Ok(document)
}

/// An order as it was before it was kept.
pub(crate) fn view(mut document: Document) -> Result<OrderView, Failure> {
    let unreadable = |error: Source| Failure::damaged("a document cannot be read", error);
    let id = match document.remove("_id") {
        Some(Bson::Binary(binary)) => Uuid::from_slice(&binary.bytes).map_err(|error| unreadable(Box::new(error)))?,
        _ => return Err(unreadable("its key is no UUID".into())),
    };
    document.remove(STATUS);
    let mut fields: serde_json::Map<String, Value> =
        bson::deserialize_from_document(document).map_err(|error| unreadable(Box::new(error)))?;
    fields.insert("id".to_owned(), Value::String(id.to_string()));
    // The domain reads numbers by their text, which only JSON has.
    let json = serde_json::to_vec(&fields).map_err(|error| unreadable(Box::new(error)))?;
    OrderView::from_json(&json).map_err(|error| unreadable(Box::new(error)))
}

/// A parked event; its key is its position.
pub(crate) fn parked(parked: &ParkedEvent) -> Document {
    let event = &parked.event;
    let bytes = |bytes: &[u8]| Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() };
    doc! {
        "_id": saturating(event.position.0),
        "stream": event.stream.as_str(),
        "revision": saturating(event.revision.0),
        "eventId": event.id.0.to_string(),
        "eventType": event.event_type.as_ref(),
        "data": bytes(&event.data),
        "metadata": bytes(&event.raw_metadata),
        "recordedAt": event.recorded_at.to_string(),
        "error": &parked.error,
        "attempts": i64::from(parked.attempts),
        "parkedAt": parked.parked_at.to_string(),
    }
}

/// A parked event as it was before it was kept.
pub(crate) fn parked_event(document: &Document) -> Result<ParkedEvent, Failure> {
    let position = document.get_i64("_id").map(unsigned).unwrap_or_default();
    read_parked(document)
        .map_err(|error| Failure::damaged(format!("the event parked at {position} cannot be read"), error))
}

fn read_parked(document: &Document) -> Result<ParkedEvent, Source> {
    let number = |field: &str| document.get_i64(field).map(unsigned);
    let bytes = |field: &str| document.get_binary_generic(field).map(|bytes| bytes.clone().into());
    Ok(ParkedEvent {
        event: RecordedEvent {
            stream: StreamId::new(document.get_str("stream")?),
            revision: Revision(number("revision")?),
            position: Position(number("_id")?),
            id: EventId(document.get_str("eventId")?.parse()?),
            event_type: Cow::Owned(document.get_str("eventType")?.to_owned()),
            data: bytes("data")?,
            raw_metadata: bytes("metadata")?,
            recorded_at: document.get_str("recordedAt")?.parse()?,
        },
        error: document.get_str("error")?.to_owned(),
        attempts: number("attempts")?.try_into()?,
        parked_at: document.get_str("parkedAt")?.parse()?,
    })
}

#[cfg(test)]
mod tests {
    use contract_tests::orders::{at_revision, view as made, with_status};
    use delivery::models::Money;

    use super::*;

    #[test]
    fn an_order_comes_back_as_it_was() {
        for (number, status) in (1..).zip(Status::ALL) {
            let mut order_view = with_status(at_revision(number, number), status);
            // Cents, and the largest amount there is.
            for amount in [1, 10, 1_250, 999_999_999_999_999] {
                order_view.order.shop_items[0].price = Money::from_minor(amount).unwrap();
                let document = order(&order_view).unwrap();
                assert_eq!(document.get_str(STATUS).unwrap(), status.name());
                assert_eq!(view(document).unwrap(), order_view);
            }
        }
    }

    #[test]
    fn a_number_that_the_engine_cannot_keep_is_refused_with_the_order_named() {
        let mut order_view = made(1);
        order_view.revision = Revision(u64::MAX);
        let error = order(&order_view).unwrap_err().to_string();
        assert!(error.contains(&order_view.id.to_string()), "{error}");
    }

    #[test]
    fn a_parked_event_comes_back_with_its_bytes() {
        let event = contract_tests::orders::parked(300, 2);
        assert_eq!(parked_event(&parked(&event)).unwrap(), event);
    }

    #[test]
    fn a_document_that_somebody_else_wrote_is_told_and_no_panic() {
        assert!(view(doc! {"_id": 7, "revision": 1_i64}).is_err());
        assert!(view(doc! {"_id": key(made(1).id), "revision": "x"}).is_err());
        assert!(parked_event(&doc! {"_id": 7_i64}).unwrap_err().to_string().contains("parked at 7"));
    }
}
