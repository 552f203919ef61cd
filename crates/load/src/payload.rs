//! The JSON bodies of the contract as a customer writes them, and money in exact cents.
//!
//! Wire shapes only: which request carries one and what is expected back is not decided here.

use rand::{Rng, RngExt};
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;

use crate::catalogue;

/// Items a generated cart has at most; the contract allows more, customers rarely want them.
const ITEMS_MAX: u32 = 5;

/// An amount in cents. Written as a JSON number with exactly two decimals, never through a float.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cents(pub(crate) u64);

impl Cents {
    /// Reads a JSON number that has at most two decimals and no exponent, as the service writes one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if whole.is_empty() || fraction.len() > 2 || (fraction.is_empty() && text.contains('.')) {
            return None;
        }
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return None;
        }
        let units: u64 = whole.parse().ok()?;
        let cents: u64 = format!("{fraction:0<2}").parse().ok()?;
        units.checked_mul(100)?.checked_add(cents).map(Self)
    }
}

impl std::fmt::Display for Cents {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Serialize for Cents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// One line of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) quantity: u32,
    pub(crate) price: Cents,
}

/// The body of `PUT /orders/cart/{id}`, and a part of an order's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cart {
    pub(crate) shop_items: Vec<Item>,
}

impl Cart {
    /// One to five products, mostly one piece of each.
    pub(crate) fn draw(random: &mut impl Rng) -> Self {
        let count = random.random_range(1..=ITEMS_MAX);
        let shop_items = (0..count).map(|_| draw_item(random)).collect();
        Self { shop_items }
    }

    /// What the service must compute as the order's `totalPrice`.
    pub(crate) fn total(&self) -> Cents {
        Cents(
            self.shop_items
                .iter()
                .map(|item| item.price.0.saturating_mul(u64::from(item.quantity)))
                .fold(0, u64::saturating_add),
        )
    }
}

fn draw_item(random: &mut impl Rng) -> Item {
    let title = catalogue::product_title(random);
    let description = catalogue::product_description(random, &title);
    let number: u32 = random.random_range(100_000..1_000_000);
    Item {
        id: format!("sku-{number}"),
        title,
        description,
        quantity: if random.random_bool(0.7) { 1 } else { random.random_range(2..=12) },
        price: draw_price(random),
    }
}

/// Shop prices: most end in .99, .90 or .50, some are free gifts, some odd.
fn draw_price(random: &mut impl Rng) -> Cents {
    let units: u64 = random.random_range(1..400);
    match random.random_range(0..20_u8) {
        0 => Cents(0),
        1..=9 => Cents(units * 100 + 99),
        10..=13 => Cents(units * 100 + 90),
        14..=16 => Cents(units * 100 + 50),
        _ => Cents(units * 100 + random.random_range(0..100_u64)),
    }
}

/// The body of `POST /orders`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewOrder {
    #[serde(flatten)]
    pub(crate) cart: Cart,
    pub(crate) account_email: String,
    pub(crate) delivery_address: String,
}

impl NewOrder {
    /// A valid order of a made-up customer.
    pub(crate) fn draw(random: &mut impl Rng) -> Self {
        Self {
            cart: Cart::draw(random),
            account_email: catalogue::email(random),
            delivery_address: catalogue::address(random),
        }
    }
}

/// The body of `PUT /orders/address/{id}`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewAddress<'a> {
    pub(crate) delivery_address: &'a str,
}

/// The body of `PUT /orders/pay/{id}`.
#[derive(Debug, Serialize)]
pub(crate) struct Payment<'a> {
    #[serde(rename = "paymentID")]
    pub(crate) payment_id: &'a str,
    /// RFC 3339.
    pub(crate) timestamp: &'a str,
}

/// The body of `POST /orders/cancel/{id}`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cancellation<'a> {
    pub(crate) cancel_reason: &'a str,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

    use super::*;

    #[test]
    fn prices_are_written_with_exactly_two_decimals() {
        for (cents, text) in [(0, "0.00"), (5, "0.05"), (1290, "12.90"), (100, "1.00")] {
            assert_eq!(serde_json::to_string(&Cents(cents)).unwrap(), text);
        }
    }

    #[test]
    fn amounts_that_the_service_would_not_write_are_refused() {
        for bad in ["", ".", "1.", ".5", "1.234", "-1", "+1", "1e3", "1.+5", "99999999999999999999"] {
            assert_eq!(Cents::parse(bad), None, "{bad}");
        }
        assert_eq!(Cents::parse("12.9"), Some(Cents(1290)));
        assert_eq!(Cents::parse("12"), Some(Cents(1200)));
    }

    #[test]
    fn every_drawn_order_is_valid_by_the_contract() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
        for _ in 0..500 {
            let order = NewOrder::draw(&mut random);
            let json: serde_json::Value = serde_json::to_value(&order).unwrap();
            let keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
            assert_eq!(keys, ["accountEmail", "deliveryAddress", "shopItems"]);
            assert!(!order.delivery_address.trim().is_empty());
            assert!(!order.cart.shop_items.is_empty());
            for item in &order.cart.shop_items {
                assert!((1..=10_000).contains(&item.quantity));
                assert!(!item.title.is_empty() && !item.description.is_empty() && !item.id.is_empty());
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(cents in 0_u64..1_000_000_000_000) {
            prop_assert_eq!(Cents::parse(&Cents(cents).to_string()), Some(Cents(cents)));
        }
    }
}
