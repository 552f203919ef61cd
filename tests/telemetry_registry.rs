//! What is promised in `semconv/` is told, and nothing else: a full run of the program, with every route
//! and what can go wrong, held against the registry. Declared and never seen fails; seen and not declared
//! fails; a promised attribute that is missing fails.
//!
//! What no run can provoke from outside names the test that provokes it from inside.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use delivery::repository::IdempotencyStore;
use eventsourcing::{Clock, EventId, EventStore, ExpectedRevision, NewEvent, Revision};
use jiff::Timestamp;
use serde_json::{Value, json};
use support::collector::Collector;
use support::registry::{Attributes, Registry};
use support::{Service, order, wait_for, wire};
use uuid::Uuid;

const SAMPLED: (&str, &str) = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

/// What every log line has.
const LINE: [&str; 7] = ["timestamp", "level", "message", "service.name", "target", "trace_id", "span_id"];

#[test]
fn what_is_promised_is_told_and_nothing_else() {
    let registry = Registry::read();
    let mut seen = Seen::default();
    shopping(&mut seen);
    engines_that_refuse(&mut seen);
    a_history_that_is_damaged(&mut seen);
    a_collector_that_is_away(&mut seen);
    sockets_that_run_out(&mut seen);
    a_disk_that_is_full(&mut seen);
    seen.other_tests(&registry);
    let faults = seen.faults(&registry);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// What was seen, and the attributes that came with it each time.
#[derive(Default)]
struct Seen {
    spans: BTreeMap<String, Vec<BTreeSet<String>>>,
    events: BTreeMap<String, Vec<BTreeSet<String>>>,
    metrics: BTreeMap<String, BTreeSet<String>>,
    /// What this machine cannot provoke.
    excused: BTreeSet<&'static str>,
}

impl Seen {
    fn add(&mut self, collector: &Collector, lines: &[Value], metrics: &str) {
        for span in collector.spans() {
            let attributes = span.attributes.iter().map(|(name, _)| name.clone()).collect();
            self.spans.entry(span.name).or_default().push(attributes);
        }
        for log in collector.logs().into_iter().filter(|log| is_ours(&log.target)) {
            self.log(&log.message, log.attributes.into_iter().map(|(name, _)| name).collect());
        }
        for line in lines.iter().filter(|line| is_ours(line["target"].as_str().unwrap())) {
            let fields = line.as_object().unwrap().keys().filter(|name| !LINE.contains(&name.as_str())).cloned();
            self.log(line["message"].as_str().unwrap(), fields.collect());
        }
        for line in metrics.lines().filter(|line| !line.starts_with('#')) {
            let (series, _) = line.split_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let labels = labels.split("\",").filter_map(|label| Some(label.split_once('=')?.0.to_owned()));
            self.metrics.entry(name.to_owned()).or_default().extend(labels.filter(|label| label != "le"));
        }
    }

    fn log(&mut self, message: &str, fields: BTreeSet<String>) {
        self.events.entry(message.to_owned()).or_default().push(fields);
    }

    /// What cannot be provoked from outside is provoked where the registry says: that test has to name
    /// the message.
    fn other_tests(&mut self, registry: &Registry) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for (message, (attributes, test)) in registry.events.iter().filter(|(_, (_, test))| !test.is_empty()) {
            let text = std::fs::read_to_string(root.join(test)).unwrap_or_else(|error| panic!("{test}: {error}"));
            assert!(text.contains(&format!("\"{message}\"")), "{test} does not name \"{message}\"");
            self.log(message, attributes.always.clone());
        }
    }

    fn faults(&self, registry: &Registry) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, times) in &self.spans {
            match registry.span(name) {
                None => faults.push(format!("span \"{name}\" is not declared")),
                Some(pattern) => faults.extend(differences("span", name, &registry.spans[pattern], times)),
            }
        }
        for (message, times) in &self.events {
            match registry.events.get(message) {
                None => faults.push(format!("event \"{message}\" is not declared")),
                Some((attributes, _)) => faults.extend(differences("event", message, attributes, times)),
            }
        }
        let mut families = BTreeSet::new();
        for (series, labels) in &self.metrics {
            let Some(family) = family(series, registry) else {
                faults.push(format!("metric {series} is not declared"));
                continue;
            };
            let declared = &registry.metrics[family];
            // Which labels a machine's metrics have is partly for the machine to say.
            if !labels.is_subset(declared) || (labels != declared && !is_of_the_host(family)) {
                faults.push(format!("metric {series} has the labels {labels:?}, declared are {declared:?}"));
            }
            families.insert(family);
        }
        let spans: BTreeSet<_> = self.spans.keys().filter_map(|name| registry.span(name)).collect();
        let silent = registry.spans.keys().filter(|pattern| !spans.contains(pattern.as_str()));
        faults.extend(silent.map(|pattern| format!("span \"{pattern}\" is declared and was never seen")));
        let silent = registry.events.keys().filter(|message| !self.events.contains_key(*message));
        let silent = silent.filter(|message| !self.excused.contains(message.as_str()));
        faults.extend(silent.map(|message| format!("event \"{message}\" is declared and was never seen")));
        let silent = registry.metrics.keys().filter(|name| !families.contains(name.as_str()) && !is_of_the_host(name));
        faults.extend(silent.map(|name| format!("metric {name} is declared and was never seen")));
        faults
    }
}

/// What libraries log at the level of debugging is promised by nobody.
fn is_ours(target: &str) -> bool {
    const CRATES: [&str; 10] = [
        "api",
        "console_http",
        "console_receivers",
        "highbeam",
        "instrumented",
        "load",
        "projector",
        "server",
        "sqlite",
        "telemetry",
    ];
    target.split("::").next().is_some_and(|name| CRATES.contains(&name))
}

fn differences(signal: &str, name: &str, declared: &Attributes, times: &[BTreeSet<String>]) -> BTreeSet<String> {
    let mut faults = BTreeSet::new();
    for seen in times {
        for missing in declared.always.difference(seen) {
            faults.insert(format!("{signal} \"{name}\" lacks {missing}"));
        }
        for extra in seen.iter().filter(|name| !declared.always.contains(*name) && !declared.sometimes.contains(*name))
        {
            faults.insert(format!("{signal} \"{name}\" has {extra}, which is not declared of it"));
        }
    }
    faults
}

/// Not every machine has everything that a machine may have; `tests/node_exporter.sh` holds these against
/// the genuine ones.
fn is_of_the_host(metric: &str) -> bool {
    metric.starts_with("node_")
}

/// The metric that a series belongs to: a histogram has several.
fn family<'a>(series: &str, registry: &'a Registry) -> Option<&'a str> {
    let endings = ["", "_bucket", "_sum", "_count"];
    endings.iter().filter_map(|ending| series.strip_suffix(ending)).find_map(|name| registry.metric(name))
}

fn start(folder: &Path, collector: &Collector, more: &[&str]) -> Service {
    let own = [
        ["--otel-exporter-otlp-endpoint", &collector.url],
        ["--otel-bsp-schedule-delay", "10"],
        ["--otel-blrp-schedule-delay", "10"],
        ["--logger-level", "debug"],
    ];
    let arguments: Vec<_> = ["up"].iter().chain(more).chain(own.iter().flatten()).copied().collect();
    Service::start_in(&[("JAEGER_LOG_SPANS", "true")], folder, &arguments)
}

/// Everything that clients and operators can do.
fn shopping(seen: &mut Seen) {
    let (folder, collector) = (tempfile::tempdir().unwrap(), Collector::start());
    let poison = foreign_events(folder.path());
    expired_key(folder.path());
    let service = start(folder.path(), &collector, &["--traffic-rate", "20"]);
    commands(&service);
    queries(&service, &collector);
    operations(&service, poison);
    // A client that does not speak HTTP.
    wire::connect(&service.url).write_all(b"\x16\x03\x01 hello\r\n\r\n").unwrap();
    wait_for(|| {
        support::log_lines(folder.path()).iter().any(|line| line["message"] == "connection ended badly").then_some(())
    });
    let metrics = service.get("/metrics").expect(200).body;
    assert!(service.stop().success());
    // A rebuild that a stop cut short.
    let service = start(folder.path(), &collector, &["--no-traffic"]);
    service.command("POST", "/admin/projections/orders/rebuild?promote=manual", None).expect(202);
    assert!(service.stop().success());
    assert!(start(folder.path(), &collector, &["--no-traffic"]).stop().success());
    seen.add(&collector, &support::log_lines(folder.path()), &metrics);
}

/// The clock of a day long ago.
struct LongAgo;

impl Clock for LongAgo {
    fn now(&self) -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }
}

fn expired_key(folder: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let keys = sqlite::IdempotencyStore::open(&folder.join("idempotency.db"), Arc::new(LongAgo)).unwrap();
    runtime.block_on(keys.begin("old", [0; 16], Uuid::nil())).unwrap();
}

/// Events that other programs wrote: one that cannot be applied, and an order of the older program. The
/// position of the first.
fn foreign_events(folder: &Path) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = sqlite::EventStore::open(folder.join("events.db"), Arc::new(LongAgo)).unwrap();
    let append = |order: u128, data: &'static str| {
        let stream = delivery::models::OrderId(Uuid::from_u128(order)).stream();
        let event = NewEvent {
            id: EventId::derive(&stream, Revision::FIRST, Uuid::from_u128(order)),
            event_type: "ORDER_CREATED".into(),
            data: data.into(),
            metadata: r#"{"uber-trace-id":"1:2:0:1"}"#.into(),
        };
        runtime.block_on(store.append(&stream, ExpectedRevision::NoStream, vec![event])).unwrap().position.0
    };
    let first = append(1, r#"{"shopItems":"none"}"#);
    append(2, r#"{"shopItems":"none"}"#);
    append(
        3,
        r#"{"shopItems":[{"id":"1","title":"Tea","description":"","quantity":1,"price":1.005}],"accountEmail":"a@b.example","deliveryAddress":"1 Main Street"}"#,
    );
    first
}

fn commands(service: &Service) {
    let id = service.create(&order("1 Main Street"));
    let send = |method: &str, action: &str, body: Option<Value>| {
        service.command(method, &format!("/api/orders/{action}/{id}"), body.as_ref())
    };
    send(
        "PUT",
        "cart",
        Some(json!({ "shopItems": [{ "id": "1", "title": "Tea", "description": "", "quantity": 1, "price": 2 }] })),
    )
    .expect(200);
    send("PUT", "address", Some(json!({ "deliveryAddress": "2 Main Street" }))).expect(200);
    send("PUT", "pay", Some(json!({ "paymentID": "p", "timestamp": "2026-01-01T00:00:00Z" }))).expect(200);
    send("PUT", "submit", None).expect(200);
    send("POST", "complete", None).expect(200);
    send("POST", "cancel", Some(json!({ "cancelReason": "late" }))).expect(409);
    let other = service.create(&order("3 Main Street"));
    service
        .command("POST", &format!("/api/orders/cancel/{other}"), Some(&json!({ "cancelReason": "late" })))
        .expect(200);
    for _ in 0..2 {
        service.send("POST", "/api/orders", &[("idempotency-key", "k")], Some(&order("4 Main Street"))).expect(201);
    }
    // Two writers at once, until one of them has to take turns.
    wait_for(|| {
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = format!("/api/orders/address/{}", service.create(&order("5 Main Street")));
                for turn in 0..4 {
                    let (path, body) = (path.clone(), json!({ "deliveryAddress": format!("{writer} {turn}") }));
                    scope.spawn(move || service.command("PUT", &path, Some(&body)));
                }
            }
        });
        let metrics = service.get("/metrics").expect(200).body;
        (!metrics.contains("eventstore_conflicts_total 0")).then_some(())
    });
}

fn queries(service: &Service, collector: &Collector) {
    let id = service.create(&order("6 Main Street"));
    for path in ["", "/events", "?asOfRevision=0"] {
        service.get(&format!("/api/orders/{id}{path}")).expect(200);
    }
    service.get("/api/orders").expect(200);
    service.get("/api/orders/search?search=tea").expect(200);
    service.get("/api/orders?minPosition=999999&waitMs=1").expect(503);
    // Asked with a trace, the probes show what they ask.
    service.send("GET", "/livez", &[SAMPLED], None).expect(200);
    wait_for(|| {
        service.send("GET", "/readyz", &[SAMPLED], None);
        collector.spans().iter().any(|span| span.name == "ping search").then_some(())
    });
}

fn operations(service: &Service, poison: u64) {
    service.get("/admin/projections").expect(200);
    service.get("/admin/telemetry").expect(200);
    service.command("PATCH", "/admin/telemetry", Some(&json!({ "sampler": "always_on" }))).expect(200);
    for projection in ["orders", "search"] {
        let path = format!("/admin/projections/{projection}");
        let post = |action: &str| service.command("POST", &format!("{path}/{action}"), None);
        wait_for(|| {
            (service.get(&format!("{path}/parked")).expect(200).json()["parked"].as_array()?.len() == 2).then_some(())
        });
        post(&format!("parked/{poison}/replay")).expect(409);
        post(&format!("parked/{poison}/skip")).expect(200);
        post("rebuild?promote=manual").expect(202);
        post("discard").expect(200);
        post("rebuild?promote=manual").expect(202);
        wait_for(|| (post("promote").status == 200).then_some(()));
        post("rebuild").expect(202);
        wait_for(|| {
            let list = service.get("/admin/projections").expect(200).json();
            let all = list["projections"].as_array()?.iter();
            all.clone().all(|one| one["generations"].as_array().is_some_and(|list| list.len() == 1)).then_some(())
        });
    }
}

/// Makes a database refuse a kind of change.
fn refuse(file: &Path, change: &str) {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.busy_timeout(support::PATIENCE).unwrap();
    let name = change.to_lowercase().replace(' ', "_");
    connection
        .execute_batch(&format!("CREATE TRIGGER {name} BEFORE {change} BEGIN SELECT RAISE(ABORT, 'refused'); END"))
        .unwrap();
}

/// What is told when an engine is there and does not do as it is asked.
fn engines_that_refuse(seen: &mut Seen) {
    let (folder, collector) = (tempfile::tempdir().unwrap(), Collector::start());
    drop(Service::up(folder.path()));
    expired_key(folder.path());
    refuse(&folder.path().join("idempotency.db"), "UPDATE ON keys");
    refuse(&folder.path().join("idempotency.db"), "DELETE ON keys");
    refuse(&folder.path().join("orders.db"), "UPDATE OF state ON generations");
    let service = start(folder.path(), &collector, &["--no-traffic"]);
    service.send("POST", "/api/orders", &[("idempotency-key", "k")], Some(&order("9 Main Street"))).expect(201);
    service.command("POST", "/admin/projections/orders/rebuild", None).expect(202);
    wait_until_logged(folder.path(), "rebuild could not be promoted");
    let metrics = service.get("/metrics").expect(200).body;
    assert!(service.stop().success());
    seen.add(&collector, &support::log_lines(folder.path()), &metrics);
}

/// What is told of a recorded event that cannot even be read.
fn a_history_that_is_damaged(seen: &mut Seen) {
    let (folder, collector) = (tempfile::tempdir().unwrap(), Collector::start());
    let service = start(folder.path(), &collector, &["--no-traffic"]);
    let (id, other) = (service.create(&order("10 Main Street")), service.create(&order("11 Main Street")));
    // Whoever watches the order that stays whole keeps the others followed when they can no longer be read.
    let watches = [&id, &other].map(|id| {
        let mut watch = wire::connect(&service.url);
        watch.write_all(format!("GET /api/orders/{id}/watch HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).unwrap();
        wire::read_until(&mut watch, "ORDER_CREATED");
        watch
    });
    let events = rusqlite::Connection::open(folder.path().join("events.db")).unwrap();
    events.busy_timeout(support::PATIENCE).unwrap();
    let mut revision = 0;
    for message in ["watched orders cannot be followed", "watched order cannot be read", "request could not be served"]
    {
        // One damaged event is not enough: orders may be followed only from the one after it on.
        wait_for(|| {
            revision += 1;
            let damage = "INSERT INTO events (stream, revision, id, type, data, metadata, recorded_at)
                          SELECT stream, ?2, x'00', type, data, metadata, recorded_at FROM events
                          WHERE stream LIKE '%' || ?1 AND revision = 0";
            assert_eq!(events.execute(damage, (&id, revision)).unwrap(), 1);
            service.get(&format!("/api/orders/{id}/events"));
            // The projections stand before it for good, so whoever asks for their lag reads on from there.
            service.get("/admin/projections");
            is_logged(folder.path(), message)
        });
    }
    drop(watches);
    let metrics = service.get("/metrics").expect(200).body;
    service.stop();
    seen.add(&collector, &support::log_lines(folder.path()), &metrics);
}

fn wait_until_logged(folder: &Path, message: &str) {
    wait_for(|| is_logged(folder, message));
}

fn is_logged(folder: &Path, message: &str) -> Option<()> {
    support::log_lines(folder).iter().any(|line| line["message"] == message).then_some(())
}

/// What is told when what is told does not arrive.
fn a_collector_that_is_away(seen: &mut Seen) {
    let (folder, collector) = (tempfile::tempdir().unwrap(), Collector::start());
    collector.answer(support::collector::Mood::Busy);
    let service = start(folder.path(), &collector, &["--traffic-rate", "20"]);
    wait_until_logged(folder.path(), "telemetry cannot be delivered");
    collector.answer(support::collector::Mood::Picky);
    wait_until_logged(folder.path(), "telemetry is delivered again");
    wait_until_logged(folder.path(), "telemetry was refused in part");
    let metrics = service.get("/metrics").expect(200).body;
    assert!(service.stop().success());
    seen.add(&collector, &support::log_lines(folder.path()), &metrics);
}

/// What is told when the process may open no more files.
#[expect(clippy::print_stdout, reason = "whoever runs it elsewhere should know what was left out")]
fn sockets_that_run_out(seen: &mut Seen) {
    let (folder, collector) = (tempfile::tempdir().unwrap(), Collector::start());
    let service = start(folder.path(), &collector, &["--no-traffic"]);
    let files = std::fs::read_dir(format!("/proc/{}/fd", service.pid())).map(Iterator::count).unwrap_or_default();
    let limit = format!("--nofile={0}:{0}", files + 8);
    let limited = std::process::Command::new("prlimit").args(["--pid", &service.pid().to_string(), &limit]).status();
    if !limited.is_ok_and(|status| status.success()) {
        println!("left out: there is no prlimit here, so the files of a process cannot be limited");
        seen.excused.extend(["connections cannot be accepted", "connections are accepted again"]);
        return;
    }
    let connections: Vec<_> = (0..32).map(|_| wire::connect(&service.url)).collect();
    wait_until_logged(folder.path(), "connections cannot be accepted");
    drop(connections);
    wait_until_logged(folder.path(), "connections are accepted again");
    let metrics = service.get("/metrics").expect(200).body;
    assert!(service.stop().success());
    seen.add(&collector, &support::log_lines(folder.path()), &metrics);
}

/// What is told when the engines cannot write.
#[expect(clippy::print_stdout, reason = "whoever runs it as somebody else should know what was left out")]
fn a_disk_that_is_full(seen: &mut Seen) {
    let (folder, collector) = (tempfile::tempdir().unwrap(), Collector::start());
    let Some(mount) = support::mount::Mount::new(folder.path(), "size=24m") else {
        println!("left out: no file system can be mounted here (it takes root), so no disk can be filled");
        seen.excused.extend(["log could not be moved into the database"]);
        return;
    };
    let filler = folder.path().join("filler");
    std::fs::write(&filler, vec![0; 12 * 1024 * 1024]).unwrap();
    let service = start(folder.path(), &collector, &["--no-traffic"]);
    let key = [("idempotency-key", "full")];
    wait_for(|| {
        let answer = service.command("POST", "/api/orders", Some(&support::mount::long_order()));
        (answer.status == 503).then_some(())
    });
    service.send("POST", "/api/orders", &key, Some(&order("7 Main Street")));
    std::fs::remove_file(&filler).unwrap();
    wait_for(|| (service.command("POST", "/api/orders", Some(&order("8 Main Street"))).status == 201).then_some(()));
    let metrics = service.get("/metrics").expect(200).body;
    assert!(service.stop().success());
    // The log is on that disk, too, and lacks what could not be written.
    seen.add(&collector, &[], &metrics);
    drop(mount);
}
