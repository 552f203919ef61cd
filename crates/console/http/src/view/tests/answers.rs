//! What pages are shown.

use std::time::{Duration, Instant};

use console_model::{Labels, LogBatch, LogGroup, LogRecord, Sample, SampleBatch, SeriesSamples, TraceId};
use console_storage::Options;
use serde_json::{Value, json};

use super::made::{self, ORDER, batch, span};
use super::{Console, NOW_MS, NOW_NS, escaped};
use crate::trace_tree::Tree;
use crate::view::trace::view;

fn texts(values: &Value, key: &str) -> Vec<String> {
    let text = |value: &Value| value[key].as_str().map(ToOwned::to_owned);
    values.as_array().unwrap().iter().map(|value| text(value).unwrap()).collect()
}

#[tokio::test]
async fn an_order_is_one_tree_over_three_services_with_its_hops() {
    let console = Console::new();
    console.take(&made::order(ORDER));
    let trace = console.get(&format!("/api/traces/{ORDER:032x}")).await;
    assert_eq!(trace["start"], (NOW_NS - 60_000_000_000).to_string());
    assert_eq!((&trace["duration"], &trace["errors"]), (&json!("30000000"), &json!(1)));
    assert_eq!(
        (&trace["missingSpans"], &trace["isTruncated"], &trace["evicted"]),
        (&json!(0), &json!(false), &json!([]))
    );
    let services = json!([
        { "name": "api", "spans": 2 }, { "name": "orders-projector", "spans": 2 }, { "name": "search-projector", "spans": 2 },
    ]);
    assert_eq!(trace["services"], services);
    let spans = &trace["spans"];
    assert_eq!(
        texts(spans, "name"),
        ["POST /orders", "append", "process ORDER_CREATED", "upsert", "process ORDER_CREATED", "index"]
    );
    let column = |key: &str| -> Vec<Value> { spans.as_array().unwrap().iter().map(|span| span[key].clone()).collect() };
    assert_eq!(column("depth"), [0, 1, 2, 3, 2, 3]);
    assert_eq!(column("service"), [0, 0, 1, 1, 2, 2]);
    assert_eq!(column("isAsync"), [false, false, true, false, true, false]);
    assert_eq!(column("children"), [1, 2, 1, 0, 1, 0]);
    assert_eq!(column("kind"), ["server", "producer", "consumer", "internal", "consumer", "internal"]);
    let ids: Vec<Value> = (1..=6).map(|number| json!(format!("{number:016x}"))).collect();
    assert_eq!(column("spanId"), ids);
    assert_eq!(
        column("parentId"),
        [
            Value::Null,
            json!("0000000000000001"),
            json!("0000000000000002"),
            json!("0000000000000003"),
            json!("0000000000000002"),
            json!("0000000000000005")
        ]
    );
    // The answer took 10 ms; the order was done after 30, and the search's projection is why.
    let path = |from: u64, length: u64| json!([{ "start": (from * 1_000_000).to_string(), "duration": (length * 1_000_000).to_string() }]);
    let two = json!([path(15, 1)[0], path(29, 1)[0]]);
    assert_eq!(column("criticalPath"), [path(0, 2), path(2, 6), json!([]), json!([]), two, path(16, 13)]);
    assert_eq!(column("selfTime"), ["4000000", "6000000", "2000000", "4000000", "2000000", "13000000"]);
}

#[tokio::test]
async fn a_span_is_shown_with_everything_that_is_known_of_it() {
    let console = Console::new();
    console.take(&made::order(ORDER));
    let trace = console.get(&format!("/api/traces/{ORDER:032x}")).await;
    let [request, append, process, index] = [0, 1, 2, 5].map(|number: usize| trace["spans"][number].clone());
    let attributes = json!([
        { "key": "http.request.method", "type": "string", "value": "POST" },
        { "key": "http.response.status_code", "type": "int", "value": "201" },
    ]);
    assert_eq!(request["attributes"], attributes);
    assert_eq!(append["traceState"], "vendor=1");
    let event = json!([{ "time": "2005000", "name": "synced", "attributes": [{ "key": "bytes", "type": "int", "value": "512" }] }]);
    assert_eq!(append["events"], event);
    let link =
        json!([{ "traceId": format!("{ORDER:032x}"), "spanId": "0000000000000002", "attributes": [], "isHere": true }]);
    assert_eq!(process["links"], link);
    assert_eq!((&index["status"], &index["statusMessage"]), (&json!("error"), &json!("the index is closed")));
    assert_eq!(index["attributes"], json!([{ "key": "shards", "type": "array", "value": "[1,2]" }]));
    let sender = &trace["resources"][index["resource"].as_u64().unwrap() as usize];
    assert_eq!((&sender["service"], &sender["attributes"][0]["value"]), (&json!(2), &json!("search-projector")));
    assert_eq!(trace["scopes"], json!([{ "name": "made", "version": "2", "attributes": [] }]));
}

#[tokio::test]
async fn a_search_needs_no_service_and_tells_each_trace_in_short() {
    let console = Console::new();
    console.take(&made::order(ORDER));
    let orphan = batch("api", vec![span(9, 2, Some(1), "late", 20_000, 20_500)]);
    console.take(&orphan);
    console.take(&batch(
        "api",
        vec![span(10, 1, None, "hours ago", 0, 1)]
            .into_iter()
            .map(|mut span| {
                span.start_ns -= 7_200_000_000_000;
                span.end_ns -= 7_200_000_000_000;
                span
            })
            .collect(),
    ));
    let found = console.get("/api/traces").await;
    assert_eq!(found["truncated"], false);
    assert!(found["elapsedMs"].as_f64().unwrap() < 2_000.0);
    let expected = json!([
        {
            "traceId": format!("{:032x}", 9), "rootService": "api", "rootName": "late",
            "start": (NOW_NS - 40_000_000_000).to_string(), "duration": "500000000", "spans": 1, "errors": 0,
            "services": [{ "name": "api", "spans": 1, "errors": 0 }], "isPartial": true, "missingRoot": true,
        },
        {
            "traceId": format!("{ORDER:032x}"), "rootService": "api", "rootName": "POST /orders",
            "start": (NOW_NS - 60_000_000_000).to_string(), "duration": "30000000", "spans": 6, "errors": 1,
            "services": [
                { "name": "api", "spans": 2, "errors": 0 },
                { "name": "orders-projector", "spans": 2, "errors": 0 },
                { "name": "search-projector", "spans": 2, "errors": 1 },
            ],
            "isPartial": false, "missingRoot": false,
        },
    ]);
    assert_eq!(found["traces"], expected);
}

#[tokio::test]
async fn a_search_asks_for_one_span_that_fulfils_everything() {
    let console = Console::new();
    console.take(&made::order(ORDER));
    let tags = |json: &str| format!("tags={}", escaped(json));
    let start = NOW_NS - 60_000_000_000;
    let cases = [
        ("".to_owned(), 1),
        ("service=&operation=&tags=&minDuration=&maxDuration=&errors=&start=&end=&limit=".to_owned(), 1),
        ("service=api".to_owned(), 1),
        ("service=api&operation=index".to_owned(), 0),
        ("service=search-projector&operation=index&errors=true".to_owned(), 1),
        ("service=api&errors=true".to_owned(), 0),
        ("errors=false".to_owned(), 1),
        ("minDuration=15ms&maxDuration=15ms".to_owned(), 1),
        ("minDuration=15.000001ms".to_owned(), 0),
        (tags(r#"{"http.request.method":"POST","http.response.status_code":"201"}"#), 1),
        (tags(r#"{"http.request.method":"GET"}"#), 0),
        (tags(r#"{"host.name":"one"}"#), 1),
        (format!("start={start}&end={start}"), 1),
        (format!("end={}", start - 1), 0),
    ];
    for (query, count) in cases {
        let found = console.get(&format!("/api/traces?{query}")).await;
        assert_eq!(found["traces"].as_array().unwrap().len(), count, "{query}");
    }
}

#[tokio::test]
async fn more_than_the_limit_is_told() {
    let console = Console::new();
    for trace in 1..=5 {
        console.take(&batch("api", vec![span(trace, 1, None, "GET", trace as u64, trace as u64 + 1)]));
    }
    let found = console.get("/api/traces?limit=3").await;
    let ids: Vec<String> = [5, 4, 3].iter().map(|trace| format!("{trace:032x}")).collect();
    assert_eq!((texts(&found["traces"], "traceId"), &found["truncated"]), (ids, &json!(true)));
    assert_eq!(console.get("/api/traces?limit=5").await["truncated"], false);
}

#[test]
fn a_search_stops_when_its_time_is_over_with_what_it_has() {
    let console = Console::new();
    for trace in 1..=60 {
        console.take(&batch("api", vec![span(trace, 1, None, "GET", trace as u64, trace as u64 + 1)]));
    }
    let query = console_storage::TraceQuery { limit: 60, ..Default::default() };
    let search = |most| crate::view::traces::search(&console.store, query.clone(), most).unwrap();
    let (cut, whole) = (search(Duration::ZERO), search(Duration::MAX));
    assert_eq!((cut.traces.len(), cut.truncated), (25, true), "as many as are loaded at once");
    assert_eq!((whole.traces.len(), whole.truncated), (60, false));
    let newest: Vec<u128> = cut.traces.iter().map(|trace| trace.trace_id.0.get()).collect();
    assert_eq!(newest, (36..=60).rev().collect::<Vec<u128>>());
}

#[tokio::test]
async fn services_and_operations_are_what_a_search_can_name() {
    let console = Console::new();
    assert_eq!(console.get("/api/services").await, json!({ "services": [] }));
    console.take(&made::order(ORDER));
    let services = json!({ "services": [
        { "name": "api", "operations": 2 }, { "name": "orders-projector", "operations": 2 }, { "name": "search-projector", "operations": 2 },
    ]});
    assert_eq!(console.get("/api/services").await, services);
    let operations = json!({ "operations": [{ "name": "POST /orders", "kind": "server" }, { "name": "append", "kind": "producer" }] });
    assert_eq!(console.get("/api/operations?service=api").await, operations);
    assert_eq!(console.get("/api/operations?service=none").await, json!({ "operations": [] }));
}

#[tokio::test]
async fn the_overview_tells_who_sends_what_and_what_is_kept() {
    let console = Console::with(Options { retention_age: Duration::from_secs(86_400), ..Options::default() });
    let empty = console.get("/api/overview?minutes=2").await;
    assert_eq!((&empty["services"], &empty["dropped"], &empty["facts"]), (&json!([]), &json!([]), &json!([])));
    assert_eq!(empty["store"]["oldest"], json!({ "spans": null, "lines": null, "samples": null }));
    console.take(&made::order(ORDER));
    let mut old = span(11, 1, None, "last year", 0, 1);
    (old.start_ns, old.end_ns) = (1, 2);
    console.take(&batch("api", vec![old]));
    let record = LogRecord { time_ns: NOW_NS - 5, ..LogRecord::default() };
    let stream = Labels::from_pairs([("service_name", "api")]);
    let group = LogGroup { stream, resource: made::resource("api"), scope: Default::default(), records: vec![record] };
    let lines = LogBatch { groups: vec![group] };
    console.arrivals.logs(&lines, NOW_MS);
    console.store.ingest_logs(&lines).unwrap();
    let labels = Labels::from_pairs([("__name__", "up"), ("job", "node")]);
    let series = SeriesSamples {
        labels,
        samples: vec![Sample { time_ms: NOW_MS, value: 1.0 }],
        histograms: vec![],
        exemplars: vec![],
    };
    let samples = SampleBatch { series: vec![series], metadata: vec![] };
    console.arrivals.samples(&samples, NOW_MS);
    console.store.ingest_samples(&samples).unwrap();
    let overview = console.get("/api/overview?minutes=2").await;
    assert_eq!((&overview["now"], &overview["version"]), (&json!(NOW_NS.to_string()), &json!("1.2.3")));
    assert_eq!(texts(&overview["services"], "name"), ["api", "node", "orders-projector", "search-projector"]);
    let api = json!({
        "name": "api",
        "signals": {
            "spans": { "lastMinute": 3, "total": 3, "perMinute": [0, 3] },
            "lines": { "lastMinute": 1, "total": 1, "perMinute": [0, 1] },
            "samples": { "lastMinute": 0, "total": 0, "perMinute": [0, 0] },
        },
        "errors": { "lastMinute": 0, "perMinute": [0, 0] },
        "lastSeen": NOW_NS.to_string(),
        "bytes": overview["services"][0]["bytes"],
    });
    assert_eq!(overview["services"][0], api);
    // It is in no block yet, but it is kept.
    assert!(overview["services"][0]["bytes"].as_u64().is_some_and(|bytes| (100..10_000).contains(&bytes)));
    assert_eq!(overview["services"][3]["errors"], json!({ "lastMinute": 1, "perMinute": [0, 1] }));
    assert_eq!(overview["servicesTruncated"], false);
    assert_eq!(overview["dropped"], json!([{ "what": "spans too old to be kept", "count": 1 }]));
    let oldest = json!({
        "spans": (NOW_NS - 60_000_000_000).to_string(), "lines": (NOW_NS - 5).to_string(), "samples": NOW_NS.to_string(),
    });
    assert_eq!(overview["store"]["oldest"], oldest);
    assert_eq!(
        (&overview["store"]["bytesMax"], &overview["store"]["retentionSeconds"]),
        (&json!(1 << 30), &json!(86_400))
    );
    assert_eq!(overview["store"]["trouble"], Value::Null);
}

/// A service that sent before this process began is there too, without counts.
#[tokio::test]
async fn the_overview_knows_what_only_the_store_knows() {
    let console = Console::new();
    console.store.ingest_spans(&made::order(ORDER)).unwrap();
    let overview = console.get("/api/overview").await;
    assert_eq!(texts(&overview["services"], "name"), ["api", "orders-projector", "search-projector"]);
    assert_eq!(overview["services"][0]["lastSeen"], Value::Null);
    assert_eq!(overview["services"][0]["signals"]["spans"]["perMinute"], json!(vec![0; 15]));
}

#[tokio::test]
async fn every_path_of_the_document_is_answered_as_the_document_says() {
    let console = Console::new();
    console.take(&made::order(ORDER));
    let document = console.get("/api/openapi.json").await;
    for path in document["paths"].as_object().unwrap().keys() {
        let query = if path == "/api/operations" { "?service=api" } else { "" };
        let body = console.get(&(path.replace("{traceId}", &format!("{ORDER:032x}")) + query)).await;
        let schema = &document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        check(&document, schema, &body, path);
    }
}

/// Holds a value against a schema as far as our document uses schemas: nothing missing, nothing unsaid.
fn check(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return check(document, &document["components"]["schemas"][name], value, at);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let choice = choices.iter().find(|choice| (choice["type"] == "null") == value.is_null());
        return check(document, choice.unwrap(), value, at);
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    assert!(kinds.contains(&json!(kind)), "{at} is {value}, and should be {kinds:?}");
    if let Some(allowed) = schema["enum"].as_array() {
        assert!(allowed.contains(value), "{at} is {value}, and should be one of {allowed:?}");
    }
    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
        check(document, &schema["items"], item, &format!("{at}[{number}]"));
    }
    if let (Some(object), Some(properties)) = (value.as_object(), schema["properties"].as_object()) {
        let mut required: Vec<&str> = schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        required.sort_unstable();
        assert_eq!(object.keys().map(String::as_str).collect::<Vec<_>>(), required, "{at}");
        for (key, value) in object {
            check(document, &properties[key], value, &format!("{at}.{key}"));
        }
    }
}

/// The bound is ten times what it takes, for machines that are busy; without optimisation it is not looked at
/// closely. `cargo test --release -- --nocapture` tells the figure.
#[test]
fn a_trace_of_ten_thousand_spans_is_written_down_quickly() {
    let console = Console::new();
    console.take(&made::large(ORDER, 10_000));
    let id = TraceId::new(ORDER).unwrap();
    let trace = console.store.trace(id).unwrap();
    let mut best = Duration::MAX;
    let mut length = 0;
    for _ in 0..5 {
        let began = Instant::now();
        let tree = Tree::new(&trace.batch);
        length = serde_json::to_vec(&view(id, &trace, &tree)).unwrap().len();
        best = best.min(began.elapsed());
    }
    println!("10,000 spans, {length} bytes of JSON: {best:?}");
    assert!(best < Duration::from_millis(if cfg!(debug_assertions) { 5_000 } else { 500 }), "{best:?}");
}
