//! What may be asked of an order. A command holds checked values only, so deciding about it never
//! fails for its form.

use jiff::Timestamp;
use uuid::Uuid;

use crate::models::{AccountEmail, CancelReason, Cart, DeliveryAddress, Payment};
use eventsourcing::Revision;

/// A command to one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Place a new order.
    Create {
        /// What is ordered.
        cart: Cart,
        /// Whose order it is.
        account_email: AccountEmail,
        /// Where it goes.
        delivery_address: DeliveryAddress,
    },
    /// Record its payment.
    Pay(Payment),
    /// Hand it to delivery.
    Submit,
    /// Replace what is ordered.
    UpdateCart(Cart),
    /// Call it off.
    Cancel(CancelReason),
    /// Record its delivery, at the given time.
    Complete(Timestamp),
    /// Send it elsewhere.
    ChangeAddress(DeliveryAddress),
}

impl Command {
    /// The name under which metrics, spans and messages speak of the command.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Pay(_) => "pay",
            Self::Submit => "submit",
            Self::UpdateCart(_) => "update cart",
            Self::Cancel(_) => "cancel",
            Self::Complete(_) => "complete",
            Self::ChangeAddress(_) => "change address",
        }
    }

    /// The name of the event that the command leads to when it is accepted.
    #[must_use]
    pub const fn leads_to(&self) -> &'static str {
        match self {
            Self::Create { .. } => "ORDER_CREATED",
            Self::Pay(_) => "ORDER_PAID",
            Self::Submit => "ORDER_SUBMITTED",
            Self::UpdateCart(_) => "SHOPPING_CART_UPDATED",
            Self::Cancel(_) => "ORDER_CANCELED",
            Self::Complete(_) => "ORDER_COMPLETED",
            Self::ChangeAddress(_) => "DELIVERY_ADDRESS_CHANGED",
        }
    }
}

/// Who asks, and what surrounds the asking.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The identity of the command: a retry of the same command has the same one.
    pub command_id: Uuid,
    /// The command may have run before (a retry under an idempotency key): look for its own events
    /// before deciding.
    pub may_be_retry: bool,
    /// Only when the order is at this revision.
    pub if_match: Option<Revision>,
    /// W3C trace context to write beside the events.
    pub traceparent: Option<String>,
    /// See [`eventsourcing::Metadata::tracestate`].
    pub tracestate: Option<String>,
    /// See [`eventsourcing::Metadata::correlation_id`].
    pub correlation_id: Option<String>,
    /// See [`eventsourcing::Metadata::idempotency_key`].
    pub idempotency_key: Option<String>,
}
