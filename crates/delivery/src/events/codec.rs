//! The recorded form of events: JSON payloads, their versions, and the upcasting of what older
//! programs wrote. Every form ever written has a golden file under `tests/golden/` and stays readable.
//!
//! Version 1 (no `schemaVersion`): prices are binary floating point, keys with empty values may be
//! missing, unset times are the year 1. Version 2 (what we write): prices have at most two decimals,
//! unset times are absent.

use std::borrow::Cow;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Event;
use crate::models::{Money, Payment, ShopItem};

/// The version of the payloads we write.
pub const SCHEMA_VERSION: u32 = 2;

/// A decoded event and what had to be changed to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The event in today's shape.
    pub event: Event,
    /// One line for each value that upcasting changed, for logs and the order's history.
    pub adjustments: Vec<String>,
}

/// Why a recorded event cannot be read. Names the field, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No event of an order has this name.
    #[error("unknown event type {0:?}")]
    UnknownType(String),
    /// A newer program wrote it.
    #[error("schema version {0} is newer than {SCHEMA_VERSION}, the newest that this build reads")]
    TooNew(u32),
    /// The payload does not have the event's shape.
    #[error("malformed payload of {event_type}: {detail}")]
    Malformed {
        /// The event's name.
        event_type: &'static str,
        /// What is wrong, and where in the payload.
        detail: String,
    },
}

/// Writes an event's payload in the form of [`SCHEMA_VERSION`].
#[must_use]
pub fn encode(event: &Event) -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Created<'a> {
        shop_items: &'a [ShopItem],
        account_email: &'a str,
        delivery_address: &'a str,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Cart<'a> {
        shop_items: &'a [ShopItem],
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Completed {
        #[serde(skip_serializing_if = "Option::is_none")]
        delivery_timestamp: Option<Timestamp>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Canceled<'a> {
        cancel_reason: &'a str,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Address<'a> {
        delivery_address: &'a str,
    }
    let payload = match event {
        Event::Created { shop_items, account_email, delivery_address } => {
            serde_json::to_vec(&Created { shop_items, account_email, delivery_address })
        }
        Event::Paid(payment) => serde_json::to_vec(payment),
        Event::Submitted => Ok(b"{}".to_vec()),
        Event::Completed { delivered_at } => serde_json::to_vec(&Completed { delivery_timestamp: *delivered_at }),
        Event::Canceled { cancel_reason } => serde_json::to_vec(&Canceled { cancel_reason }),
        Event::CartUpdated { shop_items } => serde_json::to_vec(&Cart { shop_items }),
        Event::AddressChanged { delivery_address } => serde_json::to_vec(&Address { delivery_address }),
    };
    // Text, integers, amounts and times always have a JSON form, so there is no error to pass on.
    payload.unwrap_or_default().into()
}

/// Reads a payload of any version; `schema_version` is the metadata's, `None` for version 1.
pub fn decode(event_type: &str, data: &[u8], schema_version: Option<u32>) -> Result<Decoded, Error> {
    let version = schema_version.unwrap_or(1);
    if version > SCHEMA_VERSION {
        return Err(Error::TooNew(version));
    }
    let event_type = *Event::NAMES
        .iter()
        .find(|name| **name == event_type)
        .ok_or_else(|| Error::UnknownType(event_type.chars().take(100).collect()))?;
    let mut reader = Reader { event_type, exact: version >= 2, adjustments: Vec::new() };
    let payload: Payload<'_> = reader.parse(data)?;
    let event = reader.event(payload)?;
    Ok(Decoded { event, adjustments: reader.adjustments })
}

/// The union of all payloads; which keys count depends on the event's name.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow)]
    shop_items: Option<Vec<RecordedItem<'a>>>,
    account_email: Option<String>,
    delivery_address: Option<String>,
    #[serde(rename = "paymentID")]
    payment_id: Option<String>,
    timestamp: Option<Timestamp>,
    delivery_timestamp: Option<Timestamp>,
    cancel_reason: Option<String>,
}

#[derive(Deserialize)]
struct RecordedItem<'a> {
    id: Option<String>,
    title: Option<String>,
    description: Option<String>,
    quantity: Option<u32>,
    #[serde(borrow)]
    price: Option<&'a RawValue>,
}

struct Reader {
    event_type: &'static str,
    /// Version 2 and later: nothing is rounded, nothing that the event needs is missing.
    exact: bool,
    adjustments: Vec<String>,
}

impl Reader {
    fn parse<'a>(&self, data: &'a [u8]) -> Result<Payload<'a>, Error> {
        // serde_json's messages can quote a value; its class and place do not.
        serde_json::from_slice(data).map_err(|error| {
            self.malformed(
                format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
                    .to_lowercase(),
            )
        })
    }

    fn malformed(&self, detail: impl Into<String>) -> Error {
        Error::Malformed { event_type: self.event_type, detail: detail.into() }
    }

    fn event(&mut self, payload: Payload<'_>) -> Result<Event, Error> {
        Ok(match self.event_type {
            "ORDER_CREATED" => Event::Created {
                shop_items: self.items(payload.shop_items)?,
                account_email: self.required("accountEmail", payload.account_email)?,
                delivery_address: self.required("deliveryAddress", payload.delivery_address)?,
            },
            "ORDER_PAID" => Event::Paid(Payment {
                payment_id: self.required("paymentID", payload.payment_id)?,
                timestamp: payload.timestamp.filter(is_set),
            }),
            "ORDER_SUBMITTED" => Event::Submitted,
            "ORDER_COMPLETED" => Event::Completed { delivered_at: payload.delivery_timestamp.filter(is_set) },
            "ORDER_CANCELED" => {
                Event::Canceled { cancel_reason: self.required("cancelReason", payload.cancel_reason)? }
            }
            "SHOPPING_CART_UPDATED" => Event::CartUpdated { shop_items: self.items(payload.shop_items)? },
            _ => {
                Event::AddressChanged { delivery_address: self.required("deliveryAddress", payload.delivery_address)? }
            }
        })
    }

    /// Older programs left empty text out.
    fn required(&self, key: &'static str, value: Option<String>) -> Result<String, Error> {
        match value {
            Some(text) => Ok(text),
            None if self.exact => Err(self.malformed(format!("{key} is missing"))),
            None => Ok(String::new()),
        }
    }

    fn items(&mut self, items: Option<Vec<RecordedItem<'_>>>) -> Result<Vec<ShopItem>, Error> {
        if items.is_none() && self.exact {
            return Err(self.malformed("shopItems is missing"));
        }
        items.unwrap_or_default().into_iter().enumerate().map(|(index, item)| self.item(index, item)).collect()
    }

    fn item(&mut self, index: usize, item: RecordedItem<'_>) -> Result<ShopItem, Error> {
        let number = item.price.map_or("0", RawValue::get);
        let (price, rounded) = Money::parse_rounding(number)
            .map_err(|fault| self.malformed(format!("shopItems/{index}/price {fault}")))?;
        if rounded && self.exact {
            return Err(self.malformed(format!("shopItems/{index}/price has more than two decimals")));
        }
        if rounded {
            // An amount is not personal data, and whoever reads this wants to see both.
            self.adjustments
                .push(format!("shopItems/{index}/price rounded half to even from {number} to {}", decimal(price)));
        }
        Ok(ShopItem {
            id: item.id.unwrap_or_default(),
            title: item.title.unwrap_or_default(),
            description: item.description.unwrap_or_default(),
            quantity: item.quantity.unwrap_or_default(),
            price,
        })
    }
}

/// Go's zero time, year 1, stands for a time that was never set.
fn is_set(time: &Timestamp) -> bool {
    const YEAR_2_SECONDS: i64 = -62_104_060_800;
    time.as_second() >= YEAR_2_SECONDS
}

fn decimal(money: Money) -> Cow<'static, str> {
    serde_json::to_string(&money).map_or(Cow::Borrowed("an amount"), Cow::Owned)
}

#[cfg(test)]
mod tests;
