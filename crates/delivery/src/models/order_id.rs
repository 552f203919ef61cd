//! The identity of an order and the name of its stream.

use std::fmt;
use std::str::FromStr;

use eventsourcing::StreamId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What the names of all order streams start with.
pub const STREAM_PREFIX: &str = "order-";

/// A UUID in its hyphenated form, any version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(pub Uuid);

impl OrderId {
    /// The stream that holds the order's events: `order-<uuid>`.
    #[must_use]
    pub fn stream(self) -> StreamId {
        let mut name = [0; STREAM_PREFIX.len() + uuid::fmt::Hyphenated::LENGTH];
        name[..STREAM_PREFIX.len()].copy_from_slice(STREAM_PREFIX.as_bytes());
        self.0.hyphenated().encode_lower(&mut name[STREAM_PREFIX.len()..]);
        StreamId::new(String::from_utf8_lossy(&name).into_owned())
    }

    /// The order that a stream belongs to; `None` for a stream that is not an order's.
    #[must_use]
    pub fn from_stream(stream: &StreamId) -> Option<Self> {
        stream.as_str().strip_prefix(STREAM_PREFIX).and_then(|id| id.parse().ok())
    }
}

/// The text is not a hyphenated UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order id is a UUID such as 0191e2a4-7c5e-7b3a-9f10-3f6f0c1d2e3f")]
pub struct NotAnOrderId;

impl FromStr for OrderId {
    type Err = NotAnOrderId;

    /// Accepts the hyphenated form only, so that one order has one address.
    fn from_str(text: &str) -> Result<Self, NotAnOrderId> {
        if text.len() != uuid::fmt::Hyphenated::LENGTH {
            return Err(NotAnOrderId);
        }
        Uuid::try_parse(text).map(Self).map_err(|_| NotAnOrderId)
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_name_leads_back_to_its_order() {
        let id = OrderId(Uuid::from_u128(0x0191_e2a4_7c5e_7b3a_9f10_3f6f_0c1d_2e3f));
        assert_eq!(id.stream().as_str(), "order-0191e2a4-7c5e-7b3a-9f10-3f6f0c1d2e3f");
        assert_eq!(OrderId::from_stream(&id.stream()), Some(id));
        assert_eq!(OrderId::from_stream(&StreamId::new("basket-1")), None);
    }

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        for text in [
            "",
            "1",
            "0191e2a47c5e7b3a9f103f6f0c1d2e3f",
            "{0191e2a4-7c5e-7b3a-9f10-3f6f0c1d2e3f}",
            "0191e2a4-7c5e-7b3a-9f10-3f6f0c1d2e3g",
        ] {
            assert_eq!(text.parse::<OrderId>(), Err(NotAnOrderId), "{text}");
        }
    }
}
