//! Bounds: who is evicted, what is pinned, what is remembered, and what a full disk does.

use std::sync::atomic::Ordering;
use std::time::Duration;

use console_model::{Labels, SampleBatch, SeriesSamples};

use super::made::{self, trace_id};
use super::{NOW_MS, clock, open, quiet};
use crate::{
    Direction, FactKind, IngestError, LogQuery, Matcher, Oldest, Options, ReadError, SelectLimits, Signal, Store,
};

fn small(limit_bytes: u64) -> Options {
    Options { limit_bytes, ..quiet() }
}

fn lines_of(store: &Store, service: &str) -> usize {
    let query = LogQuery { matchers: vec![Matcher::equal("service_name", service)], ..LogQuery::default() };
    store.log_lines(query, Direction::Forward).unwrap().count()
}

/// Random bits, so that nothing compresses and sizes are what they seem.
fn noise(service: &str, from: u64, count: u64) -> console_model::SpanBatch {
    let mut batch = made::spans(service, from..from + count);
    for (number, span) in (from..).zip(&mut batch.groups[0].spans) {
        for part in 0..20 {
            span.attributes.push(format!("k{part}"), crate::hash::mix(number * 31 + part) as i64);
        }
    }
    batch
}

#[test]
fn a_selection_holds_no_more_than_it_may_and_ends_when_nobody_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.ingest_samples(&made::samples("counted", 10, 0..2_000)).unwrap();
    let selected = |limits: &SelectLimits<'_>| store.select_series_within(&[], i64::MIN, i64::MAX, limits);
    assert_eq!(selected(&SelectLimits::series(10)).unwrap().len(), 10);
    let too_many = selected(&SelectLimits::series(9)).unwrap_err();
    assert_eq!(too_many.to_string(), "more than 9 series were selected; narrow the selection");
    let too_many = selected(&SelectLimits { bytes_max: 100, ..SelectLimits::series(10) }).unwrap_err();
    assert_eq!(too_many.to_string(), "more than 100 bytes of samples were selected; narrow the selection");
    let stopped = selected(&SelectLimits { goes_on: &|| false, ..SelectLimits::series(10) });
    assert!(matches!(stopped, Err(ReadError::Stopped)));
}

#[test]
fn a_noisy_service_evicts_itself_and_a_quiet_one_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), small(8 << 20), clock()).unwrap();
    store.ingest_spans(&made::spans("quiet", 0..400)).unwrap();
    store.ingest_logs(&made::lines("quiet", 0..400)).unwrap();
    store.ingest_samples(&made::samples("quiet", 10, 0..400)).unwrap();
    for round in 0..120_u64 {
        store.ingest_spans(&noise("noisy", 1_000 + round * 1_000, 1_000)).unwrap();
        store.flush().unwrap();
        store.inner().keep_within_bounds().unwrap();
        assert!(store.bytes() <= 8 << 20, "{} bytes in round {round}", store.bytes());
    }
    for number in 0..100 {
        let trace = store.trace(trace_id(number)).unwrap();
        assert_eq!((trace.batch.len(), trace.evicted.len()), (4, 0), "trace {number}");
    }
    assert_eq!(lines_of(&store, "quiet"), 400);
    assert_eq!(store.select_series(&[], 0, i64::MAX, 100).unwrap().len(), 10);
    let facts = store.facts();
    assert!(
        !facts.is_empty() && facts.iter().all(|fact| fact.kind == FactKind::EvictedForSize && fact.service == "noisy")
    );
    assert_eq!(store.counts().segments_evicted, facts.len() as u64);
    let is_gone = |number: &u64| store.trace(trace_id(*number)).unwrap().batch.is_empty();
    // Memory of what is gone has its bound too, so one of the latest is asked for.
    let gone = (250..30_000).rev().step_by(50).find(is_gone).unwrap();
    let evicted = store.trace(trace_id(gone)).unwrap();
    assert_eq!(
        evicted.evicted.iter().map(|it| (it.at_ms, it.service.as_str())).collect::<Vec<_>>(),
        [(NOW_MS, "noisy")]
    );
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.trace(trace_id(gone)).unwrap().evicted.len(), 1, "it is remembered over a restart");
    assert!(store.trace(trace_id(999_999)).unwrap().evicted.is_empty());
}

#[test]
fn a_trace_that_an_exemplar_or_an_alert_refers_to_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), small(8 << 20), clock()).unwrap();
    store.ingest_spans(&noise("noisy", 0, 1_000)).unwrap();
    let series = SeriesSamples {
        labels: Labels::from_pairs([("__name__", "latency_bucket")]),
        samples: vec![made::sample(0, 1.0)],
        histograms: Vec::new(),
        exemplars: vec![made::exemplar(0, trace_id(17))],
    };
    store.ingest_samples(&SampleBatch { series: vec![series], metadata: Vec::new() }).unwrap();
    store.pin("alert A", trace_id(18));
    store.pin("alert A", trace_id(18));
    store.pin("alert B", trace_id(18));
    store.pin("alert B", trace_id(19));
    store.unpin("alert B");
    // Pins are kept over a restart, so it is of no matter when their traces would go.
    drop(store);
    let store = Store::open(folder.path(), small(8 << 20), clock()).unwrap();
    assert_eq!(store.pins(), [("alert A".into(), trace_id(18))]);
    let before = store.trace(trace_id(17)).unwrap().batch;
    for round in 1..100_u64 {
        store.ingest_spans(&noise("noisy", round * 1_000, 1_000)).unwrap();
        store.flush().unwrap();
        store.inner().keep_within_bounds().unwrap();
    }
    let count = |store: &Store, number| store.trace(trace_id(number)).unwrap().batch.len();
    assert_eq!(store.trace(trace_id(17)).unwrap().batch, before);
    assert_eq!([count(&store, 16), count(&store, 18), count(&store, 19)], [0, 4, 0]);
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.trace(trace_id(17)).unwrap().batch, before);
}

#[test]
fn what_is_old_goes_and_what_is_too_old_does_not_come_in() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let options = Options { retention_age: Duration::from_secs(86_400), ..quiet() };
    let store = Store::open(folder.path(), options, clock.clone()).unwrap();
    let mut batch = made::spans("api", 0..100);
    let now_ns = NOW_MS as u64 * 1_000_000;
    for span in &mut batch.groups[0].spans {
        (span.start_ns, span.end_ns) = (now_ns, now_ns + 1);
    }
    (batch.groups[0].spans[0].start_ns, batch.groups[0].spans[0].end_ns) =
        (now_ns - 3 * 86_400_000_000_000, now_ns - 2 * 86_400_000_000_000);
    // A clock that is fifty years ahead must not keep its spans for fifty years.
    batch.groups[0].spans[1].start_ns = now_ns + 50 * 365 * 86_400_000_000_000;
    batch.groups[0].spans[1].end_ns = u64::MAX;
    store.ingest_spans(&batch).unwrap();
    assert_eq!((store.counts().spans, store.counts().spans_too_old), (99, 1));
    store.flush().unwrap();
    for hour in 1..=23 {
        clock.0.store(NOW_MS + hour * 3_600_000, Ordering::SeqCst);
        store.inner().keep_within_bounds().unwrap();
    }
    assert_eq!(store.trace(trace_id(1)).unwrap().batch.len(), 4);
    clock.0.store(NOW_MS + 30 * 3_600_000, Ordering::SeqCst);
    store.inner().keep_within_bounds().unwrap();
    let trace = store.trace(trace_id(1)).unwrap();
    assert_eq!((trace.batch.len(), trace.evicted.len()), (0, 1));
    assert!(store.facts().iter().any(|fact| fact.kind == FactKind::EvictedForAge && fact.signal == Signal::Traces));
}

#[test]
fn a_span_is_as_old_as_its_end_from_its_arrival_to_its_removal() {
    const HOUR_NS: u64 = 3_600_000_000_000;
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let options = Options { retention_age: Duration::from_secs(86_400), ..quiet() };
    let store = Store::open(folder.path(), options.clone(), clock.clone()).unwrap();
    let now_ns = NOW_MS as u64 * 1_000_000;
    let mut batch = made::spans("api", 0..12);
    for (number, span) in batch.groups[0].spans.iter_mut().enumerate() {
        (span.start_ns, span.end_ns) = match number / 4 {
            // Begun before anything is kept, ended just now.
            0 => (now_ns - 100 * HOUR_NS, now_ns - 1),
            // Without an end, or with one that is before its beginning.
            1 => (now_ns, if number % 2 == 0 { 0 } else { now_ns - 100 * HOUR_NS }),
            _ => (now_ns - 100 * HOUR_NS, now_ns - 50 * HOUR_NS),
        };
    }
    store.ingest_spans(&batch).unwrap();
    assert_eq!((store.counts().spans, store.counts().spans_too_old), (8, 4));
    let kept = |store: &Store| [0, 1, 2].map(|number| store.trace(trace_id(number)).unwrap().batch.len());
    // What was taken is there, in memory, in blocks, and after a restart, until it is old.
    store.inner().keep_within_bounds().unwrap();
    assert_eq!(kept(&store), [4, 4, 0]);
    for hour in [2, 12, 23] {
        clock.0.store(NOW_MS + hour * 3_600_000, Ordering::SeqCst);
        store.flush().unwrap();
        store.inner().keep_within_bounds().unwrap();
        assert_eq!(kept(&store), [4, 4, 0], "after {hour} hours");
    }
    drop(store);
    let store = Store::open(folder.path(), options, clock.clone()).unwrap();
    store.inner().keep_within_bounds().unwrap();
    assert_eq!(kept(&store), [4, 4, 0]);
    clock.0.store(NOW_MS + 30 * 3_600_000, Ordering::SeqCst);
    store.inner().keep_within_bounds().unwrap();
    assert_eq!(kept(&store), [0, 0, 0]);
}

#[test]
fn what_is_still_open_counts_for_its_service() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.ingest_spans(&made::spans("spans", 0..100)).unwrap();
    store.ingest_logs(&made::lines("lines", 0..100)).unwrap();
    store.ingest_samples(&made::samples("samples", 10, 0..10)).unwrap();
    let usage = store.usage();
    let of = |service: &str| usage.iter().find(|(name, _)| name == service).map_or(0, |(_, bytes)| *bytes);
    assert!(of("spans") > 1_000 && of("lines") > 1_000 && of("samples") > 100, "{usage:?}");
}

#[test]
fn series_of_which_nothing_is_left_are_forgotten_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let options = Options { retention_age: Duration::from_secs(86_400), ..quiet() };
    let store = Store::open(folder.path(), options.clone(), clock.clone()).unwrap();
    let at = |name: &str, time_ms: i64| SampleBatch {
        series: vec![SeriesSamples {
            labels: Labels::from_pairs([("__name__", name)]),
            samples: vec![console_model::Sample { time_ms, value: 1.0 }],
            histograms: Vec::new(),
            exemplars: Vec::new(),
        }],
        metadata: Vec::new(),
    };
    store.ingest_samples(&at("gone", NOW_MS)).unwrap();
    for hour in 1..=40 {
        let now_ms = NOW_MS + hour * 3_600_000;
        clock.0.store(now_ms, Ordering::SeqCst);
        store.ingest_samples(&at("here", now_ms)).unwrap();
        store.flush().unwrap();
        store.inner().keep_within_bounds().unwrap();
    }
    store.inner().metrics.forget_series(NOW_MS).unwrap();
    assert_eq!(store.series_count(), 1);
    store.ingest_samples(&at("new", NOW_MS + 41 * 3_600_000)).unwrap();
    drop(store);
    let store = Store::open(folder.path(), options, clock).unwrap();
    let selected = store.select_series(&[], 0, i64::MAX, 10).unwrap();
    let names: Vec<&str> = selected.iter().filter_map(|series| series.labels.get("__name__")).collect();
    assert_eq!(names, ["here", "new"]);
}

#[test]
fn services_streams_and_series_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        Options { services_max: 4, streams_per_service_max: 3, series_max: 100, series_per_service_max: 10, ..quiet() };
    let store = Store::open(folder.path(), options, clock()).unwrap();
    for number in 0..50_u64 {
        store.ingest_spans(&made::spans(&format!("service {number}"), number..number + 1)).unwrap();
        let mut lines = made::lines("api", number..number + 1);
        lines.groups[0].stream = Labels::from_pairs([("service_name", "api"), ("user", number.to_string().as_str())]);
        store.ingest_logs(&lines).unwrap();
    }
    assert!(store.trace_services().len() <= 5, "{:?}", store.trace_services());
    assert_eq!(store.search_traces(&crate::TraceQuery::default()).unwrap().len(), 13, "nothing is lost by it");
    assert_eq!(store.log_streams(&[], 0, u64::MAX).len(), 4);
    assert_eq!((lines_of(&store, "api"), store.counts().log_records_merged), (50, 47));
    let outcome = store.ingest_samples(&made::samples("noisy", 1_000, 0..1)).unwrap();
    assert_eq!((outcome.accepted, outcome.over_series_limit), (10, 990));
    assert_eq!(store.ingest_samples(&made::samples("quiet", 10, 0..1)).unwrap().accepted, 10);
}

#[test]
fn a_full_disk_refuses_what_it_cannot_hold_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let disk = std::sync::Arc::new(crate::disk::Disk::default());
    let options = Options { open_bytes_max: 2 << 20, ..quiet() };
    let store = Store::open_on(folder.path().to_owned(), options, clock(), disk.clone()).unwrap();
    store.ingest_spans(&noise("api", 0, 1_000)).unwrap();
    store.ingest_samples(&made::samples("api", 10, 0..10)).unwrap();
    store.flush().unwrap();
    disk.fill_up(100_000);
    let mut taken = 1_000;
    let refused = loop {
        match store.ingest_spans(&noise("api", taken, 1_000)) {
            Ok(_) => taken += 1_000,
            Err(error) => break error,
        }
        assert!(taken < 100_000, "memory is bounded");
        let _ = store.flush();
    };
    assert!(matches!(&refused, IngestError::Unavailable { signal: Signal::Traces, .. }), "{refused}");
    store.ingest_samples(&made::samples("api", 10, 10..20)).unwrap();
    assert!(store.flush().is_err());
    assert_eq!(store.counts().batches_refused, 1);
    // What was taken can be read all the while.
    assert_eq!(store.trace(trace_id(taken / 4 - 1)).unwrap().batch.len(), 4);
    disk.fill_up(u64::MAX);
    store.flush().unwrap();
    store.ingest_spans(&noise("api", taken, 1_000)).unwrap();
    store.flush().unwrap();
    let (_copy, again) = super::open_copy(folder.path());
    for number in 0..(taken + 1_000) / 4 {
        assert_eq!(again.trace(trace_id(number)).unwrap().batch.len(), 4, "trace {number}");
    }
    let selected = again.select_series(&[], 0, i64::MAX, 100).unwrap();
    assert!(selected.iter().all(|series| series.samples().count() == 20));
}

#[test]
fn the_oldest_is_known_wherever_it_lies_and_follows_what_goes() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), small(8 << 20), clock()).unwrap();
    assert_eq!(store.oldest(), Oldest::default());
    store.ingest_spans(&noise("noisy", 500, 500)).unwrap();
    store.ingest_spans(&noise("noisy", 0, 500)).unwrap();
    store.ingest_logs(&made::lines("api", 7..20_000)).unwrap();
    // One series that has filled chunks, and one that is in the head only and begins earlier.
    store.ingest_samples(&made::samples("api", 1, 100..900)).unwrap();
    store.ingest_samples(&made::samples("late", 1, 3..4)).unwrap();
    let start_ns = 1_795_600_000_000_000_000;
    let expected = Oldest {
        spans_ns: Some(start_ns),
        log_records_ns: Some(start_ns + 7 * 1_000_000),
        samples_ns: Some(made::sample(3, 0.0).time_ms * 1_000_000),
    };
    assert_eq!(store.oldest(), expected);
    store.flush().unwrap();
    assert_eq!(super::open_copy(folder.path()).1.oldest(), expected);
    for round in 1..100_u64 {
        store.ingest_spans(&noise("noisy", round * 1_000, 1_000)).unwrap();
        store.flush().unwrap();
        store.inner().keep_within_bounds().unwrap();
    }
    let newest_gone = store.facts().iter().map(|fact| fact.to_ns).max().unwrap();
    let oldest = store.oldest();
    assert!(oldest.spans_ns > Some(newest_gone), "{oldest:?}, and what went reached to {newest_gone}");
    assert_eq!((oldest.log_records_ns, oldest.samples_ns), (expected.log_records_ns, expected.samples_ns));
}
