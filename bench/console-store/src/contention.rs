//! Who waits for whom: readers while two threads take in all three signals as fast as they can, and those two
//! beside a reader that is slow.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use console_storage::{Direction, LogQuery, Matcher, Options, Store, TraceQuery};

use crate::load::Load;
use crate::soak::now_ms;

const PHASE: Duration = Duration::from_secs(10);

/// Waits of one kind of read, milliseconds.
type Waits = (&'static str, Vec<f64>);

pub fn run() {
    let folder = tempfile::tempdir().expect("a folder");
    let alone = phase(folder.path(), "two threads alone", &|_, _| {});
    let read = phase(folder.path(), "beside a reader without a pause", &|store, stop| {
        let mut waits: [Waits; 4] =
            ["trace by id", "search", "select_series", "newest 100 lines"].map(|what| (what, Vec::new()));
        let mut load = Load::new(1);
        while !stop.load(Ordering::Relaxed) {
            for (number, (_, times)) in waits.iter_mut().enumerate() {
                let began = Instant::now();
                read(store, &mut load, number);
                times.push(began.elapsed().as_secs_f64() * 1e3);
            }
        }
        for (what, mut times) in waits {
            times.sort_by(f64::total_cmp);
            let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
            println!(
                "  {what}: median {:.1} ms, p99 {:.1} ms, worst {:.1} ms of {}",
                at(0.5),
                at(0.99),
                at(1.0),
                times.len()
            );
        }
    });
    let slow = phase(folder.path(), "beside a reader that takes a line each 10 ms", &|store, stop| {
        let lines = store.log_lines(LogQuery::default(), Direction::Forward).expect("read");
        for line in lines {
            line.expect("read");
            std::thread::sleep(Duration::from_millis(10));
            if stop.load(Ordering::Relaxed) {
                return;
            }
        }
    });
    println!("rows a second: alone {alone:.0}, beside a busy reader {read:.0}, beside a slow one {slow:.0}");
}

/// Ingests for a while beside a reader. Gives spans, lines and samples a second.
fn phase(path: &Path, what: &str, reader: &(dyn Fn(&Store, &AtomicBool) + Sync)) -> f64 {
    let options = Options { limit_bytes: 256 << 20, ..Options::default() };
    let store = Store::open(path, options, std::sync::Arc::new(eventsourcing::clock::System)).expect("opens");
    let (stop, worst_us) = (AtomicBool::new(false), AtomicU64::new(0));
    println!("{what}:");
    let before = store.counts();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for seed in 0..2 {
            let (store, stop, worst_us) = (&store, &stop, &worst_us);
            scope.spawn(move || {
                let mut load = Load::new(seed);
                let service = format!("service-{seed}");
                // What is sent is made before, so that making it takes no time from taking it.
                let now_ms = now_ms();
                let now_ns = now_ms as u64 * 1_000_000;
                let spans: Vec<_> = (0..50).map(|_| load.spans(&service, 500, now_ns)).collect();
                let lines: Vec<_> = (0..50).map(|_| load.lines(&service, 1, 500, now_ns)).collect();
                let mut samples = load.samples(&service, seed, 500, now_ms);
                let mut round = 0;
                while !stop.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    store.ingest_spans(&spans[round % 50]).expect("taken");
                    store.ingest_logs(&lines[round % 50]).expect("taken");
                    samples.series.iter_mut().for_each(|series| series.samples[0].time_ms += 1);
                    store.ingest_samples(&samples).expect("taken");
                    worst_us.fetch_max(began.elapsed().as_micros() as u64, Ordering::Relaxed);
                    round += 1;
                }
            });
        }
        scope.spawn(|| reader(&store, &stop));
        std::thread::sleep(PHASE);
        stop.store(true, Ordering::Relaxed);
    });
    let seconds = began.elapsed().as_secs_f64();
    let after = store.counts();
    let spans = (after.spans - before.spans) as f64 / seconds;
    let lines = (after.log_records - before.log_records) as f64 / seconds;
    let samples = (after.samples - before.samples) as f64 / seconds;
    println!(
        "  {spans:.0} spans/s, {lines:.0} lines/s, {samples:.0} samples/s; worst batch of all three {:.1} ms; {:?}",
        worst_us.load(Ordering::Relaxed) as f64 / 1e3,
        store.trouble()
    );
    spans + lines + samples
}

fn read(store: &Store, load: &mut Load, kind: usize) {
    match kind {
        0 => drop(store.trace(load.trace_id()).expect("read")),
        1 => {
            let service = Some("service-1".into());
            drop(store.search_traces(&TraceQuery { service, limit: 20, ..TraceQuery::default() }).expect("read"));
        }
        2 => {
            let now_ms = now_ms();
            let matchers = [Matcher::equal("route", "3")];
            let selected = store.select_series(&matchers, now_ms - 60_000, i64::MAX, 100).expect("read");
            let _ = selected.iter().map(|series| series.samples().count()).sum::<usize>();
        }
        _ => {
            let lines = store.log_lines(LogQuery::default(), Direction::Backward).expect("read");
            let _ = lines.take(100).count();
        }
    }
}
