//! What a query is answered with. How it is written as JSON is the caller's business.

use std::sync::Arc;

use console_model::{FloatHistogram, Labels};

/// One value.
#[derive(Debug, Clone)]
pub enum Point {
    /// A number.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<FloatHistogram>),
}

/// One series at one time.
#[derive(Debug, Clone)]
pub struct VectorSample {
    /// Its labels.
    pub labels: Labels,
    /// When, milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// What.
    pub value: Point,
}

/// One series over time.
#[derive(Debug, Clone, Default)]
pub struct MatrixSeries {
    /// Its labels.
    pub labels: Labels,
    /// Times in milliseconds since the Unix epoch, and numbers.
    pub floats: Vec<(i64, f64)>,
    /// Times in milliseconds since the Unix epoch, and native histograms.
    pub histograms: Vec<(i64, Arc<FloatHistogram>)>,
}

/// What a query is answered with.
#[derive(Debug, Clone)]
pub enum Value {
    /// A number without labels.
    Scalar {
        /// When, milliseconds since the Unix epoch.
        time_ms: i64,
        /// What.
        value: f64,
    },
    /// A text.
    String {
        /// When, milliseconds since the Unix epoch.
        time_ms: i64,
        /// What.
        value: String,
    },
    /// Series at one time.
    Vector(Vec<VectorSample>),
    /// Series over time.
    Matrix(Vec<MatrixSeries>),
}

/// What a query is answered with, and what is to be said of it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The result.
    pub value: Value,
    /// What is probably wrong: `PromQL warning: … (1:5)`, sorted.
    pub warnings: Vec<String>,
    /// What may be wrong: `PromQL info: … (1:5)`, sorted.
    pub infos: Vec<String>,
    /// How many samples were read from the storage.
    pub samples_read: u64,
    /// How many samples were in memory at once, at most.
    pub samples_peak: usize,
}
