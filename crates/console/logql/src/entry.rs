//! A line on its way through a pipeline: its text as it is by now, and its labels with where they came from.
//! What stages do with it is their business.

use std::cell::OnceCell;
use std::ops::Deref;

use console_model::Text;

use crate::source::{Known, Line};

/// Labels that a pipeline may add to one line; a document with more loses the rest.
const ADDED_MAX: usize = 1_000;
/// Bytes of their names and values, those that were set again included.
const ADDED_BYTES_MAX: usize = 4 << 20;

/// The label that says that a stage failed on the line.
pub(crate) const ERROR: &str = "__error__";
/// The label that says why.
pub(crate) const ERROR_DETAILS: &str = "__error_details__";

/// Where a label came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The stream.
    Stream,
    /// The line's structured metadata.
    Metadata,
    /// The pipeline.
    Parsed,
}

/// Labels with where they came from, sorted by name; shared by the lines that have the same.
pub type OriginatedLabels = std::sync::Arc<[(Text, Text, Origin)]>;

/// Names and values in one text, so that a label costs no allocation of its own.
#[derive(Debug, Default)]
struct Pairs {
    text: String,
    ends: Vec<(u32, u32)>,
}

impl Pairs {
    fn push(&mut self, name: &str, value: &str) {
        let end = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        self.text.push_str(name);
        let middle = end(self.text.len());
        self.text.push_str(value);
        self.ends.push((middle, end(self.text.len())));
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    fn get(&self, at: usize) -> Option<(&str, &str)> {
        let from = at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(_, end)| *end);
        let (middle, end) = *self.ends.get(at)?;
        let slice = |from: u32, to: u32| self.text.get(from as usize..to as usize);
        Some((slice(from, middle)?, slice(middle, end)?))
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        (0..self.ends.len()).filter_map(|at| self.get(at))
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.iter().find(|(candidate, _)| *candidate == name).map(|(_, value)| value)
    }
}

/// What a parser appends to a name that the stream has already.
const SUFFIX: &str = "_extracted";

/// The labels that somebody will ask for: a parser need not take out others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Needed {
    /// A few, so that going through them is the quickest way to find one.
    names: Vec<Text>,
    /// Whether one of them is a name that a stream has already.
    has_suffixed: bool,
}

impl Needed {
    pub(crate) fn insert(&mut self, name: &Text) {
        self.has_suffixed |= name.ends_with(SUFFIX);
        if self.excludes(name) {
            self.names.push(name.clone());
        }
    }

    fn excludes(&self, name: &str) -> bool {
        self.names.iter().all(|needed| needed != name)
    }
}

/// What is kept from line to line, so that memory is not asked for again and again.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    added: Pairs,
    /// Which of the added are gone again.
    hidden: Vec<bool>,
    removed: Vec<Text>,
    key: String,
}

/// The labels of one line.
pub(crate) struct LineLabels<'a> {
    source: &'a dyn Line,
    metadata: OnceCell<Pairs>,
    buffers: &'a mut Buffers,
    error: Option<&'static str>,
    error_details: String,
    /// The labels that somebody will ask for; all if nothing.
    needed: Option<&'a Needed>,
}

impl<'a> LineLabels<'a> {
    pub(crate) fn new(source: &'a dyn Line, buffers: &'a mut Buffers, needed: Option<&'a Needed>) -> Self {
        buffers.added.clear();
        buffers.hidden.clear();
        buffers.removed.clear();
        Self { source, metadata: OnceCell::new(), buffers, error: None, error_details: String::new(), needed }
    }

    fn metadata(&self) -> &Pairs {
        self.metadata.get_or_init(|| {
            let mut pairs = Pairs::default();
            self.source.metadata(&mut |name, value| pairs.push(name, value));
            pairs
        })
    }

    /// One piece of metadata; all of it is collected only where the source does not know the one.
    fn metadata_value(&self, name: &str) -> Option<&str> {
        if let Some(all) = self.metadata.get() {
            return all.find(name);
        }
        match self.source.known(name) {
            Known::Value(value) => Some(value),
            Known::Nothing => None,
            Known::Unknown => self.metadata().find(name),
        }
    }

    fn added(&self) -> impl Iterator<Item = (&str, &str)> {
        let hidden = |at: &usize| self.buffers.hidden.get(*at).copied().unwrap_or(false);
        (0..self.buffers.hidden.len()).filter(move |at| !hidden(at)).filter_map(|at| self.buffers.added.get(at))
    }

    fn is_removed(&self, name: &str) -> bool {
        self.buffers.removed.iter().any(|removed| removed == name)
    }

    /// The value of a label. One that is empty is none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let value = match name {
            ERROR => self.error,
            ERROR_DETAILS => Some(self.error_details.as_str()),
            _ => match self.added().find(|(candidate, _)| *candidate == name) {
                Some((_, value)) => Some(value),
                None if self.is_removed(name) => None,
                None => self.source.stream().get(name).or_else(|| self.metadata_value(name)),
            },
        };
        value.filter(|value| !value.is_empty())
    }

    /// Whether the stream itself has such a label.
    fn stream_has(&self, name: &str) -> bool {
        self.source.stream().get(name).is_some()
    }

    /// Sets a label, whatever was there.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.hide(name);
        let bytes = self.buffers.added.text.len() + name.len() + value.len();
        if self.buffers.hidden.len() < ADDED_MAX && bytes <= ADDED_BYTES_MAX {
            self.buffers.added.push(name, value);
            self.buffers.hidden.push(false);
        }
    }

    fn hide(&mut self, name: &str) {
        for at in 0..self.buffers.hidden.len() {
            if self.buffers.added.get(at).is_some_and(|(candidate, _)| candidate == name)
                && let Some(hidden) = self.buffers.hidden.get_mut(at)
            {
                *hidden = true;
            }
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        match name {
            ERROR => self.error = None,
            ERROR_DETAILS => self.error_details.clear(),
            _ => {
                self.hide(name);
                if !self.is_removed(name) {
                    self.buffers.removed.push(name.into());
                }
            }
        }
    }

    /// Adds a label that a parser found, under a name that a label can have. What the stream has already gets
    /// another name; what was found before stays.
    pub(crate) fn extract(&mut self, name: &str, value: &str) {
        let mut key = std::mem::take(&mut self.buffers.key);
        key.clear();
        sanitize(name, &mut key);
        self.extract_sanitized(&mut key, value);
        self.buffers.key = key;
    }

    /// The same under a name that is one already.
    pub(crate) fn extract_sanitized(&mut self, key: &mut String, value: &str) {
        if key.is_empty() {
            return;
        }
        if self.needed.is_some_and(|needed| !needed.has_suffixed && needed.excludes(key)) {
            return;
        }
        if self.stream_has(key) {
            key.push_str(SUFFIX);
        }
        if self.needed.is_some_and(|needed| needed.excludes(key)) {
            return;
        }
        if self.buffers.added.find(key).is_none() {
            self.set(key, value);
        }
    }

    /// Tells that a stage failed on the line.
    pub(crate) fn fail(&mut self, kind: &'static str, details: impl Into<String>) {
        self.error = Some(kind);
        self.error_details = details.into();
    }

    pub(crate) const fn has_error(&self) -> bool {
        self.error.is_some()
    }

    /// All labels with where they came from, sorted by name; those without a value are none.
    pub(crate) fn all(&self) -> Vec<(&str, &str, Origin)> {
        let is_new = |name: &str| self.is_removed(name) || self.added().any(|(candidate, _)| candidate == name);
        let stream = self.source.stream();
        let metadata = self.metadata();
        let mut all: Vec<(&str, &str, Origin)> = Vec::new();
        all.extend(stream.iter().filter(|(name, _)| !is_new(name)).map(|(name, value)| (name, value, Origin::Stream)));
        let others = metadata.iter().filter(|(name, _)| !is_new(name) && stream.get(name).is_none());
        all.extend(others.map(|(name, value)| (name, value, Origin::Metadata)));
        all.extend(self.added().map(|(name, value)| (name, value, Origin::Parsed)));
        if let Some(error) = self.error {
            all.push((ERROR, error, Origin::Parsed));
            all.push((ERROR_DETAILS, &self.error_details, Origin::Parsed));
        }
        all.retain(|(_, value, _)| !value.is_empty());
        all.sort_unstable_by_key(|(name, ..)| *name);
        all.dedup_by_key(|(name, ..)| *name);
        all
    }

    pub(crate) fn source(&self) -> &'a dyn Line {
        self.source
    }
}

/// What a line says by now. It is not asked of its source before somebody wants to know.
pub(crate) struct LineText<'a> {
    source: &'a dyn Line,
    changed: Option<String>,
}

impl<'a> LineText<'a> {
    pub(crate) fn new(source: &'a dyn Line) -> Self {
        Self { source, changed: None }
    }

    pub(crate) fn set(&mut self, text: String) {
        self.changed = Some(text);
    }
}

impl LineText<'_> {
    /// How long it is, bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.changed.as_ref().map_or_else(|| self.source.bytes(), String::len)
    }
}

impl Deref for LineText<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.changed.as_deref().unwrap_or_else(|| self.source.text())
    }
}

/// A line with its labels.
pub(crate) struct Entry<'a> {
    /// What it says by now.
    pub(crate) line: LineText<'a>,
    pub(crate) labels: LineLabels<'a>,
    /// The number that it stands for, where a query unwraps one.
    pub(crate) value: f64,
}

/// A name as labels may have it: what is no letter and no digit becomes an underscore, and one stands before
/// a digit that would be first.
pub(crate) fn sanitize(name: &str, out: &mut String) {
    let is_clean = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    let is_first_digit = out.is_empty() && name.as_bytes().first().is_some_and(u8::is_ascii_digit);
    if !is_first_digit && name.bytes().all(is_clean) {
        // Nearly every name there is.
        out.push_str(name);
        return;
    }
    let name = name.trim();
    if out.is_empty() && name.starts_with(|first: char| first.is_ascii_digit()) {
        out.push('_');
    }
    out.extend(name.chars().map(|character| match character {
        '_' | 'a'..='z' | 'A'..='Z' | '0'..='9' => character,
        _ => '_',
    }));
}
