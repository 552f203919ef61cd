//! The bodies of requests and answers, as the contract has them. Turning them into commands, and views
//! into them, happens here and nowhere else.

use delivery::aggregate::Order as State;
use delivery::models::{Cart, ItemInput, Money, ShopItem, Violations};
use delivery::projections::OrderView;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::body::Object;

/// One line of a cart, as a client sends it.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ItemBody<'a> {
    /// The shop's id of the item
    #[serde(default)]
    #[schema(example = "6a1f", max_length = 500)]
    id: String,
    /// What it is called; searched
    #[schema(example = "Green tea", min_length = 1, max_length = 500)]
    title: String,
    /// What it is; searched
    #[serde(default)]
    #[schema(example = "Loose leaf, 250 g", max_length = 10_000)]
    description: String,
    /// Pieces
    #[schema(example = 2, minimum = 1, maximum = 10_000)]
    quantity: i64,
    /// The price of one piece, with two decimals at most
    #[serde(borrow)]
    #[schema(value_type = f64, example = 12.5, minimum = 0, multiple_of = 0.01)]
    price: &'a RawValue,
}

/// `POST /orders`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateBody<'a> {
    /// What is ordered
    #[serde(borrow)]
    #[schema(value_type = Vec<ItemBody<'static>>, min_items = 1, max_items = 1_000)]
    pub(crate) shop_items: Vec<Object<ItemBody<'a>>>,
    /// Whose order it is
    #[schema(example = "jane@example.com", format = "email", max_length = 254)]
    pub(crate) account_email: String,
    /// Where it goes
    #[schema(example = "12 Main Street, Springfield", min_length = 1, max_length = 1_000)]
    pub(crate) delivery_address: String,
}

/// `PUT /orders/cart/{id}`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CartBody<'a> {
    /// What is ordered now
    #[serde(borrow)]
    #[schema(value_type = Vec<ItemBody<'static>>, min_items = 1, max_items = 1_000)]
    pub(crate) shop_items: Vec<Object<ItemBody<'a>>>,
}

/// `PUT /orders/pay/{id}`
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct PayBody {
    /// The payment provider's id of the payment
    #[serde(rename = "paymentID")]
    #[schema(example = "pay_83", min_length = 1, max_length = 200)]
    pub(crate) payment_id: String,
    /// When it was paid (RFC 3339)
    #[schema(format = DateTime, example = "2026-11-24T12:00:00Z")]
    pub(crate) timestamp: String,
}

impl PayBody {
    /// Checks the payment.
    pub(crate) fn payment(self) -> Result<delivery::models::Payment, Violations> {
        // In the year 1 the older program's clock stood still: events take it for a time that is not set.
        let year_2 = Timestamp::from_second(-62_104_060_800).unwrap_or(Timestamp::MIN);
        let mut violations = Violations::default();
        let time = self.timestamp.parse().ok().filter(|time: &Timestamp| *time >= year_2);
        let payment = violations.collect(delivery::models::Payment::new(self.payment_id, time.unwrap_or(year_2)));
        if time.is_none() {
            violations.push("/timestamp", "must be a time such as 2026-11-24T12:00:00Z (RFC 3339)");
        }
        match payment {
            Some(payment) if violations.0.is_empty() => Ok(payment),
            _ => Err(violations),
        }
    }
}

/// `POST /orders/cancel/{id}`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CancelBody {
    /// Why
    #[schema(example = "ordered twice", min_length = 1, max_length = 2_000)]
    pub(crate) cancel_reason: String,
}

/// `PUT /orders/address/{id}`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AddressBody {
    /// Where it goes now
    #[schema(example = "34 Side Street, Springfield", min_length = 1, max_length = 1_000)]
    pub(crate) delivery_address: String,
}

/// Checks the items of a body.
pub(crate) fn cart(items: Vec<Object<ItemBody<'_>>>) -> Result<Cart, Violations> {
    Cart::new(
        items
            .into_iter()
            .map(|Object(item)| ItemInput {
                id: item.id,
                title: item.title,
                description: item.description,
                quantity: item.quantity,
                price: item.price.get(),
            })
            .collect(),
    )
}

/// One line of a cart
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Item<'a> {
    id: &'a str,
    title: &'a str,
    description: &'a str,
    quantity: u32,
    #[schema(value_type = f64)]
    price: Money,
}

/// A payment
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Payment<'a> {
    #[serde(rename = "paymentID")]
    payment_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    timestamp: Option<Timestamp>,
}

/// An order; what is not set is absent
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Order<'a> {
    #[schema(format = Uuid)]
    id: String,
    /// The same as `id`
    #[schema(format = Uuid)]
    order_id: String,
    shop_items: Vec<Item<'a>>,
    account_email: &'a str,
    delivery_address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    cancel_reason: Option<&'a str>,
    #[schema(value_type = f64)]
    total_price: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    delivered_time: Option<Timestamp>,
    paid: bool,
    submitted: bool,
    completed: bool,
    canceled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    payment: Option<Payment<'a>>,
}

impl<'a> Order<'a> {
    pub(crate) fn new(view: &'a OrderView) -> Self {
        let State {
            shop_items,
            account_email,
            delivery_address,
            payment,
            submitted,
            completed,
            delivered_at,
            canceled,
            cancel_reason,
            created: _,
        } = &view.order;
        let id = view.id.to_string();
        Self {
            order_id: id.clone(),
            id,
            shop_items: shop_items.iter().map(item).collect(),
            account_email,
            delivery_address,
            cancel_reason: cancel_reason.as_deref(),
            total_price: view.order.total_price(),
            delivered_time: *delivered_at,
            paid: payment.is_some(),
            submitted: *submitted,
            completed: *completed,
            canceled: *canceled,
            payment: payment.as_ref().map(|paid| Payment { payment_id: &paid.payment_id, timestamp: paid.timestamp }),
        }
    }
}

fn item(item: &ShopItem) -> Item<'_> {
    Item {
        id: &item.id,
        title: &item.title,
        description: &item.description,
        quantity: item.quantity,
        price: item.price,
    }
}

/// Where a page stands
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pagination {
    pub(crate) total_count: u64,
    pub(crate) total_pages: u64,
    pub(crate) page: u64,
    pub(crate) size: u64,
    pub(crate) has_more: bool,
}

/// The orders that a search found
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SearchAnswer<'a> {
    pub(crate) pagination: Pagination,
    pub(crate) orders: Vec<Order<'a>>,
}

/// A page of orders, newest first
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListAnswer<'a> {
    pub(crate) orders: Vec<Order<'a>>,
    /// Send it as `cursor` to get the next page; absent on the last one
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) next_cursor: Option<String>,
}

/// Something that happened to an order
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HistoryEntry<'a> {
    pub(crate) revision: u64,
    pub(crate) position: u64,
    #[schema(example = "ORDER_CREATED")]
    pub(crate) r#type: &'a str,
    #[schema(format = Uuid)]
    pub(crate) id: String,
    /// When it was recorded
    #[schema(format = DateTime)]
    pub(crate) timestamp: String,
    /// The trace of the request that led to it
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) trace_id: Option<String>,
    /// The payload, as recorded; absent when it is not JSON
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    pub(crate) data: Option<&'a RawValue>,
    /// What had to be changed to read the payload of an older program
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) adjustments: Vec<String>,
}

/// A page of an order's history, oldest first
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistoryAnswer<'a> {
    pub(crate) events: Vec<HistoryEntry<'a>>,
}

/// A problem (RFC 9457)
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Problem {
    /// Tells problems of the same status apart
    #[schema(example = "/problems/not-found")]
    pub(crate) r#type: String,
    pub(crate) title: String,
    pub(crate) status: u16,
    /// What is wrong with this very request
    pub(crate) detail: String,
    /// The path of the request
    pub(crate) instance: String,
    /// The same as `detail`, for older clients
    pub(crate) error: String,
    #[schema(format = DateTime)]
    pub(crate) timestamp: String,
    /// Names the request in logs and traces
    pub(crate) trace_id: String,
    /// The fields that are wrong
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<FieldProblem>,
}

/// A field that is wrong
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// JSON Pointer (RFC 6901) into the body, or the name of a parameter
    #[schema(example = "/shopItems/0/price")]
    pub(crate) pointer: String,
    pub(crate) detail: String,
}
