//! A look at the columns of all spans of a time: what graphs of services and rates are made of.

use std::borrow::Cow;

use console_model::{SpanId, SpanKind, StatusCode, TraceId};

use super::rows::OpenSpans;
use super::spans::Spans;
use super::{Traces, read_error};
use crate::codec::Damaged;
use crate::error::ReadError;
use crate::shelf::{Shelf, clamp};

/// What a span is without its details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanHead<'a> {
    /// Whose it is.
    pub service: &'a str,
    /// The operation.
    pub name: &'a str,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// The span it is part of.
    pub parent_span_id: Option<SpanId>,
    /// What it stands for.
    pub kind: SpanKind,
    /// How it ended.
    pub status: StatusCode,
    /// When it began, nanoseconds since the Unix epoch.
    pub start_ns: u64,
    /// How long it took, nanoseconds.
    pub duration_ns: u64,
    /// The spans it refers to.
    pub links: Vec<(TraceId, SpanId)>,
}

impl Traces {
    /// Shows the head of each span that started in `from_ns..=to_ns`, in no order, until `see` says stop by
    /// giving `false`.
    pub(crate) fn heads(
        &self,
        from_ns: u64,
        to_ns: u64,
        see: &mut dyn FnMut(&SpanHead<'_>) -> bool,
    ) -> Result<(), ReadError> {
        heads_of(&self.shelf, from_ns, to_ns, see)
    }
}

fn heads_of(
    shelf: &Shelf<OpenSpans>,
    from_ns: u64,
    to_ns: u64,
    see: &mut dyn FnMut(&SpanHead<'_>) -> bool,
) -> Result<(), ReadError> {
    for view in shelf.view(|_| true) {
        for segment in view.segments.iter().filter(|it| it.extent().meets(clamp(from_ns), clamp(to_ns))) {
            let failed = |error| read_error(segment.path(), error);
            let Some(reader) = shelf.read(segment).map_err(failed)? else { continue };
            for meta in segment.blocks().iter().filter(|meta| meta.extent.meets(clamp(from_ns), clamp(to_ns))) {
                let Some(frame) = reader.frame(meta).map_err(failed)? else { continue };
                match show(meta.body(&frame), from_ns, to_ns, see) {
                    Ok(true) => {}
                    Ok(false) => return Ok(()),
                    Err(Damaged) => reader.tell_damage(meta),
                }
            }
        }
        if let Some(open) = &view.open
            && !show(&open.body, from_ns, to_ns, see).unwrap_or(true)
        {
            return Ok(());
        }
    }
    Ok(())
}

fn show(body: &[u8], from_ns: u64, to_ns: u64, see: &mut dyn FnMut(&SpanHead<'_>) -> bool) -> Result<bool, Damaged> {
    let spans = Spans::read(body)?;
    let rest = if spans.any_is_linked() { spans.unpack_rest()? } else { Cow::Borrowed(&[][..]) };
    for row in 0..spans.len() {
        let start_ns = spans.start_ns(row);
        if !(from_ns..=to_ns).contains(&start_ns) {
            continue;
        }
        let links = if spans.is_linked(row) {
            spans.span(row, &rest)?.links.iter().map(|link| (link.trace_id, link.span_id)).collect()
        } else {
            Vec::new()
        };
        let head = SpanHead {
            service: spans.origin(row).map_or("", |origin| origin.resource.service()),
            name: spans.name(row)?,
            trace_id: spans.trace_id(row)?,
            span_id: spans.span_id(row)?,
            parent_span_id: spans.parent(row),
            kind: spans.kind(row),
            status: spans.status(row),
            start_ns,
            duration_ns: spans.duration_ns(row),
            links,
        };
        if !see(&head) {
            return Ok(false);
        }
    }
    Ok(true)
}
