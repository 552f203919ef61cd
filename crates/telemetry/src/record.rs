//! What is handed to an exporter: finished spans and log lines, in the shape in which they were
//! observed. How they look on the wire is `export`'s business.

use std::borrow::Cow;

use crate::trace::{SpanId, TraceContext, TraceId};

/// One of the services that a process is: an index into [`crate::export::Options::services`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Service(pub u8);

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(Cow<'static, str>),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
}

/// Names come from `semconv/`, so they are constants.
pub type Attribute = (&'static str, Value);

/// What part a span has in a call, as OpenTelemetry defines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Within a service.
    Internal,
    /// Answers a request from outside.
    Server,
    /// Asks another system.
    Client,
    /// Handles what another system sent some time before.
    Consumer,
}

/// A span that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Whose span it is.
    pub service: Service,
    /// Its place: trace, own id, parent, whether the trace is kept.
    pub context: TraceContext,
    /// The parent is in another process.
    pub has_remote_parent: bool,
    /// W3C `tracestate`, as it came.
    pub trace_state: Option<String>,
    /// What part it has in a call.
    pub kind: Kind,
    /// What it did, in few words of which there are not many different ones.
    pub name: Cow<'static, str>,
    /// Nanoseconds since 1970.
    pub start_unix_nanos: u64,
    /// Nanoseconds since 1970, never before the start.
    pub end_unix_nanos: u64,
    /// What else is known.
    pub attributes: Vec<Attribute>,
    /// Spans of other traces that led to it.
    pub links: Vec<TraceContext>,
    /// Links that were left out because there were too many.
    pub dropped_links: u32,
    /// That it failed, and how: a constant word, never a payload.
    pub failure: Option<Cow<'static, str>>,
}

/// How grave a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For tracing the program's steps.
    Trace,
    /// For whoever looks for a fault.
    Debug,
    /// What happens in the ordinary course.
    Info,
    /// What needs a look some time.
    Warn,
    /// What failed.
    Error,
}

/// A log line.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// Whose line it is.
    pub service: Service,
    /// Nanoseconds since 1970.
    pub unix_nanos: u64,
    /// How grave it is.
    pub severity: Severity,
    /// The constant message.
    pub message: Cow<'static, str>,
    /// The module that logged it.
    pub target: &'static str,
    /// What varies.
    pub attributes: Vec<Attribute>,
    /// The span in which it was logged.
    pub span: Option<(TraceId, SpanId, bool)>,
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u64> for Value {
    /// What does not fit is as large as can be: there are no unsigned numbers on the wire.
    fn from(number: u64) -> Self {
        Self::Integer(number.try_into().unwrap_or(i64::MAX))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Integer(number.into())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}
