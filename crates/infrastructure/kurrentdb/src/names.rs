//! What the engine does not take as it is: it keeps names that begin with `$` for itself, and has no
//! empty stream name, no empty event type and no id of zeros. To these a `%` is put in front, and to
//! those that begin with one already; everything else, and so every name of the order service, is on
//! the wire as it is.

use std::borrow::Cow;

use bytes::Bytes;
use eventsourcing::{EventId, StreamId};
use uuid::Uuid;

use crate::protocol::read_req::{Expression, Filter, FilterOptions, Window};
use crate::protocol::{Empty, StreamIdentifier};

const ESCAPE: char = '%';
/// Names of the engine's own.
const SYSTEM: char = '$';
/// Stands for the id of zeros.
const ZEROS: Uuid = Uuid::from_u128(0x6869_6768_6265_8616_ad6e_696c_0000_0000);
/// How many events a subscription goes by before it tells how far it is.
pub(crate) const CHECKPOINT_EVENTS: u32 = 512;

fn needs_escape(name: &str) -> bool {
    name.is_empty() || name.starts_with([ESCAPE, SYSTEM])
}

fn escaped(name: &str) -> Cow<'_, str> {
    if needs_escape(name) { Cow::Owned(format!("{ESCAPE}{name}")) } else { Cow::Borrowed(name) }
}

/// Names that others wrote and that only look escaped stay as they are.
fn unescaped(name: &str) -> &str {
    name.strip_prefix(ESCAPE).filter(|rest| needs_escape(rest)).unwrap_or(name)
}

/// The name of a stream as it is on the wire.
pub(crate) fn stream_identifier(stream: &StreamId) -> StreamIdentifier {
    StreamIdentifier { stream_name: Bytes::from(escaped(stream.as_str()).into_owned()) }
}

/// The stream that a name on the wire stands for; `None` if it is no text.
pub(crate) fn stream(identifier: &StreamIdentifier) -> Option<StreamId> {
    std::str::from_utf8(&identifier.stream_name).ok().map(|name| StreamId::new(unescaped(name)))
}

/// The name of an event as it is on the wire.
pub(crate) fn wire_type(name: &str) -> String {
    escaped(name).into_owned()
}

/// The event's name that a name on the wire stands for.
pub(crate) fn event_type(name: String) -> String {
    if unescaped(&name).len() == name.len() { name } else { unescaped(&name).to_owned() }
}

/// An id as it is on the wire; `None` for the one that stands for another.
pub(crate) fn wire_id(id: EventId) -> Option<Uuid> {
    match id.0 {
        ZEROS => None,
        id if id.is_nil() => Some(ZEROS),
        id => Some(id),
    }
}

/// The id that one on the wire stands for.
pub(crate) fn event_id(id: Uuid) -> EventId {
    EventId(if id == ZEROS { Uuid::nil() } else { id })
}

/// Keeps the streams whose names start with `prefix`, and none of the engine's own.
pub(crate) fn filter(prefix: &str) -> FilterOptions {
    let expression = if prefix.is_empty() {
        Expression { regex: format!("^[^{SYSTEM}]"), prefix: Vec::new() }
    } else {
        Expression { regex: String::new(), prefix: vec![escaped(prefix).into_owned()] }
    };
    FilterOptions {
        filter: Some(Filter::StreamIdentifier(expression)),
        window: Some(Window::Max(CHECKPOINT_EVENTS)),
        checkpoint_interval_multiplier: 1,
    }
}

/// Keeps nothing out but what is the engine's own.
pub(crate) fn everything() -> FilterOptions {
    filter("")
}

/// Nothing, in the many places where the protocol wants it said.
pub(crate) const NOTHING: Empty = Empty {};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_the_order_service_are_what_they_are() {
        let name = "order-018f0000-0000-7000-8000-000000000000";
        assert_eq!(stream_identifier(&StreamId::new(name)).stream_name, name);
        assert_eq!(wire_type("ORDER_CREATED"), "ORDER_CREATED");
    }

    #[test]
    fn what_others_wrote_is_read_as_it_is() {
        for name in ["%20", "100%", "%a", "order-1"] {
            let identifier = StreamIdentifier { stream_name: Bytes::from_static(name.as_bytes()) };
            assert_eq!(stream(&identifier), Some(StreamId::new(name)));
        }
        assert_eq!(stream(&StreamIdentifier { stream_name: Bytes::from_static(b"\xff") }), None);
    }

    #[test]
    fn every_id_but_one_can_be_had() {
        for id in [Uuid::nil(), Uuid::from_u128(1), Uuid::max()] {
            let wire = wire_id(EventId(id)).unwrap();
            assert!(!wire.is_nil());
            assert_eq!(event_id(wire), EventId(id));
        }
        assert_eq!(wire_id(EventId(ZEROS)), None);
    }

    proptest! {
        #[test]
        fn any_name_comes_back_and_none_is_the_engines_own(name in "[%$a-c]{0,4}|\\PC*", other in "[%$a-c]{0,4}") {
            let wire = stream_identifier(&StreamId::new(name.as_str()));
            prop_assert!(!wire.stream_name.is_empty() && wire.stream_name[0] != b'$');
            prop_assert_eq!(stream(&wire), Some(StreamId::new(name.as_str())));
            prop_assert_eq!(event_type(wire_type(&name)), name.as_str());
            let wire_other = stream_identifier(&StreamId::new(other.as_str()));
            prop_assert_eq!(wire == wire_other, name == other);
        }

        #[test]
        fn a_prefix_keeps_what_it_would_keep_of_the_names_themselves(name in "[%$a-b]{0,4}", prefix in "[%$a-b]{1,3}") {
            let Some(Filter::StreamIdentifier(expression)) = filter(&prefix).filter else { panic!() };
            let wire = stream_identifier(&StreamId::new(name.as_str()));
            let is_kept = wire.stream_name.starts_with(expression.prefix[0].as_bytes());
            prop_assert_eq!(is_kept, name.starts_with(&prefix));
        }
    }
}
