//! What names, labels and templates of a rule have to be, as `promtool check rules` has it.

use super::Texts;
use crate::query::Querier;
use crate::template::Templates;

/// Checks what is written in languages of others.
pub struct Checker<'a> {
    querier: &'a dyn Querier,
    templates: &'a Templates,
}

impl<'a> Checker<'a> {
    /// One that asks this for queries.
    pub const fn new(querier: &'a dyn Querier, templates: &'a Templates) -> Self {
        Self { querier, templates }
    }

    pub(super) fn query(&self, text: &str) -> Result<String, String> {
        self.querier.check(text).map_err(|error| error.to_string())
    }

    /// What is wrong with the templates among these texts.
    pub(super) fn templates<'t>(&'t self, what: &'t str, texts: &'t Texts) -> impl Iterator<Item = String> + 't {
        texts.iter().filter_map(move |(name, text)| {
            let error = self.templates.check(&format!("__alert_{name}"), text).err()?;
            Some(format!("{what} {name:?}: {error}; right is for example {{{{ $labels.instance }}}} is down"))
        })
    }
}

/// What is wrong with labels that are to be set.
pub(super) fn labels(labels: &Texts) -> impl Iterator<Item = String> + '_ {
    labels.keys().filter(|name| name.is_empty() || *name == "__name__").map(|name| {
        format!("invalid label name: {name:?}; right is for example severity (the name of a series is set by 'record')")
    })
}

/// What is wrong with annotations.
pub(super) fn annotations(annotations: &Texts) -> impl Iterator<Item = String> + '_ {
    let wrong = annotations.keys().filter(|name| name.is_empty());
    wrong.map(|name| format!("invalid annotation name: {name:?}; right is for example summary"))
}

/// What is wrong with the name of a recorded series.
pub(super) fn metric_name(name: &str) -> Option<String> {
    // Any text is a name by now, but braces are somebody's query in the wrong field.
    (name.contains('{') || name.contains('}')).then(|| {
        format!("braces present in the recording rule name; should it be in expr?: {name}; right is for example job:requests:rate5m")
    })
}
