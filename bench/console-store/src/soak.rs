//! A soak: many times the limit flows through a store, from a noisy service, from services and series that
//! come and go, and from a quiet one whose data has to stay.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use console_storage::{Direction, LogQuery, Matcher, Options, Store, TraceQuery};
use eventsourcing::Clock;
use eventsourcing::clock::System;

use crate::load::Load;
use crate::{folder_bytes, rss_mb};

const TICK: Duration = Duration::from_millis(50);
/// What comes in at a tick, at a rate of 1.
const SPANS: usize = 2_400;
const LINES: usize = 3_600;
const SERIES: u64 = 3_000;
/// Nothing is judged before the limit is reached, there are as many series as there may be, and the first
/// of them have given way.
const WARM_UP_SECONDS: u64 = 240;

/// What a soak saw.
#[derive(Default)]
struct Seen {
    /// Megabytes of memory, each second.
    rss: Vec<f64>,
    /// The largest number of bytes on disk.
    bytes_max: u64,
    /// The largest number of bytes that the store told.
    told_max: u64,
    read_ms_max: f64,
    ingest_ms_max: f64,
}

/// What the quiet service has sent.
#[derive(Default)]
struct Quiet {
    spans: usize,
    lines: usize,
    samples: usize,
}

pub fn run(seconds: u64, limit_mib: u64, rate: f64) {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        limit_bytes: limit_mib << 20,
        series_max: 12_000,
        series_per_service_max: 10_000,
        services_max: 32,
        exemplars_max: 1_000,
        ..Options::default()
    };
    let limit = options.limit_bytes;
    let store = Store::open(folder.path(), options, Arc::new(System)).expect("opens");
    let (mut load, mut seen, mut quiet) = (Load::new(7), Seen::default(), Quiet::default());
    quiet.send(&store, &mut load, 2_000);
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let ticks = (WARM_UP_SECONDS + seconds) * 20;
    for tick in 0..ticks {
        let started = Instant::now();
        noise(&store, &mut load, tick, rate);
        seen.ingest_ms_max = seen.ingest_ms_max.max(started.elapsed().as_secs_f64() * 1e3);
        if tick % 4 == 0 {
            seen.bytes_max = seen.bytes_max.max(folder_bytes(folder.path()));
            seen.told_max = seen.told_max.max(store.bytes());
        }
        if tick % 20 == 10 {
            quiet.send(&store, &mut load, 1);
            let started = Instant::now();
            read(&store, &mut load);
            seen.read_ms_max = seen.read_ms_max.max(started.elapsed().as_secs_f64() * 1e3);
            if tick >= WARM_UP_SECONDS * 20 {
                seen.rss.push(rss_mb());
            }
        }
        if tick % 200 == 199 {
            let elapsed = began.elapsed().as_secs_f64();
            println!(
                "{elapsed:.0} s: RSS {:.1} MB, {:.1} MB on disk ({:.1} told), {} series, {:.0} % of a core, {:?}",
                rss_mb(),
                folder_bytes(folder.path()) as f64 / 1e6,
                store.bytes() as f64 / 1e6,
                store.series_count(),
                (cpu_seconds() - cpu) / elapsed * 100.0,
                store.trouble()
            );
        }
        std::thread::sleep((TICK * (tick as u32 + 1)).saturating_sub(began.elapsed()));
    }
    report(&store, &seen, &quiet, limit);
    drop(store);
    reopen(folder.path());
}

/// A tick's telemetry of the noisy service, and of a service and series that are new every second.
fn noise(store: &Store, load: &mut Load, tick: u64, rate: f64) {
    let scaled = |count: f64| (count * rate).max(1.0);
    let now_ms = now_ms();
    let now_ns = now_ms as u64 * 1_000_000;
    store.ingest_spans(&load.spans("noisy", scaled(SPANS as f64) as usize, now_ns)).expect("taken");
    store.ingest_logs(&load.lines("noisy", tick / 5, scaled(LINES as f64) as usize, now_ns)).expect("taken");
    // A pod lives for ten seconds.
    store.ingest_samples(&load.samples("noisy", tick / 200, scaled(SERIES as f64) as u64, now_ms)).expect("taken");
    let passing = format!("job-{}", tick / 20);
    store.ingest_spans(&load.spans(&passing, 20, now_ns)).expect("taken");
    store.ingest_logs(&load.lines(&passing, tick, 20, now_ns)).expect("taken");
    store.ingest_samples(&load.samples(&passing, tick / 20, 10, now_ms)).expect("taken");
}

impl Quiet {
    fn send(&mut self, store: &Store, load: &mut Load, count: usize) {
        let now_ms = now_ms();
        let now_ns = now_ms as u64 * 1_000_000;
        store.ingest_spans(&load.spans("quiet", count, now_ns)).expect("taken");
        store.ingest_logs(&load.lines("quiet", 1, count, now_ns)).expect("taken");
        store.ingest_samples(&load.samples("quiet", 1, 10, now_ms)).expect("taken");
        self.spans += count;
        self.lines += count;
        self.samples += 10;
    }
}

/// What a page would ask for.
fn read(store: &Store, load: &mut Load) {
    let _ = store.trace(load.trace_id()).expect("read");
    let newest = TraceQuery { limit: 20, ..TraceQuery::default() };
    for id in store.search_traces(&newest).expect("read") {
        let _ = store.trace(id).expect("read");
    }
    let lines = store.log_lines(LogQuery::default(), Direction::Backward).expect("read");
    let _ = lines.take(100).count();
    let matchers = [Matcher::equal("route", "3")];
    let _ = store.select_series(&matchers, now_ms() - 300_000, now_ms(), 10_000).expect("read").len();
}

fn report(store: &Store, seen: &Seen, quiet: &Quiet, limit: u64) {
    let quarter = (seen.rss.len() / 4).max(1);
    let means: Vec<f64> =
        seen.rss.chunks(quarter).take(4).map(|part| part.iter().sum::<f64>() / part.len() as f64).collect();
    let change = (means.last().unwrap_or(&0.0) / means.first().unwrap_or(&1.0) - 1.0) * 100.0;
    println!("RSS by quarter after the warm-up: {means:.1?} MB, {change:+.1} % from the first to the last");
    let over = |bytes: u64| (bytes as f64 / limit as f64 - 1.0) * 100.0;
    println!(
        "limit {:.1} MB; most on disk {:.1} MB ({:+.1} %), most told {:.1} MB ({:+.1} %)",
        limit as f64 / 1e6,
        seen.bytes_max as f64 / 1e6,
        over(seen.bytes_max),
        seen.told_max as f64 / 1e6,
        over(seen.told_max)
    );
    println!("worst tick {:.1} ms, worst read {:.1} ms", seen.ingest_ms_max, seen.read_ms_max);
    let counts = store.counts();
    println!(
        "{} spans, {} lines, {} samples taken; {} segments with {:.0} MB evicted ({:.1} times the limit), {} facts; {counts:?}",
        counts.spans,
        counts.log_records,
        counts.samples,
        counts.segments_evicted,
        counts.bytes_evicted as f64 / 1e6,
        counts.bytes_evicted as f64 / limit as f64,
        store.facts().len(),
    );
    for lost in store.evictions().iter().take(5) {
        println!("{lost:?}");
    }
    let mut spans = 0;
    store
        .span_heads(0, u64::MAX, |head| {
            spans += usize::from(head.service == "quiet");
            true
        })
        .expect("read");
    let query = LogQuery { matchers: vec![Matcher::equal("service_name", "quiet")], ..LogQuery::default() };
    let lines = store.log_lines(query, Direction::Forward).expect("read").count();
    let selected = store.select_series(&[Matcher::equal("job", "quiet")], i64::MIN, i64::MAX, 100).expect("read");
    let samples: usize = selected.iter().map(|series| series.samples().count()).sum();
    println!(
        "of the quiet service: {spans} of {} spans, {lines} of {} lines, {samples} of {} samples",
        quiet.spans, quiet.lines, quiet.samples
    );
}

fn reopen(path: &Path) {
    let began = Instant::now();
    let store = crate::open(path);
    println!("opens again in {:.1} ms with {} series", began.elapsed().as_secs_f64() * 1e3, store.series_count());
}

pub fn now_ms() -> i64 {
    System.now().as_millisecond()
}

/// What this process has used of the processor.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = fields.split_whitespace().skip(11).take(2).filter_map(|it| it.parse::<f64>().ok()).sum();
    ticks / 100.0
}
