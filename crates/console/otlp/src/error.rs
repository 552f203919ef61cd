//! Why a request, or an item of it, is not taken. What is wrong is said where it is found; its place is put
//! together on the way out, so that what is right costs nothing.

use std::fmt::{self, Display};

use console_wire::Malformed;

/// How many reasons are given for items that were left out.
const REASONS_MAX: usize = 3;
/// How long a name may be in a path; longer ones are cut.
const NAME_MAX: usize = 64;

/// What is wrong with a request, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(Box<Fault>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    what: String,
    path: String,
    offset: Option<usize>,
    position: Option<(usize, usize)>,
    extent: Extent,
}

/// What is spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// An item; the rest of the request can be taken.
    Item,
    /// The request, for it is not what it claims to be.
    Request,
    /// The request, for it would take too much memory.
    TooLarge,
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.what)?;
        match self.position {
            Some((line, column)) => write!(f, " (line {line}, column {column})"),
            None => Ok(()),
        }
    }
}

impl DecodeError {
    fn new(what: String, extent: Extent) -> Self {
        Self(Box::new(Fault { what, path: String::new(), offset: None, position: None, extent }))
    }

    /// One that spoils the request.
    pub(crate) fn whole(what: impl Into<String>) -> Self {
        Self::new(what.into(), Extent::Request)
    }

    /// One that spoils the request, which is well but too much at once.
    pub(crate) fn too_large(what: impl Into<String>) -> Self {
        Self::new(what.into(), Extent::TooLarge)
    }

    /// One that spoils the item it is found in.
    pub(crate) fn item(what: impl Into<String>) -> Self {
        Self::new(what.into(), Extent::Item)
    }

    /// Whether it spoils an item and not the request.
    pub(crate) fn is_of_item(&self) -> bool {
        self.0.extent == Extent::Item
    }

    /// Whether the request is too much at once, but well in parts.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.0.extent == Extent::TooLarge
    }

    /// The same, found below this name, or this index in brackets.
    #[must_use]
    pub(crate) fn under(mut self, name: &str) -> Self {
        let cut = name.char_indices().nth(NAME_MAX).map_or(name, |(end, _)| name.get(..end).unwrap_or(name));
        let dot = if self.0.path.is_empty() || self.0.path.starts_with('[') { "" } else { "." };
        self.0.path = format!("{cut}{dot}{}", self.0.path);
        self
    }

    /// The same, found in this one of a list.
    #[must_use]
    pub(crate) fn under_index(self, name: &str, index: usize) -> Self {
        self.under(&format!("{name}[{index}]"))
    }

    /// The same, found at this byte of a JSON text, unless its place is known better.
    #[must_use]
    pub(crate) fn at(mut self, offset: usize) -> Self {
        self.0.offset.get_or_insert(offset);
        self
    }

    /// The same, with the line and column of its place in this JSON text.
    #[must_use]
    pub(crate) fn located(mut self, text: &[u8]) -> Self {
        if let Some(before) = self.0.offset.map(|offset| text.get(..offset).unwrap_or(text)) {
            let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            // Characters, as editors count them: continuation bytes are none.
            let in_line = before.get(line_start..).unwrap_or_default();
            let column = 1 + in_line.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
            self.0.position = Some((line, column));
        }
        self
    }

    /// What is wrong, without its place.
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// Where, as in `resourceSpans[0].scopeSpans[2].spans[14].traceId`; empty for the request itself.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The line and the column, both from 1, of a JSON text; `None` of protobuf.
    pub fn line_column(&self) -> Option<(usize, usize)> {
        self.0.position
    }
}

impl From<Malformed> for DecodeError {
    /// Text that is not UTF-8 spoils its item; anything else means that the bytes are not what they should be.
    fn from(malformed: Malformed) -> Self {
        let of_item = matches!(malformed, Malformed::Text { .. });
        Self::new(malformed.to_string(), if of_item { Extent::Item } else { Extent::Request })
    }
}

/// What was read of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<B> {
    /// What was taken.
    pub batch: B,
    /// What was not.
    pub rejected: Rejected,
}

/// What was not taken of a request that was, for OTLP's partial success.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rejected {
    /// How many spans, log records or data points.
    pub count: u64,
    /// Why, for the first few; empty if there are none.
    pub message: String,
}

impl Rejected {
    /// This and what was rejected later on.
    #[must_use]
    pub fn and(mut self, later: Self) -> Self {
        self.count += later.count;
        if !self.message.is_empty() && !later.message.is_empty() {
            self.message.push_str("; ");
        }
        self.message.push_str(&later.message);
        self
    }
}

/// Collects what is rejected.
#[derive(Debug, Default)]
pub(crate) struct Rejects {
    count: u64,
    reasons: Vec<String>,
}

impl Rejects {
    /// Counts items, and keeps the reason if it is one of the first.
    pub(crate) fn add(&mut self, items: u64, reason: impl FnOnce() -> String) {
        self.count += items;
        if items > 0 && self.reasons.len() < REASONS_MAX {
            self.reasons.push(reason());
        }
    }

    /// Counts an item that is spoilt; gives the error back if it spoils the request.
    pub(crate) fn item(
        &mut self,
        error: DecodeError,
        name_it: impl FnOnce(DecodeError) -> DecodeError,
    ) -> Result<(), DecodeError> {
        self.items(error, || Ok(1), name_it)
    }

    /// The same for all items of a group, whose resource or scope is spoilt; `count` is asked for how many.
    pub(crate) fn items(
        &mut self,
        error: DecodeError,
        count: impl FnOnce() -> Result<u64, DecodeError>,
        name_it: impl FnOnce(DecodeError) -> DecodeError,
    ) -> Result<(), DecodeError> {
        if !error.is_of_item() {
            return Err(error);
        }
        self.add(count()?, || name_it(error).to_string());
        Ok(())
    }

    /// The sum of it.
    pub(crate) fn finish(self) -> Rejected {
        let mut message = self.reasons.join("; ");
        if let Some(more) = self.count.checked_sub(self.reasons.len() as u64).filter(|more| *more > 0) {
            message.push_str(&format!("; and {more} more"));
        }
        Rejected { count: self.count, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_and_where() {
        let error = DecodeError::whole("is wrong").under("traceId").under_index("spans", 3);
        assert_eq!(error.to_string(), "spans[3].traceId: is wrong");
        let error = DecodeError::item("is wrong").under("[3]").under("spans").at(7).located("{\n \"ä\": 1".as_bytes());
        assert_eq!(error.to_string(), "spans[3]: is wrong (line 2, column 5)");
        assert_eq!((error.what(), error.path(), error.line_column()), ("is wrong", "spans[3]", Some((2, 5))));
    }

    #[test]
    fn the_first_reasons_are_given() {
        let mut rejects = Rejects::default();
        (0..5).for_each(|number| rejects.add(1, || format!("reason {number}")));
        let rejected = rejects.finish();
        assert_eq!(rejected.count, 5);
        assert_eq!(rejected.message, "reason 0; reason 1; reason 2; and 2 more");
        let both = rejected.and(Rejected { count: 1, message: "late".into() });
        assert_eq!((both.count, both.message.ends_with("; late")), (6, true));
    }
}
