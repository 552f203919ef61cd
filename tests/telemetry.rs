//! What the program tells while it runs: one order is one trace through three services, in one process
//! and in three; its log lines and its exemplar name that trace; failures are kept whatever the sampler
//! says; what is logged and kept can be changed while it runs. Whether everything is told that is
//! promised is `telemetry_registry`'s.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use support::collector::{Collector, Span};
use support::{Service, log_lines, order, wait_for};

/// What sends to a collector, soon.
fn told<'a>(arguments: &[&'a str], collector: &'a Collector) -> Vec<&'a str> {
    let own = ["--otel-exporter-otlp-endpoint", &collector.url, "--otel-bsp-schedule-delay", "10"];
    arguments.iter().copied().chain(own).chain(["--otel-blrp-schedule-delay", "10"]).collect()
}

fn trace_of(answer: &support::Answer) -> String {
    answer.header("traceresponse").unwrap().split('-').nth(1).unwrap().to_owned()
}

/// The spans of a trace, once there are so many of them.
fn trace(collector: &Collector, trace: &str, spans: usize) -> Vec<Span> {
    wait_for(|| {
        let found: Vec<_> = collector.spans().into_iter().filter(|span| span.trace == trace).collect();
        (found.len() >= spans).then_some(found)
    })
}

/// One span of this name and service, below this parent.
fn one<'a>(spans: &'a [Span], service: &str, name: &str, parent: &str) -> &'a Span {
    let is_it =
        |span: &&Span| (span.service.as_str(), span.name.as_str(), span.parent.as_str()) == (service, name, parent);
    let found: Vec<_> = spans.iter().filter(is_it).collect();
    let [span] = found[..] else { panic!("{service}: {name} below {parent} in {spans:#?}") };
    assert!(span.start <= span.end && !span.failed, "{span:?}");
    span
}

const INTERNAL: i32 = 1;
const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const CONSUMER: i32 = 5;

/// The trace of a `POST /api/orders`, whole and in order.
fn check_trace(spans: &[Span]) {
    assert_eq!(spans.len(), 7, "{spans:#?}");
    let server = one(spans, "delivery-api", "POST /api/orders", "");
    let command = one(spans, "delivery-api", "order create", &server.id);
    let append = one(spans, "delivery-api", "append order", &command.id);
    assert_eq!((server.kind, command.kind, append.kind), (SERVER, INTERNAL, CLIENT));
    assert_eq!(server.attribute("http.response.status_code"), Some("201"));
    assert_eq!(append.attribute("db.system.name"), Some("sqlite"));
    assert!(server.start <= command.start && command.end <= server.end);
    assert!(command.start <= append.start && append.end <= command.end);
    for (service, write) in [("orders-projector", "upsert order"), ("search-projector", "index order")] {
        let process = one(spans, service, "process ORDER_CREATED", &command.id);
        let write = one(spans, service, write, &process.id);
        assert_eq!((process.kind, write.kind), (CONSUMER, CLIENT));
        assert_eq!(process.attribute("event.position"), Some("1"));
        assert!(process.start <= write.start && write.end <= process.end);
        // Whoever appends may learn last that it is durable, but nobody sees it before it was begun. Both clocks
        // are this machine's, and milliseconds apart.
        assert!(append.start <= process.end);
    }
}

#[test]
fn one_order_is_one_trace_through_three_services() {
    let (folder, collector) = (tempfile::tempdir().unwrap(), Collector::start());
    let service = Service::start(folder.path(), &told(&["up", "--no-traffic"], &collector));
    let answer = service.command("POST", "/api/orders", Some(&order("1 Main Street"))).expect(201);
    let id = trace_of(&answer);
    check_trace(&trace(&collector, &id, 7));

    let line = wait_for(|| log_lines(folder.path()).into_iter().find(|line| line["trace_id"] == *id));
    assert_eq!((&line["message"], &line["service.name"]), (&"request served".into(), &"delivery-api".into()));
    let record = wait_for(|| collector.logs().into_iter().find(|log| log.trace == id));
    assert_eq!((&*record.message, &*record.service), ("request served", "delivery-api"));
    let metrics = service.get("/metrics").expect(200).body;
    let is_exemplar =
        |line: &&str| line.starts_with("http_server_request_duration_seconds_bucket") && line.contains(&id);
    assert!(metrics.lines().any(|line| is_exemplar(&line)), "no exemplar names {id}: {metrics}");

    let history = service.get(&format!("/api/orders/{}/events", answer.json().as_str().unwrap())).expect(200);
    assert_eq!(history.json()["events"][0]["traceId"], id.as_str(), "the history leads there as well");
}

#[test]
fn one_order_is_one_trace_through_three_processes() {
    let (folder, collector) = (tempfile::tempdir().unwrap(), Collector::start());
    let start = |role: &str| Service::start(folder.path(), &told(&["serve", "--role", role], &collector));
    let (api, orders, search) = (start("api"), start("orders-projector"), start("search-projector"));
    let caller = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    api.send("POST", "/api/orders", &caller, Some(&order("1 Main Street"))).expect(201);
    let mut spans = trace(&collector, "0af7651916cd43dd8448eb211c80319c", 7);
    let server = spans.iter_mut().find(|span| span.name == "POST /api/orders").unwrap();
    assert_eq!(server.parent, "b7ad6b7169203331", "the caller's span is above ours");
    server.parent.clear();
    check_trace(&spans);
    // Three processes tell who they are, each for itself.
    let mut instances: Vec<_> = collector
        .resources()
        .into_iter()
        .map(|resource| resource.into_iter().find(|(name, _)| name == "service.instance.id").unwrap().1)
        .collect();
    instances.sort();
    instances.dedup();
    assert_eq!(instances.len(), 3);
    for (service, name) in [(api, "delivery-api"), (orders, "orders-projector"), (search, "search-projector")] {
        let metrics = service.get("/metrics").expect(200).body;
        assert!(metrics.contains(&format!(r#"build_info{{service="{name}""#)), "{metrics}");
        assert!(service.stop().success());
    }
}

#[test]
fn a_callers_decision_is_followed_and_a_share_is_kept() {
    let (folder, collector) = (tempfile::tempdir().unwrap(), Collector::start());
    let sampler = ["up", "--no-traffic", "--otel-traces-sampler", "parentbased_always_off"];
    let service = Service::start(folder.path(), &told(&sampler, &collector));
    let unsampled = service.get("/api/orders").expect(200);
    assert!(unsampled.header("traceresponse").unwrap().ends_with("-00"));
    let caller = |flags: &str| format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
    let get = |flags: &str| service.send("GET", "/api/orders", &[("traceparent", &caller(flags))], None).expect(200);
    get("00");
    assert!(get("01").header("traceresponse").unwrap().ends_with("-01"));
    trace(&collector, "0af7651916cd43dd8448eb211c80319c", 2);
    assert!(service.stop().success(), "what waits is sent before the end");
    let spans = collector.spans();
    assert_eq!(spans.len(), 2, "nothing but the trace that the caller keeps: {spans:#?}");
}

#[test]
fn a_failure_is_kept_whatever_the_sampler_says() {
    let (folder, collector) = (tempfile::tempdir().unwrap(), Collector::start());
    let sampler = ["up", "--no-traffic", "--otel-traces-sampler", "always_off"];
    let service = Service::start(folder.path(), &told(&sampler, &collector));
    let read = ["?minPosition=999&waitMs=1", ""].map(|query| service.get(&format!("/api/orders{query}")));
    let id = trace_of(&read[0].clone().expect(503));
    let spans = trace(&collector, &id, 1);
    assert!(spans[0].failed, "{spans:?}");
    assert_eq!(spans[0].name, "GET /api/orders");
    assert_eq!(spans[0].attribute("error.type"), Some("/problems/position-not-reached"));
    assert!(service.stop().success());
    assert_eq!(collector.spans().len(), 1, "what went well is not kept");
}

#[test]
fn what_is_told_can_be_changed_while_the_program_runs() {
    let (folder, collector) = (tempfile::tempdir().unwrap(), Collector::start());
    let service = Service::start(folder.path(), &told(&["up", "--no-traffic"], &collector));
    let change = |body: Value| service.command("PATCH", "/admin/telemetry", Some(&body));
    assert_eq!(
        service.get("/admin/telemetry").expect(200).json(),
        json!({ "logFilter": "info", "sampler": "parentbased_always_on" })
    );
    let changed = change(json!({ "sampler": "traceidratio", "samplerArgument": 0, "logFilter": "error" })).expect(200);
    assert_eq!(changed.json(), json!({ "logFilter": "error", "sampler": "traceidratio", "samplerArgument": 0.0 }));
    assert!(service.get("/api/orders").expect(200).header("traceresponse").unwrap().ends_with("-00"));
    change(json!({ "sampler": "always_on", "logFilter": "info" })).expect(200);
    assert!(service.get("/api/orders").expect(200).header("traceresponse").unwrap().ends_with("-01"));
    // Lines are written a moment after their requests were answered, in the order of the answers.
    let routes = wait_for(|| {
        let lines = log_lines(folder.path()).into_iter();
        let routes = lines.filter_map(|line| Some(line["http.route"].as_str()?.to_owned()));
        let routes: Vec<String> = routes.filter(|route| route != "/readyz").collect();
        (routes.last()? == "/api/orders").then_some(routes)
    });
    let expected = ["/admin/telemetry", "/admin/telemetry", "/api/orders"];
    assert_eq!(routes, expected, "the change to errors alone and what came after it were not logged");

    for (body, pointer) in [
        (json!({ "logFilter": "info,=,=" }), "/logFilter"),
        (json!({ "sampler": "sometimes" }), "/sampler"),
        (json!({ "sampler": "traceidratio", "samplerArgument": 2 }), "/samplerArgument"),
        (json!({ "sampler": "always_on", "samplerArgument": 0.5 }), "/samplerArgument"),
        (json!({ "logFilter": "debug", "sampler": 7 }), "/sampler"),
    ] {
        let answer = change(body).expect(422);
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{answer:?}");
    }
    assert_eq!(
        service.get("/admin/telemetry").expect(200).json(),
        json!({ "logFilter": "info", "sampler": "always_on" }),
        "what is refused changes nothing"
    );
}

#[test]
fn a_rebuild_and_a_replay_are_linked_to_what_led_to_their_events() {
    let (folder, collector) = (tempfile::tempdir().unwrap(), Collector::start());
    let service = Service::start(folder.path(), &told(&["up", "--no-traffic"], &collector));
    let id = trace_of(&service.command("POST", "/api/orders", Some(&order("1 Main Street"))).expect(201));
    trace(&collector, &id, 7);
    service.command("POST", "/admin/projections/orders/rebuild", None).expect(202);
    let rebuild = wait_for(|| collector.spans().into_iter().find(|span| span.name == "rebuild orders"));
    assert_eq!((rebuild.service.as_str(), rebuild.parent.as_str(), rebuild.kind), ("orders-projector", "", INTERNAL));
    assert_eq!(rebuild.links, [id.as_str()]);
    let write = wait_for(|| {
        let is_it = |span: &Span| span.trace == rebuild.trace && span.name == "upsert order";
        collector.spans().into_iter().find(is_it)
    });
    assert_eq!(write.parent, rebuild.id);
    assert_eq!(trace(&collector, &id, 7).len(), 7, "the order's own trace does not grow by it");
}

#[test]
fn read_model_and_search_that_differ_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    service.create(&order("1 Main Street"));
    let divergence = |orders: u64| {
        wait_for(|| {
            let metrics = service.get("/metrics").expect(200).body;
            metrics.contains(&format!("\nsearch_divergence_orders {orders}\n")).then_some(())
        });
    };
    divergence(0);
    let search = rusqlite::Connection::open(folder.path().join("search.db")).unwrap();
    search.busy_timeout(support::PATIENCE).unwrap();
    search.execute_batch("UPDATE generations SET orders = orders + 3 WHERE state = 'live'").unwrap();
    divergence(3);
}
