//! Samples of series, exemplars, and what is known of a metric. How OTLP's metrics become series is the
//! decoder's business.

use std::sync::Arc;

use crate::{FloatHistogram, Labels, SpanId, Text, TraceId};

/// The bit pattern that Prometheus writes when a series ends: a NaN of its own.
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// The value that marks a series as ended.
pub const fn stale_marker() -> f64 {
    f64::from_bits(STALE_BITS)
}

/// Whether a value is the mark of a series' end. An ordinary NaN is not.
pub const fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_BITS
}

/// A value at a time.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// When, milliseconds since the Unix epoch: the resolution of Prometheus, by which samples are equal,
    /// duplicate or out of order. May be negative.
    pub time_ms: i64,
    /// The value, any bit pattern.
    pub value: f64,
}

impl PartialEq for Sample {
    /// Equal in time and in every bit of the value.
    fn eq(&self, other: &Self) -> bool {
        self.time_ms == other.time_ms && self.value.to_bits() == other.value.to_bits()
    }
}

impl Eq for Sample {}

/// A native histogram at a time. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistogramSample {
    /// When, milliseconds since the Unix epoch, as of [`Sample`].
    pub time_ms: i64,
    /// The histogram.
    pub histogram: Arc<FloatHistogram>,
}

/// One measurement that stands for many, and the trace it was made in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exemplar {
    /// When and what was measured.
    pub sample: Sample,
    /// The trace it was made in, which the store then pins.
    pub trace_id: Option<TraceId>,
    /// The span it was made in.
    pub span_id: Option<SpanId>,
    /// What else is said of it, without the ids above.
    pub labels: Labels,
}

/// Samples of one series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesSamples {
    /// The series, with its name as `__name__`.
    pub labels: Labels,
    /// Its float samples, in the order they came.
    pub samples: Vec<Sample>,
    /// Its native histograms, in the order they came; a series may have both, at different times.
    pub histograms: Vec<HistogramSample>,
    /// Its exemplars, in the order they came.
    pub exemplars: Vec<Exemplar>,
}

impl SeriesSamples {
    /// The service between which retention is fair: the label `service_name`, else `job`, else the unknown.
    pub fn service(&self) -> &str {
        service_of(&self.labels)
    }
}

/// See [`SeriesSamples::service`].
fn service_of(labels: &Labels) -> &str {
    let set = |name| labels.get(name).filter(|value: &&str| !value.is_empty());
    set("service_name").or_else(|| set("job")).unwrap_or(crate::UNKNOWN_SERVICE)
}

impl Labels {
    /// The service between which retention is fair: the label `service_name`, else `job`, else
    /// [`crate::UNKNOWN_SERVICE`].
    pub fn service(&self) -> &str {
        service_of(self)
    }
}

/// The types that Prometheus' metadata has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum MetricKind {
    /// Not said.
    #[default]
    Unknown = 0,
    /// Only grows.
    Counter = 1,
    /// Goes up and down.
    Gauge = 2,
    /// Buckets, sum and count.
    Histogram = 3,
    /// Buckets of a gauge.
    GaugeHistogram = 4,
    /// Quantiles, sum and count.
    Summary = 5,
    /// Facts as labels, with the value 1.
    Info = 6,
    /// One of several states.
    StateSet = 7,
}

impl MetricKind {
    /// The word that Prometheus' API has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
        }
    }

    /// The kind with this number of the enumeration; [`MetricKind::Unknown`] for any other.
    pub const fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Counter,
            2 => Self::Gauge,
            3 => Self::Histogram,
            4 => Self::GaugeHistogram,
            5 => Self::Summary,
            6 => Self::Info,
            7 => Self::StateSet,
            _ => Self::Unknown,
        }
    }
}

/// What is known of a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricMetadata {
    /// The metric, as its series are named but without the endings of histograms and summaries.
    pub name: Text,
    /// Its type.
    pub kind: MetricKind,
    /// Its unit; empty if none.
    pub unit: Text,
    /// What it is about; empty if not said.
    pub help: Text,
}

/// What a decoder hands to the store in one go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SampleBatch {
    /// Samples by series; a series may be there more than once.
    pub series: Vec<SeriesSamples>,
    /// What is said of metrics.
    pub metadata: Vec<MetricMetadata>,
}

impl SampleBatch {
    /// How many samples there are, of both kinds.
    pub fn len(&self) -> usize {
        self.series.iter().map(|series| series.samples.len() + series.histograms.len()).sum()
    }

    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty() && self.metadata.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_of_the_end_is_a_nan_and_no_nan_is_a_mark() {
        assert!(stale_marker().is_nan() && is_stale(stale_marker()));
        assert!(!is_stale(f64::NAN));
        let at_zero = |value| Sample { time_ms: 0, value };
        assert_eq!(at_zero(f64::NAN), at_zero(f64::NAN));
        assert_ne!(at_zero(f64::NAN), at_zero(stale_marker()));
        assert_ne!(at_zero(0.0), at_zero(-0.0));
    }

    #[test]
    fn a_series_belongs_to_its_service_or_job() {
        let service = |pairs: &[(&str, &str)]| Labels::from_pairs(pairs.iter().copied()).service().to_owned();
        assert_eq!(service(&[("job", "api"), ("service_name", "orders")]), "orders");
        assert_eq!(service(&[("job", "api")]), "api");
        assert_eq!(service(&[("job", "")]), crate::UNKNOWN_SERVICE);
    }
}
