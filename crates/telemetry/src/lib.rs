//! Logging, trace context, metrics and their export, for any service: the names of the signals come from `semconv/`,
//! the signals themselves from whoever is handed these types. Knows no domain, and holds no global
//! state but the one `tracing` itself demands.

pub mod export;
pub mod logging;
pub mod metrics;
#[rustfmt::skip] // generated
mod names;
pub mod record;
pub mod trace;

pub use metrics::Metrics;
pub use trace::TraceContext;
