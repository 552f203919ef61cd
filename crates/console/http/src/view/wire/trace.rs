//! Answers about traces.

use std::borrow::Cow;

use console_model::{SpanId, TraceId};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Nanoseconds, Shown, Time};

/// What a span stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Not said.
    Unspecified,
    /// Work inside one process.
    Internal,
    /// A request that was taken.
    Server,
    /// A request that was made.
    Client,
    /// A message that was sent.
    Producer,
    /// A message that was taken.
    Consumer,
}

/// How a span ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum StatusName {
    /// Not said.
    Unset,
    /// Said to be well.
    Ok,
    /// Failed.
    Error,
}

/// Traces that match a search.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Traces {
    /// Newest first.
    pub traces: Vec<TraceSummary>,
    /// Whether more match than are shown, be it for the limit or for the time the search may take.
    pub truncated: bool,
    /// How long the search took, milliseconds.
    pub elapsed_ms: f64,
}

/// A trace in short.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceSummary {
    /// Its id, 32 hexadecimal digits.
    #[schema(value_type = String)]
    pub trace_id: Shown<TraceId>,
    /// The service of its root, else of its earliest span.
    pub root_service: String,
    /// The name of its root, else of its earliest span.
    pub root_name: String,
    /// When its earliest span began.
    pub start: Time,
    /// From there to the end of what ended last.
    pub duration: Nanoseconds,
    /// How many spans there are.
    pub spans: usize,
    /// How many of them failed.
    pub errors: usize,
    /// Whose they are, in order of first appearance.
    pub services: Vec<ServiceShare>,
    /// Whether spans are known to be missing: removed, not arrived, or too many to be shown.
    pub is_partial: bool,
    /// Whether no span is there that has no parent.
    pub missing_root: bool,
}

/// A service's part of a trace.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceShare {
    /// Its name.
    pub name: String,
    /// How many spans are its.
    pub spans: usize,
    /// How many of them failed.
    pub errors: usize,
}

/// A trace, whole.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceView<'a> {
    /// Its id, 32 hexadecimal digits.
    #[schema(value_type = String)]
    pub trace_id: Shown<TraceId>,
    /// When its earliest span began.
    pub start: Time,
    /// From there to the end of what ended last.
    pub duration: Nanoseconds,
    /// Whether there are more spans than are shown, which are 50,000 at most.
    pub is_truncated: bool,
    /// How many spans are named as parents and are not there.
    pub missing_spans: usize,
    /// What of it was removed.
    pub evicted: Vec<EvictedSpans>,
    /// How many spans failed.
    pub errors: usize,
    /// Whose spans they are, in order of first appearance; spans refer to a place in this list.
    pub services: Vec<ServiceSpans<'a>>,
    /// Who sent them; spans refer to a place in this list.
    pub resources: Vec<ResourceView<'a>>,
    /// What made them; spans refer to a place in this list.
    pub scopes: Vec<ScopeView<'a>>,
    /// Each span before its children, siblings by start.
    pub spans: Vec<SpanView<'a>>,
}

/// That spans of a trace were removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvictedSpans {
    /// When.
    pub at: Time,
    /// Whose.
    pub service: String,
}

/// A service of a trace.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceSpans<'a> {
    /// Its name.
    pub name: &'a str,
    /// How many spans are its.
    pub spans: usize,
}

/// Who sent spans.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResourceView<'a> {
    /// The service, a place in the list of services.
    pub service: usize,
    /// What is known of the sender.
    pub attributes: Vec<AttributeView<'a>>,
}

/// What made spans.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScopeView<'a> {
    /// The name of the instrumentation; empty if none.
    pub name: &'a str,
    /// Its version; empty if none.
    pub version: &'a str,
    /// What else is known of it.
    pub attributes: Vec<AttributeView<'a>>,
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, ToSchema)]
pub struct AttributeView<'a> {
    /// The key.
    pub key: &'a str,
    /// What the value is.
    #[serde(rename = "type")]
    pub kind: ValueType,
    /// The value as text: bytes in base64, lists and maps as JSON.
    #[schema(value_type = String)]
    pub value: Cow<'a, str>,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ValueType {
    /// Text.
    String,
    /// A whole number.
    Int,
    /// A number.
    Double,
    /// True or false.
    Bool,
    /// Bytes.
    Bytes,
    /// A list.
    Array,
    /// Keys with values.
    Map,
    /// No value.
    Empty,
}

/// One span.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpanView<'a> {
    /// Its id, 16 hexadecimal digits.
    #[schema(value_type = String)]
    pub span_id: Shown<SpanId>,
    /// The span it is part of, or, where it names none, the one it is shown below because of a link; null for
    /// a root.
    #[schema(value_type = Option<String>, required)]
    pub parent_id: Option<Shown<SpanId>>,
    /// How many spans are above it.
    pub depth: u32,
    /// Whose it is, a place in the list of services.
    pub service: usize,
    /// Who sent it, a place in the list of resources.
    pub resource: usize,
    /// What made it, a place in the list of scopes.
    pub scope: usize,
    /// The operation.
    pub name: &'a str,
    /// What it stands for.
    pub kind: Kind,
    /// When it began, from the start of the trace.
    pub start: Nanoseconds,
    /// How long it took.
    pub duration: Nanoseconds,
    /// How it ended.
    pub status: StatusName,
    /// What is said of how it ended; empty if nothing.
    pub status_message: &'a str,
    /// Whether nothing above waits for it: it starts after its parent ended, takes a message, or is shown
    /// below its parent because of a link.
    pub is_async: bool,
    /// Whether it names a parent that is not above it: one that is not there, itself, or one below it.
    pub is_missing_parent: bool,
    /// How many spans are directly below it.
    pub children: u32,
    /// When it determined how long the whole trace took, from the start of the trace, in order.
    pub critical_path: Vec<Stretch>,
    /// How long it took without what happened below it.
    pub self_time: Nanoseconds,
    /// What is known of it.
    pub attributes: Vec<AttributeView<'a>>,
    /// How many attributes the sender left out.
    pub dropped_attributes: u32,
    /// What happened meanwhile.
    pub events: Vec<EventView<'a>>,
    /// What it refers to.
    pub links: Vec<LinkView<'a>>,
    /// W3C `tracestate`; empty if none.
    pub trace_state: &'a str,
}

/// A stretch of time within a trace.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stretch {
    /// When it begins, from the start of the trace.
    pub start: Nanoseconds,
    /// How long it is.
    pub duration: Nanoseconds,
}

/// Something that happened at one moment of a span.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventView<'a> {
    /// When, from the start of the trace; 0 for what is said to have happened before.
    pub time: Nanoseconds,
    /// What.
    pub name: &'a str,
    /// More about it.
    pub attributes: Vec<AttributeView<'a>>,
}

/// A reference to a span.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkView<'a> {
    /// The trace, 32 hexadecimal digits.
    #[schema(value_type = String)]
    pub trace_id: Shown<TraceId>,
    /// The span, 16 hexadecimal digits.
    #[schema(value_type = String)]
    pub span_id: Shown<SpanId>,
    /// More about it.
    pub attributes: Vec<AttributeView<'a>>,
    /// Whether the span is in this answer.
    pub is_here: bool,
}
