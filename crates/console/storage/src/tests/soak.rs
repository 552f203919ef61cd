//! A short soak: many times the limit flows through, in twenty seconds on a machine that is free, as fast as two
//! threads can, with a reader beside them. A long one is in `bench/console-store`.

use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use console_model::Labels;

use super::made;
use super::quiet;
use crate::{Direction, FactKind, LogQuery, Matcher, Options, Store, TraceQuery};

const CHILD: &str = "CONSOLE_STORE_SOAK_FOLDER";
const LIMIT: u64 = 16 << 20;
const WARM_UP: Duration = Duration::from_secs(4);
const LENGTH: Duration = Duration::from_secs(16);
const PATIENCE: Duration = Duration::from_secs(180);

/// A process of its own, for memory is counted by process.
#[test]
fn many_times_the_limit_flows_through_and_the_bounds_hold() {
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::soak::child", "--nocapture", "--test-threads=1"])
        .env(CHILD, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}{}", String::from_utf8_lossy(&child.stderr));
    println!("{said}");
}

#[test]
fn child() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let options = Options {
        limit_bytes: LIMIT,
        flush_interval: Duration::from_millis(500),
        series_max: 2_000,
        series_per_service_max: 1_000,
        services_max: 16,
        exemplars_max: 100,
        ..quiet()
    };
    let store = Store::open(&folder, options, std::sync::Arc::new(eventsourcing::clock::System)).unwrap();
    store.ingest_spans(&made::spans("quiet", 0..400)).unwrap();
    store.ingest_logs(&made::lines("quiet", 0..400)).unwrap();
    store.ingest_samples(&made::samples("quiet", 10, 0..100)).unwrap();
    let (stop, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (mut rss, mut bytes_max, mut read_max) = (Vec::new(), 0, Duration::ZERO);
    std::thread::scope(|scope| {
        let (store, stop, rounds) = (&store, &stop, &rounds);
        (1..3).for_each(|seed| drop(scope.spawn(move || noise(store, seed, stop, rounds))));
        let began = Instant::now();
        // A machine that others use as well takes longer to let as much flow through.
        let is_enough = || began.elapsed() > WARM_UP + LENGTH && store.counts().bytes_evicted > 2 * LIMIT;
        while !is_enough() && began.elapsed() < PATIENCE {
            let started = Instant::now();
            let newest = TraceQuery { limit: 20, ..TraceQuery::default() };
            store.search_traces(&newest).unwrap();
            read_max = read_max.max(started.elapsed());
            let started = Instant::now();
            assert_eq!(store.trace(made::trace_id(50)).unwrap().batch.len(), 4);
            read_max = read_max.max(started.elapsed());
            let started = Instant::now();
            assert_eq!(store.select_series(&[Matcher::equal("job", "quiet")], 0, i64::MAX, 100).unwrap().len(), 10);
            read_max = read_max.max(started.elapsed());
            bytes_max = bytes_max.max(folder_bytes(folder.as_ref()));
            if began.elapsed() > WARM_UP {
                rss.push(rss_bytes());
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    let mean = |part: &[u64]| part.iter().sum::<u64>() as f64 / part.len() as f64;
    let quarter = rss.len() / 4;
    let (first, last) = (mean(&rss[..quarter]), mean(&rss[rss.len() - quarter..]));
    let counts = store.counts();
    println!(
        "{} rounds; RSS {:.1} MB, then {:.1} MB; at most {:.3} of the limit; worst read {read_max:?}; {counts:?}",
        rounds.load(Ordering::Relaxed),
        first / 1e6,
        last / 1e6,
        bytes_max as f64 / LIMIT as f64
    );
    assert!(counts.bytes_evicted > 2 * LIMIT, "{counts:?}");
    assert!(bytes_max <= LIMIT + LIMIT / 20, "{bytes_max} bytes on disk");
    // Tables of names fill up to their bounds for a while; what flows through is hundreds of megabytes.
    assert!(last < first * 1.05 + 4e6, "RSS {first} B, then {last} B");
    assert!(read_max < Duration::from_secs(1), "a read waited {read_max:?}");
    let facts = store.facts();
    let evictions = |kind| facts.iter().filter(|fact| fact.kind == kind).count();
    assert!(evictions(FactKind::EvictedForSize) > 0 && evictions(FactKind::Damaged) == 0);
    assert!(facts.iter().all(|fact| fact.service != "quiet"));
    assert_eq!(store.evictions().iter().map(|lost| lost.segments).sum::<u64>(), counts.segments_evicted);
    assert_eq!(store.evictions().iter().map(|lost| lost.bytes).sum::<u64>(), counts.bytes_evicted);
    let query = LogQuery { matchers: vec![Matcher::equal("service_name", "quiet")], ..LogQuery::default() };
    assert_eq!(store.log_lines(query, Direction::Forward).unwrap().count(), 400);
    assert_eq!(store.trouble(), None);
}

/// What a noisy service sends, and services, streams and series that are new all the time.
fn noise(store: &Store, seed: u64, stop: &AtomicBool, rounds: &AtomicUsize) {
    let mut round = seed * 1_000_000;
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        for (service, rows) in [("noisy".to_owned(), 200), (format!("passing {}", round / 20), 10)] {
            let mut spans = made::spans(&service, round * 200..round * 200 + rows);
            for span in &mut spans.groups[0].spans {
                span.attributes.push("noise", made::noise(span.span_id.get(), 40).as_str());
            }
            spans.groups[0].spans[0].name = format!("operation {round}").into();
            store.ingest_spans(&spans).unwrap();
            let mut lines = made::lines(&service, round * 200..round * 200 + rows);
            let stream = [("service_name", service.as_str()), ("pod", &round.to_string())];
            lines.groups[0].stream = Labels::from_pairs(stream);
            store.ingest_logs(&lines).unwrap();
            let mut samples = made::samples(&service, 20, round as i64..round as i64 + 1);
            for (number, series) in samples.series.iter_mut().enumerate() {
                let instance = format!("{}-{number}", round / 10);
                series.labels =
                    Labels::from_pairs([("__name__", "up"), ("job", service.as_str()), ("instance", &instance)]);
            }
            samples.series[0].exemplars.push(made::exemplar(round as i64, made::trace_id(round * 50)));
            store.ingest_samples(&samples).unwrap();
        }
        rounds.fetch_add(1, Ordering::Relaxed);
    }
}

fn rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
}

fn folder_bytes(path: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
