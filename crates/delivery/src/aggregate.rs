//! The order: its state, its rules, its fold.
//!
//! Draft → Paid → Submitted → Completed; Cancelled from any state but Completed.

use eventsourcing::Aggregate;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::commands::Command;
use crate::events::Event;
use crate::models::{Money, Payment, ShopItem, cart};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Created; the cart may still change.
    Draft,
    /// Paid, not yet handed over.
    Paid,
    /// Handed to delivery.
    Submitted,
    /// Delivered. Nothing more can happen.
    Completed,
    /// Called off. Nothing more can happen.
    Cancelled,
}

impl Status {
    /// Every status, in the order of an order's life.
    pub const ALL: [Self; 5] = [Self::Draft, Self::Paid, Self::Submitted, Self::Completed, Self::Cancelled];

    /// The name in queries and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Paid => "paid",
            Self::Submitted => "submitted",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// The state of an order. `Default` is an order that was never created.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// There was an `ORDER_CREATED`.
    pub created: bool,
    /// What is ordered.
    pub shop_items: Vec<ShopItem>,
    /// Whose order it is.
    pub account_email: String,
    /// Where it goes.
    pub delivery_address: String,
    /// Set once paid.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub payment: Option<Payment>,
    /// Handed to delivery at some time, even if cancelled since.
    pub submitted: bool,
    /// Delivered.
    pub completed: bool,
    /// When it was delivered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delivered_at: Option<Timestamp>,
    /// Called off.
    pub canceled: bool,
    /// Why it was called off.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cancel_reason: Option<String>,
}

impl Order {
    /// Where it stands; `None` when it was never created.
    #[must_use]
    pub const fn status(&self) -> Option<Status> {
        Some(match self {
            Self { created: false, .. } => return None,
            Self { canceled: true, .. } => Status::Cancelled,
            Self { completed: true, .. } => Status::Completed,
            Self { submitted: true, .. } => Status::Submitted,
            Self { payment: Some(_), .. } => Status::Paid,
            _ => Status::Draft,
        })
    }

    /// The total price. Carts of older programs were never checked: beyond [`Money::MAX`] it stays
    /// there.
    #[must_use]
    pub fn total_price(&self) -> Money {
        cart::total_price(&self.shop_items).unwrap_or(Money::MAX)
    }
}

/// Why a command is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such order.
    #[error("the order does not exist")]
    NotFound,
    /// The order has been created already, by another command.
    #[error("the order exists already")]
    AlreadyExists,
    /// The order has already been changed exactly as asked.
    #[error("the order is already as the {command} command would make it")]
    AlreadyApplied {
        /// [`Command::name`].
        command: &'static str,
    },
    /// The order's status does not allow it.
    #[error("cannot {command} an order that is {}", .status.name())]
    IllegalTransition {
        /// [`Command::name`].
        command: &'static str,
        /// Where the order stands.
        status: Status,
    },
}

impl Aggregate for Order {
    type State = Self;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(order: &Self, command: &Command) -> Result<Vec<Event>, Rejection> {
        if let Command::Create { cart, account_email, delivery_address } = command {
            return if order.created {
                Err(Rejection::AlreadyExists)
            } else {
                Ok(vec![Event::Created {
                    shop_items: cart.items().to_vec(),
                    account_email: account_email.as_str().to_owned(),
                    delivery_address: delivery_address.as_str().to_owned(),
                }])
            };
        }
        let status = order.status().ok_or(Rejection::NotFound)?;
        if is_already_applied(order, status, command) {
            return Err(Rejection::AlreadyApplied { command: command.name() });
        }
        if !is_allowed(status, command) {
            return Err(Rejection::IllegalTransition { command: command.name(), status });
        }
        Ok(vec![match command {
            Command::Create { .. } => return Err(Rejection::AlreadyExists),
            Command::Pay(payment) => Event::Paid(payment.clone()),
            Command::Submit => Event::Submitted,
            Command::UpdateCart(cart) => Event::CartUpdated { shop_items: cart.items().to_vec() },
            Command::Cancel(reason) => Event::Canceled { cancel_reason: reason.as_str().to_owned() },
            Command::Complete(at) => Event::Completed { delivered_at: Some(*at) },
            Command::ChangeAddress(address) => Event::AddressChanged { delivery_address: address.as_str().to_owned() },
        }])
    }

    fn evolve(mut order: Self, event: &Event) -> Self {
        match event {
            Event::Created { shop_items, account_email, delivery_address } => {
                order.created = true;
                order.shop_items.clone_from(shop_items);
                order.account_email.clone_from(account_email);
                order.delivery_address.clone_from(delivery_address);
            }
            Event::Paid(payment) => order.payment = Some(payment.clone()),
            Event::Submitted => order.submitted = true,
            Event::Completed { delivered_at } => {
                order.completed = true;
                order.delivered_at = *delivered_at;
            }
            Event::Canceled { cancel_reason } => {
                order.canceled = true;
                order.cancel_reason = Some(cancel_reason.clone());
            }
            Event::CartUpdated { shop_items } => order.shop_items.clone_from(shop_items),
            Event::AddressChanged { delivery_address } => order.delivery_address.clone_from(delivery_address),
        }
        order
    }
}

/// The transition table.
const fn is_allowed(status: Status, command: &Command) -> bool {
    match command {
        Command::Create { .. } => false,
        Command::Pay(_) | Command::UpdateCart(_) => matches!(status, Status::Draft),
        Command::Submit => matches!(status, Status::Paid),
        Command::Complete(_) => matches!(status, Status::Submitted),
        Command::Cancel(_) => !matches!(status, Status::Completed | Status::Cancelled),
        Command::ChangeAddress(_) => !matches!(status, Status::Completed | Status::Cancelled),
    }
}

/// The order is already what the command asks for, with the same content. Completing again counts,
/// whatever the time: the client does not send one.
fn is_already_applied(order: &Order, status: Status, command: &Command) -> bool {
    match command {
        Command::Create { .. } => false,
        Command::Pay(payment) => status == Status::Paid && order.payment.as_ref() == Some(payment),
        Command::Submit => status == Status::Submitted,
        Command::Complete(_) => status == Status::Completed,
        Command::Cancel(reason) => {
            status == Status::Cancelled && order.cancel_reason.as_deref() == Some(reason.as_str())
        }
        Command::UpdateCart(cart) => is_allowed(status, command) && order.shop_items == cart.items(),
        Command::ChangeAddress(address) => is_allowed(status, command) && order.delivery_address == address.as_str(),
    }
}

#[cfg(test)]
mod tests;
