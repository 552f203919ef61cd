//! A trace in short, without making a tree of it.

use console_model::SpanId;
use console_storage::{SpanOutline, TraceOutline};
use hashbrown::{HashMap, HashSet};

use super::wire::{Nanoseconds, ServiceShare, Shown, Time, TraceSummary};

/// The summary; `None` for a trace without spans.
pub(super) fn of(trace: &TraceOutline) -> Option<TraceSummary> {
    // They come in order of their start.
    let spans = &trace.spans;
    let first = spans.first()?;
    let root = spans.iter().find(|span| span.parent_span_id.is_none());
    let named = root.unwrap_or(first);
    let end_ns = spans.iter().map(|span| span.end_ns.max(span.start_ns)).max().unwrap_or(0);
    let here: HashSet<SpanId> = spans.iter().map(|span| span.span_id).collect();
    let is_missing = |id: SpanId| !here.contains(&id);
    let services = shares(spans);
    Some(TraceSummary {
        trace_id: Shown(trace.trace_id),
        root_service: named.service.to_string(),
        root_name: named.name.to_string(),
        start: Time(first.start_ns),
        duration: Nanoseconds(end_ns.saturating_sub(first.start_ns)),
        spans: spans.len(),
        errors: services.iter().map(|share| share.errors).sum(),
        services,
        is_partial: trace.is_truncated
            || !trace.evicted.is_empty()
            || spans.iter().any(|span| span.parent_span_id.is_some_and(is_missing)),
        missing_root: root.is_none(),
    })
}

/// Each service's part, in order of first appearance.
fn shares(spans: &[SpanOutline]) -> Vec<ServiceShare> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut shares: Vec<ServiceShare> = Vec::new();
    for span in spans {
        let place = *places.entry(&span.service).or_insert_with(|| {
            shares.push(ServiceShare { name: span.service.to_string(), spans: 0, errors: 0 });
            shares.len() - 1
        });
        let Some(share) = shares.get_mut(place) else { continue };
        share.spans += 1;
        share.errors += usize::from(span.has_failed);
    }
    shares
}
