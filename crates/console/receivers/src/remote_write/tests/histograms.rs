//! Native histograms: what comes is what was sent, in both versions, and what is none is told as Prometheus
//! tells it.

use std::sync::Arc;

use console_model::{BucketSpan, Buckets, CUSTOM_SCHEMA, CounterReset, FloatHistogram, HistogramSample};
use proptest::prelude::*;

use super::*;

/// What is written of a histogram, and what is told of it.
type Case<'a> = (&'a dyn Fn(&mut Writer<'_>), &'static str);

fn put_spans(out: &mut Writer<'_>, number: u32, spans: impl Iterator<Item = BucketSpan>) {
    for span in spans {
        out.message(number, |out| {
            out.sint64(1, i64::from(span.offset));
            out.varint(2, u64::from(span.length));
        });
    }
}

fn put_doubles(out: &mut Writer<'_>, number: u32, values: &[f64]) {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    if !bytes.is_empty() {
        out.bytes(number, &bytes);
    }
}

fn put_common(out: &mut Writer<'_>, sample: &HistogramSample) {
    let histogram = &sample.histogram;
    out.double(3, histogram.sum);
    out.sint64(4, i64::from(histogram.schema));
    out.double(5, histogram.zero_threshold);
    put_spans(out, 8, histogram.negative.spans());
    put_spans(out, 11, histogram.positive.spans());
    out.varint(14, u64::from(histogram.counter_reset.number()));
    out.int64(15, sample.time_ms);
    put_doubles(out, 16, &histogram.custom_values);
}

/// As a sender with float counts writes it.
fn put_floats(out: &mut Writer<'_>, sample: &HistogramSample) {
    out.double(2, sample.histogram.count);
    out.double(7, sample.histogram.zero_count);
    put_common(out, sample);
    put_doubles(out, 10, sample.histogram.negative.counts());
    put_doubles(out, 13, sample.histogram.positive.counts());
}

/// As a sender with whole counts writes it, deltas one by one.
fn put_integers(out: &mut Writer<'_>, sample: &HistogramSample) {
    out.varint(1, sample.histogram.count as u64);
    out.varint(6, sample.histogram.zero_count as u64);
    put_common(out, sample);
    for (number, counts) in [(9, sample.histogram.negative.counts()), (12, sample.histogram.positive.counts())] {
        let mut before = 0;
        for count in counts {
            out.sint64(number, *count as i64 - before);
            before = *count as i64;
        }
    }
}

fn both_versions(write: impl Fn(&mut Writer<'_>)) -> [Decoded; 2] {
    let first = v1(|request| series_v1(request, &[("__name__", "h")], &[], |series| series.message(4, &write)));
    let second = v2(&["", "__name__", "h"], |request| {
        request.message(5, |series| {
            references(series, &[1, 2]);
            series.message(3, &write);
        });
    });
    [first, second]
}

fn some() -> FloatHistogram {
    let spans = [BucketSpan { offset: -2, length: 2 }, BucketSpan { offset: 3, length: 1 }];
    FloatHistogram {
        counter_reset: CounterReset::NotReset,
        zero_threshold: 0.001,
        zero_count: 2.0,
        count: 14.0,
        sum: 18.4,
        positive: Buckets::from_spans(spans, vec![3.0, 1.0, 4.0]).unwrap(),
        negative: Buckets::from_offset(0, [4.0]),
        ..FloatHistogram::exponential(1)
    }
}

fn reasons(write: impl Fn(&mut Writer<'_>)) -> String {
    let [first, second] = both_versions(write);
    assert_eq!((first.rejects.count(), first.histograms_rejected), (1, 1));
    assert!(first.batch.is_empty());
    assert_eq!(first, second);
    first.rejects.to_string()
}

#[test]
fn histograms_of_both_kinds_come_back_in_both_versions() {
    let sample = HistogramSample { time_ms: -7, histogram: Arc::new(some()) };
    for put in [put_floats, put_integers] {
        for decoded in both_versions(|out| put(out, &sample)) {
            assert_eq!(decoded.batch.series[0].histograms, std::slice::from_ref(&sample));
            assert_eq!(decoded.batch.series[0].histograms[0].histogram.counter_reset, CounterReset::NotReset);
            assert_eq!((decoded.written.samples, decoded.written.histograms), (0, 1));
            assert_eq!(decoded.written.headers()[1].1, 1);
            assert!(decoded.rejects.is_empty());
        }
    }
}

#[test]
fn custom_buckets_and_marks_of_the_end_come_back() {
    let custom = FloatHistogram {
        count: 4.5,
        positive: Buckets::from_offset(0, [1.0, 2.5, 1.0]),
        ..FloatHistogram::custom([5.0, 10.0])
    };
    let sample = HistogramSample { time_ms: 1, histogram: Arc::new(custom) };
    let [decoded, _] = both_versions(|out| put_floats(out, &sample));
    assert_eq!(decoded.batch.series[0].histograms[0], sample);
    assert_eq!(decoded.batch.series[0].histograms[0].histogram.schema, CUSTOM_SCHEMA);
    let [ended, _] = both_versions(|out| {
        out.double(3, stale_marker());
        out.int64(15, 9);
    });
    let end = &ended.batch.series[0].histograms[0];
    assert!(end.histogram.is_stale() && end.time_ms == 9);
}

#[test]
fn what_prometheus_does_not_take_is_told_in_its_words() {
    let cases: [Case<'_>; 7] = [
        (
            &|out| {
                out.varint(1, 5);
                put_spans(out, 11, [BucketSpan { offset: 0, length: 1 }].into_iter());
                out.sint64(12, 4);
            },
            "4 observations found in buckets, but the Count field is 5: histogram's observation count should equal \
             the number of observations found in the buckets (in absence of NaN) for series {__name__=\"h\"}",
        ),
        (
            &|out| {
                out.varint(1, 3);
                out.double(3, f64::NAN);
                put_spans(out, 11, [BucketSpan { offset: 0, length: 1 }].into_iter());
                out.sint64(12, 4);
            },
            "histogram's observation count should be at least the number of observations found in the buckets",
        ),
        (&|out| out.sint64(4, 9), "histogram has an invalid schema, which must be between -4 and 8"),
        (&|out| out.sint64(4, 1 << 20), "schema 1048576"),
        (&|out| out.sint64(12, 4), "histogram spans specify different number of buckets than provided"),
        (
            &|out| {
                put_spans(out, 8, [BucketSpan { offset: 0, length: 2 }].into_iter());
                out.sint64(9, 4);
                out.sint64(9, -5);
            },
            "negative side: bucket number 2 has observation count of -1: histogram has a bucket whose observation",
        ),
        (
            &|out| {
                let spans = [BucketSpan { offset: 0, length: 1 }, BucketSpan { offset: -1, length: 1 }];
                put_spans(out, 11, spans.into_iter());
                out.sint64(12, 4);
                out.sint64(12, 0);
            },
            "histogram has a span whose offset is negative",
        ),
    ];
    for (write, expected) in cases {
        let told = reasons(write);
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn one_that_is_none_does_not_spoil_the_others() {
    let sample = HistogramSample { time_ms: 1, histogram: Arc::new(some()) };
    let decoded = v1(|request| {
        series_v1(request, &[("__name__", "h")], &[AT_5], |series| {
            series.message(4, |out| put_floats(out, &sample));
            series.message(4, |out| out.double(2, -1.0));
            series.message(4, |out| put_floats(out, &sample));
        });
        series_v1(request, &[("job", "nameless")], &[], |series| series.message(4, |_| {}));
    });
    assert_eq!((decoded.written.samples, decoded.written.histograms), (1, 2));
    assert_eq!((decoded.rejects.count(), decoded.histograms_rejected), (2, 2));
    let mut written = decoded.written;
    written.take_off(2);
    assert_eq!((written.samples, written.histograms), (0, 1));
}

#[test]
fn a_short_request_of_many_histograms_does_not_become_much_memory() {
    let one = size_of::<FloatHistogram>();
    let count = HISTOGRAM_BYTES_MAX / one + 100;
    let decoded = v1(|request| {
        series_v1(request, &[("__name__", "h")], &[], |series| (0..count).for_each(|_| series.message(4, |_| {})));
    });
    let taken = decoded.written.histograms as usize;
    assert!(taken * one <= HISTOGRAM_BYTES_MAX && decoded.histograms_rejected as usize == count - taken);
    assert!(decoded.rejects.to_string().contains("bytes of histograms in one request"));
}

proptest! {
    #[test]
    fn any_histogram_comes_back(
        schema in -4_i8..=8,
        positive in proptest::collection::btree_map(-500_i32..500, 0_u32..1_000_000, 0..20),
        negative in proptest::collection::btree_map(-500_i32..500, 0_u32..1_000_000, 0..20),
        (zero_count, sum, time_ms) in (0_u32..1_000, any::<f64>(), any::<i64>()),
        hint in 0_u8..4,
    ) {
        let buckets = |counts: std::collections::BTreeMap<i32, u32>| {
            Buckets::from_counts(counts.into_iter().map(|(index, count)| (index, f64::from(count))))
        };
        let (positive, negative, zero_count) = (buckets(positive), buckets(negative), f64::from(zero_count));
        let histogram = FloatHistogram {
            counter_reset: CounterReset::from_number(hint).unwrap(),
            zero_threshold: 1e-128,
            zero_count,
            count: zero_count + positive.total() + negative.total(),
            sum,
            positive,
            negative,
            ..FloatHistogram::exponential(schema)
        };
        let sample = HistogramSample { time_ms, histogram: Arc::new(histogram) };
        for put in [put_floats, put_integers] {
            let [first, second] = both_versions(|out| put(out, &sample));
            prop_assert_eq!(&first.batch.series[0].histograms[0], &sample);
            prop_assert_eq!(first.batch.series[0].histograms[0].histogram.counter_reset.number(), hint);
            prop_assert_eq!(first, second);
        }
    }

    #[test]
    fn no_histogram_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let [first, second] = both_versions_of(&bytes);
        prop_assert_eq!(first.is_err(), second.is_err());
    }
}

/// The bytes as a histogram, whatever they are.
fn both_versions_of(bytes: &[u8]) -> [Result<Decoded, Malformed>; 2] {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    series_v1(&mut Writer::new(&mut first), &[("__name__", "h")], &[], |series| series.bytes(4, bytes));
    let mut request = Writer::new(&mut second);
    request.message(5, |series| {
        references(series, &[1, 2]);
        series.bytes(3, bytes);
    });
    ["", "__name__", "h"].into_iter().for_each(|symbol| request.text(4, symbol));
    [decode_v1(&first), decode_v2(&second)]
}
