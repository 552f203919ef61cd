//! Spans, bounds, texts, what is valid, classic buckets.

use super::super::{BucketSpan, Buckets, FloatHistogram, InvalidClassic, InvalidHistogram, InvalidSpans};
use super::{custom, plain, zeroed};

fn spans(spans: &[(i32, u32)]) -> Vec<BucketSpan> {
    spans.iter().map(|&(offset, length)| BucketSpan { offset, length }).collect()
}

#[test]
fn spans_come_back_joined() {
    let given = spans(&[(-3, 2), (0, 0), (2, 1), (0, 2), (5, 0)]);
    let buckets = Buckets::from_spans(given, vec![1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
    let indexes: Vec<_> = buckets.iter().collect();
    assert_eq!(indexes, [(-3, 1.0), (-2, 2.0), (1, 3.0), (2, 4.0), (3, 5.0)]);
    assert_eq!(buckets.spans().collect::<Vec<_>>(), spans(&[(-3, 2), (2, 3)]));
    let mut reversed: Vec<_> = buckets.iter_reversed().collect();
    reversed.reverse();
    assert_eq!(reversed, indexes);
}

#[test]
fn spans_that_fit_nothing_are_refused() {
    let of = |given: &[(i32, u32)], counts: usize| Buckets::from_spans(spans(given), vec![1.0; counts]).unwrap_err();
    assert_eq!(of(&[(0, 2)], 3), InvalidSpans::Count { expected: 2, found: 3 });
    assert_eq!(of(&[(0, 1 << 30)], 3), InvalidSpans::Count { expected: 1 << 30, found: 3 });
    assert_eq!(of(&[(i32::MIN, 1)], 1), InvalidSpans::Range { position: 1 });
    assert_eq!(of(&[(0, 1), (-1, 1)], 2), InvalidSpans::Offset { position: 2, offset: -1 });
    assert_eq!(of(&[(i32::MAX, 1)], 1), InvalidSpans::Range { position: 1 });
    assert_eq!(of(&[(0, u32::MAX)], 1), InvalidSpans::Range { position: 1 });
    let text = of(&[(0, 1), (-1, 1)], 2).to_string();
    assert_eq!(text, "span number 2 with offset -1: histogram has a span whose offset is negative");
}

#[test]
fn a_line_shows_what_was_counted() {
    let histogram = zeroed(plain(1.5e7, 12.0, &[2.0, 0.0, 1e-7], &[1.0, 3.5]), 0.001, 2.0);
    let expected = "{count:12, sum:1.5e+07, [-2,-1):3.5, [-1,-0.5):1, [-0.001,0.001]:2, (0.5,1]:2, (2,4]:1e-07}";
    assert_eq!(histogram.to_string(), expected);
    let custom = custom(f64::NAN, 4.0, &[5.0], &[1.0, 3.0]);
    assert_eq!(custom.to_string(), "{count:4, sum:NaN, [-Inf,5]:1, (5,+Inf]:3}");
    assert_eq!(FloatHistogram::exponential(0).to_string(), "{count:0, sum:0}");
}

#[test]
fn buckets_are_cut_at_the_zero_threshold() {
    let histogram = zeroed(plain(1.0, 4.0, &[1.0], &[1.0]), 0.75, 2.0);
    let shown: Vec<_> =
        histogram.buckets().map(|bucket| (bucket.lower, bucket.upper, bucket.boundary_rule())).collect();
    assert_eq!(shown, [(-1.0, -0.75, 1), (-0.75, 0.75, 3), (0.75, 1.0, 0)]);
}

#[test]
fn only_samples_that_can_be_are_valid() {
    let invalid = |histogram: &FloatHistogram| histogram.check().unwrap_err().to_string();
    let good = plain(1.0, 4.0, &[1.0], &[1.0]);
    assert_eq!(good.check(), Ok(()));
    assert_eq!(FloatHistogram::stale().check(), Ok(()));
    assert!(FloatHistogram::stale().is_stale() && !good.is_stale());
    let mut negative = good.clone();
    negative.negative = Buckets::from_offset(0, [1.0, -1.0]);
    let text = "negative side: bucket number 2 has observation count of -1: histogram has a bucket whose observation count is negative";
    assert_eq!(invalid(&negative), text);
    assert!(matches!(plain(1.0, -4.0, &[], &[]).check(), Err(InvalidHistogram::NegativeCount(_))));
    assert!(matches!(zeroed(good.clone(), 0.1, -1.0).check(), Err(InvalidHistogram::NegativeZeroBucket(_))));
    assert!(matches!(zeroed(good.clone(), f64::NAN, 1.0).check(), Err(InvalidHistogram::ZeroThreshold(_))));
    let unknown = FloatHistogram { schema: 9, ..good };
    assert_eq!(unknown.check(), Err(InvalidHistogram::Schema(9)));
}

#[test]
fn only_custom_buckets_that_can_be_are_valid() {
    use InvalidHistogram::{CustomFinite, CustomNegative, CustomOrder, CustomTooFew, CustomZero};
    let check = |bounds: &[f64], buckets: &[f64]| custom(1.0, 4.0, bounds, buckets).check();
    assert_eq!(check(&[1.0, 2.0], &[1.0, 1.0, 2.0]), Ok(()));
    assert_eq!(check(&[], &[4.0]), Ok(()));
    assert_eq!(check(&[1.0, 1.0], &[4.0]), Err(CustomOrder { position: 2, bound: 1.0 }));
    assert_eq!(check(&[1.0, f64::INFINITY], &[4.0]), Err(CustomFinite { position: 2, bound: f64::INFINITY }));
    assert_eq!(check(&[1.0], &[1.0, 1.0, 2.0]), Err(CustomTooFew { bounds: 1, buckets: 3 }));
    assert_eq!(zeroed(custom(1.0, 1.0, &[1.0], &[1.0]), 0.1, 0.0).check(), Err(CustomZero));
    let mut with_negative = custom(1.0, 1.0, &[1.0], &[1.0]);
    with_negative.negative = Buckets::from_offset(0, [1.0]);
    assert_eq!(with_negative.check(), Err(CustomNegative));
    with_negative.negative = Buckets::new();
    with_negative.positive = Buckets::from_offset(-1, [1.0]);
    assert!(with_negative.check().is_err());
}

#[test]
fn classic_buckets_become_custom_ones() {
    let inf = f64::INFINITY;
    let histogram = FloatHistogram::from_classic([(0.2, 7.0), (inf, 12.0), (0.1, 5.0)], None, Some(3.0)).unwrap();
    assert_eq!(histogram.to_string(), "{count:12, sum:3, [-Inf,0.1]:5, (0.1,0.2]:2, (0.2,+Inf]:5}");
    let without_last = FloatHistogram::from_classic([(0.1, 5.0), (0.2, 5.0), (0.1, 99.0)], Some(9.0), None).unwrap();
    assert_eq!(without_last.to_string(), "{count:9, sum:0, [-Inf,0.1]:5, (0.2,+Inf]:4}");
    assert_eq!(*without_last.custom_values, [0.1, 0.2]);
    assert_eq!(without_last.check(), Ok(()));
    let falling = FloatHistogram::from_classic([(1.0, 5.0), (2.0, 4.0)], None, None);
    assert_eq!(falling, Err(InvalidClassic::Falling { bound: 2.0, count: 4.0, before: 5.0 }));
    let text = FloatHistogram::from_classic([(1.0, 5.0)], Some(4.0), None).unwrap_err().to_string();
    assert_eq!(text, "4 observations in all, less than the 5 in buckets");
    assert_eq!(FloatHistogram::from_classic([(f64::NAN, 5.0)], None, None), Err(InvalidClassic::Bound));
}
