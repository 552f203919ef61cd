//! What is known about a request before its handler runs.

use telemetry::TraceContext;

/// Put into every request's extensions by the middleware.
#[derive(Debug, Clone)]
pub(crate) struct RequestContext {
    /// The place of the server span.
    pub(crate) trace: TraceContext,
    /// `tracestate`, as it came.
    pub(crate) tracestate: Option<String>,
    /// `X-Request-ID`, the client's or a fresh one.
    pub(crate) request_id: String,
}
