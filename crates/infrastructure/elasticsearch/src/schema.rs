//! What the indexes are called and how they are made: names, mapping, settings. What is written into them
//! is the business of `documents`.

use std::fmt;

use delivery::repository::Generation;
use serde_json::{Value, json};

/// The version of the mapping. A change of it takes effect with the next rebuild.
const VERSION: u32 = 1;
/// Characters of a name at most: the engine takes 255 bytes, and puts more behind it than this leaves.
const NAME_MAX: usize = 128;
/// Ahead of the templates that others have for everything.
const PRIORITY: u32 = 500;
/// UTF-16 units of a word at most, since the engine keeps the beginnings of words up to this length; see
/// `words`.
pub(crate) const WORD_MAX: usize = 19;

/// The alias through which orders are searched; indexes and other aliases are called after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

/// Why a text cannot be a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must have 1 to {NAME_MAX} lower-case letters, digits, hyphens or underscores, a letter or digit first: \
     Elasticsearch takes no others, for instance orders-search"
)]
pub struct NameError;

impl Name {
    /// Checks a name.
    ///
    /// # Errors
    /// When the engine would not take it.
    pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
        let text = text.into();
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_good = text.bytes().all(|byte| is_plain(byte) || byte == b'-' || byte == b'_')
            && text.bytes().next().is_some_and(is_plain)
            && text.len() <= NAME_MAX;
        if is_good { Ok(Self(text)) } else { Err(NameError) }
    }

    /// The alias on the index that readers see.
    pub(crate) fn live(&self) -> &str {
        &self.0
    }

    /// The alias on the index that is being built. No name has a full stop, so nobody else's has it.
    pub(crate) fn building(&self) -> String {
        format!("{}.building", self.0)
    }

    /// The alias through which a generation is written and read.
    pub(crate) fn of(&self, Generation(number): Generation) -> String {
        format!("{}.g{number}", self.0)
    }

    /// The index of a generation.
    pub(crate) fn index(&self, Generation(number): Generation) -> String {
        format!("{}.v{number:06}", self.0)
    }

    /// All indexes.
    pub(crate) fn pattern(&self) -> String {
        format!("{}.v*", self.0)
    }

    /// The generation of an index.
    pub(crate) fn generation(&self, index: &str) -> Option<Generation> {
        index.strip_prefix(&self.0)?.strip_prefix(".v")?.parse().ok().map(Generation)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The template for all indexes of that name.
pub(crate) fn template(name: &Name) -> Value {
    json!({
        "index_patterns": [name.pattern()],
        "priority": PRIORITY,
        "version": VERSION,
        "_meta": {"description": "highbeam's order search"},
        "template": {
            "settings": {"index": {
                // Orders are few for one shard, and several would have to agree on what is newest.
                "number_of_shards": 1,
                // One copy as soon as there is a second node to keep it.
                "auto_expand_replicas": "0-1",
            }},
            "mappings": mappings(),
        },
    })
}

/// Nothing is guessed: a field that is not here is refused.
fn mappings() -> Value {
    json!({
        "dynamic": "strict",
        "_meta": {"version": VERSION},
        // The document has the texts as they were; here they are only to be found by.
        "_source": {"excludes": ["texts"]},
        "properties": {
            // What it is: order, parked, checkpoint or claim.
            "kind": {"type": "keyword"},
            "created_position": {"type": "long"},
            "revision": {"type": "long"},
            // Words that `words` has made equal already, one element a text, so that no phrase reaches
            // from one to the next.
            "texts": {
                "type": "text",
                "analyzer": "whitespace",
                "norms": false,
                "index_prefixes": {"min_chars": 1, "max_chars": WORD_MAX},
            },
            "document": {"type": "keyword", "index": false, "doc_values": false},
            "position": {"type": "long"},
            "parked": {"type": "object", "enabled": false},
            "checkpoint": {"type": "long", "index": false},
            "claim": {"type": "object", "enabled": false},
        },
    })
}

/// How often what was written can be found without being told to: a rebuild is refreshed once, at its end.
pub(crate) const fn refresh_interval(is_live: bool) -> &'static str {
    if is_live { "1s" } else { "-1" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_the_engine_takes() {
        for good in ["orders", "orders-search", "1_a"] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
        for bad in ["", "Orders", "-orders", "_orders", "a.b", "a b", "ä", "a/b", "a*", &"a".repeat(129)] {
            assert_eq!(Name::new(bad), Err(NameError), "{bad}");
        }
    }

    #[test]
    fn an_index_leads_back_to_its_generation() {
        let name = Name::new("orders").unwrap();
        for number in [1, 42, 1_234_567] {
            assert_eq!(name.generation(&name.index(Generation(number))), Some(Generation(number)));
        }
        for other in ["orders", "orders.vx", "orders-2.v000001", "orders.v000001.x", "other.v000001"] {
            assert_eq!(name.generation(other), None, "{other}");
        }
    }
}
