//! Traces without their details: what lists of traces are made of. Nothing but columns is read for them.

use console_model::{SpanId, StatusCode, Text, TraceId};

use super::{Evicted, TRACE_SPANS_MAX, Traces};
use crate::codec::Damaged;
use crate::error::ReadError;
use crate::hash;

/// A span without its details.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpanOutline {
    /// When it began, nanoseconds since the Unix epoch.
    pub start_ns: u64,
    /// Its own id.
    pub span_id: SpanId,
    /// The span it is part of.
    pub parent_span_id: Option<SpanId>,
    /// When it ended, nanoseconds since the Unix epoch.
    pub end_ns: u64,
    /// Whose it is.
    pub service: Text,
    /// The operation.
    pub name: Text,
    /// Whether it failed.
    pub has_failed: bool,
}

/// A trace without the details of its spans, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceOutline {
    /// Which it is.
    pub trace_id: TraceId,
    /// Its spans in order of their start, at most [`TRACE_SPANS_MAX`]. Those that were sent twice, which are those
    /// that agree in all that is said here, are there once.
    pub spans: Vec<SpanOutline>,
    /// Whether there were more.
    pub is_truncated: bool,
    /// What of it was removed, as in [`Trace`](super::Trace).
    pub evicted: Vec<Evicted>,
}

impl Traces {
    /// In the order of the ids.
    pub(crate) fn outlines(&self, ids: &[TraceId]) -> Result<Vec<TraceOutline>, ReadError> {
        let found = self.gather(ids, |row| {
            let (spans, number) = (row.spans, row.number);
            Ok(SpanOutline {
                start_ns: spans.start_ns(number),
                span_id: spans.span_id(number)?,
                parent_span_id: spans.parent(number),
                end_ns: spans.end_ns(number),
                service: spans.origin(number).ok_or(Damaged)?.resource.service().into(),
                name: spans.name(number)?.clone(),
                has_failed: spans.status(number) == StatusCode::Error,
            })
        })?;
        let outline = |(trace_id, mut spans): (&TraceId, Vec<SpanOutline>)| {
            let is_truncated = spans.len() > TRACE_SPANS_MAX;
            spans.truncate(TRACE_SPANS_MAX);
            spans.sort_unstable();
            spans.dedup();
            let evicted = self.gone.holders(hash::trace(*trace_id));
            TraceOutline { trace_id: *trace_id, spans, is_truncated, evicted }
        };
        Ok(ids.iter().zip(found).map(outline).collect())
    }
}
