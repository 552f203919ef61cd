//! Reads what Prometheus' remote write sends, 1.0 and 2.0, from decompressed bytes. Snappy, HTTP and what the
//! store then thinks of a sample are not known here.
//!
//! A series that is wrong is left out and told of; the others are taken. The messages:
//! <https://prometheus.io/docs/specs/prw/remote_write_spec/> (`prometheus.WriteRequest`) and
//! <https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/> (`io.prometheus.write.v2.Request`).

mod histogram;
mod series;
#[cfg(test)]
mod tests;
mod v1;
mod v2;

use console_model::SampleBatch;

pub use console_wire::Malformed;
pub use v1::decode_v1;
pub use v2::decode_v2;

use crate::Rejects;

/// Series of one request; senders send some thousands.
const SERIES_MAX: usize = 500_000;
/// Samples of one request.
const SAMPLES_MAX: u64 = 5_000_000;
/// Labels of one series.
const LABELS_MAX: usize = 256;
/// Bytes of all names and values of one series.
const LABEL_BYTES_MAX: usize = 64 * 1024;
/// Bytes of the labels of all series of a request. With 2.0, where a text is sent once and referred to often,
/// a short request could ask for more memory than there is.
const REQUEST_LABEL_BYTES_MAX: usize = 96 << 20;
/// Exemplars of one request.
const EXEMPLARS_MAX: usize = 100_000;
/// Bytes of names and descriptions of all metrics of a request, for the same reason.
const METADATA_BYTES_MAX: usize = 16 << 20;
/// Bytes of a description that are kept.
const HELP_BYTES_MAX: usize = 4_096;
/// Metrics of which something is kept, of one request.
const METRICS_MAX: usize = 100_000;

/// Bytes of all native histograms of a request in memory: an empty one is two bytes of the message.
const HISTOGRAM_BYTES_MAX: usize = 256 << 20;

/// How much of a request was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Float samples.
    pub samples: u64,
    /// Native histograms.
    pub histograms: u64,
    /// Exemplars.
    pub exemplars: u64,
}

impl Written {
    /// Takes off what a store did not take, of whichever kind there is.
    pub fn take_off(&mut self, count: u64) {
        let samples = count.min(self.samples);
        self.samples -= samples;
        self.histograms = self.histograms.saturating_sub(count - samples);
    }

    /// The headers that a response to 2.0 has to have, each with its value.
    pub fn headers(&self) -> [(&'static str, u64); 3] {
        [
            ("X-Prometheus-Remote-Write-Samples-Written", self.samples),
            ("X-Prometheus-Remote-Write-Histograms-Written", self.histograms),
            ("X-Prometheus-Remote-Write-Exemplars-Written", self.exemplars),
        ]
    }
}

/// A request as values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decoded {
    /// What is to be stored.
    pub batch: SampleBatch,
    /// How much that is. Whoever stores it takes off what the store did not take.
    pub written: Written,
    /// Samples and histograms that were not taken, and why. If there are any, the response is a 400 with this
    /// text, after the rest has been stored.
    pub rejects: Rejects,
    /// Native histograms among those.
    pub histograms_rejected: u64,
    /// Exemplars that were longer than the 128 characters that exemplars may have, of a series that was not
    /// taken, or beyond 100,000 in one request.
    pub exemplars_rejected: u64,
}
