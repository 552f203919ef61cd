//! The codec from outside, with `opentelemetry-proto` and serde_json as its judges.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod json;
mod logs;
mod metrics;
mod samples;
mod spoilt;
mod traces;
mod values;
