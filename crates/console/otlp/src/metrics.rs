//! Metrics of an `ExportMetricsServiceRequest`: read into [`Metrics`], which [`Translator`] turns into
//! Prometheus' series. Reading needs no state and can be done by many at once; translating needs the sums
//! that deltas were added to.
//!
//! Names and labels are those of Prometheus' own OTLP endpoint as it is by default (translation strategy
//! `UnderscoreEscapingWithSuffixes`), with the scope as labels besides. The rules, in full:
//! <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/>.

mod delta;
mod emit;
mod exponential;
mod histogram;
mod json;
mod labels;
mod name;
mod protobuf;
mod samples;
mod targets;
mod translated;
mod translator;

pub use json::from_json;
pub use protobuf::from_protobuf;
pub use translated::{Origin, Translated};
pub use translator::{Limits, Translator};

use std::borrow::Cow;

use console_model::{Resource, Scope, SpanId, TraceId};

/// What was read of a request, for [`Translator::translate`]. It borrows the text of the request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metrics<'a> {
    resources: Vec<ResourceMetrics<'a>>,
}

impl Metrics<'_> {
    /// How many data points there are.
    pub fn len(&self) -> usize {
        let metrics = self.resources.iter().flat_map(|resource| &resource.scopes).flat_map(|scope| &scope.metrics);
        metrics.map(|metric| metric.data.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
struct ResourceMetrics<'a> {
    resource: Resource,
    scopes: Vec<ScopeMetrics<'a>>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct ScopeMetrics<'a> {
    scope: Scope,
    metrics: Vec<Metric<'a>>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Metric<'a> {
    name: Cow<'a, str>,
    description: Cow<'a, str>,
    unit: Cow<'a, str>,
    /// The type that a metric of Prometheus had before it became one of OTLP's: `prometheus.type`.
    prometheus_type: Cow<'a, str>,
    data: Data<'a>,
}

#[derive(Debug, Clone, PartialEq, Default)]
enum Data<'a> {
    #[default]
    Empty,
    Gauge(Vec<NumberPoint<'a>>),
    Sum(Vec<NumberPoint<'a>>, Temporality, Monotony),
    Histogram(Vec<HistogramPoint<'a>>, Temporality),
    Exponential(Vec<ExponentialPoint<'a>>, Temporality),
    Summary(Vec<SummaryPoint<'a>>),
}

impl Data<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Gauge(points) | Self::Sum(points, ..) => points.len(),
            Self::Histogram(points, _) => points.len(),
            Self::Exponential(points, _) => points.len(),
            Self::Summary(points) => points.len(),
        }
    }
}

/// Whether a point holds what was since the last one or since the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Temporality {
    #[default]
    Unspecified,
    Delta,
    Cumulative,
}

impl Temporality {
    const fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Delta,
            2 => Self::Cumulative,
            _ => Self::Unspecified,
        }
    }
}

/// Whether a sum only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Monotony {
    #[default]
    UpAndDown,
    Growing,
}

/// What all points have. Times are nanoseconds since the Unix epoch; a start of 0 is not known.
#[derive(Debug, Clone, PartialEq, Default)]
struct Common<'a> {
    /// Keys, and values as text.
    attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    start_ns: u64,
    time_ns: u64,
    exemplars: Vec<PointExemplar<'a>>,
    /// Whether it says that there is no value.
    stale: bool,
}

/// The flag of a point without a value.
const NO_RECORDED_VALUE: u32 = 1;

impl Common<'_> {
    const fn set_flags(&mut self, flags: u32) {
        self.stale = flags & NO_RECORDED_VALUE != 0;
    }

    fn complete(&mut self, arrival_ns: u64) {
        if self.time_ns == 0 {
            self.time_ns = arrival_ns;
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
struct NumberPoint<'a> {
    common: Common<'a>,
    value: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct HistogramPoint<'a> {
    common: Common<'a>,
    count: u64,
    sum: Option<f64>,
    bounds: Vec<f64>,
    counts: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct ExponentialPoint<'a> {
    common: Common<'a>,
    count: u64,
    sum: Option<f64>,
    scale: i32,
    zero_count: u64,
    zero_threshold: f64,
    positive: Buckets,
    negative: Buckets,
}

/// Counts of buckets from the one with this index on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Buckets {
    offset: i64,
    counts: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct SummaryPoint<'a> {
    common: Common<'a>,
    count: u64,
    sum: f64,
    /// Quantiles and their values.
    quantiles: Vec<(f64, f64)>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct PointExemplar<'a> {
    attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    time_ns: u64,
    value: f64,
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
}
