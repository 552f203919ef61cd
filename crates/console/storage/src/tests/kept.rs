//! What is written is read back: at once, after a flush, and after a restart.

use std::collections::BTreeMap;

use console_model::{Attribute, Attributes, Labels, stale_marker};
use console_model::{LogBatch, LogGroup, LogRecord, Sample, SampleBatch, SeriesSamples, Span, SpanBatch, SpanGroup};
use proptest::prelude::*;

use super::made::{self, any_record, any_resource, any_scope, any_span, sample, trace_id};
use super::{open, open_copy};
use crate::{Direction, LogQuery, Matcher, SpanOutline, Store, TraceQuery};

/// Every span of a store with who sent it, in an order that does not depend on the store.
fn all_spans(store: &Store, ids: &[console_model::TraceId]) -> Vec<String> {
    let mut all = Vec::new();
    for id in ids {
        for group in store.trace(*id).unwrap().batch.groups {
            all.extend(group.spans.iter().map(|span| format!("{:?} {:?} {span:?}", group.resource, group.scope)));
        }
    }
    all.sort_unstable();
    all
}

fn all_lines(store: &Store) -> Vec<String> {
    let mut all = Vec::new();
    for line in store.log_lines(LogQuery::default(), Direction::Forward).unwrap() {
        let line = line.unwrap();
        let record = line.record().unwrap();
        assert_eq!(line.line(), record.body.to_string());
        assert_eq!(line.time_ns(), record.order_ns());
        all.push(format!("{:?} {:?} {:?} {record:?}", line.stream(), line.resource(), line.scope()));
    }
    all
}

fn all_samples(store: &Store) -> BTreeMap<Labels, Vec<Sample>> {
    let selected = store.select_series(&[], i64::MIN, i64::MAX, 1_000_000).unwrap();
    selected.iter().map(|series| (series.labels.clone(), series.samples().collect())).collect()
}

fn tag() -> impl Strategy<Value = (String, String)> {
    ("(a|aa|a\u{1}a|\u{1}|a\u{3}a\u{1}|error)", "(a|aa|\u{1}a|true|false)")
}

fn tags() -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::vec(tag(), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn spans_come_back_to_the_bit(
        groups in proptest::collection::vec((any_resource(), any_scope(), proptest::collection::vec(any_span(), 0..6)), 0..6),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let batch = SpanBatch {
            groups: groups.into_iter().map(|(resource, scope, spans)| SpanGroup { resource, scope, spans }).collect(),
        };
        let mut ids: Vec<_> = batch.groups.iter().flat_map(|group| &group.spans).map(|span| span.trace_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut expected: Vec<String> = batch
            .groups
            .iter()
            .flat_map(|group| group.spans.iter().map(move |span| format!("{:?} {:?} {span:?}", group.resource, group.scope)))
            .collect();
        expected.sort_unstable();
        expected.dedup();
        let store = open(folder.path());
        store.ingest_spans(&batch).unwrap();
        prop_assert_eq!(&all_spans(&store, &ids), &expected);
        store.flush().unwrap();
        let (_copy, crashed) = open_copy(folder.path());
        prop_assert_eq!(&all_spans(&crashed, &ids), &expected);
        let found = crashed.search_traces(&TraceQuery { limit: 1_000, ..TraceQuery::default() }).unwrap();
        prop_assert_eq!(found.len(), ids.len());
    }

    #[test]
    fn records_come_back_to_the_bit_and_in_order(
        groups in proptest::collection::vec((any_resource(), any_scope(), proptest::collection::vec(any_record(), 0..6), "[ab]"), 0..6),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let group = |(resource, scope, records, stream): (_, _, Vec<LogRecord>, String)| LogGroup {
            stream: Labels::from_pairs([("stream", stream.as_str())]),
            resource,
            scope,
            records,
        };
        let batch = LogBatch { groups: groups.into_iter().map(group).collect() };
        let show = |group: &LogGroup, record: &LogRecord| {
            format!("{:?} {:?} {:?} {record:?}", Some(&group.stream), Some(&group.resource), Some(&group.scope))
        };
        let mut expected: Vec<String> =
            batch.groups.iter().flat_map(|group| group.records.iter().map(|record| show(group, record))).collect();
        expected.sort_unstable();
        let store = open(folder.path());
        store.ingest_logs(&batch).unwrap();
        store.flush().unwrap();
        let (_copy, crashed) = open_copy(folder.path());
        for store in [&store, &crashed] {
            let mut found = all_lines(store);
            found.sort_unstable();
            prop_assert_eq!(&found, &expected);
            let times = |direction| -> Vec<u64> {
                store.log_lines(LogQuery::default(), direction).unwrap().map(|line| line.unwrap().time_ns()).collect()
            };
            let forward = times(Direction::Forward);
            prop_assert!(forward.is_sorted());
            let mut backward = times(Direction::Backward);
            backward.reverse();
            prop_assert_eq!(forward, backward);
        }
    }

    /// Against a model: every span looked at. Keys and values are few and parts of one another.
    #[test]
    fn spans_are_found_by_their_tags(
        spans in proptest::collection::vec((tags(), tags(), any::<bool>()), 1..60),
        wanted in proptest::collection::vec(tag(), 1..3),
    ) {
        let attributes = |tags: &[(String, String)]| -> Attributes {
            tags.iter().map(|(key, value)| Attribute::new(key.as_str(), value.as_str())).collect()
        };
        let spans: Vec<Span> = spans.iter().zip(1_u64..).map(|((own, of_event, is_error), number)| {
            let mut span = Span::new(trace_id(number), console_model::SpanId::new(number).unwrap());
            span.start_ns = number;
            span.attributes = attributes(own);
            span.events = vec![console_model::SpanEvent { attributes: attributes(of_event), ..Default::default() }];
            span.status.code = if *is_error { console_model::StatusCode::Error } else { console_model::StatusCode::Ok };
            span
        }).collect();
        let has = |span: &Span, (key, value): &(String, String)| {
            let all = [&span.attributes, &span.events[0].attributes];
            all.iter().any(|it| it.iter().any(|it| it.key == *key && it.value.as_str() == Some(value.as_str())))
                || (key == "error" && *value == (span.status.code == console_model::StatusCode::Error).to_string())
        };
        let matching = spans.iter().rev().filter(|span| wanted.iter().all(|tag| has(span, tag)));
        let expected: Vec<_> = matching.map(|span| span.trace_id).collect();
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let group = SpanGroup { resource: Default::default(), scope: Default::default(), spans };
        store.ingest_spans(&SpanBatch { groups: vec![group] }).unwrap();
        let tags = wanted.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect();
        let query = TraceQuery { tags, ..TraceQuery::default() };
        prop_assert_eq!(&store.search_traces(&query).unwrap(), &expected);
        store.flush().unwrap();
        let (_copy, crashed) = open_copy(folder.path());
        prop_assert_eq!(&crashed.search_traces(&query).unwrap(), &expected);
    }

    /// Against a model: what Prometheus would have kept of samples that come in any order.
    #[test]
    fn samples_are_judged_as_prometheus_does(
        batches in proptest::collection::vec(proptest::collection::vec((0_u8..3, 0_i64..400, 0_u8..3), 1..40), 1..20),
        window_steps in prop_oneof![Just(0_i64), 1_i64..100],
        ends in proptest::collection::vec(0_i64..400, 4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let options = crate::Options { out_of_order_window_ms: window_steps * 15_000, ..super::quiet() };
        let store = Store::open(folder.path(), options, super::clock()).unwrap();
        let mut model: BTreeMap<u8, BTreeMap<i64, f64>> = BTreeMap::new();
        let labels = |series: u8| Labels::from_pairs([("__name__", format!("m{series}").as_str())]);
        for batch in &batches {
            let part = |(series, step, value): &(u8, i64, u8)| SeriesSamples {
                labels: labels(*series),
                samples: vec![sample(*step, f64::from(*value))],
                histograms: Vec::new(),
                exemplars: Vec::new(),
            };
            let taken = SampleBatch { series: batch.iter().map(part).collect(), metadata: Vec::new() };
            store.ingest_samples(&taken).unwrap();
            store.flush().unwrap();
            for (series, step, value) in batch {
                let kept = model.entry(*series).or_default();
                let newest = kept.last_key_value().map(|(step, _)| *step);
                if newest.is_none_or(|newest| *step >= newest - window_steps) {
                    kept.entry(*step).or_insert(f64::from(*value));
                }
            }
        }
        let expected: BTreeMap<Labels, Vec<Sample>> = model
            .into_iter()
            .map(|(series, kept)| (labels(series), kept.into_iter().map(|(step, value)| sample(step, value)).collect()))
            .collect();
        prop_assert_eq!(&all_samples(&store), &expected);
        let (_copy, crashed) = open_copy(folder.path());
        prop_assert_eq!(&all_samples(&crashed), &expected);
        for (store, end) in ends.iter().flat_map(|end| [(&store, *end), (&crashed, *end)]) {
            let (from_ms, to_ms) = (sample(end - 20, 0.0).time_ms, sample(end, 0.0).time_ms);
            let limits = crate::SelectLimits::series(10);
            let newest = store.select_newest_within(&[], from_ms, to_ms, &limits).unwrap();
            let newest: Vec<_> = newest.iter().map(|series| (series.labels.clone(), series.samples().last())).collect();
            let among_all = store.select_series(&[], from_ms, to_ms, 10).unwrap();
            let among_all: Vec<_> = among_all.iter().map(|it| (it.labels.clone(), it.samples().last())).collect();
            prop_assert_eq!(newest, among_all);
        }
    }
}

/// Asked for many at once, one that was never there among them.
fn outlines_are_what_traces_are_without_details(store: &Store) {
    let ids: Vec<_> = (0..=60).rev().map(|part| trace_id(part * 250)).collect();
    for (outline, id) in store.trace_outlines(&ids).unwrap().iter().zip(&ids) {
        assert_eq!(outline.trace_id, *id, "in the order in which they were asked for");
        let trace = store.trace(outline.trace_id).unwrap();
        let mut expected: Vec<SpanOutline> = trace
            .batch
            .groups
            .iter()
            .flat_map(|group| group.spans.iter().map(|span| (span, group.resource.service())))
            .map(|(span, service)| SpanOutline {
                start_ns: span.start_ns,
                span_id: span.span_id,
                parent_span_id: span.parent_span_id,
                end_ns: span.end_ns,
                service: service.into(),
                name: span.name.clone(),
                has_failed: span.status.code == console_model::StatusCode::Error,
            })
            .collect();
        expected.sort_unstable();
        assert_eq!(outline.spans, expected);
        assert_eq!(outline.spans.len(), if outline.trace_id == trace_id(15_000) { 0 } else { 4 });
    }
}

#[test]
fn many_spans_over_many_blocks_are_found_by_id_and_by_search() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for start in (0..60_000).step_by(500) {
        let service = if start % 1_000 == 0 { "even" } else { "odd" };
        store.ingest_spans(&made::spans(service, start..start + 500)).unwrap();
    }
    store.flush().unwrap();
    let (_copy, crashed) = open_copy(folder.path());
    for store in [&store, &crashed] {
        assert_eq!(store.trace_services(), ["even", "odd"]);
        assert_eq!(store.operations("even").len(), 2);
        for number in [0, 7_777, 14_999] {
            let trace = store.trace(trace_id(number)).unwrap();
            assert_eq!(trace.batch.len(), 4, "trace {number}");
            assert!(trace.evicted.is_empty() && !trace.is_truncated);
        }
        assert!(store.trace(trace_id(15_000)).unwrap().batch.is_empty());
        outlines_are_what_traces_are_without_details(store);
        let search = |query: TraceQuery| store.search_traces(&query).unwrap();
        let newest = search(TraceQuery { service: Some("odd".into()), limit: 3, ..TraceQuery::default() });
        assert_eq!(newest, [trace_id(14_999), trace_id(14_998), trace_id(14_997)]);
        let one = |key: &str, value: &str| {
            search(TraceQuery { tags: vec![(key.into(), value.into())], limit: 10, ..TraceQuery::default() })
        };
        assert_eq!(one("order.number", "31415"), [trace_id(31_415 / 4)]);
        assert_eq!(one("order.number", "60000"), []);
        assert_eq!(one("error", "true").first(), Some(&trace_id(59_907 / 4)));
        assert_eq!(one("service.version", "1.4.2").len(), 10);
        assert_eq!(one("span.kind", "client"), []);
        let both = TraceQuery {
            service: Some("even".into()),
            operation: Some("GET /orders".into()),
            tags: vec![("order.number".into(), "31415".into())],
            ..TraceQuery::default()
        };
        assert_eq!(search(both), [], "the order is not a GET");
        let slow = TraceQuery { duration_min_ns: 999_000, limit: 1_000, ..TraceQuery::default() };
        assert_eq!(search(slow).len(), 60);
        let from_ns = 1_795_600_000_000_000_000 + 400 * 1_000_000;
        let timed = TraceQuery { from_ns, to_ns: from_ns + 3_999_999, ..TraceQuery::default() };
        assert_eq!(search(timed), [trace_id(100)]);
        let mut heads = 0;
        store
            .span_heads(from_ns, u64::MAX, |head| {
                heads += 1;
                head.kind == console_model::SpanKind::Server
            })
            .unwrap();
        assert_eq!(heads, 59_600);
    }
}

#[test]
fn lines_are_selected_by_stream_text_time_and_trace() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for start in (0..60_000).step_by(500) {
        let service = if start % 1_000 == 0 { "even" } else { "odd" };
        store.ingest_logs(&made::lines(service, start..start + 500)).unwrap();
    }
    store.flush().unwrap();
    let (_copy, crashed) = open_copy(folder.path());
    for store in [&store, &crashed] {
        let lines = |query: LogQuery, direction| -> Vec<String> {
            store.log_lines(query, direction).unwrap().map(|line| line.unwrap().line().to_owned()).collect()
        };
        let even = || vec![Matcher::equal("service_name", "even")];
        assert_eq!(lines(LogQuery { matchers: even(), ..LogQuery::default() }, Direction::Forward).len(), 30_000);
        let needle = || LogQuery { contains: vec!["order 31415 ".into()], ..LogQuery::default() };
        assert_eq!(lines(needle(), Direction::Backward), ["order 31415 accepted after 84 ms"]);
        let across = LogQuery { contains: vec!["msorder".into()], ..LogQuery::default() };
        assert_eq!(lines(across, Direction::Forward), [""; 0], "nothing is found across two lines");
        let of_trace = LogQuery { trace_id: Some(trace_id(10)), ..LogQuery::default() };
        assert_eq!(lines(of_trace, Direction::Forward).len(), 4);
        let from_ns = 1_795_600_000_000_000_000;
        let timed = LogQuery { from_ns, to_ns: from_ns + 2_000_000, ..LogQuery::default() };
        let first = lines(timed, Direction::Backward);
        assert_eq!(first.iter().map(|line| &line[..7]).collect::<Vec<_>>(), ["order 2", "order 1", "order 0"]);
        let mut all = store.log_lines(LogQuery::default(), Direction::Backward).unwrap();
        assert!(all.next().unwrap().unwrap().line().starts_with("order 59999 "));
        assert!(all.work().blocks_read <= 2, "only what is asked for is unpacked: {:?}", all.work());
        assert_eq!(store.log_streams(&even(), 0, u64::MAX).len(), 1);
    }
}

#[test]
fn series_come_back_over_chunks_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    for round in 0..4_i64 {
        for step in round * 400..(round + 1) * 400 {
            let outcome = store.ingest_samples(&made::samples("api", 50, step..step + 1)).unwrap();
            assert_eq!(outcome.accepted, 50);
        }
        let again = store.ingest_samples(&made::samples("api", 50, round * 400 + 399..round * 400 + 400)).unwrap();
        assert_eq!((again.accepted, again.repeated), (0, 50));
        drop(store);
        store = open(folder.path());
        let contradiction = SampleBatch {
            series: vec![SeriesSamples {
                labels: made::samples("api", 1, 0..1).series[0].labels.clone(),
                samples: vec![sample(round * 400 + 399, -1.0), sample(round * 400 + 398, -1.0)],
                histograms: Vec::new(),
                exemplars: Vec::new(),
            }],
            metadata: Vec::new(),
        };
        let outcome = store.ingest_samples(&contradiction).unwrap();
        assert_eq!((outcome.duplicate, outcome.out_of_order), (1, 1), "the newest is known after a restart");
    }
    let matchers = [Matcher::equal("instance", "17"), Matcher::equal("__name__", "requests_total")];
    let selected = store.select_series(&matchers, i64::MIN, i64::MAX, 10).unwrap();
    let expected: Vec<Sample> = (0..1_600).map(|step| sample(step, 17.0 + step as f64)).collect();
    assert_eq!(selected[0].samples().collect::<Vec<_>>(), expected);
    let part = store.select_series(&[], sample(300, 0.0).time_ms, sample(302, 0.0).time_ms, 100).unwrap();
    assert_eq!(part.len(), 50);
    assert!(part.iter().all(|series| series.samples().count() == 3));
    assert!(store.select_series(&[], 0, i64::MAX, 49).is_err());
    assert_eq!(store.series_labels(&[], sample(1_600, 0.0).time_ms, i64::MAX), []);
}

#[test]
fn the_edges_of_time_and_value_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let values = [0.0, -0.0, f64::NAN, stale_marker(), f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE / 4.0];
    let times = [i64::MIN, -1, 0, 1, 60_000, NOW_FAR, i64::MAX];
    let samples: Vec<Sample> =
        times.iter().zip(values).map(|(time_ms, value)| Sample { time_ms: *time_ms, value }).collect();
    let labels = Labels::from_pairs([("__name__", "edge")]);
    let series = SeriesSamples {
        labels,
        samples: samples.clone(),
        histograms: Vec::new(),
        exemplars: vec![made::exemplar(1, trace_id(1))],
    };
    store.ingest_samples(&SampleBatch { series: vec![series], metadata: Vec::new() }).unwrap();
    let mut epoch = made::spans("edge", 0..2);
    for (span, time) in epoch.groups[0].spans.iter_mut().zip([0, u64::MAX]) {
        (span.start_ns, span.end_ns) = (time, time);
    }
    store.ingest_spans(&epoch).unwrap();
    store.flush().unwrap();
    let (_copy, crashed) = open_copy(folder.path());
    let selected = crashed.select_series(&[], i64::MIN, i64::MAX, 10).unwrap();
    assert_eq!(selected[0].samples().collect::<Vec<_>>(), samples);
    assert_eq!(crashed.exemplars(&[], i64::MIN, i64::MAX)[0].1, [made::exemplar(1, trace_id(1))]);
    let spans: Vec<Span> = crashed.trace(trace_id(0)).unwrap().batch.groups.remove(0).spans;
    assert_eq!(spans, epoch.groups[0].spans);
    assert_eq!(crashed.search_traces(&TraceQuery { from_ns: u64::MAX, ..TraceQuery::default() }).unwrap().len(), 1);
}

/// The year 9999, in milliseconds.
const NOW_FAR: i64 = 253_402_300_799_000;
