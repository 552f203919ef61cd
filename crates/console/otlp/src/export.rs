//! The console's values as OTLP, to be imported here or anywhere: one request per batch.
//!
//! What is written as JSON is read back as the same values, by [`crate::traces::from_json`] and its like:
//! to the nanosecond and to the attribute, in the same order. Three things OTLP's JSON cannot hold: the
//! payload of a NaN within attributes, a group without items, and which groups share a resource in memory.

mod histograms;
mod json;
mod logs;
mod samples;
mod traces;
mod traces_protobuf;

pub(crate) use json::object;
pub use logs::logs_json;
pub use samples::samples_json;
pub(crate) use samples::{
    COUNTER_RESET, HISTOGRAM, LABEL_PREFIX, NO_SAMPLE, PREFIX, SCOPE as SAMPLES_SCOPE, TIME_MS, VALUE_BITS,
};
pub use traces::traces_json;
pub use traces_protobuf::traces_protobuf;
