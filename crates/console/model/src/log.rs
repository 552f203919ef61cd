//! Log records, and the batch that a decoder hands to the store.

use std::sync::Arc;

use crate::{Attributes, Labels, Resource, Scope, SpanId, Text, TraceId, Value};

/// One log record, whole. Its attributes are what Loki calls structured metadata.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogRecord {
    /// When it happened, nanoseconds since the Unix epoch; 0 where the sender did not say.
    pub time_ns: u64,
    /// When it was seen, nanoseconds since the Unix epoch; 0 where the sender did not say.
    pub observed_time_ns: u64,
    /// OTLP's severity, 1 to 24; 0 where not said. Kept as sent, out of range too.
    pub severity_number: i32,
    /// The sender's own word for the severity; empty if none.
    pub severity_text: Text,
    /// What is said: text mostly, anything at all in OTLP.
    pub body: Value,
    /// More about it.
    pub attributes: Attributes,
    /// How many attributes the sender left out.
    pub dropped_attributes_count: u32,
    /// W3C trace flags in the low byte.
    pub flags: u32,
    /// The trace it belongs to.
    pub trace_id: Option<TraceId>,
    /// The span it belongs to.
    pub span_id: Option<SpanId>,
    /// The name that makes it an event; empty if none.
    pub event_name: Text,
}

impl LogRecord {
    /// The time by which records are ordered and found: when it happened, else when it was seen. A decoder
    /// must set one of the two to the time of arrival where the sender gave neither.
    pub const fn order_ns(&self) -> u64 {
        if self.time_ns == 0 { self.observed_time_ns } else { self.time_ns }
    }
}

/// Records of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroup {
    /// The labels by which the stream is selected. Their number has to be small: what differs from record
    /// to record belongs into the record's attributes.
    pub stream: Labels,
    /// Who sent them.
    pub resource: Arc<Resource>,
    /// What made them.
    pub scope: Arc<Scope>,
    /// The records, in any order.
    pub records: Vec<LogRecord>,
}

impl LogGroup {
    /// The service between which retention is fair: the stream's `service_name`, else the resource's.
    pub fn service(&self) -> &str {
        self.stream.get("service_name").filter(|name| !name.is_empty()).unwrap_or_else(|| self.resource.service())
    }
}

/// What a decoder hands to the store in one go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogBatch {
    /// The records by stream.
    pub groups: Vec<LogGroup>,
}

impl LogBatch {
    /// How many records there are.
    pub fn len(&self) -> usize {
        self.groups.iter().map(|group| group.records.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.groups.iter().all(|group| group.records.is_empty())
    }
}
