//! OTLP, both ways and in both encodings (protobuf and JSON), as the console's values.
//!
//! No HTTP, no gRPC, no compression, no store and no clock belong here: bytes come in whole and values go
//! out, or the other way round. The protocol: <https://opentelemetry.io/docs/specs/otlp/>; its messages:
//! <https://github.com/open-telemetry/opentelemetry-proto>.
//!
//! What is malformed fails as a whole, with its place ([`DecodeError`]). An item that OTLP does not allow (a
//! span without a trace, text that is not UTF-8) is left out and counted with a reason ([`Rejected`]), and
//! the rest is taken. In protobuf a resource or a scope with such text takes its items with it; in JSON it fails
//! the request, as does an integer there that is none, for a resource may come after its items. Memory stays within
//! [`memory_max`], and no input makes a reader recurse deeper than [`DEPTH_MAX`].

mod budget;
mod envelope;
mod error;
mod exact;
pub mod export;
mod json;
pub mod logs;
pub mod metrics;
mod protobuf;
pub mod response;
pub mod status;
pub mod traces;

pub use budget::{DEPTH_MAX, memory_max};
pub use error::{DecodeError, Decoded, Rejected};
pub use metrics::{Origin, Translated, Translator};

/// The three kinds of telemetry that OTLP carries here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Log records.
    Logs,
    /// Data points of metrics.
    Metrics,
}
