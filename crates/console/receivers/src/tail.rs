//! Follows log files: what is appended to them becomes records, over rotation and restart. What is in a line
//! is looked at line by line; nothing here knows a store.
//!
//! Files are looked at a few times a second rather than watched: this holds on every file system, and a line
//! in a log is not more urgent than that.

mod batch;
mod fields;
mod file;
mod glob;
mod json;
mod line;
mod logfmt;
mod plain;
mod positions;
mod tailer;
#[cfg(test)]
mod tests;
mod time;

use std::path::PathBuf;
use std::time::Duration;

pub use line::{Parsed, read_line};
pub use tailer::{Counts, Tailer, run};

/// Bytes of a line that are kept; the rest of a longer one is skipped.
const LINE_BYTES_MAX: usize = 1 << 20;
/// Files followed at a time.
const FILES_MAX: usize = 1_000;
/// Bytes read from one file before the next one has its turn.
const FILE_BYTES_PER_ROUND: usize = 8 << 20;
/// Services that are told apart in one file; the lines of others go to the file's own.
const SERVICES_MAX: usize = 64;

/// What to follow, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Paths; a `*` in one stands for any text within a name, as in `/var/log/*/app*.log`. What is compressed
    /// by its ending (`.gz` and others) is left out.
    pub paths: Vec<String>,
    /// Whether files that are there at the start are read from their beginning, not from their end. Files
    /// that appear later are read from their beginning anyway.
    pub from_start: bool,
    /// The label `service_name` of lines that do not tell a service; else the name of the file without its
    /// ending.
    pub service: Option<String>,
    /// The label `job`.
    pub job: String,
    /// Where positions are kept, so that a restart goes on where this process ended.
    pub positions: Option<PathBuf>,
    /// How often files are looked at.
    pub poll_interval: Duration,
    /// How long a file that was renamed or removed is read on while nothing is appended to it, in rounds.
    pub rounds_after_removal: u32,
    /// Records of one batch at most.
    pub batch_records_max: usize,
    /// Bytes of the lines of one batch, roughly.
    pub batch_bytes_max: usize,
    /// How often a batch is offered before it is dropped.
    pub attempts_max: u32,
}

impl Options {
    /// Follows these paths from their end.
    pub fn new(paths: Vec<String>) -> Self {
        Self {
            paths,
            from_start: false,
            service: None,
            job: "tail".to_owned(),
            positions: None,
            poll_interval: Duration::from_millis(200),
            rounds_after_removal: 25,
            batch_records_max: 10_000,
            batch_bytes_max: 4 << 20,
            attempts_max: 50,
        }
    }
}
