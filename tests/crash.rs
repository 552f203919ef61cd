//! The crash ledger: the process is killed at random moments under concurrent load, and every
//! acknowledgement it ever gave is held against it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use delivery::repository::LEASE_SECONDS;
use serde_json::{Value, json};
use support::{Service, agent, binary, order, send, wait_for};

/// How often the process is killed.
const KILLS: u32 = 50;
/// Clients at once.
const CLIENTS: u64 = 6;
/// Commands that are sent before a process is killed.
const COMMANDS_MIN: u64 = 40;
/// One in so many commands carries an idempotency key.
const KEYED: u64 = 4;

/// A command as its client saw it end.
#[derive(Debug, Clone)]
struct Entry {
    /// Text that no other command has, found again in the event's payload.
    mark: String,
    method: &'static str,
    path: String,
    body: Value,
    key: Option<String>,
    /// The order and the revision that was acknowledged; `None` when the connection broke first.
    acknowledged: Option<(String, u64)>,
}

/// A source of numbers that needs no seed from outside: failures print it.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // splitmix64, Steele, Lea and Flood 2014.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

#[test]
fn what_was_acknowledged_survives_fifty_kills_exactly_once() {
    let folder = tempfile::tempdir().unwrap();
    let seed = std::env::var("CRASH_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_124);
    println!("CRASH_SEED={seed}");
    let mut random = Random(seed);
    let commands = AtomicU64::new(0);
    let mut ledger: Vec<Entry> = Vec::new();
    for kill in 1..=KILLS {
        let mut service = Service::up(folder.path());
        let wait = Duration::from_millis(20 + random.below(250));
        ledger.extend(run_clients(&mut service, wait, &commands, random.next()));
        if kill % 10 == 0 {
            check_files(folder.path());
        }
    }
    let_leases_pass(folder.path());
    let service = Service::up(folder.path());
    let retried = retry_what_is_unknown(&service, &ledger);
    check_histories(&service, &ledger, &retried);
    check_projections(&service, &ledger);
    assert!(service.stop().success());
    check_files(folder.path());
    let acknowledged = ledger.iter().filter(|entry| entry.acknowledged.is_some()).count();
    println!(
        "{KILLS} kills, {acknowledged} acknowledged of {} commands, {} retried under their key",
        ledger.len(),
        retried.len()
    );
    assert!(acknowledged > 1_000, "too little load to prove anything: {acknowledged}");
}

/// Clients send until the process dies under them.
fn run_clients(service: &mut Service, wait: Duration, commands: &AtomicU64, seed: u64) -> Vec<Entry> {
    let dead = AtomicBool::new(false);
    let url = service.url.clone();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (url, dead) = (&url, &dead);
                scope.spawn(move || {
                    run_client(url, dead, commands, &mut Random(seed ^ client.wrapping_mul(0x5851_f42d)))
                })
            })
            .collect();
        let (started, before) = (Instant::now(), commands.load(Ordering::SeqCst));
        // On a busy machine a process has hardly begun after so short a time.
        let has_done_little = || commands.load(Ordering::SeqCst) < before + COMMANDS_MIN;
        while started.elapsed() < wait || (has_done_little() && started.elapsed() < support::PATIENCE) {
            std::thread::yield_now();
        }
        service.kill();
        dead.store(true, Ordering::SeqCst);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

fn run_client(url: &str, dead: &AtomicBool, commands: &AtomicU64, random: &mut Random) -> Vec<Entry> {
    let agent = agent();
    let (mut entries, mut orders) = (Vec::new(), Vec::<String>::new());
    while !dead.load(Ordering::SeqCst) {
        let number = commands.fetch_add(1, Ordering::SeqCst);
        let mark = format!("mark {number} end");
        let (method, path, body) = if orders.is_empty() || random.below(3) == 0 {
            ("POST", "/api/orders".to_owned(), order(&mark))
        } else {
            let id = &orders[usize::try_from(random.below(orders.len() as u64)).unwrap()];
            ("PUT", format!("/api/orders/address/{id}"), json!({ "deliveryAddress": mark }))
        };
        let key = (number.is_multiple_of(KEYED)).then(|| format!("key-{number}"));
        let headers: Vec<_> = key.iter().map(|key| ("idempotency-key", key.as_str())).collect();
        let answer = send(&agent, url, method, &path, &headers, Some(&body));
        let acknowledged = match &answer {
            Ok(answer) if answer.status < 300 => {
                let id = answer.json().as_str().unwrap().to_owned();
                if method == "POST" {
                    orders.push(id.clone());
                }
                Some((id, answer.revision()))
            }
            Ok(answer) => panic!("a good command was refused: {answer:?}"),
            Err(_) => None,
        };
        entries.push(Entry { mark, method, path, body, key, acknowledged });
    }
    entries
}

/// As if as much time had gone by as keys are leased for: an attempt that died keeps its key that long, and nobody has
/// to sit it out.
fn let_leases_pass(folder: &Path) {
    let keys = rusqlite::Connection::open(folder.join("idempotency.db")).unwrap();
    let earlier = "UPDATE keys SET started_at_ms = started_at_ms - ?1 WHERE is_running";
    let handed_on = keys.execute(earlier, [LEASE_SECONDS * 1_000]).unwrap();
    assert!(handed_on > 0, "no attempt died that had a key");
}

/// Commands with a key whose answer never came are sent again: each has to end as one success. The key
/// of an attempt that died is handed on after its lease.
fn retry_what_is_unknown(service: &Service, ledger: &[Entry]) -> BTreeMap<String, (String, u64)> {
    let unknown = ledger.iter().filter(|entry| entry.acknowledged.is_none());
    unknown
        .filter_map(|entry| {
            let key = entry.key.as_deref()?;
            let answer = wait_for(|| {
                let answer = service.send(entry.method, &entry.path, &[("idempotency-key", key)], Some(&entry.body));
                (answer.status != 409).then_some(answer)
            });
            assert!(answer.status < 300, "{answer:?}");
            Some((entry.mark.clone(), (answer.json().as_str().unwrap().to_owned(), answer.revision())))
        })
        .collect()
}

/// Every acknowledged command stands at its revision; no command stands anywhere twice; and nothing
/// stands there that nobody asked for.
fn check_histories(service: &Service, ledger: &[Entry], retried: &BTreeMap<String, (String, u64)>) {
    let mut histories: HashMap<String, Vec<Value>> = HashMap::new();
    let mut seen: HashMap<String, (String, u64)> = HashMap::new();
    for id in all_orders(service) {
        let history = history(service, &id);
        for (revision, event) in history.iter().enumerate() {
            assert_eq!(event["revision"], revision, "revisions are without gaps");
            let mark = event["data"]["deliveryAddress"].as_str().unwrap().to_owned();
            let before = seen.insert(mark.clone(), (id.clone(), revision as u64));
            assert_eq!(before, None, "{mark} was applied twice");
        }
        histories.insert(id, history);
    }
    let asked: HashMap<_, _> = ledger.iter().map(|entry| (entry.mark.as_str(), entry)).collect();
    for mark in seen.keys() {
        assert!(asked.contains_key(mark.as_str()), "nobody asked for {mark}");
    }
    for entry in ledger {
        let expected = entry.acknowledged.as_ref().or_else(|| retried.get(&entry.mark));
        if let Some(expected) = expected {
            assert_eq!(seen.get(&entry.mark), Some(expected), "an acknowledged command is lost: {entry:?}");
        }
    }
}

fn all_orders(service: &Service) -> Vec<String> {
    let head = head(service);
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page =
            service.get(&format!("/api/orders?limit=100&minPosition={head}&waitMs=10000{cursor}")).expect(200).json();
        ids.extend(page["orders"].as_array().unwrap().iter().map(|order| order["id"].as_str().unwrap().to_owned()));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

fn head(service: &Service) -> u64 {
    let status = service.get("/admin/projections").expect(200).json();
    let list = status.as_array().or_else(|| status["projections"].as_array()).unwrap().clone();
    list[0]["head"].as_u64().or_else(|| list[0]["head"].as_str().and_then(|head| head.parse().ok())).unwrap()
}

fn history(service: &Service, id: &str) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let page = service.get(&format!("/api/orders/{id}/events?from={}", events.len())).expect(200).json();
        let page = page["events"].as_array().unwrap().clone();
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}

/// What was projected is what the streams fold to, for every order, in read model and search.
fn check_projections(service: &Service, ledger: &[Entry]) {
    let head = head(service);
    let orders = all_orders(service);
    for id in &orders {
        let projected = service.get(&format!("/api/orders/{id}?minPosition={head}&waitMs=10000")).expect(200);
        let folded = service.get(&format!("/api/orders/{id}?asOfRevision={}", projected.revision())).expect(200);
        assert_eq!(projected.json(), folded.json());
    }
    let found =
        service.get(&format!("/api/orders/search?search=cast+ir&minPosition={head}&waitMs=10000")).expect(200).json();
    assert_eq!(found["pagination"]["totalCount"], orders.len());
    let created = ledger.iter().filter(|entry| entry.method == "POST" && entry.acknowledged.is_some()).count();
    assert!(orders.len() >= created);
}

fn check_files(data_dir: &Path) {
    let output = binary().args(["check", "--full", "--port", "0", "--data-dir"]).arg(data_dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
