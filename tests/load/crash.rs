//! The console is killed again and again while three signals come in as fast as they can, and every
//! acknowledgement it ever gave is held against it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use prost::Message;
use serde_json::Value;

use super::subject::{RECORDS, SPANS, items, now_ns};
use crate::console::made::{PROTOBUF, gauge, point, record, records, span, spans};
use crate::support::{Service, agent, send_bytes};

/// How often it is killed.
const KILLS: u64 = 20;
/// What may be lost is what was taken within this time.
const LOST_MAX: Duration = Duration::from_secs(1);
/// How long an opening may take.
const OPENING_MAX: Duration = Duration::from_secs(1);
/// Items of a batch.
const ITEMS: u64 = 100;
/// Batches of a signal in a round: what an export gives at once.
const BATCHES_MAX: u64 = 1_900;

const SIGNALS: [&str; 3] = ["traces", "logs", "metrics"];

/// What was sent by one sender in one round: when each batch was acknowledged.
type Ledger = Vec<(u64, Instant)>;

/// A batch of one trace, or of lines that say which it is, or of samples of as many series, each a millisecond after
/// those of the batch before.
fn batch(signal: &str, round: u64, number: u64, base_ns: u64) -> Vec<u8> {
    let (service, now) = (service(round, signal), now_ns());
    let numbers = 0..ITEMS;
    match signal {
        "traces" => {
            let trace = number + round * BATCHES_MAX;
            spans(&service, numbers.map(|one| span(trace, one, now + one)).collect()).encode_to_vec()
        }
        "logs" => {
            let line = |one: u64| record(&format!("batch {number} line {one}"), now + one);
            records(&service, numbers.map(line).collect()).encode_to_vec()
        }
        _ => {
            let at = base_ns + number * 1_000_000;
            let series = |one: u64| point(number as f64, at, &[("series", &one.to_string())]);
            gauge(&service, "batch", numbers.map(series).collect()).encode_to_vec()
        }
    }
}

/// Sends batches of a signal until the console is dead.
fn send(url: &str, signal: &str, round: u64) -> Ledger {
    let (agent, mut ledger) = (agent(), Ledger::new());
    let base_ns = now_ns() - 60_000_000_000;
    for number in 0..BATCHES_MAX {
        let body = batch(signal, round, number, base_ns);
        match send_bytes(&agent, "POST", &format!("{url}/v1/{signal}"), &[PROTOBUF], Some(&body)) {
            Ok(reply) if reply.status == 200 => ledger.push((number, Instant::now())),
            Ok(reply) => panic!("{signal}: {} {}", reply.status, reply.text()),
            Err(_) => break,
        }
    }
    ledger
}

fn service(round: u64, signal: &str) -> String {
    format!("round-{round}-{signal}")
}

/// How many items there are of each batch of a round.
fn found(console: &Service, round: u64, signal: &str) -> BTreeMap<u64, u64> {
    let export = console.export(&format!("signal={signal}&service={}&limit={}", service(round, signal), 200_000));
    let mut counts = BTreeMap::new();
    let mut count = |number: u64| *counts.entry(number).or_insert(0) += 1;
    match signal {
        "traces" => items(&export, SPANS).iter().for_each(|span| {
            let id = span["traceId"].as_str().unwrap();
            count(u64::from_str_radix(&id[16..], 16).unwrap() - round * BATCHES_MAX);
        }),
        "logs" => items(&export, RECORDS).iter().for_each(|record| {
            let words = record["body"]["stringValue"].as_str().unwrap();
            count(words.split(' ').nth(1).unwrap().parse().unwrap());
        }),
        _ => metrics(&export).iter().for_each(|point| {
            count(point["asDouble"].as_f64().unwrap() as u64);
        }),
    }
    counts
}

/// The points of the metric that was sent; there is `target_info` as well.
fn metrics(export: &Value) -> Vec<Value> {
    let metrics = items(export, ["resourceMetrics", "scopeMetrics", "metrics"]);
    let own = metrics.into_iter().filter(|metric| metric["name"] == "batch");
    own.flat_map(|metric| metric["gauge"]["dataPoints"].as_array().cloned().unwrap_or_default()).collect()
}

/// Starts it, and gives how long it took until it could be asked.
fn opened(folder: &Path) -> (Service, Duration) {
    let began = Instant::now();
    let console = Service::console(folder, &[]);
    (console, began.elapsed())
}

/// Everything of a round that was acknowledged more than a second before the end is there, whole.
fn check(console: &Service, round: u64, ledgers: &[(&str, Ledger)], killed: Instant) -> u64 {
    let mut lost = 0;
    for (signal, ledger) in ledgers {
        let counts = found(console, round, signal);
        for (number, acknowledged) in ledger {
            let count = counts.get(number).copied().unwrap_or_default();
            assert!(count <= ITEMS, "{signal} {number} of round {round} came back {count} times {ITEMS}");
            lost += ITEMS - count;
            let age = killed.saturating_duration_since(*acknowledged);
            assert!(
                count == ITEMS || age < LOST_MAX,
                "{signal} {number} of round {round}: {count} of {ITEMS}, taken {age:?} before"
            );
        }
        let asked = ledger.last().map_or(0, |(number, _)| number + 1);
        assert!(counts.keys().all(|number| *number <= asked), "{signal} of round {round}: nobody sent all of this");
    }
    lost
}

/// What is asked before each end and after it: answers about what was there a while ago.
fn asked(console: &Service, round: u64) -> Vec<String> {
    SIGNALS
        .iter()
        .map(|signal| {
            console
                .fetch(&format!("/api/export?signal={signal}&service={}&limit=20000", service(round, signal)))
                .expect(200)
                .text()
        })
        .chain([console
            .fetch(&format!("/jaeger/api/traces?service={}&limit=20&start=0", service(round, "traces")))
            .expect(200)
            .text()])
        .collect()
}

#[test]
#[ignore = "takes long: make test-load"]
fn twenty_kills_lose_a_second_at_most_and_answers_stay_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (mut slowest, mut lost, mut sent, mut resident) = (Duration::ZERO, 0, 0, 0);
    let mut before: Option<(u64, Vec<String>)> = None;
    let (mut console, _) = opened(folder.path());
    for round in 0..KILLS {
        let url = console.address("otlpHttp").to_owned();
        let ledgers = Mutex::new(Vec::new());
        let mut killed = Instant::now();
        let earlier = before.take().map(|(earlier, answers)| {
            assert!(asked(&console, earlier) == answers, "round {earlier} is not answered as it was before the kill");
            (earlier, answers)
        });
        std::thread::scope(|scope| {
            for signal in SIGNALS {
                let (url, ledgers) = (&url, &ledgers);
                scope.spawn(move || {
                    let ledger = send(url, signal, round);
                    ledgers.lock().unwrap().push((signal, ledger));
                });
            }
            std::thread::sleep(Duration::from_millis(1_300 + round * 97 % 700));
            resident = resident.max(console.resident_max());
            console.kill();
            killed = Instant::now();
        });
        let took;
        (console, took) = opened(folder.path());
        slowest = slowest.max(took);
        if let Some((earlier, answers)) = earlier {
            assert!(asked(&console, earlier) == answers, "round {earlier} is not answered as it was before the kill");
        }
        let ledgers = ledgers.into_inner().unwrap();
        sent += ledgers.iter().map(|(_, ledger)| ledger.len() as u64 * ITEMS).sum::<u64>();
        lost += check(&console, round, &ledgers, killed);
        before = Some((round, asked(&console, round)));
    }
    println!(
        "{KILLS} kills: {sent} items acknowledged, {lost} of the last second lost, opened within {slowest:?}, RSS at most {} MB",
        resident / 1_000_000
    );
    assert!(slowest < OPENING_MAX, "an opening took {slowest:?}");
    let facts = console.fetch("/api/overview").expect(200).json()["facts"].to_string();
    assert!(!facts.contains("damaged"), "{facts}");
    assert!(console.stop().success());
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(!log.contains("panic"), "{log}");
}
