//! The port through which customers are traced: each journey is a trace, each request a span of it.
//!
//! Without a tracer ([`Untraced`]) requests carry ids all the same, so that one of them can be looked up in
//! the service's own telemetry. Where spans go is the caller's business.

use std::sync::Arc;

/// Begins traces.
pub trait Tracing: Send + Sync {
    /// A customer begins his journey; `scenario` is which.
    fn journey(&self, scenario: &'static str) -> Box<dyn Traced>;
}

/// A journey or a request under way.
pub trait Traced: Send + Sync {
    /// W3C's `traceparent` for what is asked of others on its behalf.
    fn traceparent(&self) -> String;
    /// A request begins; `operation` is which.
    fn request(&self, operation: &'static str) -> Box<dyn Traced>;
    /// It has ended; `failure` says how, if badly.
    fn end(self: Box<Self>, failure: Option<String>);
}

/// Ids and nothing else.
#[derive(Debug, Default)]
pub(crate) struct Untraced;

/// See [`Untraced`]. 32 hexadecimal digits, not all zero (W3C Trace Context, section 3.2.2.3).
struct Ids(Arc<str>);

impl Tracing for Untraced {
    fn journey(&self, _: &'static str) -> Box<dyn Traced> {
        // Not all zero, by the one bit that is set.
        Box::new(Ids(format!("{:032x}", rand::random::<u128>() | 1).into()))
    }
}

impl Traced for Ids {
    fn traceparent(&self) -> String {
        format!("00-{}-{:016x}-01", self.0, rand::random::<u64>() | 1)
    }

    fn request(&self, _: &'static str) -> Box<dyn Traced> {
        Box::new(Self(Arc::clone(&self.0)))
    }

    fn end(self: Box<Self>, _: Option<String>) {}
}
