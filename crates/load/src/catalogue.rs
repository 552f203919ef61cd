//! The words that believable orders are made of: products, people, streets, reasons.
//!
//! Data and the drawing of single texts only. What an order looks like on the wire is
//! [`crate::payload`]'s; which customer sends which is [`crate::scenario`]'s.

use rand::{Rng, RngExt};

const MATERIALS: [&str; 20] = [
    "Walnut",
    "Oak",
    "Linen",
    "Copper",
    "Ceramic",
    "Bamboo",
    "Wool",
    "Leather",
    "Granite",
    "Cotton",
    "Brass",
    "Cork",
    "Glass",
    "Birch",
    "Silk",
    "Steel",
    "Marble",
    "Recycled",
    "Felt",
    "Porcelain",
];

const STYLES: [&str; 16] = [
    "Folding",
    "Travel",
    "Classic",
    "Compact",
    "Handmade",
    "Stackable",
    "Vintage",
    "Modern",
    "Garden",
    "Kitchen",
    "Reading",
    "Everyday",
    "Children's",
    "Waterproof",
    "Wireless",
    "Nordic",
];

const PRODUCTS: [&str; 32] = [
    "Desk",
    "Lamp",
    "Chair",
    "Kettle",
    "Blanket",
    "Backpack",
    "Notebook",
    "Teapot",
    "Bookshelf",
    "Mug",
    "Cushion",
    "Cutting Board",
    "Watering Can",
    "Picture Frame",
    "Wall Clock",
    "Coat Rack",
    "Fruit Bowl",
    "Bread Bin",
    "Pepper Mill",
    "Umbrella",
    "Laundry Basket",
    "Bedside Table",
    "Coffee Grinder",
    "Candle Holder",
    "Serving Tray",
    "Plant Pot",
    "Tool Box",
    "Door Mat",
    "Scarf",
    "Headphones",
    "Keyboard",
    "Radio",
];

const QUALITIES: [&str; 12] = [
    "made to last for decades",
    "finished by hand",
    "easy to clean",
    "dishwasher safe",
    "with a five year guarantee",
    "in a limited edition",
    "from a family workshop",
    "packed without plastic",
    "light enough to carry anywhere",
    "a best seller since 1987",
    "in the colour of autumn leaves",
    "with spare parts available",
];

const FIRST_NAMES: [&str; 24] = [
    "Amara",
    "Björn",
    "Chloé",
    "Daniel",
    "Elif",
    "Farid",
    "Grace",
    "Hiroshi",
    "Ingrid",
    "João",
    "Katarzyna",
    "Liam",
    "Mei",
    "Nadia",
    "Olumide",
    "Priya",
    "Quentin",
    "Rosa",
    "Søren",
    "Tomás",
    "Uma",
    "Viktor",
    "Wanjiru",
    "Zoë",
];

const LAST_NAMES: [&str; 24] = [
    "Andersson",
    "Becker",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Haddad",
    "Ivanova",
    "Johnson",
    "Kowalska",
    "Lefèvre",
    "Müller",
    "Nakamura",
    "O'Brien",
    "Okafor",
    "Patel",
    "Quispe",
    "Rossi",
    "Svensson",
    "Tanaka",
    "Usman",
    "Varga",
    "Wang",
];

const STREETS: [&str; 16] = [
    "Station Road",
    "Rue de la Paix",
    "Hauptstraße",
    "Via Garibaldi",
    "Calle Mayor",
    "Kungsgatan",
    "Mill Lane",
    "Market Square",
    "Rua Augusta",
    "Harbour Street",
    "Chestnut Avenue",
    "Orchard Close",
    "Prinsengracht",
    "Ulica Długa",
    "High Street",
    "Linden Way",
];

const TOWNS: [&str; 16] = [
    "10115 Berlin",
    "75011 Paris",
    "Leeds LS1 4DY",
    "20121 Milano",
    "28013 Madrid",
    "111 43 Stockholm",
    "1015 Amsterdam",
    "1100-048 Lisboa",
    "80-827 Gdańsk",
    "Portland, OR 97205",
    "Toronto ON M5V 2T6",
    "Cork T12 RX8P",
    "8001 Zürich",
    "1050 Wien",
    "São Paulo 01310-100",
    "Bristol BS1 5TR",
];

const CANCEL_REASONS: [&str; 10] = [
    "Ordered by mistake",
    "Found it cheaper elsewhere",
    "Delivery takes too long",
    "Changed my mind",
    "Wrong size chosen",
    "A friend gave me one",
    "Paid with the wrong card",
    "Moving house next week",
    "No longer needed, sorry!",
    "Duplicate of another order",
];

/// Domains that RFC 2606 reserves: no mail ever reaches a real person.
const MAIL_DOMAINS: [&str; 4] = ["example.com", "example.org", "example.net", "mail.example.com"];

/// One of `items`, each equally likely.
pub(crate) fn pick<T: Copy, const N: usize>(random: &mut impl Rng, items: &[T; N]) -> T {
    items[random.random_range(0..N)]
}

/// `Walnut Folding Desk`.
pub(crate) fn product_title(random: &mut impl Rng) -> String {
    format!("{} {} {}", pick(random, &MATERIALS), pick(random, &STYLES), pick(random, &PRODUCTS))
}

/// A sentence about the product called `title`.
pub(crate) fn product_description(random: &mut impl Rng, title: &str) -> String {
    format!("{title}, {}, {}. Ships from {}.", pick(random, &QUALITIES), pick(random, &QUALITIES), pick(random, &TOWNS))
}

/// What a customer types into the search box: whole words and then the beginning of one, so that
/// the service's phrase-prefix match has something to find.
pub(crate) fn search_phrase(random: &mut impl Rng) -> String {
    let material = pick(random, &MATERIALS).to_lowercase();
    let style = pick(random, &STYLES).to_lowercase();
    let product = pick(random, &PRODUCTS).to_lowercase();
    match random.random_range(0..4_u8) {
        0 => material,
        1 => prefix(random, &product),
        2 => format!("{material} {}", prefix(random, &style)),
        _ => format!("{style} {}", prefix(random, &product)),
    }
}

fn prefix(random: &mut impl Rng, word: &str) -> String {
    let length = word.chars().count();
    let kept: String = word.chars().take(random.random_range(3.min(length)..=length)).collect();
    kept.trim_end().to_owned()
}

/// A customer's e-mail address: ASCII, as the contract wants it.
pub(crate) fn email(random: &mut impl Rng) -> String {
    let first = ascii_letters(pick(random, &FIRST_NAMES));
    let last = ascii_letters(pick(random, &LAST_NAMES));
    let number: u32 = random.random_range(1..10_000);
    format!("{first}.{last}{number}@{}", pick(random, &MAIL_DOMAINS))
}

fn ascii_letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Name, street and town on one line, with the letters people really have in their names.
pub(crate) fn address(random: &mut impl Rng) -> String {
    let number: u32 = random.random_range(1..240);
    format!(
        "{} {}, {} {number}, {}",
        pick(random, &FIRST_NAMES),
        pick(random, &LAST_NAMES),
        pick(random, &STREETS),
        pick(random, &TOWNS)
    )
}

/// Why the customer no longer wants the order.
pub(crate) fn cancel_reason(random: &mut impl Rng) -> &'static str {
    pick(random, &CANCEL_REASONS)
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

    use super::*;

    #[test]
    fn texts_differ_and_none_is_empty() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        let titles: std::collections::BTreeSet<_> = (0..100).map(|_| product_title(&mut random)).collect();
        assert!(titles.len() > 90, "{}", titles.len());
        for _ in 0..1_000 {
            assert!(search_phrase(&mut random).len() >= 3);
            let email = email(&mut random);
            assert!(email.is_ascii() && email.contains('@') && !email.starts_with('.'), "{email}");
            assert!(address(&mut random).chars().count() < 200);
        }
    }
}
