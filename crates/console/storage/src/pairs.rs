//! Keys of attributes with their values, as hashes for the filter of a block.

use std::fmt::Write;

use console_model::Attribute;

use crate::filter;
use crate::hash;

/// Those of the open rows.
#[derive(Default)]
pub(crate) struct Pairs {
    hashes: Vec<u64>,
    scratch: String,
}

impl Pairs {
    /// Notes an attribute; what is no text is noted as it is shown.
    pub(crate) fn note(&mut self, attribute: &Attribute) {
        let hash = match attribute.value.as_str() {
            Some(text) => hash::pair(&attribute.key, text),
            None => {
                self.scratch.clear();
                let _ = write!(self.scratch, "{}", attribute.value);
                hash::pair(&attribute.key, &self.scratch)
            }
        };
        self.hashes.push(hash);
    }

    /// What they take in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.hashes.len() * 8
    }

    /// Adds all of them to a filter.
    pub(crate) fn fill(&self, builder: &mut filter::Builder) {
        self.hashes.iter().for_each(|hash| builder.add(*hash));
    }
}
