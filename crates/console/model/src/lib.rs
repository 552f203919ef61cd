//! What the console takes in, keeps and gives back: the three signals as plain values, exact to the
//! nanosecond and to the attribute.
//!
//! No wire format, no file format, no query language and no wall clock belong here: decoders build these
//! values, the store keeps them, the query languages read them.
//!
//! The types are made to be built quickly by a decoder. Strings are [`Text`], which holds up to 24 bytes
//! without an allocation; a resource and a scope are shared by all records below them; a label set is one
//! allocation, hashed and compared as bytes.

mod histogram;
mod id;
mod labels;
mod level;
mod log;
mod metric;
mod resource;
mod span;
mod text;
mod value;

pub use histogram::{
    BUCKETS_MAX, Bucket, BucketSpan, Buckets, CUSTOM_SCHEMA, CounterReset, FloatHistogram, Fraction, HistogramMean,
    HistogramSum, Incompatible, InvalidClassic, InvalidHistogram, InvalidSpans, NanObservations, Quantile, Reconciled,
    SCHEMA_MAX, SCHEMA_MIN, is_exponential,
};
pub use id::{InvalidId, SpanId, TraceId};
pub use labels::{LabelSetBuilder, Labels, order_of};
pub use level::Level;
pub use log::{LogBatch, LogGroup, LogRecord};
pub use metric::{
    Exemplar, HistogramSample, MetricKind, MetricMetadata, Sample, SampleBatch, SeriesSamples, is_stale, stale_marker,
};
pub use resource::{Resource, Scope, UNKNOWN_SERVICE};
pub use span::{Link, Span, SpanBatch, SpanEvent, SpanGroup, SpanKind, Status, StatusCode};
pub use value::{Attribute, Attributes, Value};

/// A short string: up to 24 bytes live in place, longer ones on the heap.
pub type Text = compact_str::CompactString;
