//! The running service while the network between it and KurrentDB does what networks do. Whatever that is,
//! every request is answered within its deadline, with 503 and `Retry-After` where the store cannot be had;
//! when the network is well again the service is too, by itself; and what was acknowledged is there once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "of what tests share, each uses a part")]
#![allow(clippy::print_stdout, reason = "what was seen goes with the test")]

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use contract_tests::chaos::{Fault, Proxy};
use eventsourcing::{EventStore as _, Position, RecordedEvent};
use kurrentdb_testserver::{Cluster, Options};
use serde_json::Value;
use support::{Answer, Service, agent, order, send, wait_for};

const SETTING: &str = "EVENTSTORE_CONFIG_CONNECTION_STRING";
/// Of a call to the store; a command makes a few of them.
const DEADLINE_MS: u64 = 1_500;
/// Until an answer is there, on a machine that does other things as well.
const ANSWERED_WITHIN: Duration = Duration::from_secs(8);
const CLIENTS: usize = 4;
/// How long each fault lasts.
const FAULT: Duration = Duration::from_secs(4);

struct World {
    cluster: Cluster,
    runtime: tokio::runtime::Runtime,
    proxy: Proxy,
    folder: tempfile::TempDir,
}

impl World {
    fn new(fault: Fault) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let cluster = {
            let _inside = runtime.enter();
            Cluster::start(Options::default()).unwrap()
        };
        let proxy = Proxy::start(&format!("127.0.0.1:{}", cluster.node(0).port()), fault);
        Self { cluster, runtime, proxy, folder: tempfile::tempdir().unwrap() }
    }

    fn url(&self, options: &str) -> String {
        format!("esdb://{}?tls=false{options}", self.proxy.address())
    }

    fn serve(&self) -> Service {
        let url = self.url(&format!("&defaultDeadline={DEADLINE_MS}&keepAliveInterval=1000&keepAliveTimeout=1000"));
        Service::start_in(&[(SETTING, &url)], self.folder.path(), &["serve", "--role", "all"])
    }

    /// What is in the store, past the network.
    fn events(&self) -> Vec<RecordedEvent> {
        let settings = kurrentdb::Settings::parse(&self.cluster.url()).unwrap();
        self.runtime.block_on(async {
            let store = kurrentdb::EventStore::open(settings).unwrap();
            let (mut all, mut after) = (Vec::new(), Position::START);
            loop {
                let page = store.read_all(after, 1_000, "order-").await.unwrap();
                all.extend(page.events);
                if page.next == after {
                    return all;
                }
                after = page.next;
            }
        })
    }
}

/// What a client was told of an order that it made, by the address that no other has.
struct Entry {
    address: String,
    /// `None` when it was told that the store cannot be had.
    id: Option<String>,
    took: Duration,
}

/// Makes orders until it is told to end.
fn client(url: &str, name: &str, ends: &AtomicBool) -> Vec<Entry> {
    let (agent, mut ledger) = (agent(), Vec::new());
    while !ends.load(Ordering::SeqCst) {
        let address = format!("{} {name} Street", ledger.len());
        let begun = Instant::now();
        let answer = send(&agent, url, "POST", "/api/orders", &[], Some(&order(&address))).unwrap();
        let took = begun.elapsed();
        let id = (answer.status == 201).then(|| answer.json().as_str().unwrap().to_owned());
        if id.is_none() {
            refused_as_promised(&answer);
        }
        ledger.push(Entry { address, id, took });
        std::thread::sleep(Duration::from_millis(20));
    }
    ledger
}

fn refused_as_promised(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    let seconds: u64 = answer.header("retry-after").unwrap_or_else(|| panic!("{answer:?}")).parse().unwrap();
    assert!((1..=60).contains(&seconds));
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/problem+json")));
}

fn readiness(service: &Service, status: u16) {
    wait_for(|| (service.get("/readyz").status == status).then_some(()));
}

#[test]
fn whatever_the_network_does_nothing_acknowledged_is_lost_and_the_service_comes_back() {
    let world = World::new(Fault::None);
    let service = world.serve();
    let (ends, url) = (AtomicBool::new(false), service.url.clone());
    let ledger: Vec<Entry> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (ends, url) = (&ends, &url);
                scope.spawn(move || client(url, &format!("Client {number}"), ends))
            })
            .collect();
        for fault in [Fault::Cut, Fault::Stalled, Fault::Slow(Duration::from_secs(2)), Fault::Reset, Fault::Refused] {
            readiness(&service, 200);
            service.create(&order(&format!("before {fault:?}")));
            world.proxy.set(fault);
            // Those of the clients that are on their way may still come through; a new one does not.
            let begun = Instant::now();
            refused_as_promised(&service.command("POST", "/api/orders", Some(&order("during"))));
            assert!(begun.elapsed() < ANSWERED_WITHIN, "{fault:?}: {:?}", begun.elapsed());
            readiness(&service, 503);
            service.get("/livez").expect(200);
            std::thread::sleep(FAULT.saturating_sub(begun.elapsed()));
            world.proxy.set(Fault::None);
            let healed = Instant::now();
            wait_for(|| {
                let answer = service.command("POST", "/api/orders", Some(&order(&format!("after {fault:?}"))));
                (answer.status == 201).then_some(())
            });
            println!("{fault:?}: served again after {:?}", healed.elapsed());
        }
        ends.store(true, Ordering::SeqCst);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    check(&world, &service, &ledger);
}

/// Everything that was acknowledged is there once, and projected; what was not is there once at most.
fn check(world: &World, service: &Service, ledger: &[Entry]) {
    let events = world.events();
    let mut by_address = BTreeMap::<String, Vec<String>>::new();
    for event in &events {
        let data: Value = serde_json::from_slice(&event.data).unwrap();
        let address = data["deliveryAddress"].as_str().unwrap().to_owned();
        by_address.entry(address).or_default().push(event.stream.as_str().trim_start_matches("order-").to_owned());
    }
    let acknowledged: Vec<_> = ledger.iter().filter_map(|entry| Some((entry, entry.id.as_ref()?))).collect();
    for (entry, id) in &acknowledged {
        assert_eq!(by_address.get(&entry.address), Some(&vec![(*id).clone()]), "{}", entry.address);
    }
    for entry in ledger.iter().filter(|entry| entry.id.is_none()) {
        assert!(by_address.get(&entry.address).is_none_or(|ids| ids.len() == 1), "{}", entry.address);
    }
    let slowest = ledger.iter().map(|entry| entry.took).max().unwrap();
    assert!(slowest < ANSWERED_WITHIN, "{slowest:?}");
    readiness(service, 200);
    let total = events.len();
    wait_for(|| (projected(service) == total).then_some(()));
    println!(
        "{} of {} commands acknowledged, {total} orders stored, the slowest answer after {slowest:?}",
        acknowledged.len(),
        ledger.len()
    );
    assert!(acknowledged.len() > 50 && acknowledged.len() < ledger.len());
}

/// How many orders the read model has.
fn projected(service: &Service) -> usize {
    let (mut count, mut path) = (0, "/api/orders?limit=100".to_owned());
    loop {
        let page = service.get(&path).expect(200).json();
        count += page["orders"].as_array().unwrap().len();
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("/api/orders?limit=100&cursor={cursor}"),
            None => return count,
        }
    }
}

#[test]
fn a_store_that_is_down_at_the_start_is_waited_for() {
    let world = World::new(Fault::Refused);
    let mut command = support::binary();
    let ready = world.folder.path().join("ready.json");
    command.args(["serve", "--role", "all", "--port", "0", "--data-dir"]).arg(world.folder.path());
    command.arg("--ready-file").arg(&ready).env(SETTING, world.url("&defaultDeadline=1000"));
    let log = std::fs::File::create(world.folder.path().join("log")).unwrap();
    let mut child = command.stdout(std::process::Stdio::null()).stderr(log).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert!(child.try_wait().unwrap().is_none(), "it waits");
    assert!(!ready.exists(), "it does not say that it is ready");
    world.proxy.set(Fault::None);
    let told: Value = wait_for(|| serde_json::from_slice(&std::fs::read(&ready).ok()?).ok());
    let url = told["api"].as_str().unwrap();
    let made = send(&agent(), url, "POST", "/api/orders", &[], Some(&order("after all"))).unwrap();
    let _ = child.kill();
    let _ = child.wait();
    assert_eq!(made.status, 201, "{made:?}");
}

/// Nothing is set but where the store is.
#[test]
fn with_the_deadlines_that_come_by_default_a_stalled_network_is_told_within_that_of_a_request() {
    let world = World::new(Fault::None);
    let service = Service::start_in(&[(SETTING, &world.url(""))], world.folder.path(), &["serve", "--role", "all"]);
    let id = service.create(&order("before"));
    world.proxy.set(Fault::Stalled);
    for (method, path, body) in [
        ("POST", "/api/orders".to_owned(), Some(order("during"))),
        ("PUT", format!("/api/orders/submit/{id}"), None),
        ("GET", format!("/api/orders/{id}/events"), None),
    ] {
        let begun = Instant::now();
        refused_as_promised(&service.send(method, &path, &[], body.as_ref()));
        assert!(begun.elapsed() < Duration::from_secs(17), "{method} {path}: {:?}", begun.elapsed());
    }
    world.proxy.set(Fault::None);
    wait_for(|| (service.get(&format!("/api/orders/{id}/events")).status == 200).then_some(()));
}
