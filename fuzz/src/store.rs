//! A console store whose files an input changes: what is opened, read, written to and opened again. Which
//! files, and what is proved, is in the targets.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use console_model::{
    Buckets, Exemplar, FloatHistogram, HistogramSample, Labels, LogBatch, LogGroup, LogRecord, Resource, Sample,
    SampleBatch, Scope, SeriesSamples, Span, SpanBatch, SpanGroup, SpanId, TraceId, Value,
};
use console_storage::{Direction, LogQuery, Matcher, Options, Store, TraceQuery};

const TIME_NS: u64 = 1_795_600_000_000_000_000;

type Files = Vec<(PathBuf, Vec<u8>)>;

/// The files of a store with segments, an index and logs, by their path in its folder. Enough spans for two
/// blocks, so that there is an index, then a little that is in the logs only.
static WITH_BLOCKS: LazyLock<Files> = LazyLock::new(|| template(140));

/// The same with logs only, which is much quicker to read.
static WITH_LOGS: LazyLock<Files> = LazyLock::new(|| template(0));

fn template(large_spans: u64) -> Files {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    ingest(&store, 0, large_spans, 8_000);
    for step in 0..250 {
        store.ingest_samples(&samples(step)).expect("taken");
    }
    store.flush().expect("flushed");
    ingest(&store, 9_000, 20, 0);
    store.flush().expect("flushed");
    // As a process that is killed leaves it.
    copy_folder(folder.path(), copy.path());
    files(copy.path())
}

fn open(path: &Path) -> Store {
    let options = Options {
        limit_bytes: 4 << 20,
        flush_interval: Duration::from_secs(3_600),
        retention_age: Duration::ZERO,
        ..Options::default()
    };
    Store::open(path, options, Arc::new(eventsourcing::clock::System)).expect("damage is no reason not to open")
}

fn resource() -> Arc<Resource> {
    let mut resource = Resource::default();
    resource.attributes.push("service.name", "api");
    Arc::new(resource)
}

fn trace_id(number: u64) -> TraceId {
    TraceId::new(u128::from(number / 4 + 1)).expect("not zero")
}

/// Spans, each with so many bytes that nothing makes smaller, and twice as many lines.
fn ingest(store: &Store, from: u64, count: u64, bytes: u64) {
    let noise = |number: u64| -> String {
        let mut state = number + 1;
        let mut next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b' ' + (state >> 57) as u8 % 90)
        };
        (0..bytes).map(&mut next).collect()
    };
    let span = |number: u64| {
        let mut span = Span::new(trace_id(number), SpanId::new(number + 1).expect("not zero"));
        (span.name, span.start_ns) = ("GET /orders".into(), TIME_NS + number);
        span.attributes.push("order", number as i64);
        span.attributes.push("noise", noise(number).as_str());
        span
    };
    let spans = (from..from + count).map(span).collect();
    let group = SpanGroup { resource: resource(), scope: Arc::new(Scope::default()), spans };
    store.ingest_spans(&SpanBatch { groups: vec![group] }).expect("taken");
    let record = |number: u64| LogRecord {
        time_ns: TIME_NS + number,
        body: Value::String(format!("order {number}").into()),
        trace_id: Some(trace_id(number)),
        ..LogRecord::default()
    };
    let records = (from * 2..(from + count) * 2).map(record).collect();
    let stream = Labels::from_pairs([("service_name", "api")]);
    let group = LogGroup { stream, resource: resource(), scope: Arc::new(Scope::default()), records };
    store.ingest_logs(&LogBatch { groups: vec![group] }).expect("taken");
}

fn samples(step: i64) -> SampleBatch {
    let time_ms = TIME_NS as i64 / 1_000_000 + step * 1_000;
    let series = |number: usize| SeriesSamples {
        labels: Labels::from_pairs([("__name__", "up"), ("instance", number.to_string().as_str())]),
        // The last one has histograms.
        samples: if number < 3 { vec![Sample { time_ms, value: step as f64 / 7.0 }] } else { Vec::new() },
        histograms: if number < 3 { Vec::new() } else { vec![histogram(time_ms, step)] },
        exemplars: vec![Exemplar {
            sample: Sample { time_ms: step, value: 1.0 },
            trace_id: Some(trace_id(number as u64)),
            span_id: None,
            labels: Labels::default(),
        }],
    };
    SampleBatch { series: (0..4).map(series).collect(), metadata: Vec::new() }
}

/// A native histogram whose buckets change now and then.
fn histogram(time_ms: i64, step: i64) -> HistogramSample {
    let counts = (0..8).filter(|index| step % 16 != 7 || *index != 3).map(|index| (index, (step % 100 * 8) as f64));
    let positive = Buckets::from_counts(counts);
    let (count, sum) = (positive.total(), step as f64 / 7.0);
    let histogram = FloatHistogram { count, sum, positive, ..FloatHistogram::exponential(3) };
    HistogramSample { time_ms, histogram: Arc::new(histogram) }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut all, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().is_some_and(|name| name != "LOCK") {
                let bytes = fs::read(&path).expect("a file");
                all.push((path.strip_prefix(folder).expect("inside").to_owned(), bytes));
            }
        }
    }
    all.sort();
    all
}

/// Opens a store one of whose files with this extension an input has changed. The first byte chooses the
/// file and whether checksums are made right again, so that what is behind them is reached. Then come
/// changes: where (4 bytes), what to do and how much (1), and the bytes.
pub fn open_changed(input: &[u8], extension: &str) {
    let Some((choice, changes)) = input.split_first() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let files = if extension == "wal" { &WITH_LOGS } else { &WITH_BLOCKS };
    let wanted: Vec<&PathBuf> =
        files.iter().map(|(path, _)| path).filter(|path| path.extension().is_some_and(|it| it == extension)).collect();
    assert!(!wanted.is_empty(), "a store has such files");
    let chosen = wanted[usize::from(choice >> 1) % wanted.len()];
    for (path, bytes) in files.iter() {
        let target = folder.path().join(path);
        fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
        let bytes = if path == chosen { change(bytes, changes, choice & 1 == 1) } else { bytes.clone() };
        fs::write(target, bytes).expect("written");
    }
    let store = open(folder.path());
    let before = read(&store);
    ingest(&store, 100_000, 8, 0);
    store.flush().expect("flushed");
    let taken = store.trace(trace_id(100_000)).expect("read").batch.len();
    assert!(taken >= 4, "what is taken is read");
    drop(store);
    let store = open(folder.path());
    assert!(store.trace(trace_id(100_000)).expect("read").batch.len() >= 4, "and read again");
    // With false checksums nothing is believed, so what was there before is all there is again.
    if choice & 1 == 0 {
        let after = read(&store);
        assert_eq!((after.0, after.1, after.2), (before.0 + 8, before.1 + 16, before.2));
    }
}

fn read(store: &Store) -> (usize, usize, usize) {
    let mut spans = 0;
    store
        .span_heads(0, u64::MAX, |_| {
            spans += 1;
            true
        })
        .expect("read");
    for number in [0, 77, 9_001] {
        let _ = store.trace(trace_id(number)).expect("read");
        let query = LogQuery { trace_id: Some(trace_id(number)), ..LogQuery::default() };
        let _ = store.log_lines(query, Direction::Forward).expect("read").count();
    }
    let query = TraceQuery { tags: vec![("order".into(), "77".into())], ..TraceQuery::default() };
    let _ = store.search_traces(&query).expect("read");
    let _ = store.operations("api");
    let lines = store.log_lines(LogQuery::default(), Direction::Backward).expect("read");
    let lines = lines.map(|line| line.expect("read").record()).count();
    let few = store.select_series(&[Matcher::equal("instance", "1")], i64::MIN, i64::MAX, 1_000).expect("read");
    let all = store.select_series(&[], i64::MIN, i64::MAX, 1_000_000).expect("read");
    let samples = few.iter().chain(&all).map(|series| series.points().count()).sum();
    let _ = (store.facts(), store.exemplars(&[], i64::MIN, i64::MAX), store.usage());
    (spans, lines, samples)
}

/// A file after the changes.
fn change(bytes: &[u8], mut changes: &[u8], is_mended: bool) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    while let Some((head, rest)) = changes.split_at_checked(5) {
        let at = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize % (changed.len() + 1);
        let length = usize::from(head[4] >> 2).min(rest.len());
        let (new, rest) = rest.split_at(length);
        changes = rest;
        match head[4] & 3 {
            0 => new.iter().zip(changed.iter_mut().skip(at)).for_each(|(new, old)| *old = *new),
            1 => changed.truncate(at),
            2 => drop(changed.splice(at..at, new.iter().copied())),
            _ => changed.iter_mut().skip(at).zip(new).for_each(|(old, new)| *old ^= *new),
        }
    }
    if is_mended {
        mend(&mut changed);
    }
    changed
}

/// Gives every frame, and every page behind the last, the checksum of what is in it.
fn mend(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some((head, rest)) = bytes.get_mut(at..).and_then(|rest| rest.split_at_mut_checked(8)) {
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if length == 0 || length > rest.len() {
            break;
        }
        head[4..8].copy_from_slice(&crc32fast::hash(&rest[..length]).to_le_bytes());
        at += 8 + length;
    }
    for page in bytes.get_mut(at..).unwrap_or_default().chunks_mut(4_096) {
        if let Some((crc, entries)) = page.split_at_mut_checked(4) {
            crc.copy_from_slice(&crc32fast::hash(entries).to_le_bytes());
        }
    }
}
