//! Tests of `/api/graph` as it is sent: which calls are shown, with what numbers, and what bad input gets.

use super::tally::{Edge, Graph, Measure, Node};
use super::*;

fn measure(count: u64, errors: u64) -> Measure {
    let mut measure = Measure { count, errors, ..Measure::default() };
    measure.durations.add(50);
    measure
}

fn edge(from: &str, to: &str, errors: u64) -> Edge {
    Edge { from: from.into(), to: to.into(), is_async: from == "shop", calls: measure(20, errors) }
}

fn sample() -> Graph {
    let node = |service: &str, errors| Node { service: service.into(), spans: measure(60, errors) };
    Graph {
        nodes: vec![node("mail", 0), node("shop", 0), node("stock", 0), node("web", 3)],
        edges: vec![edge("shop", "mail", 0), edge("shop", "shop", 20), edge("stock", "shop", 5)],
        is_truncated: false,
    }
}

#[test]
fn calls_within_a_service_are_not_shown_and_rates_are_by_second() {
    let graph = present(sample(), 30.0, false);
    let pairs: Vec<_> = graph.edges.iter().map(|edge| (edge.from.as_str(), edge.to.as_str(), edge.kind)).collect();
    assert_eq!(pairs, [("shop", "mail", CallKind::Async), ("stock", "shop", CallKind::Sync)]);
    assert_eq!((graph.edges[1].calls, graph.edges[1].error_rate), (20, 0.25));
    assert_eq!((graph.nodes[3].per_second, graph.nodes[3].error_rate), (2.0, 0.05));
    assert_eq!(graph.nodes[0].p50, "50");
}

#[test]
fn errors_only_leaves_what_failed_and_its_ends() {
    let graph = present(sample(), 30.0, true);
    let names: Vec<&str> = graph.nodes.iter().map(|node| node.service.as_str()).collect();
    assert_eq!(names, ["shop", "stock", "web"]);
    assert_eq!(graph.edges.len(), 1);
}

#[test]
fn the_answer_has_the_names_that_the_page_reads() {
    let json = serde_json::to_value(present(sample(), 30.0, false)).unwrap();
    let keys = |value: &serde_json::Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(keys(&json), ["edges", "elapsedMs", "nodes", "truncated"]);
    assert_eq!(keys(&json["edges"][0]), ["calls", "errorRate", "from", "kind", "p95", "perSecond", "to"]);
    let node = ["errorRate", "p50", "p95", "perSecond", "service", "spans"];
    assert_eq!(keys(&json["nodes"][0]), node);
    assert_eq!(json["edges"][0]["kind"], "async");
}

#[test]
fn the_time_has_defaults_and_bad_times_are_told_with_an_example() {
    let asked = |start: Option<&str>, end: Option<&str>| {
        let text = |text: Option<&str>| text.map(str::to_owned);
        range(&GraphParameters { start: text(start), end: text(end), errors_only: None }, 2 * DEFAULT_RANGE_NS)
    };
    assert_eq!(asked(None, None), Ok((DEFAULT_RANGE_NS, 2 * DEFAULT_RANGE_NS)));
    assert_eq!(asked(Some("5"), Some("5")), Ok((5, 5)));
    assert_eq!(asked(None, Some("7")), Ok((0, 7)));
    assert!(asked(Some("noon"), None).unwrap_err().contains("as in 1732540000000000000"));
    assert!(asked(Some("-5"), None).is_err());
    assert!(asked(Some("8"), Some("7")).unwrap_err().contains("has to come first"));
}
