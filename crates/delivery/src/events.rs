//! What happens to an order. The wire form (names, payload keys, versions) is in `codec`.

pub mod codec;

use jiff::Timestamp;

use crate::models::{Payment, ShopItem};

/// Something that happened to an order. Fields are as recorded: events of older programs may hold
/// what today's commands would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// `ORDER_CREATED`
    Created {
        /// What was ordered.
        shop_items: Vec<ShopItem>,
        /// Whose order it is.
        account_email: String,
        /// Where it goes.
        delivery_address: String,
    },
    /// `ORDER_PAID`
    Paid(Payment),
    /// `ORDER_SUBMITTED`
    Submitted,
    /// `ORDER_COMPLETED`
    Completed {
        /// Unknown in some events of older programs.
        delivered_at: Option<Timestamp>,
    },
    /// `ORDER_CANCELED`
    Canceled {
        /// Why.
        cancel_reason: String,
    },
    /// `SHOPPING_CART_UPDATED`
    CartUpdated {
        /// What is ordered now.
        shop_items: Vec<ShopItem>,
    },
    /// `DELIVERY_ADDRESS_CHANGED`
    AddressChanged {
        /// Where it goes now.
        delivery_address: String,
    },
}

impl Event {
    /// The names of all events, as recorded.
    pub const NAMES: [&'static str; 7] = [
        "ORDER_CREATED",
        "ORDER_PAID",
        "ORDER_SUBMITTED",
        "ORDER_COMPLETED",
        "ORDER_CANCELED",
        "SHOPPING_CART_UPDATED",
        "DELIVERY_ADDRESS_CHANGED",
    ];

    /// The name under which the event is recorded.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "ORDER_CREATED",
            Self::Paid(_) => "ORDER_PAID",
            Self::Submitted => "ORDER_SUBMITTED",
            Self::Completed { .. } => "ORDER_COMPLETED",
            Self::Canceled { .. } => "ORDER_CANCELED",
            Self::CartUpdated { .. } => "SHOPPING_CART_UPDATED",
            Self::AddressChanged { .. } => "DELIVERY_ADDRESS_CHANGED",
        }
    }
}
