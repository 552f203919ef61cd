//! From a line to a record: which format it is in is seen line by line, for many programs mix them. Where
//! lines come from is not known here.

use console_model::{LogRecord, Text};

use super::{fields, json, logfmt, plain};

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The record.
    pub record: LogRecord,
    /// The service that the line names, if it does.
    pub service: Option<Text>,
}

/// Reads a line of JSON, logfmt or anything else. `arrival_ns` is the time of arrival, nanoseconds since the
/// Unix epoch: it stands where the line has no time.
pub fn read_line(line: &str, arrival_ns: u64) -> Parsed {
    match json::fields(line).or_else(|| logfmt::read(line)) {
        Some(found) => fields::record(found, line, arrival_ns),
        None => plain::record(line, arrival_ns),
    }
}
