//! Spans of an `ExportTraceServiceRequest`. What both encodings have in common is here: how a span is made
//! up, and which are not taken.
//!
//! A span without a valid trace id or span id, or with a parent's id of the wrong length, is rejected. A
//! link without valid ids refers to nothing: it is left out and counted as one that the sender left out.
//! Groups that are left without spans are left out too.

mod json;
mod protobuf;

pub use json::from_json;
pub use protobuf::from_protobuf;

use std::sync::Arc;

use console_model::{Link, Resource, Span, SpanGroup, SpanId, TraceId};

use crate::DecodeError;
use crate::envelope::{Names, Scopes};

const NAMES: Names = Names {
    resources: ["resourceSpans", "resource_spans"],
    scopes: ["scopeSpans", "scope_spans"],
    items: ["spans", "spans"],
};

/// A resource's spans, each scope's in a group.
fn groups(sender: Resource, scopes: Scopes<Span>) -> impl Iterator<Item = SpanGroup> {
    let resource = Arc::new(sender);
    let group = move |(scope, spans)| SpanGroup { resource: Arc::clone(&resource), scope: Arc::new(scope), spans };
    scopes.into_iter().map(group)
}

/// A span without its ids, which may come last in a message.
struct Draft {
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
    span: Span,
}

impl Draft {
    fn new() -> Result<Self, DecodeError> {
        let (Some(trace_id), Some(span_id)) = (TraceId::new(1), SpanId::new(1)) else {
            return Err(DecodeError::whole("1 is an id"));
        };
        Ok(Self { trace_id: None, span_id: None, span: Span::new(trace_id, span_id) })
    }

    fn finish(self) -> Result<Span, DecodeError> {
        let mut span = self.span;
        span.trace_id = self.trace_id.ok_or_else(|| missing("traceId"))?;
        span.span_id = self.span_id.ok_or_else(|| missing("spanId"))?;
        Ok(span)
    }

    /// A link, if its ids are valid.
    fn link(&mut self, trace_id: Option<TraceId>, span_id: Option<SpanId>, rest: LinkRest) {
        match (trace_id, span_id) {
            (Some(trace_id), Some(span_id)) => self.span.links.push(Link {
                trace_id,
                span_id,
                trace_state: rest.trace_state,
                attributes: rest.attributes,
                dropped_attributes_count: rest.dropped_attributes_count,
                flags: rest.flags,
            }),
            _ => self.span.dropped_links_count = self.span.dropped_links_count.saturating_add(1),
        }
    }
}

/// A link without its ids.
#[derive(Default)]
struct LinkRest {
    trace_state: console_model::Text,
    attributes: console_model::Attributes,
    dropped_attributes_count: u32,
    flags: u32,
}

fn missing(name: &str) -> DecodeError {
    DecodeError::item("a span without this id, or with zeros only, belongs nowhere").under(name)
}
