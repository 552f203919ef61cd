//! From the texts of items to what FTS5 indexes, and from a user's text to what FTS5 is asked. FTS5
//! splits both into words, by the same rules: runs of letters and digits, without case and diacritics.

use delivery::models::ShopItem;
use uuid::Uuid;

/// A word of its own between the texts of two items, so that no phrase reaches from one to the next.
/// From the private use area, which FTS5 counts among the letters; taken out of whatever comes from
/// outside.
const SEPARATOR: char = '\u{e000}';
/// The namespace of the digests: a random UUID.
const DIGEST: Uuid = Uuid::from_u128(0x5f0c_3c9e_5f4b_4c6e_9d0e_7b1a_2c64_8d11);

/// What is indexed of an order.
pub(crate) struct Texts {
    pub(super) titles: String,
    pub(super) descriptions: String,
}

impl Texts {
    pub(super) fn of(items: &[ShopItem]) -> Self {
        Self {
            titles: join(items.iter().map(|item| item.title.as_str())),
            descriptions: join(items.iter().map(|item| item.description.as_str())),
        }
    }

    /// Tells texts apart.
    pub(super) fn digest(&self) -> [u8; 16] {
        // No text holds a NUL, so the end of the titles cannot be mistaken.
        let texts = [self.titles.as_str(), "\0", self.descriptions.as_str()].concat();
        Uuid::new_v5(&DIGEST, texts.as_bytes()).into_bytes()
    }
}

fn join<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut joined = String::new();
    for text in texts {
        if !joined.is_empty() {
            joined.extend([' ', SEPARATOR, ' ']);
        }
        joined.extend(plain(text));
    }
    joined
}

/// The text without the separator; and without NUL, at which SQLite would end it.
fn plain(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|character| match character {
        SEPARATOR | '\0' => ' ',
        other => other,
    })
}

/// The query for the words of a text, the last of which may be only begun; `None` without any word.
/// A string in FTS5's syntax (section 3.1 of its documentation): between double quotes everything is
/// literal, but for the double quote, which separates words like any other sign.
pub(super) fn phrase(text: &str) -> Option<String> {
    text.contains(char::is_alphanumeric).then(|| {
        let words: String = plain(text).map(|character| if character == '"' { ' ' } else { character }).collect();
        format!("\"{words}\"*")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract_tests::orders::{view, with_items};

    #[test]
    fn a_phrase_is_literal() {
        assert_eq!(phrase("green te").as_deref(), Some("\"green te\"*"));
        assert_eq!(phrase("a\" OR b\0*\u{e000}").as_deref(), Some("\"a  OR b * \"*"));
        assert_eq!(phrase(" \"-* "), None);
    }

    #[test]
    fn the_digest_tells_texts_apart() {
        let digest = |items: &[(&str, &str)]| Texts::of(&with_items(view(1), items).order.shop_items).digest();
        assert_eq!(digest(&[("a", "b")]), digest(&[("a", "b")]));
        assert_ne!(digest(&[("a", "b")]), digest(&[("b", "a")]));
        assert_ne!(digest(&[("a b", "")]), digest(&[("a", "b")]));
        assert_ne!(digest(&[("a b", "c")]), digest(&[("a", "c"), ("b", "c")]));
    }
}
