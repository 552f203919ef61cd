//! The index of series: by label set, and for each name and value the series that have them (postings).
//! It knows no samples.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use console_model::{Labels, Text};
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use crate::matcher::Matcher;

/// See the module. Series have numbers that only grow, so postings are sorted as they come.
#[derive(Default)]
pub(crate) struct Index {
    hasher: DefaultHashBuilder,
    by_labels: HashTable<(Labels, u32)>,
    postings: HashMap<Text, BTreeMap<Text, Vec<u32>>>,
    all: Vec<u32>,
}

impl Index {
    pub(crate) fn find(&self, labels: &Labels) -> Option<u32> {
        let hash = self.hasher.hash_one(labels);
        self.by_labels.find(hash, |(known, _)| known == labels).map(|(_, series)| *series)
    }

    /// Adds a series with a number greater than all before.
    pub(crate) fn insert(&mut self, labels: &Labels, series: u32) {
        let hash = self.hasher.hash_one(labels);
        let hasher = &self.hasher;
        self.by_labels.insert_unique(hash, (labels.clone(), series), |(labels, _)| hasher.hash_one(labels));
        for (name, value) in labels.iter() {
            let values = match self.postings.get_mut(name) {
                Some(values) => values,
                None => self.postings.entry(name.into()).or_default(),
            };
            match values.get_mut(value) {
                Some(list) => list.push(series),
                None => {
                    values.insert(value.into(), vec![series]);
                }
            }
        }
        self.all.push(series);
    }

    /// Removes the series that are not to be kept.
    pub(crate) fn retain(&mut self, keep: impl Fn(u32) -> bool) {
        self.by_labels.retain(|(_, series)| keep(*series));
        self.all.retain(|series| keep(*series));
        self.postings.retain(|_, values| {
            values.retain(|_, list| {
                list.retain(|series| keep(*series));
                !list.is_empty()
            });
            !values.is_empty()
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The series that all matchers select, sorted.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> Vec<u32> {
        let (optional, required): (Vec<&Matcher>, Vec<&Matcher>) =
            matchers.iter().partition(|matcher| matcher.is_match(""));
        let mut selected: Option<Vec<u32>> = None;
        for matcher in required {
            let list = self.with(matcher.name(), matcher.listed(), |value| matcher.is_match(value));
            selected = Some(match selected {
                None => list,
                Some(so_far) => intersection(&so_far, &list),
            });
            if selected.as_ref().is_some_and(Vec::is_empty) {
                return Vec::new();
            }
        }
        let mut selected = selected.unwrap_or_else(|| self.all.clone());
        // Series without the label are selected too, so it is easier to say who is not.
        for matcher in optional {
            let list = self.with(matcher.name(), None, |value| !matcher.is_match(value));
            if !list.is_empty() {
                selected.retain(|series| list.binary_search(series).is_err());
            }
        }
        selected
    }

    fn with(&self, name: &str, listed: Option<Vec<&str>>, wanted: impl Fn(&str) -> bool) -> Vec<u32> {
        let Some(values) = self.postings.get(name) else { return Vec::new() };
        let lists: Vec<&Vec<u32>> = match listed {
            Some(mut listed) => {
                listed.sort_unstable();
                listed.dedup();
                listed.iter().filter_map(|value| values.get(*value)).collect()
            }
            None => values.iter().filter(|(value, _)| wanted(value)).map(|(_, list)| list).collect(),
        };
        match lists.as_slice() {
            [only] => (*only).clone(),
            // A series has one value of a name, so the lists share nothing.
            many => {
                let mut union: Vec<u32> = many.iter().flat_map(|list| list.iter().copied()).collect();
                union.sort_unstable();
                union
            }
        }
    }
}

fn intersection(a: &[u32], b: &[u32]) -> Vec<u32> {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    if short.len() * 16 < long.len() {
        return short.iter().copied().filter(|series| long.binary_search(series).is_ok()).collect();
    }
    let mut common = Vec::with_capacity(short.len());
    let mut rest = long.iter().peekable();
    for series in short {
        while rest.next_if(|other| *other < series).is_some() {}
        if rest.next_if_eq(&series).is_some() {
            common.push(*series);
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::matcher::select;

    fn any_matcher() -> impl Strategy<Value = Matcher> {
        let value = prop_oneof![Just("".to_owned()), "[a-c]", "[a-c]\\|[a-d]", "[a-c]\\.\\*", Just(".+".to_owned())];
        (0_u8..4, "[a-d]", value).prop_map(|(kind, name, value)| match kind {
            0 => Matcher::equal(name, value),
            1 => Matcher::not_equal(name, value),
            2 => Matcher::matches(name, &value).unwrap(),
            _ => Matcher::matches_not(name, &value).unwrap(),
        })
    }

    proptest! {
        /// The index selects what looking at every series would.
        #[test]
        fn postings_select_what_matchers_say(
            sets in proptest::collection::vec(proptest::collection::vec(("[a-d]", "[a-d]{1,2}"), 0..4), 0..40),
            matchers in proptest::collection::vec(any_matcher(), 0..4),
            removed in proptest::collection::hash_set(0_u32..40, 0..10),
        ) {
            let mut index = Index::default();
            let mut known = Vec::new();
            for (number, pairs) in (0_u32..).zip(sets) {
                let labels = Labels::from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
                if index.find(&labels).is_none() {
                    index.insert(&labels, number);
                    known.push((labels, number));
                }
            }
            index.retain(|series| !removed.contains(&series));
            known.retain(|(_, series)| !removed.contains(series));
            let expected: Vec<u32> =
                known.iter().filter(|(labels, _)| select(&matchers, labels)).map(|(_, number)| *number).collect();
            prop_assert_eq!(index.select(&matchers), expected);
            prop_assert!(known.iter().all(|(labels, number)| index.find(labels) == Some(*number)));
            prop_assert_eq!(index.len(), known.len());
        }
    }
}
