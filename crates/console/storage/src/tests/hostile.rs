//! What senders may send: loops, clocks that are years off, names without end, values that are no numbers,
//! rows of any size. All of it is taken or refused and counted, and costs others nothing.

use std::sync::atomic::Ordering;
use std::time::Duration;

use console_model::{Labels, Sample, SampleBatch, SeriesSamples, SpanId, Value};

use super::made::{self, trace_id};
use super::{NOW_MS, clock, open, open_copy, quiet};
use crate::{Direction, FactKind, LogQuery, Matcher, Options, Store, TraceQuery};

const NOW_NS: u64 = NOW_MS as u64 * 1_000_000;
const FIFTY_YEARS_NS: u64 = 50 * 365 * 86_400_000_000_000;

#[test]
fn a_span_that_is_its_own_parent_and_empty_names_are_kept_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut batch = made::spans("", 0..3);
    for span in &mut batch.groups[0].spans {
        span.parent_span_id = Some(span.span_id);
        span.name = "".into();
    }
    batch.groups[0].spans[1].span_id = SpanId::new(u64::MAX).unwrap();
    store.ingest_spans(&batch).unwrap();
    let mut lines = made::lines("", 0..1);
    lines.groups[0].records[0].body = Value::Empty;
    lines.groups[0].stream = Labels::default();
    store.ingest_logs(&lines).unwrap();
    let nameless = SeriesSamples {
        labels: Labels::default(),
        samples: [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0].map(|value| Sample { time_ms: 0, value }).to_vec(),
        histograms: Vec::new(),
        exemplars: Vec::new(),
    };
    let outcome = store.ingest_samples(&SampleBatch { series: vec![nameless], metadata: Vec::new() }).unwrap();
    assert_eq!((outcome.accepted, outcome.duplicate), (1, 3));
    store.flush().unwrap();
    let (_copy, again) = open_copy(folder.path());
    for store in [&store, &again] {
        let spans = &store.trace(trace_id(0)).unwrap().batch.groups[0].spans;
        assert_eq!(spans.iter().filter(|span| batch.groups[0].spans.contains(span)).count(), 3);
        assert_eq!(
            store.search_traces(&TraceQuery { operation: Some("".into()), ..TraceQuery::default() }).unwrap().len(),
            1
        );
        assert_eq!(store.log_lines(LogQuery::default(), Direction::Forward).unwrap().count(), 1);
        let selected = store.select_series(&[], i64::MIN, i64::MAX, 10).unwrap();
        assert!(selected[0].samples().next().unwrap().value.is_nan());
    }
}

/// A clock that is ahead must neither make everyone else's data old nor keep its own for ever.
#[test]
fn a_clock_that_is_fifty_years_off_costs_others_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let options = Options { retention_age: Duration::from_secs(86_400), limit_bytes: 8 << 20, ..quiet() };
    let store = Store::open(folder.path(), options, clock.clone()).unwrap();
    let at = |service: &str, time_ns: u64, numbers: std::ops::Range<u64>| {
        let (mut spans, mut lines) = (made::spans(service, numbers.clone()), made::lines(service, numbers));
        for span in &mut spans.groups[0].spans {
            (span.start_ns, span.end_ns) = (time_ns, time_ns + 5);
        }
        for record in &mut lines.groups[0].records {
            (record.time_ns, record.observed_time_ns) = (time_ns, time_ns);
        }
        let mut samples = made::samples(service, 5, 0..1);
        samples.series.iter_mut().for_each(|series| series.samples[0].time_ms = (time_ns / 1_000_000) as i64);
        store.ingest_spans(&spans).unwrap();
        store.ingest_logs(&lines).unwrap();
        store.ingest_samples(&samples).unwrap()
    };
    at("right", NOW_NS, 0..400);
    at("ahead", NOW_NS + FIFTY_YEARS_NS, 400..800);
    let behind = at("behind", NOW_NS - FIFTY_YEARS_NS, 800..1_200);
    assert_eq!((behind.accepted, behind.too_old), (0, 5));
    let counts = store.counts();
    assert_eq!((counts.spans_too_old, counts.log_records_too_old, counts.samples_too_old), (400, 400, 5));
    // What is right and what is ahead fill the store: each gives its own oldest, by when it came.
    let noise = |number: u64, ahead: u64| {
        let mut batch = made::spans("ahead", number * 1_000..(number + 1) * 1_000);
        for span in &mut batch.groups[0].spans {
            span.attributes.push("noise", made::noise(span.span_id.get(), 200).as_str());
            (span.start_ns, span.end_ns) = (NOW_NS + ahead, NOW_NS + ahead);
        }
        batch
    };
    for number in 2..80 {
        store.ingest_spans(&noise(number, if number < 20 { FIFTY_YEARS_NS } else { 0 })).unwrap();
        store.flush().unwrap();
    }
    assert!(store.facts().iter().all(|fact| fact.service == "ahead" && fact.kind == FactKind::EvictedForSize));
    assert!(store.evictions().iter().all(|lost| lost.service == "ahead" && lost.spans > 0), "{:?}", store.evictions());
    let far = TraceQuery { from_ns: NOW_NS + FIFTY_YEARS_NS / 2, ..TraceQuery::default() };
    assert!(store.search_traces(&far).unwrap().is_empty(), "what came first went first, whenever it says it was");
    assert_eq!(store.trace(trace_id(50)).unwrap().batch.len(), 4, "who is right lost nothing");
    // A day and some hours later all of it is old, by when it came.
    for hour in 1..=30 {
        clock.0.store(NOW_MS + hour * 3_600_000, Ordering::SeqCst);
        store.flush().unwrap();
        store.inner().keep_within_bounds().unwrap();
    }
    assert!(store.search_traces(&TraceQuery::default()).unwrap().is_empty());
    assert_eq!(store.log_lines(LogQuery::default(), Direction::Forward).unwrap().count(), 0);
}

#[test]
fn a_million_label_values_stop_at_the_bound_and_make_room_again_when_they_end() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let options = Options { series_max: 4_000, series_per_service_max: 2_000, limit_bytes: 8 << 20, ..quiet() };
    let store = Store::open(folder.path(), options, clock.clone()).unwrap();
    let (mut accepted, mut over) = (0, 0);
    let one = |user: u64, time_ms: i64| SeriesSamples {
        labels: Labels::from_pairs([("__name__", "seen"), ("job", "api"), ("user", user.to_string().as_str())]),
        samples: vec![Sample { time_ms, value: 1.0 }],
        histograms: Vec::new(),
        exemplars: Vec::new(),
    };
    for start in (0..1_000_000).step_by(10_000) {
        let series = (start..start + 10_000).map(|user| one(user, NOW_MS)).collect();
        let outcome = store.ingest_samples(&SampleBatch { series, metadata: Vec::new() }).unwrap();
        (accepted, over) = (accepted + outcome.accepted, over + outcome.over_series_limit);
    }
    assert_eq!((accepted, over, store.series_count()), (2_000, 998_000, 2_000));
    assert_eq!(store.counts().samples_over_series_limit, 998_000);
    assert_eq!(store.ingest_samples(&made::samples("quiet", 10, 0..1)).unwrap().accepted, 10);
    // They end. New ones have room once what is kept of the old ones has gone, and that is told.
    for second in 1..40 {
        let now_ms = NOW_MS + second * 100_000;
        clock.0.store(now_ms, Ordering::SeqCst);
        store.flush().unwrap();
        store.inner().keep_within_bounds().unwrap();
    }
    let outcome = store
        .ingest_samples(&SampleBatch { series: vec![one(5_000_000, NOW_MS + 4_000_000)], metadata: Vec::new() })
        .unwrap();
    assert_eq!(outcome.accepted, 1, "{} series, {:?}", store.series_count(), store.facts());
    let told = store.facts().iter().any(|fact| fact.service == "api" && fact.detail.contains("new series"));
    assert!(told, "{:?}", store.facts());
    assert_eq!(store.select_series(&[Matcher::equal("job", "quiet")], 0, i64::MAX, 100).unwrap().len(), 10);
}

#[test]
fn rows_of_megabytes_are_kept_and_larger_ones_refused_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut spans = made::spans("api", 0..40);
    let mut lines = made::lines("api", 0..20);
    let large = |megabytes: usize| "x".repeat(megabytes << 20);
    spans.groups[0].spans.iter_mut().for_each(|span| span.attributes.push("large", large(10).as_str()));
    spans.groups[0].spans[7].attributes.push("larger", large(33).as_str());
    lines.groups[0].records[3].body = Value::String(large(10).into());
    lines.groups[0].records[4].body = Value::String(large(40).into());
    lines.groups[0].records[5].attributes.push("larger", large(40).as_str());
    store.ingest_spans(&spans).unwrap();
    store.ingest_logs(&lines).unwrap();
    let counts = store.counts();
    assert_eq!((counts.spans, counts.spans_too_large), (39, 1));
    assert_eq!((counts.log_records, counts.log_records_too_large), (18, 2));
    let mut unreasonable = made::spans("api", 100..103);
    let mut resource = (*unreasonable.groups[0].resource).clone();
    resource.attributes.push("large", large(33).as_str());
    unreasonable.groups[0].resource = std::sync::Arc::new(resource);
    store.ingest_spans(&unreasonable).unwrap();
    assert_eq!(store.counts().spans_too_large, 4);
    store.flush().unwrap();
    let (_copy, again) = open_copy(folder.path());
    for store in [&store, &again] {
        let trace = store.trace(trace_id(0)).unwrap();
        assert_eq!(trace.batch.groups[0].spans, spans.groups[0].spans[..4]);
        assert_eq!(store.trace(trace_id(1)).unwrap().batch.len(), 3);
        assert_eq!(store.log_lines(LogQuery::default(), Direction::Forward).unwrap().count(), 18);
    }
}

#[test]
fn a_million_services_share_what_one_would_get() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { services_max: 8, limit_bytes: 8 << 20, ..quiet() };
    let store = Store::open(folder.path(), options.clone(), clock()).unwrap();
    store.ingest_spans(&made::spans("quiet", 0..40)).unwrap();
    store.ingest_logs(&made::lines("quiet", 0..40)).unwrap();
    let (spans, lines) = (made::spans("", 50..51).groups.remove(0), made::lines("", 50..51).groups.remove(0));
    // A hundred thousand are enough to see that nothing grows with them; a million take a minute here.
    for start in (0..100_000_u64).step_by(1_000) {
        let numbers = start..start + 1_000;
        let resources: Vec<_> = numbers.map(|number| made::resource(&format!("service {number}"))).collect();
        let of = |resource: &std::sync::Arc<console_model::Resource>| {
            let mut group = spans.clone();
            group.resource = resource.clone();
            group
        };
        store.ingest_spans(&console_model::SpanBatch { groups: resources.iter().map(of).collect() }).unwrap();
        let of = |resource: &std::sync::Arc<console_model::Resource>| {
            let mut group = lines.clone();
            group.resource = resource.clone();
            group.stream = Labels::from_pairs([("service_name", resource.service())]);
            group
        };
        store.ingest_logs(&console_model::LogBatch { groups: resources.iter().map(of).collect() }).unwrap();
    }
    assert!(store.trace_services().len() <= 9);
    assert!(store.inner().logs.known_services() <= 9);
    let query =
        |service: &str| LogQuery { matchers: vec![Matcher::equal("service_name", service)], ..LogQuery::default() };
    let count = |service: &str| store.log_lines(query(service), Direction::Forward).unwrap().count();
    // Lines of a service beyond the bound are found though nothing names all of them.
    assert_eq!((count("service 99999"), count("service 99000"), count("quiet")), (1, 1, 40));
    assert!(store.bytes() <= options.limit_bytes);
}

/// A service that sends little fills no chunk for an hour; its place must not be taken meanwhile.
#[test]
fn who_sends_few_samples_keeps_its_place_among_many_services() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { services_max: 4, ..quiet() };
    let store = Store::open(folder.path(), options.clone(), clock()).unwrap();
    store.ingest_samples(&made::samples("quiet", 3, 0..1)).unwrap();
    for number in 0..10 {
        store.ingest_samples(&made::samples(&format!("noisy {number}"), 3, 0..300)).unwrap();
    }
    store.flush().unwrap();
    drop(store);
    let store = Store::open(folder.path(), options, clock()).unwrap();
    store.ingest_samples(&made::samples("quiet", 3, 1..300)).unwrap();
    let services = store.inner().metrics.shelf.services();
    assert!(services.iter().any(|service| &**service == "quiet"), "{services:?}");
}

#[test]
fn names_of_megabytes_are_kept_in_no_table_of_names() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let long = "x".repeat(2 << 20);
    for number in 0..5_u64 {
        let service = format!("{number}{long}");
        store.ingest_spans(&made::spans(&service, number * 4..number * 4 + 4)).unwrap();
        store.ingest_logs(&made::lines(&service, number..number + 1)).unwrap();
        assert_eq!(store.ingest_samples(&made::samples(&service, 2, 0..3)).unwrap().over_series_limit, 6);
    }
    let names: Vec<usize> = store.usage().iter().map(|(service, _)| service.len()).collect();
    assert!(names.iter().all(|length| *length < 1_025), "{names:?}");
    assert_eq!(store.trace(trace_id(3)).unwrap().batch.len(), 4, "the spans are there, with their service's name");
    assert_eq!(store.log_lines(LogQuery::default(), Direction::Forward).unwrap().count(), 5);
}

#[test]
fn series_with_long_labels_count_as_several() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Options { series_per_service_max: 100, ..quiet() }, clock()).unwrap();
    let long = |number: usize| SeriesSamples {
        labels: Labels::from_pairs([("job", "api"), ("path", &format!("{number}{}", "x".repeat(5_000)))]),
        samples: vec![made::sample(0, 1.0)],
        histograms: Vec::new(),
        exemplars: Vec::new(),
    };
    let batch = SampleBatch { series: (0..100).map(long).collect(), metadata: Vec::new() };
    assert_eq!(store.ingest_samples(&batch).unwrap().accepted, 10);
}
