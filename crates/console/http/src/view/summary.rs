//! A trace in short, without making a tree of it.

use console_model::{Span, SpanId, StatusCode, TraceId};
use console_storage::Trace;
use hashbrown::{HashMap, HashSet};

use super::wire::{Nanoseconds, ServiceShare, Shown, Time, TraceSummary};

/// The summary; `None` for a trace without spans.
pub(super) fn of(id: TraceId, trace: &Trace) -> Option<TraceSummary> {
    let groups = || trace.batch.groups.iter();
    let spans = || groups().flat_map(|group| group.spans.iter().map(move |span| (span, group.resource.service())));
    let earliest = |(span, _): &(&Span, &str)| (span.start_ns, span.span_id);
    let first = spans().min_by_key(earliest)?;
    let root = spans().filter(|(span, _)| span.parent_span_id.is_none()).min_by_key(earliest);
    let (root_span, root_service) = root.unwrap_or(first);
    let end_ns = spans().map(|(span, _)| span.end_ns.max(span.start_ns)).max().unwrap_or(0);
    let here: HashSet<SpanId> = spans().map(|(span, _)| span.span_id).collect();
    let is_missing = |id: SpanId| !here.contains(&id);
    let services = shares(trace);
    Some(TraceSummary {
        trace_id: Shown(id),
        root_service: root_service.to_owned(),
        root_name: root_span.name.to_string(),
        start: Time(first.0.start_ns),
        duration: Nanoseconds(end_ns.saturating_sub(first.0.start_ns)),
        spans: trace.batch.len(),
        errors: services.iter().map(|share| share.errors).sum(),
        services,
        is_partial: trace.is_truncated
            || !trace.evicted.is_empty()
            || spans().any(|(span, _)| span.parent_span_id.is_some_and(is_missing)),
        missing_root: root.is_none(),
    })
}

/// Each service's part, in order of first appearance.
fn shares(trace: &Trace) -> Vec<ServiceShare> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut shares: Vec<(u64, ServiceShare)> = Vec::new();
    for group in &trace.batch.groups {
        let service = group.resource.service();
        let place = *places.entry(service).or_insert_with(|| {
            shares.push((u64::MAX, ServiceShare { name: service.to_owned(), spans: 0, errors: 0 }));
            shares.len() - 1
        });
        let Some((first_ns, share)) = shares.get_mut(place) else { continue };
        share.spans += group.spans.len();
        share.errors += group.spans.iter().filter(|span| span.status.code == StatusCode::Error).count();
        *first_ns = group.spans.iter().map(|span| span.start_ns).min().unwrap_or(u64::MAX).min(*first_ns);
    }
    shares.sort_by_key(|(first_ns, _)| *first_ns);
    shares.into_iter().map(|(_, share)| share).collect()
}
