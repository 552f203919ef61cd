//! The console's store: traces, logs and metrics on disk, within bounds, safe against crashes.
//!
//! No wire format, no query language and no HTTP belong here. [`Store`] takes in batches of
//! `console_model` values and gives them back by id, by selection and in order.
//!
//! # How it is kept
//! Each signal has a *shelf* (`shelf`), and a shelf has one partition for each service. What comes in is
//! appended to the partition's open rows in memory; full rows become a compressed, immutable block in the
//! partition's segment file. What is not yet in a block goes to the shelf's write-ahead log at every tick
//! of the flusher, so that a crash loses at most one interval. Metrics have a head before the shelf
//! (`metrics`), where each series fills its chunk.
//!
//! Retention removes whole segments of the service that keeps the most, so a noisy service evicts itself.

mod api;
mod codec;
mod counts;
mod disk;
mod error;
mod facts;
mod filter;
mod frame;
mod hash;
mod logs;
mod matcher;
mod metrics;
mod options;
mod origin;
mod pack;
mod pairs;
mod pins;
mod retention;
mod shelf;
mod store;
#[cfg(test)]
mod tests;
mod traces;

pub use counts::{Counts, ServiceEvictions};
pub use error::{IngestError, OpenError, ReadError};
pub use facts::{Fact, FactKind, Signal};
pub use logs::{Direction, LogBlock, LogBlocks, LogLine, LogLines, LogQuery, LogScan, WholeBlock};
pub use matcher::{InvalidPattern, Matcher, select};
pub use metrics::{Histograms, Point, Points, SampleOutcome, Samples, SelectLimits, SelectedSeries};
pub use options::Options;
pub use shelf::Left;
pub use store::{Oldest, Store};
pub use traces::{Evicted, Operation, SpanHead, SpanOutline, TRACE_SPANS_MAX, Trace, TraceOutline, TraceQuery};
