//! Spans, and the batch that a decoder hands to the store.

use std::sync::Arc;

use crate::{Attributes, Resource, Scope, SpanId, Text, TraceId};

/// What a span stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum SpanKind {
    /// Not said.
    #[default]
    Unspecified = 0,
    /// Work inside one process.
    Internal = 1,
    /// A request that was taken.
    Server = 2,
    /// A request that was made.
    Client = 3,
    /// A message that was sent.
    Producer = 4,
    /// A message that was taken.
    Consumer = 5,
}

impl SpanKind {
    /// The kind with OTLP's number; numbers that OTLP does not know are [`SpanKind::Unspecified`].
    pub const fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Internal,
            2 => Self::Server,
            3 => Self::Client,
            4 => Self::Producer,
            5 => Self::Consumer,
            _ => Self::Unspecified,
        }
    }

    /// OTLP's number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The word that Jaeger's `span.kind` has for it; empty where not said.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "",
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }
}

/// How a span ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum StatusCode {
    /// Not said.
    #[default]
    Unset = 0,
    /// Said to be well.
    Ok = 1,
    /// Failed.
    Error = 2,
}

impl StatusCode {
    /// The code with OTLP's number; numbers that OTLP does not know are [`StatusCode::Unset`].
    pub const fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Ok,
            2 => Self::Error,
            _ => Self::Unset,
        }
    }

    /// OTLP's number.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// How a span ended, in words too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// The code.
    pub code: StatusCode,
    /// What the sender says about it; empty if nothing.
    pub message: Text,
}

/// Something that happened at one moment of a span.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpanEvent {
    /// When, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// What.
    pub name: Text,
    /// More about it.
    pub attributes: Attributes,
    /// How many attributes the sender left out.
    pub dropped_attributes_count: u32,
}

/// A reference to a span of this trace or another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The trace that is referred to.
    pub trace_id: TraceId,
    /// The span that is referred to.
    pub span_id: SpanId,
    /// W3C `tracestate`; empty if none.
    pub trace_state: Text,
    /// More about it.
    pub attributes: Attributes,
    /// How many attributes the sender left out.
    pub dropped_attributes_count: u32,
    /// W3C trace flags in the low byte, OTLP's own bits above.
    pub flags: u32,
}

/// One span, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// The span it is part of; `None` for a root. Input may name the span itself: readers must not loop.
    pub parent_span_id: Option<SpanId>,
    /// W3C `tracestate`; empty if none.
    pub trace_state: Text,
    /// W3C trace flags in the low byte, OTLP's own bits above.
    pub flags: u32,
    /// The operation.
    pub name: Text,
    /// What it stands for.
    pub kind: SpanKind,
    /// When it began, nanoseconds since the Unix epoch.
    pub start_ns: u64,
    /// When it ended, nanoseconds since the Unix epoch. Input may put it before the start.
    pub end_ns: u64,
    /// What is known of it.
    pub attributes: Attributes,
    /// How many attributes the sender left out.
    pub dropped_attributes_count: u32,
    /// What happened meanwhile.
    pub events: Vec<SpanEvent>,
    /// How many events the sender left out.
    pub dropped_events_count: u32,
    /// What it refers to.
    pub links: Vec<Link>,
    /// How many links the sender left out.
    pub dropped_links_count: u32,
    /// How it ended.
    pub status: Status,
}

impl Span {
    /// A span with these ids and nothing else, for a decoder to fill in.
    pub fn new(trace_id: TraceId, span_id: SpanId) -> Self {
        Self {
            trace_id,
            span_id,
            parent_span_id: None,
            trace_state: Text::const_new(""),
            flags: 0,
            name: Text::const_new(""),
            kind: SpanKind::Unspecified,
            start_ns: 0,
            end_ns: 0,
            attributes: Attributes::new(),
            dropped_attributes_count: 0,
            events: Vec::new(),
            dropped_events_count: 0,
            links: Vec::new(),
            dropped_links_count: 0,
            status: Status::default(),
        }
    }

    /// How long it took, nanoseconds; 0 where it ends before it begins.
    pub const fn duration_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }
}

/// Spans of one sender and one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanGroup {
    /// Who sent them.
    pub resource: Arc<Resource>,
    /// What made them.
    pub scope: Arc<Scope>,
    /// The spans.
    pub spans: Vec<Span>,
}

/// What a decoder hands to the store in one go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpanBatch {
    /// The spans by sender and scope.
    pub groups: Vec<SpanGroup>,
}

impl SpanBatch {
    /// How many spans there are.
    pub fn len(&self) -> usize {
        self.groups.iter().map(|group| group.spans.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.groups.iter().all(|group| group.spans.is_empty())
    }
}
