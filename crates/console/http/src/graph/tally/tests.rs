//! Tests of the tally: which spans make which calls, and what happens at its bounds.

use super::*;

const SECOND: u64 = 1_000_000_000;

fn trace(number: u128) -> TraceId {
    TraceId::new(number).unwrap()
}

fn span(number: u64) -> SpanId {
    SpanId::new(number).unwrap()
}

/// A span of a second's length at second 10 of trace 1.
fn head(service: &str, id: u64, parent: u64) -> SpanHead<'_> {
    SpanHead {
        service,
        name: "work",
        trace_id: trace(1),
        span_id: span(id),
        parent_span_id: SpanId::new(parent),
        kind: SpanKind::Internal,
        status: StatusCode::Unset,
        start_ns: 10 * SECOND,
        duration_ns: SECOND,
        links: Vec::new(),
    }
}

fn graph(heads: &[SpanHead<'_>]) -> Graph {
    let mut tally = Tally::new(10 * SECOND, 20 * SECOND);
    heads.iter().for_each(|head| tally.add(head));
    tally.finish()
}

fn edges(graph: &Graph) -> Vec<(String, u64)> {
    let text = |edge: &Edge| format!("{} {} {}", edge.from, if edge.is_async { "~>" } else { "->" }, edge.to);
    graph.edges.iter().map(|edge| (text(edge), edge.calls.count)).collect()
}

fn one(edge: &str) -> Vec<(String, u64)> {
    vec![(edge.to_owned(), 1)]
}

#[test]
fn a_child_within_its_parents_time_is_a_synchronous_call_in_whatever_order_they_come() {
    let heads = [head("shop", 1, 0), head("stock", 2, 1)];
    assert_eq!(edges(&graph(&heads)), one("shop -> stock"));
    let [parent, child] = heads;
    assert_eq!(edges(&graph(&[child, parent])), one("shop -> stock"));
}

#[test]
fn consumers_children_of_producers_and_late_children_are_asynchronous() {
    let consumer = SpanHead { kind: SpanKind::Consumer, ..head("mail", 2, 1) };
    assert_eq!(edges(&graph(&[head("shop", 1, 0), consumer])), one("shop ~> mail"));
    let producer = SpanHead { kind: SpanKind::Producer, ..head("shop", 1, 0) };
    assert_eq!(edges(&graph(&[producer, head("mail", 2, 1)])), one("shop ~> mail"));
    let late = SpanHead { start_ns: 11 * SECOND + 1, ..head("mail", 2, 1) };
    assert_eq!(edges(&graph(&[head("shop", 1, 0), late])), one("shop ~> mail"));
    let at_the_end = SpanHead { start_ns: 11 * SECOND, ..head("mail", 2, 1) };
    assert_eq!(edges(&graph(&[head("shop", 1, 0), at_the_end])), one("shop -> mail"));
}

#[test]
fn a_link_is_an_asynchronous_call_from_the_linked_service() {
    let linking = SpanHead { trace_id: trace(2), links: vec![(trace(1), span(1))], ..head("search", 7, 0) };
    assert_eq!(edges(&graph(&[head("shop", 1, 0), linking.clone()])), one("shop ~> search"));
    assert_eq!(edges(&graph(&[linking, head("shop", 1, 0)])), one("shop ~> search"));
}

#[test]
fn a_link_to_the_parent_to_oneself_to_the_own_service_or_to_nothing_adds_no_call() {
    let linked = |trace_number, id| vec![(trace(trace_number), span(id))];
    let to_parent = SpanHead { links: linked(1, 1), ..head("stock", 2, 1) };
    assert_eq!(edges(&graph(&[head("shop", 1, 0), to_parent])), one("shop -> stock"));
    let to_itself = SpanHead { links: linked(1, 1), ..head("shop", 1, 0) };
    let to_own = SpanHead { trace_id: trace(2), links: linked(1, 1), ..head("shop", 3, 0) };
    let to_nothing = SpanHead { links: linked(9, 9), ..head("mail", 4, 0) };
    assert_eq!(edges(&graph(&[to_itself, to_own, to_nothing])), []);
}

#[test]
fn a_parent_that_is_missing_makes_no_call_but_the_span_counts() {
    let graph = graph(&[head("stock", 2, 1)]);
    assert_eq!(edges(&graph), []);
    assert_eq!(graph.nodes.len(), 1);
}

#[test]
fn the_same_span_id_in_another_trace_is_no_parent() {
    let other = SpanHead { trace_id: trace(2), ..head("shop", 1, 0) };
    assert_eq!(edges(&graph(&[other, head("stock", 2, 1)])), []);
}

#[test]
fn spans_that_are_their_own_parent_or_in_a_circle_end_the_tally_like_others() {
    assert_eq!(edges(&graph(&[head("shop", 1, 1)])), []);
    let circle = graph(&[head("a", 1, 2), head("b", 2, 1)]);
    assert_eq!(edges(&circle), [("a -> b".to_owned(), 1), ("b -> a".to_owned(), 1)]);
}

#[test]
fn calls_within_a_service_are_counted_as_such() {
    assert_eq!(edges(&graph(&[head("shop", 1, 0), head("shop", 2, 1)])), one("shop -> shop"));
}

#[test]
fn a_span_that_was_sent_twice_counts_once() {
    let heads = [head("shop", 1, 0), head("stock", 2, 1), head("stock", 2, 1), head("shop", 1, 0)];
    let graph = graph(&heads);
    assert_eq!(edges(&graph), one("shop -> stock"));
    assert!(graph.nodes.iter().all(|node| node.spans.count == 1));
}

#[test]
fn spans_outside_the_time_are_parents_only() {
    let before = SpanHead { start_ns: 9 * SECOND, duration_ns: 5 * SECOND, ..head("shop", 1, 0) };
    let after = SpanHead { start_ns: 21 * SECOND, ..head("mail", 3, 2) };
    let graph = graph(&[before, head("stock", 2, 1), after]);
    assert_eq!(edges(&graph), one("shop -> stock"));
    let names: Vec<&str> = graph.nodes.iter().map(|node| node.service.as_str()).collect();
    assert_eq!(names, ["stock"]);
}

#[test]
fn errors_and_durations_are_those_of_the_called_span() {
    let failed = SpanHead { status: StatusCode::Error, duration_ns: 2_000, ..head("stock", 3, 1) };
    let graph = graph(&[head("shop", 1, 0), head("stock", 2, 1), failed]);
    let calls = &graph.edges[0].calls;
    assert_eq!((calls.count, calls.errors, calls.error_rate()), (2, 1, 0.5));
    let p95 = calls.durations.quantile_ns(0.95) as f64;
    assert!((p95 / SECOND as f64 - 1.0).abs() < 0.02, "{p95}");
    assert_eq!(graph.nodes[0].spans.errors, 0);
}

#[test]
fn beyond_its_bound_the_tally_keeps_whole_traces_and_estimates() {
    let mut tally = Tally::with_bound(0, u64::MAX, 4_000);
    let traces = 40_000_u64;
    for number in 0..u128::from(traces) {
        let in_trace = |head: SpanHead<'static>| SpanHead { trace_id: trace(number + 1), ..head };
        let link = vec![(trace(1 + (number + 1) % u128::from(traces)), span(1))];
        tally.add(&in_trace(head("shop", 1, 0)));
        tally.add(&in_trace(SpanHead { links: link, ..head("stock", 2, 1) }));
        assert!(tally.rows.len() <= 4_000 && tally.links.len() <= 4_000);
    }
    let graph = tally.finish();
    assert!(graph.is_truncated);
    assert!(graph.nodes.iter().all(|node| node.spans.count == traces), "services are counted in full");
    let sync = graph.edges.iter().find(|edge| !edge.is_async).unwrap().calls.count as f64;
    assert!((sync / traces as f64 - 1.0).abs() < 0.2, "{sync} calls estimated, {traces} made");
}

#[test]
fn one_trace_larger_than_the_table_costs_calls_but_neither_memory_nor_counts() {
    let mut tally = Tally::with_bound(0, u64::MAX, 100);
    (1..=1_000).for_each(|id| tally.add(&head("shop", id, id / 2)));
    assert!(tally.rows.len() <= 101);
    let graph = tally.finish();
    assert!(graph.is_truncated);
    assert_eq!(graph.nodes[0].spans.count, 1_000);
}

#[test]
fn services_and_pairs_of_them_are_bounded() {
    let names: Vec<String> = (0..SERVICES_MAX + 5).map(|number| format!("s{number}")).collect();
    let heads: Vec<SpanHead<'_>> = (1..).zip(&names).map(|(id, name)| head(name, id, id - 1)).collect();
    let graph = graph(&heads);
    assert!(graph.is_truncated);
    assert_eq!((graph.nodes.len(), graph.edges.len()), (SERVICES_MAX, SERVICES_MAX - 1));
}
