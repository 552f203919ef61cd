//! Tests of `/api/graph` as it is sent: which calls are shown, with what numbers, and what bad input gets.

use console_model::{Resource, Scope, Span, SpanBatch, SpanGroup, SpanId, TraceId};
use console_storage::Options;

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
    let graph = present(sample(), 10_000_000_000, 40_000_000_000, false);
    let pairs: Vec<_> = graph.edges.iter().map(|edge| (edge.from.as_str(), edge.to.as_str(), edge.kind)).collect();
    assert_eq!(pairs, [("shop", "mail", CallKind::Async), ("stock", "shop", CallKind::Sync)]);
    assert_eq!((graph.edges[1].calls, graph.edges[1].error_rate), (20, 0.25));
    assert_eq!((graph.nodes[3].per_second, graph.nodes[3].error_rate), (2.0, 0.05));
    assert_eq!(graph.nodes[0].p50, "50");
}

#[test]
fn errors_only_leaves_what_failed_and_its_ends() {
    let graph = present(sample(), 10_000_000_000, 40_000_000_000, true);
    let names: Vec<&str> = graph.nodes.iter().map(|node| node.service.as_str()).collect();
    assert_eq!(names, ["shop", "stock", "web"]);
    assert_eq!(graph.edges.len(), 1);
}

#[test]
fn the_answer_has_the_names_that_the_page_reads() {
    let json = serde_json::to_value(present(sample(), 5, 7, false)).unwrap();
    let keys = |value: &serde_json::Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(keys(&json), ["edges", "elapsedMs", "nodes", "since", "truncated"]);
    assert_eq!(keys(&json["edges"][0]), ["calls", "errorRate", "from", "kind", "p95", "perSecond", "to"]);
    let node = ["errorRate", "p50", "p95", "perSecond", "service", "spans"];
    assert_eq!(keys(&json["nodes"][0]), node);
    assert_eq!((&json["edges"][0]["kind"], &json["since"]), (&"async".into(), &"5".into()));
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

/// A trace every second, of a caller and whom it calls a moment later, the last a moment before `to_ns`.
fn calls(to_ns: u64, seconds: u64) -> SpanBatch {
    let span = |second: u64, number: u64| {
        let mut span = Span::new(TraceId::new(u128::from(second) + 1).unwrap(), SpanId::new(number).unwrap());
        span.parent_span_id = SpanId::new(number - 1);
        span.start_ns = to_ns - second * 1_000_000_000 - 450_000_000 * (3 - number);
        span.end_ns = span.start_ns + 1_000;
        span
    };
    let group = |service: &str, number: u64| {
        let mut resource = Resource::default();
        resource.attributes.push("service.name", service);
        let spans = (0..seconds).map(|second| span(second, number)).collect();
        SpanGroup { resource: resource.into(), scope: Arc::new(Scope::default()), spans }
    };
    SpanBatch { groups: vec![group("web", 1), group("stock", 2)] }
}

#[test]
fn spans_that_take_too_long_to_count_are_counted_from_the_newest_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Options::default(), Arc::new(eventsourcing::clock::System)).unwrap();
    let to_ns = u64::try_from(eventsourcing::clock::System.now().as_nanosecond()).unwrap();
    store.ingest_spans(&calls(to_ns, 100)).unwrap();
    let from_ns = to_ns - 90_000_000_000;
    let counted = |counting_max| {
        let (graph, since_ns) = read_newest(&store, from_ns, to_ns, counting_max, &Stop::default()).unwrap();
        let spans: u64 = graph.nodes.iter().map(|node| node.spans.count).sum();
        (spans, graph.edges[0].calls.count, to_ns - since_ns)
    };
    let whole = read(&store, from_ns, to_ns, &Stop::default()).unwrap();
    let spans: u64 = whole.nodes.iter().map(|node| node.spans.count).sum();
    assert_eq!(counted(Duration::from_secs(60)), (spans, whole.edges[0].calls.count, 90_000_000_000));
    // Without any time: the newest second, and what it says is right for it.
    assert_eq!(counted(Duration::ZERO), (2, 1, 999_999_999));
}
