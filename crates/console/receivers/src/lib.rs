//! What else the console takes in beside OTLP: Prometheus' remote write and scrape targets, Loki's push,
//! log files.
//!
//! No store and no HTTP server belong here: what is taken in is handed on as values, to a [`Sink`] or to
//! whoever called the decoder.

mod exemplar;
pub mod exposition;
pub mod loki;
mod rejects;
pub mod remote_write;

pub mod scrape;
mod severity;
pub mod tail;

use console_model::{LogBatch, SampleBatch};

pub use rejects::Rejects;

/// Says why a batch was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// What stands in the way, in words for a person.
    pub message: String,
}

impl Refused {
    /// A refusal for this reason.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

/// Where what is taken in goes. Calls may block for milliseconds; the receivers make them where that does no
/// harm.
pub trait Sink: Send + Sync {
    /// Takes samples. An error means that the batch as a whole was not taken; samples that are late or twice
    /// are no error.
    fn samples(&self, batch: SampleBatch) -> Result<(), Refused>;

    /// Takes log records. An error means that the batch as a whole was not taken.
    fn logs(&self, batch: LogBatch) -> Result<(), Refused>;
}
