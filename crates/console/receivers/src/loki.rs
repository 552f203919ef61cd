//! Reads what is pushed to Loki, as JSON and as protobuf, from decompressed bytes. Snappy, gzip and HTTP are
//! not known here, nor is what the store then thinks of a line.
//!
//! An entry that is wrong is left out and told of; the others are taken. The messages:
//! <https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs> (`logproto.PushRequest`).

mod json;
mod labels;
mod protobuf;
mod request;
#[cfg(test)]
mod tests;

use console_model::LogBatch;

pub use json::{MalformedJson, decode_json};
pub use protobuf::decode_protobuf;

use crate::Rejects;

/// Entries of one request; senders send some thousands.
const ENTRIES_MAX: usize = 500_000;
/// Labels of a stream, besides the name of the service; bytes of a name; bytes of a value: what Loki allows
/// where nothing else is configured.
const LABELS_MAX: usize = 15;
const LABEL_NAME_BYTES_MAX: usize = 1_024;
const LABEL_VALUE_BYTES_MAX: usize = 2_048;
/// Bytes of a line.
const LINE_BYTES_MAX: usize = 256 * 1024;
/// What an entry says besides its line: how many, and bytes of all names and values.
const METADATA_MAX: usize = 128;
const METADATA_BYTES_MAX: usize = 64 * 1024;
/// The same of all entries of a request: how many. Empty ones take much more memory than bytes.
const REQUEST_METADATA_MAX: usize = 2_000_000;

/// A request as values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decoded {
    /// What is to be stored.
    pub batch: LogBatch,
    /// Entries that were not taken, and why. If there are any, the response is a 400 with this text, after
    /// the rest has been stored.
    pub rejects: Rejects,
}
