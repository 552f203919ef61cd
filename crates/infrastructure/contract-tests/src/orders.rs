//! Orders, as views, and parked events for the suites of the read side. What is done with them is
//! the suites' business.

use std::borrow::Cow;

use bytes::Bytes;
use delivery::aggregate::{Order, Status};
use delivery::models::{Money, OrderId, Payment, ShopItem};
use delivery::projections::OrderView;
use delivery::repository::ParkedEvent;
use eventsourcing::{EventId, Position, RecordedEvent, Revision};
use jiff::Timestamp;
use uuid::Uuid;

/// The id of the order with this number. Ids do not sort like numbers, as with random ids.
#[must_use]
pub fn id(number: u64) -> OrderId {
    OrderId(Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes()))
}

/// The order with this number, created at the position of this number, at its first revision.
#[must_use]
pub fn view(number: u64) -> OrderView {
    let created_at = at(number);
    OrderView {
        id: id(number),
        revision: Revision::FIRST,
        created_position: Position(number),
        created_at,
        updated_at: created_at,
        order: Order {
            created: true,
            shop_items: vec![item("Green tea", "From the first harvest")],
            account_email: format!("customer{number}@example.com"),
            delivery_address: "Zürich, Bahnhofstrasse 1, \"rear\" door".to_owned(),
            ..Order::default()
        },
    }
}

/// The order as it is `revision` changes later; what it says depends on the revision, so that a test
/// can tell revisions apart.
#[must_use]
pub fn at_revision(number: u64, revision: u64) -> OrderView {
    let mut view = view(number);
    view.revision = Revision(revision);
    view.updated_at = at(number + revision);
    view.order.delivery_address = format!("street {revision}");
    view
}

/// The order with these items instead, given as title and description.
#[must_use]
pub fn with_items(mut view: OrderView, items: &[(&str, &str)]) -> OrderView {
    view.order.shop_items = items.iter().map(|(title, description)| item(title, description)).collect();
    view
}

/// The order, brought to this status.
#[must_use]
pub fn with_status(mut view: OrderView, status: Status) -> OrderView {
    let order = &mut view.order;
    if status != Status::Draft {
        order.payment = Some(Payment { payment_id: "payment-1".to_owned(), timestamp: Some(view.created_at) });
    }
    order.submitted = matches!(status, Status::Submitted | Status::Completed);
    order.completed = status == Status::Completed;
    order.delivered_at = order.completed.then_some(view.updated_at);
    order.canceled = status == Status::Cancelled;
    order.cancel_reason = order.canceled.then(|| "came too late".to_owned());
    view
}

/// A parked event at this position.
#[must_use]
pub fn parked(position: u64, attempts: u32) -> ParkedEvent {
    ParkedEvent {
        event: RecordedEvent {
            stream: id(position).stream(),
            revision: Revision(3),
            position: Position(position),
            id: EventId(Uuid::from_u128(u128::from(position))),
            event_type: Cow::Owned("ORDER_PAID".to_owned()),
            data: Bytes::from_static(b"{\"paymentID\":7}\xff"),
            raw_metadata: Bytes::from_static(b"{\"schemaVersion\":2}"),
            recorded_at: at(position),
        },
        error: format!("the event cannot be read: attempt {attempts}"),
        attempts,
        parked_at: at(position + 1),
    }
}

fn item(title: &str, description: &str) -> ShopItem {
    ShopItem {
        id: "item-1".to_owned(),
        title: title.to_owned(),
        description: description.to_owned(),
        quantity: 2,
        price: Money::from_minor(1_250).unwrap(),
    }
}

/// An instant with nanoseconds, which documents keep.
fn at(second: u64) -> Timestamp {
    Timestamp::new(1_700_000_000 + i64::try_from(second).unwrap(), 123_456_789).unwrap()
}
