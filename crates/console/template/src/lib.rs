//! Go's text templates: what alerts' annotations and LogQL's `line_format` are written in.
//!
//! The language is that of <https://pkg.go.dev/text/template>: actions, pipelines, variables, `if`, `range`,
//! `with`, `define`, `block`, `template`, `break`, `continue`, trimming, Go's own functions and its messages.
//! What a caller's templates may call besides is a table that the caller gives. No alert, no log line, no
//! clock and no regular expression belong here.
//!
//! Templates come from outside: their nesting, their steps, and what they write are bounded, and nothing that
//! one says makes it panic.
//!
//! ```
//! use console_template::{Functions, Limits, Template, Value};
//!
//! let mut functions = Functions::go();
//! functions.add("shout", 1..=1, |arguments, _| {
//!     Ok(Value::from(arguments.first().map(Value::to_string).unwrap_or_default().to_uppercase()))
//! });
//! let template = Template::parse("greeting", "{{ if .name }}hello {{ .name | shout }}{{ end }}", &functions)?;
//! let data = Value::map([("name", Value::from("ada"))]);
//! assert_eq!(template.run(&data, &Limits::default())?, "hello ADA");
//! # Ok::<(), console_template::Error>(())
//! ```

mod functions;
pub mod go;
mod parse;
mod run;
#[cfg(test)]
mod tests;
mod tree;
mod value;

use compact_str::CompactString;

pub use functions::{Body, Functions};
pub use value::{Data, Opaque, Value};

/// A short string: up to 24 bytes live in place.
pub type Text = CompactString;

/// Says why a template is none, or why it could not be carried out, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// `template: NAME:LINE: …`, as Go says it.
    pub message: String,
}

/// What a map that has no such key gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// No value, which is written as `<no value>`: Go's `missingkey=default` for maps of anything.
    #[default]
    NoValue,
    /// The empty text: Go's `missingkey=zero` for maps of texts.
    Empty,
    /// An error: Go's `missingkey=error`.
    Error,
}

/// How much a template may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that it may write.
    pub output_bytes: usize,
    /// Nodes and calls that it may carry out.
    pub steps: usize,
    /// Templates within templates.
    pub depth: usize,
    /// Bytes of all texts that it reads and makes, for each may be held by a variable and made into a longer one.
    pub value_bytes: usize,
    /// What is said of keys that are not there.
    pub missing: Missing,
}

impl Default for Limits {
    fn default() -> Self {
        Self { output_bytes: 1 << 20, steps: 200_000, depth: 100, value_bytes: 16 << 20, missing: Missing::NoValue }
    }
}

/// A template that was read, with those that it defines.
#[derive(Debug, Clone)]
pub struct Template {
    name: Box<str>,
    text: Box<str>,
    templates: Vec<(Box<str>, Vec<tree::Node>)>,
}

impl Template {
    /// Reads a template. Its functions are bound now: one that is not in the table is an error here.
    pub fn parse(name: &str, text: &str, functions: &Functions) -> Result<Self, Error> {
        let templates = parse::parse(name, text, functions)?;
        Ok(Self { name: name.into(), text: text.into(), templates })
    }

    /// What it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Carries it out on this data.
    pub fn run(&self, data: &dyn Data, limits: &Limits) -> Result<String, Error> {
        let mut out = String::new();
        self.run_into(data, limits, &mut out)?;
        Ok(out)
    }

    /// Carries it out and appends what it writes. On an error, what was written so far stays there.
    pub fn run_into(&self, data: &dyn Data, limits: &Limits, out: &mut String) -> Result<(), Error> {
        run::run(self, data, limits, out)
    }

    /// Whether it names the dot or the data as a whole, so that any field may end up in what it writes.
    pub fn names_whole(&self) -> bool {
        self.templates.iter().any(|(_, nodes)| tree::names_whole(nodes))
    }

    /// The fields of the data that the whole template names at its top, each once: `a` in `{{ .a.b }}`.
    pub fn fields(&self) -> Vec<Text> {
        let mut fields = Vec::new();
        self.templates.iter().for_each(|(_, nodes)| tree::fields(nodes, &mut fields));
        fields.sort_unstable();
        fields.dedup();
        fields
    }
}
