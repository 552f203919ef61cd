//! What recordings cannot show: which traces are the newest, what an evicted trace gets, the service graph
//! of the same spans, and that odd requests get errors.

use std::sync::Arc;
use std::time::Duration;

use console_model::{Resource, Scope, Span, SpanBatch, SpanGroup, SpanId, TraceId};
use console_storage::{Options, Store};
use serde_json::json;

use super::recording::{ask, send};
use super::{Stopped, router, seeded};

const DAY_US: u64 = 24 * 60 * 60 * 1_000_000;

#[tokio::test]
async fn a_search_gives_the_newest_first_and_needs_no_service() {
    let (_folder, store) = seeded();
    let answer = ask(&router(&store), "GET", "/api/traces?limit=3").await;
    // The seed's traces are 20 s apart, in the order of their list.
    let expected =
        ["dcbf838a3debd119f784e89a0771173d", "841430e67827d1fa1cd7b6dc9af487fd", "07ff0334e361648a7e4ee15463577057"];
    assert_eq!(answer.trace_ids(), expected);
    let errors = ask(&router(&store), "GET", "/api/traces?tags=%7B%22error%22%3A%22true%22%7D").await;
    let by_code = ask(&router(&store), "GET", "/api/traces?tag=http.response.status_code:500").await;
    assert_eq!(errors.trace_ids(), by_code.trace_ids());
    assert_eq!(errors.trace_ids().len(), 4);
}

#[tokio::test]
async fn attributes_select_in_version_3_too() {
    let (_folder, store) = seeded();
    let path = "/api/v3/traces?query.start_time_min=2026-11-23T23:23:00Z&query.start_time_max=2026-11-23T23:34:59Z\
                &query.attributes=%7B%22http.response.status_code%22%3A%22500%22%7D";
    let classic = ask(&router(&store), "GET", "/api/traces?tag=http.response.status_code:500").await;
    assert_eq!(ask(&router(&store), "GET", path).await.trace_ids(), classic.trace_ids());
}

#[tokio::test]
async fn the_graph_agrees_with_the_dependencies_and_tells_asynchronous_calls_apart() {
    let (_folder, store) = seeded();
    let graph = console_http::graph::router(store.clone(), Arc::new(Stopped));
    let answer = ask(&graph, "GET", "/api/graph").await;
    assert_eq!(answer.status, 200);
    let edges: Vec<_> = answer.body["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| json!([edge["from"], edge["to"], edge["kind"], edge["calls"]]))
        .collect();
    let expected = [
        json!(["frontend", "orders", "sync", 20]),
        json!(["orders", "payments", "sync", 11]),
        json!(["orders", "payments", "async", 1]),
    ];
    assert_eq!(edges, expected);
    let spans: u64 = answer.body["nodes"].as_array().unwrap().iter().map(|node| node["spans"].as_u64().unwrap()).sum();
    assert_eq!(spans, 93);
    assert_eq!(answer.body["truncated"], false);
    let bad = ask(&graph, "GET", "/api/graph?start=noon").await;
    assert_eq!(bad.status, 400);
    assert!(bad.message().contains("as in 1732540000000000000"), "{}", bad.message());
}

#[tokio::test]
async fn an_evicted_trace_is_told_from_one_that_was_never_there() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        limit_bytes: 8 << 20,
        retention_age: Duration::ZERO,
        flush_interval: Duration::from_millis(5),
        ..Options::default()
    };
    let store = Arc::new(Store::open(folder.path(), options, Arc::new(Stopped)).unwrap());
    let first = TraceId::new(1).unwrap();
    for number in 0..2_000_u64 {
        store.ingest_spans(&noise(number)).unwrap();
        store.flush().unwrap();
        if store.trace(first).unwrap().batch.is_empty() {
            break;
        }
    }
    let router = router(&store);
    for path in [format!("/api/traces/{first}"), format!("/api/v3/traces/{first}")] {
        let answer = ask(&router, "GET", &path).await;
        assert_eq!(answer.status, 404);
        let message = answer.message();
        assert!(message.contains("found: spans of noisy were evicted at 2026-11-23T"), "{path}: {message}");
    }
    let listed = ask(&router, "GET", &format!("/api/traces?traceID={first}")).await;
    assert!(listed.message().contains("were evicted at"), "{}", listed.message());
    let never = ask(&router, "GET", &format!("/api/traces/{:x}", u128::MAX)).await;
    assert_eq!((never.status, never.message()), (404, "trace not found"));
}

/// A few hundred spans that do not compress, each a trace of its own.
fn noise(batch: u64) -> SpanBatch {
    let mut state = batch.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let spans = (0..300).map(|number| {
        let id = batch * 300 + number + 1;
        let mut span = Span::new(TraceId::new(u128::from(id)).unwrap(), SpanId::new(id).unwrap());
        span.start_ns = 1_795_400_000_000_000_000 + id;
        span.end_ns = span.start_ns + 1;
        let text: String = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            format!("{:x}", state >> 8)
        })
        .take(20)
        .collect();
        span.attributes.push("noise", text.as_str());
        span
    });
    let mut resource = Resource::default();
    resource.attributes.push("service.name", "noisy");
    let group = SpanGroup { resource: Arc::new(resource), scope: Arc::new(Scope::default()), spans: spans.collect() };
    SpanBatch { groups: vec![group] }
}

#[tokio::test]
async fn what_is_transformed_is_told_apart_by_trace_and_not_kept() {
    let (_folder, store) = seeded();
    let span = |trace: &str, id: &str| json!({"traceId": trace, "spanId": id, "name": "n"});
    let (one, two) = ("0000000000000000000000000000000a", "0000000000000000000000000000000b");
    let sender = |service: &str, spans: serde_json::Value| {
        let attributes = json!([{"key": "service.name", "value": {"stringValue": service}}]);
        json!({"resource": {"attributes": attributes}, "scopeSpans": [{"spans": spans}]})
    };
    let first = sender("a", json!([span(two, "0000000000000001"), span(one, "0000000000000002")]));
    let second = sender("b", json!([span(two, "0000000000000003"), span("", "0000000000000004")]));
    let request = json!({"resourceSpans": [first, second]}).to_string();
    let answer = send(&router(&store), "POST", "/api/transform", &request).await;
    assert_eq!((answer.status, answer.trace_ids()), (200, vec![two.to_owned(), one.to_owned()]));
    let names = |trace: usize| {
        let processes = answer.body["data"][trace]["processes"].as_object().unwrap();
        processes.values().map(|process| process["serviceName"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((names(0), names(1)), (vec!["a", "b"], vec!["a"]));
    assert!(answer.message().starts_with("1 spans are left out: resourceSpans[1].scopeSpans[0].spans[1].traceId: "));
    assert_eq!(ask(&router(&store), "GET", &format!("/api/traces/{one}")).await.status, 404);
}

#[tokio::test]
async fn odd_requests_get_errors_that_say_what_would_be_right() {
    let (_folder, store) = seeded();
    let router = router(&store);
    for (path, text) in [
        ("/api/traces?limit=1501", "1 to 1500"),
        ("/api/traces?tags=%5B%5D", "an object of texts is right"),
        ("/api/traces?tag=%FF%FE", "expecting key:value"),
        ("/api/traces?minDuration=-1s", "as in 200ms"),
        ("/api/traces?end=99999999999999999999", "value out of range"),
        ("/api/traces/%20", "invalid syntax"),
        ("/api/traces/12?start=x", "unable to parse param 'start'"),
        ("/api/v3/traces/%2e%2e%2f", "malformed parameter trace_id"),
        ("/api/dependencies?lookback=x", "unable to parse param 'lookback'"),
    ] {
        let answer = ask(&router, "GET", path).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.message().contains(text), "{path}: {}", answer.message());
    }
    let far = format!("/api/traces?start=-1&end={}", i64::MAX);
    assert_eq!(ask(&router, "GET", &far).await.trace_ids().len(), 20);
    let backwards = format!("/api/traces?start={}&end=1", 2 * DAY_US);
    assert_eq!(ask(&router, "GET", &backwards).await.status, 200);
    assert_eq!(ask(&router, "GET", "/api/dependencies?lookback=-5").await.status, 200);
    assert_eq!(ask(&router, "GET", "/api/nothing").await.status, 404);
}
