//! Native histograms: judged as floats are, kept beside them, and given back to the bit.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use console_model::{
    CounterReset, FloatHistogram, HistogramSample, Labels, Sample, SampleBatch, SeriesSamples, stale_marker,
};
use proptest::prelude::*;

use super::made::{self, histogram, sample};
use super::{open, open_copy, quiet};
use crate::{Options, Point, SampleOutcome, Store};

fn labels(name: &str) -> Labels {
    Labels::from_pairs([("__name__", name), ("job", "api")])
}

fn batch(name: &str, samples: Vec<Sample>, histograms: Vec<HistogramSample>) -> SampleBatch {
    let series = SeriesSamples { labels: labels(name), samples, histograms, exemplars: Vec::new() };
    SampleBatch { series: vec![series], metadata: Vec::new() }
}

fn points(store: &Store) -> BTreeMap<String, Vec<Point>> {
    let selected = store.select_series(&[], i64::MIN, i64::MAX, 1_000_000).unwrap();
    selected.iter().map(|series| (series.labels.to_string(), series.points().collect())).collect()
}

fn taken(accepted: u64) -> SampleOutcome {
    SampleOutcome { accepted, ..SampleOutcome::default() }
}

#[test]
fn histograms_fill_chunks_and_outlive_restarts_and_crashes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for step in 0..1_000 {
        assert_eq!(store.ingest_samples(&made::histograms("api", 3, step..step + 1)).unwrap(), taken(3));
    }
    let expected: Vec<Vec<HistogramSample>> =
        made::histograms("api", 3, 0..1_000).series.into_iter().map(|series| series.histograms).collect();
    let check = |store: &Store| {
        let selected = store.select_series(&[], i64::MIN, i64::MAX, 10).unwrap();
        assert_eq!(selected.len(), 3);
        for (series, expected) in selected.iter().zip(&expected) {
            assert!(series.has_histograms() && series.samples().next().is_none());
            assert_eq!(&series.histograms().collect::<Vec<_>>(), expected);
            assert!(series.samples_max() >= 1_000);
        }
        let (from, to) = (expected[0][333].time_ms, expected[0][700].time_ms);
        let part = store.select_series(&[], from, to, 10).unwrap();
        assert_eq!(part[2].histograms().collect::<Vec<_>>(), expected[2][333..=700]);
    };
    check(&store);
    store.flush().unwrap();
    let (_copy, crashed) = open_copy(folder.path());
    check(&crashed);
    drop(store);
    let store = open(folder.path());
    check(&store);
    assert_eq!(store.counts().samples, 0, "what is read again is not counted again");
}

#[test]
fn floats_and_histograms_of_one_series_come_back_in_order_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    // As a message has them: one kind after the other, though they alternate.
    let floats: Vec<Sample> = [0, 1, 2, 5, 6].map(|step| sample(step, step as f64)).into();
    let histograms: Vec<HistogramSample> = [3, 4, 7].map(|step| histogram(step, 4)).into();
    assert_eq!(store.ingest_samples(&batch("mixed", floats, histograms)).unwrap(), taken(8));
    store.flush().unwrap();
    let (_copy, crashed) = open_copy(folder.path());
    for store in [&store, &crashed] {
        let all = &points(store)[&labels("mixed").to_string()];
        let kinds: String = all.iter().map(|point| if matches!(point, Point::Float(_)) { 'f' } else { 'h' }).collect();
        assert_eq!(kinds, "fffhhffh");
        assert!(all.is_sorted_by(|before, after| before.time_ms() < after.time_ms()));
    }
}

#[test]
fn a_second_sample_of_a_time_is_the_same_or_contradicts() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let put = |samples, histograms| store.ingest_samples(&batch("m", samples, histograms)).unwrap();
    assert_eq!(put(vec![], vec![histogram(5, 4)]), taken(1));
    assert_eq!(put(vec![], vec![histogram(5, 4)]).repeated, 1);
    assert_eq!(put(vec![], vec![histogram(5, 9)]).duplicate, 1);
    assert_eq!(put(vec![sample(5, histogram(5, 4).histogram.sum)], vec![]).duplicate, 1);
    assert_eq!(put(vec![], vec![histogram(4, 4)]).out_of_order, 1);
    assert_eq!(put(vec![sample(6, 1.0)], vec![]), taken(1));
    assert_eq!(put(vec![], vec![HistogramSample { time_ms: sample(6, 1.0).time_ms, ..histogram(5, 4) }]).duplicate, 1);
    store.flush().unwrap();
    let (_copy, crashed) = open_copy(folder.path());
    let again = crashed.ingest_samples(&batch("m", vec![sample(6, 1.0)], vec![])).unwrap();
    assert_eq!(again.repeated, 1);
    assert_eq!(store.ingest_samples(&batch("m", vec![], vec![histogram(7, 4)])).unwrap(), taken(1));
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.ingest_samples(&batch("m", vec![], vec![histogram(7, 4)])).unwrap().repeated, 1);
    assert_eq!(store.ingest_samples(&batch("m", vec![], vec![histogram(7, 5)])).unwrap().duplicate, 1);
}

#[test]
fn a_mark_of_the_end_is_kept_in_either_kind() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let end = HistogramSample { time_ms: sample(1, 0.0).time_ms, histogram: Arc::new(FloatHistogram::stale()) };
    store.ingest_samples(&batch("own", vec![], vec![histogram(0, 4), end])).unwrap();
    store.ingest_samples(&batch("float", vec![sample(1, stale_marker())], vec![histogram(0, 4)])).unwrap();
    let all = points(&store);
    assert!(matches!(&all[&labels("own").to_string()][1], Point::Histogram(end) if end.histogram.is_stale()));
    assert!(matches!(&all[&labels("float").to_string()][1], Point::Float(end) if console_model::is_stale(end.value)));
}

#[test]
fn what_is_no_histogram_is_refused_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let broken = FloatHistogram { count: -1.0, ..FloatHistogram::exponential(0) };
    let broken = HistogramSample { time_ms: sample(0, 0.0).time_ms, histogram: Arc::new(broken) };
    let outcome = store.ingest_samples(&batch("m", vec![], vec![broken, histogram(1, 4)])).unwrap();
    assert_eq!((outcome.invalid, outcome.accepted, store.counts().samples_invalid), (1, 1, 1));
}

#[test]
fn a_hint_of_no_reset_is_only_kept_where_it_is_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let hinted = |step: i64, buckets: usize, hint| {
        let counter_reset = hint;
        let histogram = FloatHistogram { counter_reset, ..histogram(step, buckets).histogram.as_ref().clone() };
        HistogramSample { time_ms: sample(step, 0.0).time_ms, histogram: Arc::new(histogram) }
    };
    use CounterReset::{Gauge, NotReset, Reset, Unknown};
    let sent = vec![
        hinted(0, 8, NotReset),
        hinted(1, 8, NotReset),
        hinted(2, 5, NotReset),
        hinted(3, 5, Reset),
        hinted(4, 5, Unknown),
        hinted(5, 5, NotReset),
        hinted(6, 5, Gauge),
    ];
    store.ingest_samples(&batch("m", vec![], sent)).unwrap();
    let hints = |from: i64| -> Vec<CounterReset> {
        let selected = store.select_series(&[], sample(from, 0.0).time_ms, i64::MAX, 10).unwrap();
        selected[0].histograms().map(|sample| sample.histogram.counter_reset).collect()
    };
    assert_eq!(hints(0), [Unknown, NotReset, Unknown, Reset, Unknown, NotReset, Gauge]);
    // Nothing is known of a sample that is not in the time.
    assert_eq!(hints(5), [Unknown, Gauge]);
}

#[test]
fn late_histograms_are_taken_within_the_window_and_sorted_in() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { out_of_order_window_ms: 100 * 15_000, ..quiet() };
    let store = Store::open(folder.path(), options, super::clock()).unwrap();
    let put = |step: i64| store.ingest_samples(&batch("m", vec![], vec![histogram(step, 6)])).unwrap();
    (0..400).step_by(2).for_each(|step| assert_eq!(put(step), taken(1)));
    for step in (301..399).step_by(2) {
        assert_eq!(put(step), taken(1), "{step}");
    }
    assert_eq!(put(101).out_of_order, 1);
    // Of the last late ones it is known that they are there.
    assert_eq!(put(397).repeated, 1);
    store.flush().unwrap();
    let (_copy, crashed) = open_copy(folder.path());
    for store in [&store, &crashed] {
        let all = &points(store)[&labels("m").to_string()];
        assert_eq!(all.len(), 200 + 49);
        assert!(all.is_sorted_by(|before, after| before.time_ms() < after.time_ms()));
    }
}

#[test]
fn histograms_with_many_buckets_go_to_the_shelf_before_memory_is_short() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { limit_bytes: 64 << 20, ..quiet() };
    let bound = options.histogram_bytes_max();
    let store = Store::open(folder.path(), options, super::clock()).unwrap();
    for step in 0..12_i64 {
        for number in 0..100 {
            let name = format!("m{number}");
            assert_eq!(store.ingest_samples(&batch(&name, vec![], vec![histogram(step, 4_000)])).unwrap(), taken(1));
        }
    }
    // 100 series of 4,000 buckets each took 40 times as much.
    assert!(store.inner().metrics.rotation_bytes() <= bound as u64 + (1 << 20));
    store.flush().unwrap();
    let (_copy, crashed) = open_copy(folder.path());
    for store in [&store, &crashed] {
        let all = points(store);
        assert_eq!(all.len(), 100);
        assert!(all.values().all(|points| points.len() == 12));
    }
}

#[test]
fn a_store_from_before_there_were_histograms_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let format = folder.path().join("FORMAT");
    let store = open(folder.path());
    store.ingest_samples(&made::samples("api", 4, 0..300)).unwrap();
    drop(store);
    fs::write(&format, "highbeam console store 2\n").unwrap();
    assert!(Store::check(folder.path()).is_ok());
    assert_eq!(fs::read_to_string(&format).unwrap(), "highbeam console store 2\n");
    let store = open(folder.path());
    // From now on an older program must not read it.
    assert_eq!(fs::read_to_string(&format).unwrap(), "highbeam console store 3\n");
    assert_eq!(points(&store).values().map(Vec::len).sum::<usize>(), 1_200);
    store.ingest_samples(&made::histograms("api", 1, 0..10)).unwrap();
    drop(store);
    assert_eq!(points(&open(folder.path())).values().map(Vec::len).sum::<usize>(), 1_210);
}

/// One thing that is sent of a series: when, and a float or a histogram with so many buckets.
fn any_sent() -> impl Strategy<Value = (u8, i64, Option<usize>)> {
    (0_u8..3, 0_i64..60, prop_oneof![Just(None), (1_usize..3).prop_map(Some)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against a model: samples of both kinds in any order, what is kept of them, also after a crash.
    #[test]
    fn both_kinds_are_judged_by_the_same_rules(
        batches in proptest::collection::vec(proptest::collection::vec(any_sent(), 1..40), 1..12),
        window_steps in prop_oneof![Just(0_i64), 1_i64..30],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { out_of_order_window_ms: window_steps * 15_000, ..quiet() };
        let store = Store::open(folder.path(), options, super::clock()).unwrap();
        let mut model: BTreeMap<String, BTreeMap<i64, Point>> = BTreeMap::new();
        for sent in batches {
            let mut series = Vec::new();
            for (number, step, buckets) in sent {
                let name = format!("m{number}");
                let point = match buckets {
                    None => Point::Float(sample(step, step as f64)),
                    Some(buckets) => Point::Histogram(histogram(step, buckets)),
                };
                let known = model.entry(labels(&name).to_string()).or_default();
                let newest = known.keys().next_back().copied().unwrap_or(i64::MIN);
                if point.time_ms() > newest.saturating_sub(1).saturating_sub(window_steps * 15_000) {
                    known.entry(point.time_ms()).or_insert_with(|| point.clone());
                }
                let mut part = batch(&name, vec![], vec![]).series.remove(0);
                match point {
                    Point::Float(sample) => part.samples.push(sample),
                    Point::Histogram(sample) => part.histograms.push(sample),
                }
                series.push(part);
            }
            store.ingest_samples(&SampleBatch { series, metadata: Vec::new() }).unwrap();
        }
        store.flush().unwrap();
        let (_copy, crashed) = open_copy(folder.path());
        for store in [&store, &crashed] {
            let found = points(store);
            prop_assert_eq!(found.len(), model.len());
            for (name, points) in found {
                let times: Vec<i64> = points.iter().map(Point::time_ms).collect();
                let expected: Vec<i64> = model[&name].keys().copied().collect();
                prop_assert_eq!(times, expected);
                // A late sample of a time that was taken in time is taken too where nobody remembers, and then
                // the earlier one is given, unless it is of the other kind.
                if window_steps == 0 {
                    let expected: Vec<Point> = model[&name].values().cloned().collect();
                    prop_assert_eq!(points, expected);
                }
            }
        }
    }
}
