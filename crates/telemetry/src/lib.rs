//! Logging, traces and metrics, for any service: the names of the signals come from `semconv/`, the
//! signals themselves from whoever is handed these types. Knows no domain, and holds no global state
//! but the one `tracing` itself demands.

pub mod control;
pub mod export;
pub mod logging;
pub mod metrics;
#[rustfmt::skip] // generated
pub mod names;
pub mod record;
pub mod sampling;
pub mod scope;
pub mod trace;
pub mod tracer;

pub use control::Control;
pub use metrics::Metrics;
pub use trace::TraceContext;
pub use tracer::Tracer;
