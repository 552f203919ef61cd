//! Crashes: a process that is killed while it takes in all three signals. What it said was taken longer ago
//! than a second is there when the store is next opened.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::made::{self, trace_id};
use super::quiet;
use crate::{Direction, LogQuery, Options, Store};

const FOLDER: &str = "CONSOLE_STORE_CRASH_FOLDER";

/// Not a test of its own: what the killed process does. It says each batch number once it is taken.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let options = Options { flush_interval: Duration::from_millis(500), ..quiet() };
    let store = Store::open(folder, options, super::clock()).unwrap();
    let first = store.counts().spans;
    assert_eq!(first, 0);
    let mut out = std::io::stdout().lock();
    for batch in next_batch(&store).. {
        store.ingest_spans(&made::spans("api", batch * 100..(batch + 1) * 100)).unwrap();
        store.ingest_logs(&made::lines("api", batch * 100..(batch + 1) * 100)).unwrap();
        store.ingest_samples(&made::samples("api", 20, batch as i64..batch as i64 + 1)).unwrap();
        writeln!(out, "took {batch}").unwrap();
        out.flush().unwrap();
    }
}

/// The first batch of which nothing is there.
fn next_batch(store: &Store) -> u64 {
    let series = store.select_series(&[], i64::MIN, i64::MAX, 100).unwrap();
    let last = series.iter().filter_map(|series| series.samples().last()).map(|last| last.time_ms).max();
    let by_samples = last.map_or(0, |last_ms| (last_ms - made::sample(0, 0.0).time_ms) / 15_000 + 1) as u64;
    let newest = store.log_lines(LogQuery::default(), Direction::Backward).unwrap().next();
    let by_lines = newest.map_or(0, |line| (line.unwrap().time_ns() - 1_795_600_000_000_000_000) / 100_000_000 + 1);
    let mut by_spans = 0;
    let see = |head: &crate::SpanHead<'_>| {
        by_spans = by_spans.max((head.span_id.get() - 1) / 100 + 1);
        true
    };
    store.span_heads(0, u64::MAX, see).unwrap();
    by_samples.max(by_lines).max(by_spans)
}

/// Runs the child until it has taken for a while, kills it, gives what it said and when.
fn run_and_kill(folder: &Path, lifetime: Duration) -> Vec<(u64, Instant)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::crash::child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut taken = Vec::new();
    let mut began = None;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let now = Instant::now();
        if let Some(number) = line.strip_prefix("took ").and_then(|number| number.parse().ok()) {
            taken.push((number, now));
            if now.duration_since(*began.get_or_insert(now)) > lifetime {
                child.kill().unwrap();
                break;
            }
        }
    }
    child.wait().unwrap();
    taken
}

#[test]
fn a_killed_process_loses_at_most_its_last_second() {
    let folder = tempfile::tempdir().unwrap();
    let mut known: Vec<u64> = Vec::new();
    for round in 0..4_u64 {
        let taken = run_and_kill(folder.path(), Duration::from_millis(1_300 + round * 170));
        let killed = taken.last().unwrap().1;
        let store = Store::open(folder.path(), quiet(), super::clock()).unwrap();
        let safe = taken.iter().filter(|(_, at)| killed.duration_since(*at) > Duration::from_secs(1));
        known.extend(safe.map(|(batch, _)| *batch));
        assert!(!known.is_empty());
        let mut lines = std::collections::HashMap::new();
        for line in store.log_lines(LogQuery::default(), Direction::Forward).unwrap() {
            *lines.entry(line.unwrap().time_ns()).or_insert(0) += 1;
        }
        assert!(lines.values().all(|count| *count == 1), "no line is there twice");
        let mut spans = std::collections::HashSet::new();
        let see = |head: &crate::SpanHead<'_>| {
            assert!(spans.insert(head.span_id.get()), "no span is there twice");
            true
        };
        store.span_heads(0, u64::MAX, see).unwrap();
        let last = known.last().unwrap() * 25;
        assert_eq!(store.trace(trace_id(last)).unwrap().batch.len(), 4);
        let series = store.select_series(&[], i64::MIN, i64::MAX, 100).unwrap();
        let times: std::collections::HashSet<i64> = series[0].samples().map(|sample| sample.time_ms).collect();
        for batch in &known {
            assert!((batch * 100..(batch + 1) * 100).all(|number| spans.contains(&(number + 1))), "spans of {batch}");
            let time = |number: u64| 1_795_600_000_000_000_000 + number * 1_000_000;
            assert!(
                (batch * 100..(batch + 1) * 100).all(|number| lines.contains_key(&time(number))),
                "lines of {batch}"
            );
            assert!(times.contains(&made::sample(*batch as i64, 0.0).time_ms), "samples of batch {batch}");
        }
        assert!(store.facts().iter().all(|fact| fact.kind != crate::FactKind::Damaged));
    }
}
