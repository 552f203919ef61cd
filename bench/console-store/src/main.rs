//! Measures the console's store. `designs FOLDER` compares three designs, `targets FOLDER` measures the one
//! that was taken against what it has to reach, `soak` shows that it stays within its bounds,
//! `contention` who waits for whom, `idle` and `open PATH` measure a start. FOLDER is what
//! `record.sh` recorded.

mod contention;
mod designs;
mod load;
mod recorded;
mod soak;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use console_storage::{Direction, LogQuery, Matcher, Options, Store, TraceQuery};
use designs::{Design, Fjall, Segments, Sqlite};
use recorded::{BASE_NS, Recorded};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["designs", folder] => designs(&Recorded::read(Path::new(folder))),
        ["targets", folder] => targets(&Recorded::read(Path::new(folder))),
        ["soak", rest @ ..] => {
            let minutes: f64 = option(rest, "--minutes", 20.0);
            soak::run((minutes * 60.0) as u64, option(rest, "--limit-mib", 64), option(rest, "--rate", 1.0));
        }
        ["contention"] => contention::run(),
        ["idle"] => idle(tempfile::tempdir().expect("a folder").path()),
        ["open", path] => idle(Path::new(path)),
        _ => println!(
            "usage: bench-console-store designs FOLDER | targets FOLDER | soak [--minutes N] [--limit-mib N] [--rate N] | contention | idle | open PATH"
        ),
    }
}

/// What stands behind a name among the arguments.
fn option<T: std::str::FromStr>(arguments: &[&str], name: &str, otherwise: T) -> T {
    let at = arguments.iter().position(|argument| *argument == name);
    let given = at.and_then(|at| arguments.get(at + 1));
    given.map_or(otherwise, |given| given.parse().ok().unwrap_or_else(|| panic!("{name} {given} is no number")))
}

fn options() -> Options {
    Options { limit_bytes: 16 << 30, retention_age: Duration::ZERO, ..Options::default() }
}

fn open(path: &Path) -> Store {
    Store::open(path, options(), Arc::new(eventsourcing::clock::System)).expect("opens")
}

fn rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn folder_mb(path: &Path) -> f64 {
    folder_bytes(path) as f64 / 1e6
}

fn folder_bytes(path: &Path) -> u64 {
    let entries = std::fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

fn idle(path: &Path) {
    let began = Instant::now();
    let store = open(path);
    let opened = began.elapsed();
    println!(
        "open {:.1} ms, {:.1} MB on disk, RSS {:.1} MB",
        opened.as_secs_f64() * 1e3,
        store.bytes() as f64 / 1e6,
        rss_mb()
    );
}

fn scale() -> u64 {
    std::env::var("SCALE").ok().and_then(|scale| scale.parse().ok()).unwrap_or(1)
}

/// Runs a thing many times; gives the median and the worst, milliseconds.
fn times(count: usize, mut run: impl FnMut(usize)) -> (f64, f64) {
    let mut all: Vec<f64> = (0..count)
        .map(|number| {
            let began = Instant::now();
            run(number);
            began.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    all.sort_by(f64::total_cmp);
    (all[all.len() / 2], all[all.len() - 1])
}

type Make = fn(&Path) -> Box<dyn Design>;

fn designs(recorded: &Recorded) {
    const ROWS: usize = 500_000;
    let span_rounds = (ROWS / recorded.spans_a_round()) as u64;
    let line_rounds = (ROWS / recorded.lines_a_round()) as u64;
    println!("{ROWS} spans, then as many lines; on disk within half a second");
    let made: [Make; 3] = [
        |path| Box::new(Segments::open(path)),
        |path| Box::new(Sqlite::open(path)),
        |path| Box::new(Fjall::open(path)),
    ];
    for make in made {
        let folder = tempfile::tempdir().expect("a folder");
        let mut design = make(folder.path());
        let mut spent = Duration::ZERO;
        let mut timed = |work: &mut dyn FnMut()| {
            let began = Instant::now();
            work();
            spent += began.elapsed();
        };
        for round in 0..span_rounds {
            let batches = recorded.spans(round);
            timed(&mut || {
                batches.iter().for_each(|batch| {
                    design.spans(batch);
                    design.tick();
                })
            });
        }
        timed(&mut || design.finish());
        let spans = span_rounds as f64 * recorded.spans_a_round() as f64 / spent.as_secs_f64();
        let span_mb = folder_mb(folder.path());
        let mut spent = Duration::ZERO;
        let mut timed = |work: &mut dyn FnMut()| {
            let began = Instant::now();
            work();
            spent += began.elapsed();
        };
        for round in 0..line_rounds {
            let batches = recorded.lines(round);
            timed(&mut || {
                batches.iter().for_each(|batch| {
                    design.lines(batch);
                    design.tick();
                })
            });
        }
        timed(&mut || design.finish());
        let lines = line_rounds as f64 * recorded.lines_a_round() as f64 / spent.as_secs_f64();
        let line_mb = folder_mb(folder.path()) - span_mb;
        let by_id = times(500, |number| {
            assert!(design.trace(recorded.trace(number as u64 % span_rounds, number * 37)) > 0);
        });
        let grep = times(3, |_| assert_eq!(design.grep("no such thing"), 0));
        let common = times(3, |_| assert!(design.grep("PUT") > 0));
        println!(
            "{:<9} {spans:>9.0} spans/s {span_mb:>6.0} MB | {lines:>9.0} lines/s {line_mb:>6.0} MB | trace by id {:.3} ms (worst {:.2}) | grep rare {:.0} ms, common {:.0} ms",
            design.name(),
            by_id.0,
            by_id.1,
            grep.0,
            common.0
        );
    }
}

fn targets(recorded: &Recorded) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    println!("empty: RSS {:.1} MB", rss_mb());
    traces(recorded, &store, folder.path());
    logs(recorded, &store, folder.path());
    metrics(recorded, &store, folder.path());
    let began = Instant::now();
    drop(store);
    println!("close {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    idle(folder.path());
    if let Some(kept) = std::env::var_os("KEEP") {
        std::fs::rename(folder.keep(), kept).expect("moved");
    }
}

fn traces(recorded: &Recorded, store: &Store, folder: &Path) {
    let rounds = (1_000_000 * scale()).div_ceil(recorded.spans_a_round() as u64);
    let (mut spent, mut worst) = (Duration::ZERO, Duration::ZERO);
    for round in 0..rounds {
        for batch in recorded.spans(round) {
            let began = Instant::now();
            store.ingest_spans(&batch).expect("taken");
            spent += began.elapsed();
            worst = worst.max(began.elapsed());
        }
    }
    let count = rounds as f64 * recorded.spans_a_round() as f64;
    println!(
        "spans: {:.0}/s (worst batch {:.1} ms), {:.1} MB on disk for {count:.0}, RSS {:.0} MB",
        count / spent.as_secs_f64(),
        worst.as_secs_f64() * 1e3,
        folder_mb(folder),
        rss_mb()
    );
    store.flush().expect("flushed");
    let show = |what: &str, (median, worst): (f64, f64)| println!("{what}: median {median:.2} ms, worst {worst:.2} ms");
    show(
        "trace by id",
        times(500, |number| {
            let id = recorded.trace(number as u64 * 7 % rounds, number * 37);
            assert!(!store.trace(id).expect("read").batch.is_empty());
        }),
    );
    show(
        "trace by id, unknown",
        times(500, |number| {
            let id = console_model::TraceId::new(number as u128 + 1).expect("not zero");
            assert!(store.trace(id).expect("read").batch.is_empty());
        }),
    );
    let any = TraceQuery { limit: 20, ..TraceQuery::default() };
    let service = TraceQuery { service: Some("orders-api".into()), limit: 20, ..TraceQuery::default() };
    let tag = |key: &str, value: &str| TraceQuery { tags: vec![(key.into(), value.into())], ..any.clone() };
    let spans = recorded.spans(0);
    let id = spans[0].groups[0].spans[0].attributes.text("request.id").expect("an id").to_owned();
    let queries = [
        ("search, newest 20", any.clone()),
        ("search, service", service.clone()),
        ("search, service and operation", TraceQuery { operation: Some("POST /api/orders".into()), ..service.clone() }),
        ("search, tag that many have", tag("http.response.status_code", "200")),
        ("search, tag that one of a round has", tag("request.id", &id)),
        ("search, tag that none has", tag("request.id", "none")),
        ("search, error that none has", tag("error", "true")),
        ("search, longer than any", TraceQuery { duration_min_ns: 1 << 50, ..any.clone() }),
        ("search, longer than nearly any", TraceQuery { duration_min_ns: 30_000_000, ..any.clone() }),
        ("search, the oldest second", TraceQuery { to_ns: BASE_NS + 1_000_000_000, ..any.clone() }),
    ];
    for (what, query) in queries {
        show(what, times(9, |_| drop(store.search_traces(&query).expect("read"))));
    }
    show(
        "search, service, with the traces",
        times(9, |_| {
            for id in store.search_traces(&service).expect("read") {
                store.trace(id).expect("read");
            }
        }),
    );
    let mut heads = 0_u64;
    show(
        "heads of all spans",
        times(3, |_| {
            store
                .span_heads(0, u64::MAX, |_| {
                    heads += 1;
                    true
                })
                .expect("read")
        }),
    );
}

fn logs(recorded: &Recorded, store: &Store, folder: &Path) {
    let before = folder_mb(folder);
    let rounds = (2_000_000 * scale()).div_ceil(recorded.lines_a_round() as u64);
    let mut spent = Duration::ZERO;
    for round in 0..rounds {
        for batch in recorded.lines(round) {
            let began = Instant::now();
            store.ingest_logs(&batch).expect("taken");
            spent += began.elapsed();
        }
    }
    let count = rounds as f64 * recorded.lines_a_round() as f64;
    println!(
        "lines: {:.0}/s, {:.1} MB on disk for {count:.0}, RSS {:.0} MB",
        count / spent.as_secs_f64(),
        folder_mb(folder) - before,
        rss_mb()
    );
    store.flush().expect("flushed");
    for needle in ["no such thing", "PUT", "accepted and", "/api/orders/pay"] {
        let (mut found, mut bytes, mut skipped) = (0, 0, 0);
        let (median, _) = times(3, |_| {
            let query = LogQuery { contains: vec![needle.into()], ..LogQuery::default() };
            let mut blocks = store.log_blocks(query, Direction::Backward).expect("read");
            found = blocks.by_ref().map(|block| block.expect("read").rows().len()).sum();
            (bytes, skipped) = (blocks.work().text_bytes, blocks.work().blocks_skipped);
        });
        println!(
            "grep {needle:?}: {median:.1} ms, {found} lines, {:.0} MB unpacked ({:.2} GB/s), {skipped} blocks spared",
            bytes as f64 / 1e6,
            bytes as f64 / 1e6 / median
        );
    }
    let newest = || LogQuery { matchers: vec![Matcher::equal("level", "info")], ..LogQuery::default() };
    let (median, _) = times(9, |_| {
        let lines = store.log_lines(newest(), Direction::Backward).expect("read").take(1_000);
        assert_eq!(lines.map(|line| line.expect("read").line().len()).filter(|length| *length > 0).count(), 1_000);
    });
    println!("newest 1,000 lines: {median:.2} ms");
    let id = recorded.trace(rounds / 2, 11);
    let (median, _) = times(9, |_| {
        let query = LogQuery { trace_id: Some(id), ..LogQuery::default() };
        assert!(store.log_lines(query, Direction::Forward).expect("read").count() > 0);
    });
    println!("lines of a trace: {median:.2} ms");
}

fn metrics(recorded: &Recorded, store: &Store, folder: &Path) {
    let before = folder_mb(folder);
    let instances = 10_u64;
    let steps = 5_000_000 * scale() / (recorded.series_a_scrape() as u64 * instances);
    let mut spent = Duration::ZERO;
    let mut count = 0;
    for step in 0..steps {
        let batch = recorded.scrape(step, instances);
        let began = Instant::now();
        count += store.ingest_samples(&batch).expect("taken").accepted;
        spent += began.elapsed();
    }
    store.flush().expect("flushed");
    println!(
        "samples: {:.0}/s of {} series, {:.1} MB on disk for {count} ({:.2} bytes each), RSS {:.0} MB",
        count as f64 / spent.as_secs_f64(),
        store.series_count(),
        folder_mb(folder) - before,
        (folder_mb(folder) - before) * 1e6 / count as f64,
        rss_mb()
    );
    let to_ms = (BASE_NS / 1_000_000 + (steps - 1) * 15_000) as i64;
    for (what, matchers, from_ms) in [
        (
            "65 minutes of a histogram's series",
            vec![Matcher::matches("__name__", "http_server_request_duration_seconds_.*").expect("valid")],
            to_ms - 65 * 60_000,
        ),
        ("65 minutes of one instance", vec![Matcher::equal("instance", "10.0.0.3:5007")], to_ms - 65 * 60_000),
        ("everything", Vec::new(), i64::MIN),
    ] {
        let (mut series, mut samples) = (0, 0);
        let (median, _) = times(5, |_| {
            let selected = store.select_series(&matchers, from_ms, to_ms, 1_000_000).expect("read");
            series = selected.len();
            samples = selected.iter().map(|series| series.samples().count()).sum();
        });
        println!("select {what}: {median:.1} ms, {series} series, {samples} samples");
    }
}
