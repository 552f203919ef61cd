//! Tests of Jaeger's form of a trace where the recordings of a real one say nothing.

use std::sync::Arc;

use console_model::{Attributes, Resource, SpanBatch, SpanGroup};
use console_storage::Evicted;
use serde_json::{Value as Json, json};

use super::*;

fn span(id: u64) -> Span {
    let mut span = Span::new(TraceId::new(1).unwrap(), SpanId::new(id).unwrap());
    (span.start_ns, span.end_ns) = (5_000, 9_000);
    span
}

fn group(resource: &[(&str, &str)], scope: &str, spans: Vec<Span>) -> SpanGroup {
    let mut attributes = Attributes::new();
    resource.iter().for_each(|(key, value)| attributes.push(*key, *value));
    let resource = Arc::new(Resource { attributes, ..Resource::default() });
    SpanGroup { resource, scope: Arc::new(Scope { name: scope.into(), ..Scope::default() }), spans }
}

fn written(groups: Vec<SpanGroup>, is_raw: bool) -> Json {
    let trace = Trace { batch: SpanBatch { groups }, ..Trace::default() };
    view(&trace, is_raw)
}

fn view(trace: &Trace, is_raw: bool) -> Json {
    let trace_id = TraceId::new(1).unwrap();
    serde_json::to_value(TraceView { trace_id, trace, is_raw, notice: None }).unwrap()
}

#[test]
fn equal_processes_are_one_whatever_the_scope_and_another_instance_is_another() {
    let shop = [("service.name", "shop"), ("host.name", "a")];
    let other = [("service.name", "shop"), ("host.name", "b")];
    let trace = written(
        vec![group(&shop, "x", vec![span(1)]), group(&shop, "y", vec![span(2)]), group(&other, "x", vec![span(3)])],
        false,
    );
    let ids: Vec<&Json> = trace["spans"].as_array().unwrap().iter().map(|span| &span["processID"]).collect();
    assert_eq!(ids, ["p1", "p1", "p2"]);
    assert_eq!(trace["processes"]["p2"]["tags"][0]["value"], "b");
    assert_eq!(trace["processes"].as_object().unwrap().len(), 2);
}

#[test]
fn spans_come_by_start_across_services() {
    let early = Span { start_ns: 1_000, ..span(9) };
    let groups = vec![group(&[("service.name", "a")], "", vec![span(1)]), group(&[], "", vec![early])];
    let trace = written(groups, false);
    assert_eq!(trace["spans"][0]["spanID"], "0000000000000009");
    assert_eq!(trace["processes"]["p1"]["serviceName"], "unknown_service");
}

#[test]
fn a_span_that_ends_before_it_starts_has_no_duration_and_a_warning_unless_raw() {
    let backwards = || vec![group(&[], "", vec![Span { end_ns: 4_000, ..span(1) }])];
    let trace = written(backwards(), false);
    assert_eq!(trace["spans"][0]["duration"], 0);
    let warning = trace["spans"][0]["warnings"][0].as_str().unwrap();
    assert!(warning.contains("ends 1000 ns before it starts"), "{warning}");
    assert_eq!(written(backwards(), true)["spans"][0]["warnings"], Json::Null);
}

#[test]
fn a_span_that_is_its_own_parent_refers_to_itself() {
    let own = Span { parent_span_id: SpanId::new(1), ..span(1) };
    let trace = written(vec![group(&[], "", vec![own])], false);
    assert_eq!(trace["spans"][0]["references"][0]["spanID"], trace["spans"][0]["spanID"]);
    assert_eq!(trace["spans"][0]["warnings"], Json::Null);
}

#[test]
fn a_link_may_say_that_it_is_a_parent() {
    let mut attributes = Attributes::new();
    attributes.push("opentracing.ref_type", "child_of");
    let link = Link {
        trace_id: TraceId::new(7).unwrap(),
        span_id: SpanId::new(7).unwrap(),
        trace_state: "".into(),
        attributes,
        dropped_attributes_count: 0,
        flags: 0,
    };
    let plain = Link { attributes: Attributes::new(), ..link.clone() };
    let trace = written(vec![group(&[], "", vec![Span { links: vec![link, plain], ..span(1) }])], false);
    let kinds: Vec<&Json> =
        trace["spans"][0]["references"].as_array().unwrap().iter().map(|reference| &reference["refType"]).collect();
    assert_eq!(kinds, ["CHILD_OF", "FOLLOWS_FROM"]);
}

#[test]
fn a_trace_that_is_not_whole_says_so() {
    let batch = SpanBatch { groups: vec![group(&[], "", vec![span(1)])] };
    let evicted = vec![Evicted { at_ms: 0, service: "shop".into() }];
    let trace = view(&Trace { batch, is_truncated: true, evicted }, true);
    assert_eq!(
        trace["warnings"],
        json!([
            "it has more spans than are shown, which are at most 50000",
            "it is not whole: spans of shop were evicted at 1970-01-01T00:00:00Z to stay within the store's bounds"
        ])
    );
}
