//! LogQL: reads queries as Loki does, and evaluates them over any store of log lines.
//!
//! The language is that of <https://grafana.com/docs/loki/latest/query/>, which is what decides where there is
//! doubt. A store is known only as a [`Source`]; HTTP, files and the clock are not known at all: whoever asks
//! says what time it is.
//!
//! Queries come from outside. What one may take is bounded: its text, its depth, its regular expressions, the
//! lines and series of its answer; and it ends when nobody waits for it any more.

pub mod ast;
mod entry;
mod error;
mod lex;
mod lines;
mod metric;
mod parse;
mod regexp;
mod source;
mod stage;
mod tail;
#[cfg(test)]
mod tests;
mod value;

pub use entry::{Origin, OriginatedLabels};
pub use error::{ParseError, QueryError};
pub use lines::{Found, FoundLine, LinesRequest, lines};
pub use metric::{Answer, Limits, MetricRequest, Series, metric};
pub use parse::{parse, parse_log, parse_selector};
pub use source::{Bulk, Known, Line, Order, Scan, Selection, Sink, Source, Taken};
pub use tail::Filter;
pub use value::format_number;

/// Asks whether somebody still waits for the answer.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// Nanoseconds of a duration as queries write them: `1h30m`, `1.5s`, `7d`.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    value::parse_duration(text)
}
