//! What is ordered: items with quantities and prices, and their total.

use serde::{Deserialize, Serialize};

use super::{Money, Violations};

/// Items a cart may have at most.
pub const MAX_ITEMS: usize = 1_000;
/// Pieces of one item at most.
pub const MAX_QUANTITY: u32 = 10_000;
/// Characters of an item's id and title at most.
pub const MAX_TITLE_LENGTH: usize = 500;
/// Characters of an item's description at most.
pub const MAX_DESCRIPTION_LENGTH: usize = 10_000;

/// One line of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopItem {
    /// The shop's id of the item.
    pub id: String,
    /// What it is called; searched.
    pub title: String,
    /// What it is; searched.
    pub description: String,
    /// Pieces.
    pub quantity: u32,
    /// The price of one piece.
    pub price: Money,
}

/// An item as a client sends it, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemInput<'a> {
    /// See [`ShopItem::id`].
    pub id: String,
    /// See [`ShopItem::title`].
    pub title: String,
    /// See [`ShopItem::description`].
    pub description: String,
    /// See [`ShopItem::quantity`]; any integer, so that its fault can be named.
    pub quantity: i64,
    /// The JSON text of the price, so that its decimals can be counted.
    pub price: &'a str,
}

/// A checked, non-empty list of items with a total within [`Money::MAX`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cart(Vec<ShopItem>);

impl Cart {
    /// Checks every item and the total; names all faults, as pointers below `/shopItems`.
    pub fn new(items: Vec<ItemInput<'_>>) -> Result<Self, Violations> {
        let mut violations = Violations::default();
        if items.is_empty() {
            violations.push("/shopItems", "must have at least one item");
        }
        if items.len() > MAX_ITEMS {
            return Err(Violations::one("/shopItems", format!("must have at most {MAX_ITEMS} items")));
        }
        let checked: Vec<_> = items
            .into_iter()
            .enumerate()
            .filter_map(|(index, item)| violations.collect(check_item(index, item)))
            .collect();
        if violations.0.is_empty() && total_price(&checked).is_none() {
            violations.push("/shopItems", "the total price must be at most 9999999999999.99");
        }
        violations.or(Self(checked))
    }

    /// The items, in the customer's order.
    #[must_use]
    pub fn items(&self) -> &[ShopItem] {
        &self.0
    }
}

/// The sum of price × quantity, `None` beyond [`Money::MAX`].
#[must_use]
pub fn total_price(items: &[ShopItem]) -> Option<Money> {
    items.iter().try_fold(Money::ZERO, |sum, item| sum.plus(item.price.times(item.quantity)?))
}

fn check_item(index: usize, item: ItemInput<'_>) -> Result<ShopItem, Violations> {
    let mut violations = Violations::default();
    let at = |field: &str| format!("/shopItems/{index}/{field}");
    if item.title.trim().is_empty() {
        violations.push(at("title"), "must not be empty");
    }
    for (field, text, max) in [
        ("id", &item.id, MAX_TITLE_LENGTH),
        ("title", &item.title, MAX_TITLE_LENGTH),
        ("description", &item.description, MAX_DESCRIPTION_LENGTH),
    ] {
        if text.chars().count() > max {
            violations.push(at(field), format!("must have at most {max} characters"));
        }
    }
    let quantity = u32::try_from(item.quantity).ok().filter(|quantity| (1..=MAX_QUANTITY).contains(quantity));
    if quantity.is_none() {
        violations.push(at("quantity"), format!("must be from 1 to {MAX_QUANTITY}"));
    }
    let price = match Money::parse(item.price) {
        Ok(price) if price < Money::ZERO => {
            violations.push(at("price"), "must not be negative");
            None
        }
        Ok(price) => Some(price),
        Err(fault) => {
            violations.push(at("price"), fault.to_string());
            None
        }
    };
    match (quantity, price) {
        (Some(quantity), Some(price)) => {
            violations.or(ShopItem { id: item.id, title: item.title, description: item.description, quantity, price })
        }
        _ => Err(violations),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(quantity: i64, price: &str) -> ItemInput<'_> {
        ItemInput { id: "1".into(), title: "Tea".into(), description: "Green".into(), quantity, price }
    }

    fn pointers(result: Result<Cart, Violations>) -> Vec<String> {
        result.unwrap_err().0.into_iter().map(|violation| violation.pointer).collect()
    }

    #[test]
    fn a_good_cart_has_a_total() {
        let cart = Cart::new(vec![input(2, "1.25"), input(1, "10")]).unwrap();
        assert_eq!(total_price(cart.items()), Money::from_minor(1250));
    }

    #[test]
    fn every_fault_is_named_with_its_place() {
        let blank = ItemInput { title: " ".into(), ..input(0, "1.005") };
        assert_eq!(
            pointers(Cart::new(vec![input(1, "1"), blank, input(10_001, "-1")])),
            [
                "/shopItems/1/title",
                "/shopItems/1/quantity",
                "/shopItems/1/price",
                "/shopItems/2/quantity",
                "/shopItems/2/price"
            ]
        );
        assert_eq!(pointers(Cart::new(vec![])), ["/shopItems"]);
        assert_eq!(pointers(Cart::new(vec![input(1, "1"); MAX_ITEMS + 1])), ["/shopItems"]);
    }

    #[test]
    fn a_total_that_overflows_is_refused() {
        assert_eq!(pointers(Cart::new(vec![input(10_000, "9999999999999.99")])), ["/shopItems"]);
        assert_eq!(pointers(Cart::new(vec![input(1, "9999999999999.99"), input(1, "0.01")])), ["/shopItems"]);
    }
}
