//! The laws of the read side's fold: redelivery changes nothing, gaps are refused, and what is stored
//! is what was folded.

use eventsourcing::{EventId, Metadata, StreamId};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::events::Event;
use crate::models::{Money, Payment, ShopItem};

fn id() -> OrderId {
    OrderId(Uuid::from_u128(42))
}

fn recorded(revision: u64, event: &Event) -> RecordedEvent {
    let metadata = Metadata { schema_version: Some(codec::SCHEMA_VERSION), ..Metadata::default() };
    RecordedEvent {
        stream: id().stream(),
        revision: Revision(revision),
        position: Position(100 + revision),
        id: EventId(Uuid::from_u128(revision.into())),
        event_type: event.name().into(),
        data: codec::encode(event),
        raw_metadata: metadata.to_json(),
        recorded_at: Timestamp::from_second(1_000 + i64::try_from(revision).unwrap()).unwrap(),
    }
}

fn history() -> Vec<RecordedEvent> {
    let item = ShopItem {
        id: "1".into(),
        title: "Tea".into(),
        description: "Green".into(),
        quantity: 2,
        price: Money::from_minor(250).unwrap(),
    };
    [
        Event::Created {
            shop_items: vec![item],
            account_email: "jane@example.com".into(),
            delivery_address: "Main Street".into(),
        },
        Event::AddressChanged { delivery_address: "Side Street".into() },
        Event::Paid(Payment { payment_id: "p".into(), timestamp: None }),
        Event::Submitted,
        Event::Completed { delivered_at: Some(Timestamp::from_second(5).unwrap()) },
    ]
    .iter()
    .zip(0..)
    .map(|(event, revision)| recorded(revision, event))
    .collect()
}

#[test]
fn an_order_that_was_copied_keeps_its_times() {
    let copied = history().into_iter().map(|event| {
        let recorded_at = Some(event.recorded_at);
        let raw_metadata = Metadata { recorded_at, ..event.metadata() }.to_json();
        RecordedEvent { raw_metadata, recorded_at: Timestamp::from_second(9_000).unwrap(), ..event }
    });
    let view = fold(&copied.collect::<Vec<_>>()).unwrap().unwrap();
    assert_eq!((view.created_at.as_second(), view.updated_at.as_second()), (1_000, 1_004));
}

#[test]
fn a_view_knows_where_its_order_began_and_where_it_is() {
    let view = fold(&history()).unwrap().unwrap();
    assert_eq!((view.id, view.revision, view.created_position), (id(), Revision(4), Position(100)));
    assert_eq!((view.created_at.as_second(), view.updated_at.as_second()), (1_000, 1_004));
    assert_eq!(view.order.delivery_address, "Side Street");
}

#[test]
fn a_gap_a_foreign_stream_and_an_unreadable_event_are_refused() {
    let events = history();
    assert!(matches!(apply(None, &events[1]), Err(Error::Gap { expected: Revision(0), found: Revision(1) })));
    let view = fold(&events[..1]).unwrap();
    assert!(matches!(apply(view, &events[2]), Err(Error::Gap { .. })));
    let foreign = RecordedEvent { stream: StreamId::new("basket-1"), ..events[0].clone() };
    assert!(matches!(apply(None, &foreign), Err(Error::ForeignStream(_))));
    let unreadable = RecordedEvent { data: "{".into(), ..events[0].clone() };
    assert!(matches!(apply(None, &unreadable), Err(Error::Unreadable(_))));
}

proptest! {
    /// Redelivered from any point, any number of times, the history leads to the same view.
    #[test]
    fn duplicates_and_redelivery_change_nothing(restarts in prop::collection::vec((0_usize..5, 0_usize..5), 0..8)) {
        let events = history();
        let expected = fold(&events).unwrap();
        let mut view: Option<OrderView> = None;
        let mut deliver = |event: &RecordedEvent| {
            let reached = view.as_ref().map_or(0, |view| view.revision.0 + 1);
            if event.revision.0 <= reached {
                view = Some(match apply(view.take(), event).unwrap() {
                    Applied::Changed(view, _) | Applied::AlreadySeen(view) => view,
                });
            }
        };
        for (from, to) in restarts {
            events.get(from..=to).unwrap_or_default().iter().for_each(&mut deliver);
        }
        events.iter().for_each(&mut deliver);
        prop_assert_eq!(view, expected);
    }

    #[test]
    fn what_is_stored_is_read(count in 1_usize..=5) {
        let view = fold(&history()[..count]).unwrap().unwrap();
        prop_assert_eq!(OrderView::from_json(&view.to_json().unwrap()).unwrap(), view);
    }
}
