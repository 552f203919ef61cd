//! Label sets: names and values, sorted by name, in one allocation.
//!
//! A set is one string: for each pair, in order of names, the length of the name, the length of the value,
//! the name, the value. Lengths are written in six bits a byte with a continuation bit, so every byte of
//! them is ASCII and the whole stays valid UTF-8, which makes reading a slice, not a check.

mod order;

pub use order::order_of;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A sorted set of label names and values, without names twice and without empty values, as Prometheus has
/// it. Cheap to clone; equality and hash are those of the bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Labels(Arc<str>);

impl Default for Labels {
    fn default() -> Self {
        Self(Arc::from(""))
    }
}

impl Labels {
    /// The set of these pairs. Where a name is repeated the last one holds; empty values are left out, for
    /// Prometheus makes no difference between an empty label and none.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut builder = LabelSetBuilder::new();
        pairs.into_iter().for_each(|(name, value)| builder.push(name, value));
        builder.finish()
    }

    /// The packed form, to be kept. See [`Labels::from_packed`].
    pub fn packed(&self) -> &str {
        &self.0
    }

    /// The set that [`Labels::packed`] gave; `None` if the text is not such a form.
    pub fn from_packed(packed: &str) -> Option<Self> {
        let mut pairs = Pairs { rest: packed };
        let mut last: Option<&str> = None;
        for (name, value) in pairs.by_ref() {
            if value.is_empty() || last.is_some_and(|last| last >= name) {
                return None;
            }
            last = Some(name);
        }
        pairs.rest.is_empty().then(|| Self(packed.into()))
    }

    /// The value of a label.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(candidate, _)| *candidate == name).map(|(_, value)| value)
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + '_ {
        Pairs { rest: &self.0 }
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Labels {
    /// By names and values in turn, as Prometheus sorts series.
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl fmt::Display for Labels {
    /// As PromQL writes them: `{job="api", path="/"}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (position, (name, value)) in self.iter().enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            write!(f, "{comma}{name}={value:?}")?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

struct Pairs<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    /// `None` at the end, and at the first thing that is not a pair.
    fn next(&mut self) -> Option<Self::Item> {
        let (name_len, after) = read_length(self.rest)?;
        let (value_len, after) = read_length(after)?;
        let name = after.get(..name_len)?;
        let value = after.get(name_len..name_len.checked_add(value_len)?)?;
        self.rest = after.get(name_len + value_len..)?;
        Some((name, value))
    }
}

fn read_length(text: &str) -> Option<(usize, &str)> {
    let mut length = 0_usize;
    for (position, byte) in text.bytes().enumerate().take(6) {
        if byte >= 0x80 {
            return None;
        }
        length |= usize::from(byte & 0x3f) << (6 * position);
        if byte & 0x40 == 0 {
            return Some((length, text.get(position + 1..)?));
        }
    }
    None
}

fn write_length(out: &mut String, mut length: usize) {
    loop {
        let low = u8::try_from(length & 0x3f).unwrap_or(0);
        length >>= 6;
        out.push(char::from(if length == 0 { low } else { low | 0x40 }));
        if length == 0 {
            return;
        }
    }
}

/// Collects pairs into a set. One builder serves many sets, so that only the set itself is allocated.
#[derive(Debug, Default)]
pub struct LabelSetBuilder {
    text: String,
    /// Where each name begins, where its value begins, where that ends.
    pairs: Vec<(u32, u32, u32)>,
    packed: String,
}

impl LabelSetBuilder {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a label. Beyond 4 GiB in one set nothing is added.
    pub fn push(&mut self, name: &str, value: &str) {
        let offset = |length: usize| u32::try_from(length).ok();
        let (start, middle) = (self.text.len(), self.text.len() + name.len());
        if let (Some(start), Some(middle), Some(end)) = (offset(start), offset(middle), offset(middle + value.len())) {
            self.text.push_str(name);
            self.text.push_str(value);
            self.pairs.push((start, middle, end));
        }
    }

    /// The set, sorted. The builder is empty afterwards.
    pub fn finish(&mut self) -> Labels {
        let text = self.text.as_str();
        let slice = |start: u32, end: u32| text.get(start as usize..end as usize).unwrap_or_default();
        let name = |pair: &(u32, u32, u32)| slice(pair.0, pair.1);
        if !self.pairs.is_sorted_by(|a, b| name(a) < name(b)) {
            self.pairs.sort_by(|a, b| name(a).cmp(name(b)));
        }
        self.packed.clear();
        for (position, pair) in self.pairs.iter().enumerate() {
            let value = slice(pair.1, pair.2);
            let repeated = self.pairs.get(position + 1).is_some_and(|next| name(next) == name(pair));
            if value.is_empty() || repeated {
                continue;
            }
            write_length(&mut self.packed, name(pair).len());
            write_length(&mut self.packed, value.len());
            self.packed.push_str(name(pair));
            self.packed.push_str(value);
        }
        self.text.clear();
        self.pairs.clear();
        Labels(self.packed.as_str().into())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sorted_without_empty_and_the_last_of_a_name_holds() {
        let labels = Labels::from_pairs([("z", "1"), ("a", "2"), ("empty", ""), ("a", "3")]);
        assert_eq!(labels.to_string(), r#"{a="3", z="1"}"#);
        assert_eq!(labels.get("a"), Some("3"));
        assert_eq!(labels.get("empty"), None);
        assert_eq!(labels, Labels::from_pairs([("a", "3"), ("z", "1")]));
    }

    #[test]
    fn order_is_by_pairs() {
        let set = |pairs: &[(&str, &str)]| Labels::from_pairs(pairs.iter().copied());
        let mut sets = [set(&[("b", "1")]), set(&[("a", "2")]), set(&[("a", "10"), ("c", "1")]), set(&[])];
        sets.sort();
        assert_eq!(
            sets.iter().map(Labels::to_string).collect::<Vec<_>>(),
            ["{}", r#"{a="10", c="1"}"#, r#"{a="2"}"#, r#"{b="1"}"#]
        );
    }

    #[test]
    fn what_is_no_packed_form_is_refused() {
        for text in ["x", "\u{1}", "\u{1}\u{1}a", "\u{1}\u{0}a", "\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}é", "é"] {
            assert_eq!(Labels::from_packed(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_pairs_come_back(pairs in proptest::collection::btree_map(".{0,80}", ".{1,200}", 0..12)) {
            let pairs: BTreeMap<String, String> = pairs;
            let labels = Labels::from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            let back: BTreeMap<String, String> =
                labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            prop_assert_eq!(&back, &pairs);
            prop_assert_eq!(Labels::from_packed(labels.packed()), Some(labels.clone()));
            prop_assert_eq!(labels.len(), pairs.len());
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,64}") {
            let _ = Labels::from_packed(&text);
        }
    }
}
