//! What is to be said of an answer: warnings and infos in the words of Prometheus, each once for a place in
//! the text.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::ast::Span;
use crate::print::quoted;

/// At most this many different ones are kept.
const NOTES_MAX: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Notes {
    text: String,
    warnings: RefCell<BTreeSet<String>>,
    infos: RefCell<BTreeSet<String>>,
}

impl Notes {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    pub(super) fn warn(&self, message: &str, span: Span) {
        self.add(&self.warnings, "warning", message, span);
    }

    pub(super) fn info(&self, message: &str, span: Span) {
        self.add(&self.infos, "info", message, span);
    }

    fn add(&self, to: &RefCell<BTreeSet<String>>, kind: &str, message: &str, span: Span) {
        let (line, column) = span.line_and_column(&self.text);
        let mut to = to.borrow_mut();
        if to.len() < NOTES_MAX {
            to.insert(format!("PromQL {kind}: {message} ({line}:{column})"));
        }
    }

    /// Warnings and infos.
    pub(super) fn into_parts(self) -> (Vec<String>, Vec<String>) {
        (self.warnings.into_inner().into_iter().collect(), self.infos.into_inner().into_iter().collect())
    }
}

/// A message about a metric, or about one that has no name.
pub(super) fn about(message: &str, name: &str) -> String {
    if name.is_empty() { message.to_owned() } else { format!("{message} for metric name {}", quoted(name)) }
}
