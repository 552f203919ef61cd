//! The service with its events in KurrentDB: the test server stands in for it, on a real socket, and can
//! be made to fail while the program runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "of what tests share, each uses a part")]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use eventsourcing::{EventId, EventStore as _, ExpectedRevision, NewEvent, Revision, StreamId};
use kurrentdb_testserver::{Cluster, Options};
use serde_json::json;
use support::{Service, binary, order, wait_for};

const SETTING: &str = "EVENTSTORE_CONFIG_CONNECTION_STRING";

/// Servers, and what they run on.
struct Servers {
    cluster: Cluster,
    runtime: tokio::runtime::Runtime,
}

impl Servers {
    fn start(nodes: usize) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let cluster = {
            let _inside = runtime.enter();
            Cluster::start(Options { nodes, ..Options::default() }).unwrap()
        };
        Self { cluster, runtime }
    }

    fn url(&self) -> String {
        format!("{}&defaultDeadline=2000&gossipTimeout=1", self.cluster.url())
    }

    fn restart(&self, node: usize) {
        let _inside = self.runtime.enter();
        self.cluster.restart(node).unwrap();
    }

    fn store(&self) -> kurrentdb::EventStore {
        kurrentdb::EventStore::open(kurrentdb::Settings::parse(&self.url()).unwrap()).unwrap()
    }

    fn serve(&self, data_dir: &Path) -> Service {
        Service::start_in(&[(SETTING, &self.url())], data_dir, &["serve", "--role", "all"])
    }
}

#[test]
fn orders_are_in_kurrentdb_and_outlive_everything_else() {
    let (servers, folder) = (Servers::start(1), tempfile::tempdir().unwrap());
    let service = servers.serve(folder.path());
    let id = service.create(&order("1 Kurrent Street"));
    let payment = json!({ "paymentID": "p1", "timestamp": "2026-11-29T12:00:00Z" });
    service.command("PUT", &format!("/api/orders/pay/{id}"), Some(&payment)).expect(200);
    let events = servers.runtime.block_on(async {
        servers.store().read(&StreamId::new(format!("order-{id}")), Revision::FIRST, 10).await.unwrap()
    });
    let types: Vec<_> = events.iter().map(|event| event.event_type.as_ref()).collect();
    assert_eq!(types, ["ORDER_CREATED", "ORDER_PAID"]);
    assert!(events.iter().all(|event| event.metadata().traceparent.is_some()), "the trace rides along");
    wait_for(|| service.get("/api/orders/search?search=teapot").json()["orders"].as_array()?.first().cloned());
    assert!(service.stop().success());
    // Read model, search and idempotency keys are gone; the events tell all of it again.
    let folder = tempfile::tempdir().unwrap();
    let service = servers.serve(folder.path());
    wait_for(|| service.get("/api/orders/search?search=teapot").json()["orders"].as_array()?.first().cloned());
    let found = service.get(&format!("/api/orders/{id}")).expect(200).json();
    assert_eq!((&found["deliveryAddress"], &found["paid"]), (&json!("1 Kurrent Street"), &json!(true)));
}

/// As the older program wrote them: random ids, Jaeger's header in the metadata or none at all, prices as
/// floating-point numbers, local times.
#[test]
fn streams_of_the_older_program_are_read_and_gone_on_with() {
    const TRACE: &str = r#"{"uber-trace-id":"4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1"}"#;
    macro_rules! golden {
        ($($name:literal),*) => { [$(($name, include_str!(concat!("../crates/delivery/tests/golden/events/v1/", $name, ".json")))),*] };
    }
    let (servers, folder) = (Servers::start(1), tempfile::tempdir().unwrap());
    let orders: [(&str, &[(&'static str, &str)]); 2] = [
        (
            "018f0000-0000-7000-8000-00000000000a",
            &golden![
                "ORDER_CREATED",
                "SHOPPING_CART_UPDATED",
                "DELIVERY_ADDRESS_CHANGED",
                "ORDER_PAID",
                "ORDER_SUBMITTED"
            ],
        ),
        ("018f0000-0000-7000-8000-00000000000b", &golden!["ORDER_CREATED", "ORDER_CANCELED"]),
    ];
    servers.runtime.block_on(async {
        for (id, events) in orders {
            let new = events.iter().enumerate().map(|(index, (name, data))| NewEvent {
                id: EventId(uuid::Uuid::new_v4()),
                event_type: (*name).into(),
                data: data.trim().to_owned().into(),
                metadata: if index == 0 { TRACE.into() } else { "".into() },
            });
            let stream = StreamId::new(format!("order-{id}"));
            servers.store().append(&stream, ExpectedRevision::NoStream, new.collect()).await.unwrap();
        }
    });
    let service = servers.serve(folder.path());
    let order = |id: &str, field: &str| {
        wait_for(|| {
            let answer = service.get(&format!("/api/orders/{id}"));
            (answer.status == 200 && answer.json()[field] == json!(true)).then(|| answer.json())
        })
    };
    let [(submitted, _), (canceled, _)] = orders;
    let found = order(submitted, "submitted");
    assert_eq!((&found["paid"], &found["deliveryAddress"]), (&json!(true), &json!("34 Side Street")));
    assert_eq!(found["payment"]["paymentID"], json!("pay_83"));
    assert_eq!(order(canceled, "canceled")["cancelReason"], json!("ordered twice"));
    let history = service.get(&format!("/api/orders/{submitted}/events")).expect(200).json();
    let history = history["events"].as_array().or(history.as_array()).unwrap().clone();
    assert_eq!(history[0]["traceId"], json!("4bf92f3577b34da6a3ce929d0e0e4736"));
    assert!(history[0]["adjustments"].as_array().is_some_and(|told| !told.is_empty()), "the price was rounded");
    service.command("POST", &format!("/api/orders/complete/{submitted}"), None).expect(200);
    assert_eq!(order(submitted, "completed")["completed"], json!(true));
}

#[test]
fn an_outage_is_told_at_once_and_ends_by_itself() {
    let (servers, folder) = (Servers::start(1), tempfile::tempdir().unwrap());
    let service = servers.serve(folder.path());
    let before = service.create(&order("before"));
    wait_for(|| (service.get("/readyz").status == 200).then_some(()));
    servers.cluster.stop(0);
    let begun = Instant::now();
    let refused = service.command("POST", "/api/orders", Some(&order("during")));
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.header("retry-after").is_some() && begun.elapsed() < Duration::from_secs(5));
    wait_for(|| (service.get("/readyz").status == 503).then_some(()));
    // What was projected can be read all the while.
    service.get(&format!("/api/orders/{before}")).expect(200);
    servers.restart(0);
    let after = wait_for(|| {
        let answer = service.command("POST", "/api/orders", Some(&order("after")));
        (answer.status == 201).then(|| answer.json().as_str().unwrap().to_owned())
    });
    wait_for(|| (service.get("/readyz").status == 200).then_some(()));
    let position = wait_for(|| {
        let found = service.get("/api/orders?limit=10").json();
        found["orders"].as_array()?.iter().position(|found| found["id"] == json!(after))
    });
    assert_eq!(position, 0, "the projection goes on, newest first");
}

#[test]
fn a_leader_that_hands_over_is_noticed_by_nobody() {
    let (servers, folder) = (Servers::start(3), tempfile::tempdir().unwrap());
    let service = servers.serve(folder.path());
    for (number, leader) in [1, 2, 0, 1].into_iter().enumerate() {
        servers.cluster.elect(Some(leader));
        service.create(&order(&format!("{number} Leader Lane")));
    }
    wait_for(|| (service.get("/api/orders?limit=10").json()["orders"].as_array()?.len() == 4).then_some(()));
}

#[test]
fn the_doctor_asks_kurrentdb_and_says_what_is_wrong() {
    let (servers, folder) = (Servers::start(1), tempfile::tempdir().unwrap());
    let check = |url: &str| {
        let mut command = binary();
        command.args(["check", "--port", "0", "--data-dir"]).arg(folder.path()).env(SETTING, url);
        let output = command.output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let line = lines.lines().find(|line| line.contains("event store")).unwrap_or_else(|| panic!("{lines}"));
        (line.to_owned(), output.status.success())
    };
    let (line, is_well) = check(&servers.url());
    assert!(is_well && line.starts_with("ok") && line.contains("KurrentDB 24.10.0 at 127.0.0.1"), "{line}");
    servers.cluster.stop(0);
    let (line, is_well) = check(&servers.url());
    assert!(!is_well && line.starts_with("FAIL") && line.contains(SETTING) && line.contains("refused"), "{line}");
    let (line, _) = check("esdb://admin:s3cret@127.0.0.1:1?tlsCaFile=/nowhere");
    assert!(line.starts_with("FAIL") && line.contains("tlsCaFile") && !line.contains("s3cret"), "{line}");
}
