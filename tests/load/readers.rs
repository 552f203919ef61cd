//! Readers that ask for much and read nothing, beside ingest at full rate, and pages beside it.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use prost::Message;

use super::subject::{PAGE_WAIT_MAX, Subject, now_ns};
use crate::console::made::{PROTOBUF, point, record, records, span, spans};
use crate::support::wire::connect;

/// How long a rate is measured.
const LENGTH: Duration = Duration::from_secs(6);
/// Readers that are stuck, of each kind.
const STUCK: usize = 12;
/// Senders at a time, of each signal.
const SENDERS: u64 = 1;
/// What of a rate may be lost to readers that are stuck: a machine that does other things as well varies by this.
const SHARE_MIN: f64 = 0.6;

const PAGES: [&str; 7] = [
    "/",
    "/api/overview",
    "/api/services",
    "/api/traces?limit=20&service=busy",
    "/jaeger/api/traces?service=busy&limit=20&lookback=1h",
    "/jaeger/api/services",
    "/api/graph",
];

/// Sends three signals as fast as they are taken, until it is told to stop; counts items.
fn send(subject: &Subject, stop: &AtomicBool, taken: &AtomicU64, turned_away: &AtomicU64) {
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            for signal in 0..3_u64 {
                scope.spawn(move || {
                    let mut number = (sender * 3 + signal) << 32;
                    while !stop.load(Ordering::Relaxed) {
                        let (path, body, items) = batch(signal, number);
                        number += items;
                        let reply = subject.post(path, &[PROTOBUF], &body);
                        match reply.status {
                            200 => taken.fetch_add(items, Ordering::Relaxed),
                            503 => turned_away.fetch_add(1, Ordering::Relaxed),
                            status => panic!("{path}: {status} {}", reply.text()),
                        };
                    }
                });
            }
        }
    });
}

fn batch(signal: u64, number: u64) -> (&'static str, Vec<u8>, u64) {
    let now = now_ns();
    match signal {
        0 => {
            let all = (0..2_000).map(|one| span((number + one) / 20, number + one, now + one)).collect();
            ("/v1/traces", spans("busy", all).encode_to_vec(), 2_000)
        }
        1 => {
            let line = |one: u64| record(&format!("line {} of very many that say the same", number + one), now + one);
            ("/v1/logs", records("busy", (0..2_000).map(line).collect()).encode_to_vec(), 2_000)
        }
        _ => {
            let points = (0..2_000).map(|one| point(number as f64, now, &[("series", &one.to_string())])).collect();
            ("/v1/metrics", crate::console::made::gauge("busy", "load", points).encode_to_vec(), 2_000)
        }
    }
}

/// Items taken a second, with `beside` done meanwhile.
fn rate(subject: &Subject, beside: impl FnOnce(&dyn Fn() -> bool)) -> (f64, u64) {
    let (stop, taken, turned_away) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let began = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| send(subject, &stop, &taken, &turned_away));
        beside(&|| began.elapsed() < LENGTH);
        std::thread::sleep(LENGTH.saturating_sub(began.elapsed()));
        stop.store(true, Ordering::Relaxed);
    });
    (taken.into_inner() as f64 / began.elapsed().as_secs_f64(), turned_away.into_inner())
}

/// Asks, and never reads.
fn stuck(subject: &Subject, path: &str) -> TcpStream {
    let mut stream = connect(subject.console.address("console"));
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    stream
}

#[test]
#[ignore = "takes long: make test-load"]
fn readers_that_are_stuck_slow_nothing_down_and_hold_no_more_than_is_allowed() {
    let subject = Subject::start();
    let (alone, turned_away) = rate(&subject, |_| {});
    assert_eq!(turned_away, 0);
    let asked = [
        "/api/export?signal=traces&limit=10000",
        "/api/export?signal=logs",
        "/jaeger/api/traces?service=busy&limit=1500&lookback=1h",
        "/api/traces?limit=1000",
    ];
    let held: Vec<TcpStream> =
        (0..STUCK).flat_map(|_| asked.iter().map(|path| stuck(&subject, path)).collect::<Vec<_>>()).collect();
    // Each has its answer before it, whole or a refusal: making them costs what it costs, being stuck must not.
    for stream in &held {
        stream.peek(&mut [0]).unwrap();
    }
    let (beside, turned_away) = rate(&subject, |_| {});
    println!("{alone:.0} items/s alone, {beside:.0} beside {} readers that are stuck", held.len());
    assert_eq!(turned_away, 0);
    assert!(beside > alone * SHARE_MIN, "{alone:.0} items/s alone, {beside:.0} beside stuck readers");
    // A sound reader gets its answer, or is told to come again; never nothing.
    let reply = subject.console.fetch("/api/export?signal=logs&limit=100");
    assert!(matches!(reply.status, 200 | 503), "{}", reply.text());
    subject.is_well(2);
    drop(held);
    let began = Instant::now();
    while subject.console.fetch("/api/export?signal=logs").status != 200 {
        assert!(began.elapsed() < Duration::from_secs(40), "what was held does not come back");
        std::thread::sleep(Duration::from_millis(200));
    }
    // Besides what ingest takes: 128 MiB of answers that wait, and of each API a few answers that are being made.
    subject.end_within("stuck readers", 1_000_000_000);
}

#[test]
#[ignore = "takes long: make test-load"]
fn pages_wait_for_less_than_a_second_beside_ingest_at_full_rate() {
    let subject = Subject::start();
    let mut waits: Vec<(Duration, &str)> = Vec::new();
    let (rate, turned_away) = rate(&subject, |goes_on| {
        while goes_on() {
            for page in PAGES {
                let began = Instant::now();
                subject.console.fetch(page).expect(200);
                waits.push((began.elapsed(), page));
            }
        }
    });
    waits.sort_unstable();
    let worst = *waits.last().unwrap();
    println!(
        "{rate:.0} items/s; {} pages, half within {:?}, all within {worst:?}",
        waits.len(),
        waits[waits.len() / 2].0
    );
    assert_eq!(turned_away, 0);
    assert!(worst.0 < PAGE_WAIT_MAX, "{} waited {:?}", worst.1, worst.0);
    subject.end("pages beside ingest");
}
