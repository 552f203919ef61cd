//! Native histograms: a whole distribution as one sample, with the operations that PromQL does on them.
//!
//! The meaning is that of Prometheus' specification (<https://prometheus.io/docs/specs/native_histograms/>).
//! Wire formats, how histograms are packed on disk, and which warnings a query gives belong elsewhere: what
//! an operation met is returned, to be told by the caller.

mod arithmetic;
mod buckets;
mod check;
mod classic;
mod display;
mod iterate;
mod quantile;
mod reset;
mod resolution;
mod schema;
mod statistics;
mod sum;
#[cfg(test)]
mod tests;
mod trim;

use std::sync::Arc;

pub use arithmetic::{Incompatible, Reconciled};
pub use buckets::{Buckets, InvalidSpans, Span as BucketSpan};
pub use check::{BUCKETS_MAX, InvalidHistogram};
pub use classic::InvalidClassic;
pub use iterate::Bucket;
pub use quantile::{Fraction, NanObservations, Quantile};
pub use schema::{CUSTOM_SCHEMA, SCHEMA_MAX, SCHEMA_MIN, is_exponential};
pub use sum::{HistogramMean, HistogramSum};

use crate::{is_stale, stale_marker};

/// What is known of the sample before this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum CounterReset {
    /// Nothing: a reader has to compare.
    #[default]
    Unknown = 0,
    /// The counter began anew between them.
    Reset = 1,
    /// It did not.
    NotReset = 2,
    /// It is a gauge: it may fall.
    Gauge = 3,
}

impl CounterReset {
    /// The hint with this number, which is also that of Prometheus' protobuf messages; `None` for others.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Unknown),
            1 => Some(Self::Reset),
            2 => Some(Self::NotReset),
            3 => Some(Self::Gauge),
            _ => None,
        }
    }

    /// The number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The word that the scripts of Prometheus' tests have for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Reset => "reset",
            Self::NotReset => "not_reset",
            Self::Gauge => "gauge",
        }
    }
}

/// A native histogram with counts as numbers of any size and sign: what a query makes need not be whole or
/// positive. [`FloatHistogram::check`] says whether one may be taken in as a sample; every operation is
/// total, whatever the fields hold.
#[derive(Debug, Clone, Default)]
pub struct FloatHistogram {
    /// What is known of the sample before.
    pub counter_reset: CounterReset,
    /// The resolution: -4 to 8 for exponential buckets, [`CUSTOM_SCHEMA`] for listed bounds.
    pub schema: i8,
    /// The zero bucket reaches from this far below zero to this far above. 0 for custom buckets.
    pub zero_threshold: f64,
    /// How much was observed in the zero bucket. 0 for custom buckets.
    pub zero_count: f64,
    /// How much was observed, NaN observations included, which are in no bucket.
    pub count: f64,
    /// The sum of what was observed.
    pub sum: f64,
    /// Buckets above zero; of custom buckets all of them, the first with the index 0.
    pub positive: Buckets,
    /// Buckets below zero, by the index of their mirror image. None for custom buckets.
    pub negative: Buckets,
    /// The upper bounds of custom buckets, rising, without infinity. None for exponential buckets.
    pub custom_values: Arc<[f64]>,
}

impl FloatHistogram {
    /// An empty histogram with exponential buckets.
    pub fn exponential(schema: i8) -> Self {
        Self { schema, ..Self::default() }
    }

    /// An empty histogram with these upper bounds.
    pub fn custom(bounds: impl Into<Arc<[f64]>>) -> Self {
        Self { schema: CUSTOM_SCHEMA, custom_values: bounds.into(), ..Self::default() }
    }

    /// The histogram that marks the end of a series: its sum is the mark that floats have.
    pub fn stale() -> Self {
        Self { sum: stale_marker(), ..Self::default() }
    }

    /// Whether it marks the end of a series.
    pub fn is_stale(&self) -> bool {
        is_stale(self.sum)
    }

    /// Whether its buckets have listed bounds.
    pub const fn is_custom(&self) -> bool {
        self.schema == CUSTOM_SCHEMA
    }

    /// Leaves out the buckets whose count is 0.
    pub fn compact(&mut self) {
        self.positive.compact();
        self.negative.compact();
    }

    /// Whether both have the same schema, zero threshold, bounds and buckets, so that only numbers differ.
    pub fn same_layout(&self, other: &Self) -> bool {
        self.schema == other.schema
            && self.zero_threshold.to_bits() == other.zero_threshold.to_bits()
            && self.same_bounds(other)
            && self.positive.same_layout(&other.positive)
            && self.negative.same_layout(&other.negative)
    }

    /// Whether any of its numbers is infinite.
    pub fn overflows(&self) -> bool {
        let counts = self.positive.counts().iter().chain(self.negative.counts());
        [self.count, self.sum, self.zero_count].iter().chain(counts).any(|number| number.is_infinite())
    }

    /// What it takes in memory, bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.positive.heap_bytes()
            + self.negative.heap_bytes()
            + size_of_val::<[f64]>(&self.custom_values)
    }
}

impl PartialEq for FloatHistogram {
    /// As samples are the same: every number bit by bit, the same buckets, empty ones included, and the same
    /// bounds. The counter reset hint makes no difference, nor does a field that the schema does not use.
    fn eq(&self, other: &Self) -> bool {
        let same = |one: f64, other: f64| one.to_bits() == other.to_bits();
        let kind = if self.is_custom() {
            self.same_bounds(other)
        } else {
            same(self.zero_threshold, other.zero_threshold)
                && same(self.zero_count, other.zero_count)
                && self.negative == other.negative
        };
        self.schema == other.schema
            && same(self.count, other.count)
            && same(self.sum, other.sum)
            && kind
            && self.positive == other.positive
    }
}

impl Eq for FloatHistogram {}
