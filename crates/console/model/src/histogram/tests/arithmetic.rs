//! Sums, differences, multiples, means and counter resets.

use super::super::{Buckets, CounterReset, FloatHistogram, HistogramMean, HistogramSum, Incompatible, Reconciled};
use super::{assert_alike, assert_close, at_schema, custom, plain, zeroed};

fn sum_of(histograms: &[FloatHistogram]) -> HistogramSum {
    let mut sum = HistogramSum::new(&histograms[0]);
    histograms[1..].iter().for_each(|histogram| sum.add(histogram).unwrap());
    sum
}

fn mean_of(histograms: &[FloatHistogram]) -> FloatHistogram {
    let mut mean = HistogramMean::new(&histograms[0]);
    histograms[1..].iter().for_each(|histogram| mean.add(histogram).unwrap());
    mean.finish()
}

#[test]
fn a_sum_has_the_coarser_schema() {
    let fine = at_schema(0, plain(4.0, 4.0, &[0.0, 2.0, 2.0], &[]));
    let mut coarse = at_schema(-1, plain(4.0, 1.0, &[0.0, 1.0], &[]));
    let mut other_way = fine.clone();
    other_way.add(&coarse).unwrap();
    coarse.add(&fine).unwrap();
    for sum in [coarse, other_way] {
        assert_eq!(sum.schema, -1);
        assert_eq!(sum.to_string(), "{count:5, sum:8, (1,4]:5}");
    }
}

#[test]
fn a_difference_has_the_coarser_schema_and_is_a_gauge() {
    let zero = |histogram| zeroed(histogram, 0.001, 0.0);
    let mut coarse = zero(plain(10.0, 9.0, &[1.0, 3.0, 1.0], &[0.0, 1.0, 4.0]));
    let fine = at_schema(1, zero(plain(4.0, 4.0, &[0.0, 2.0, 1.0], &[0.0, 0.0, 3.0, 2.0])));
    coarse.sub(&fine).unwrap();
    assert_alike(&coarse, &zero(plain(6.0, 5.0, &[1.0, 0.0, 1.0], &[0.0, -2.0, 2.0])));
    assert_eq!(coarse.counter_reset, CounterReset::Gauge);
}

#[test]
fn the_narrower_zero_bucket_takes_in_what_the_wider_one_covers() {
    // 0.125 to 0.25, 0.25 to 0.5 and 1 to 2.
    let mut narrow = zeroed(plain(3.0, 9.0, &[], &[]), 0.01, 2.0);
    narrow.positive = Buckets::from_counts([(-2, 1.0), (-1, 2.0), (1, 4.0)]);
    let wide = zeroed(plain(0.0, 5.0, &[], &[]), 0.25, 5.0);
    let mut sum = narrow.clone();
    sum.add(&wide).unwrap();
    assert_eq!(sum.to_string(), "{count:14, sum:3, [-0.25,0.25]:8, (0.25,0.5]:2, (1,2]:4}");
    let mut other_way = wide;
    other_way.add(&narrow).unwrap();
    assert_eq!(other_way.to_string(), sum.to_string());
}

#[test]
fn a_zero_bucket_that_would_cut_a_bucket_covers_it() {
    let mut narrow = zeroed(plain(3.0, 8.0, &[], &[]), 0.01, 1.0);
    narrow.positive = Buckets::from_counts([(-1, 2.0), (1, 1.0)]);
    narrow.negative = Buckets::from_counts([(0, 3.0), (2, 1.0)]);
    let wide = zeroed(plain(0.0, 5.0, &[], &[]), 0.3, 5.0);
    let mut sum = narrow.clone();
    sum.add(&wide).unwrap();
    // 0.3 cuts 0.25 to 0.5 only: the negative one from 0.5 on is beside it.
    assert_eq!(sum.to_string(), "{count:13, sum:3, [-4,-2):1, [-1,-0.5):3, [-0.5,0.5]:8, (1,2]:1}");
    narrow.widen_zero(0.6);
    assert_eq!(narrow.to_string(), "{count:8, sum:3, [-4,-2):1, [-1,1]:6, (1,2]:1}");
}

#[test]
fn custom_buckets_keep_the_bounds_that_both_have() {
    let mut one = custom(1.0, 7.0, &[1.0, 2.0, 3.0, 5.0], &[1.0, 1.0, 1.0, 2.0, 2.0]);
    let other = custom(2.0, 10.0, &[2.0, 4.0, 5.0], &[1.0, 2.0, 3.0, 4.0]);
    let reconciled = one.add(&other).unwrap();
    assert_eq!(reconciled, Reconciled { bounds: true, conflicting_resets: false });
    assert_eq!(*one.custom_values, [2.0, 5.0]);
    assert_eq!(one.positive.counts(), [3.0, 8.0, 6.0]);
    let none_in_common = custom(1.0, 1.0, &[7.0], &[1.0]);
    one.add(&none_in_common).unwrap();
    assert_eq!(one.to_string(), "{count:18, sum:4, [-Inf,+Inf]:18}");
}

#[test]
fn custom_and_exponential_buckets_have_no_sum() {
    let (mut one, other) = (plain(1.0, 1.0, &[1.0], &[]), custom(1.0, 1.0, &[1.0], &[1.0]));
    let before = one.clone();
    assert_eq!(one.add(&other), Err(Incompatible::MixedSchemas));
    assert_eq!(one, before);
    assert_eq!(HistogramSum::new(&one).add(&other), Err(Incompatible::MixedSchemas));
    assert_eq!(HistogramMean::new(&other).add(&one), Err(Incompatible::MixedSchemas));
}

#[test]
fn hints_of_both_make_the_hint_of_the_sum() {
    use CounterReset::{Gauge, NotReset, Reset, Unknown};
    let with = |counter_reset| FloatHistogram { counter_reset, ..FloatHistogram::exponential(0) };
    for (one, other, expected, conflict) in [
        (Unknown, Unknown, Unknown, false),
        (NotReset, NotReset, NotReset, false),
        (NotReset, Unknown, Unknown, false),
        (Reset, Unknown, Unknown, false),
        (Reset, NotReset, Unknown, true),
        (Gauge, NotReset, Gauge, false),
        (Gauge, Reset, Gauge, false),
    ] {
        for (one, other) in [(one, other), (other, one)] {
            let mut sum = with(one);
            assert_eq!(sum.add(&with(other)).unwrap().conflicting_resets, conflict);
            assert_eq!(sum.counter_reset, expected, "{one:?} {other:?}");
        }
    }
    // A gauge between them does not hide that two of many contradict each other.
    assert!(sum_of(&[with(Gauge), with(Reset), with(NotReset)]).reconciled().conflicting_resets);
}

#[test]
fn multiples_and_parts() {
    let histogram = zeroed(plain(33.0, 30.0, &[3.0, 3.0], &[6.0]), 0.001, 3.0);
    let mut tripled = histogram.clone();
    tripled.mul(3.0);
    assert_alike(&tripled, &zeroed(plain(99.0, 90.0, &[9.0, 9.0], &[18.0]), 0.001, 9.0));
    assert_eq!(tripled.counter_reset, CounterReset::Unknown);
    tripled.div(-3.0);
    assert_eq!((tripled.sum, tripled.counter_reset), (-33.0, CounterReset::Gauge));
    let mut nothing = histogram;
    nothing.div(0.0);
    assert_eq!(nothing.to_string(), "{count:+Inf, sum:+Inf, [-0.001,0.001]:+Inf}");
}

#[test]
fn small_numbers_survive_beside_large_ones_that_cancel_out() {
    let of = |sum: f64, bucket: f64| plain(sum, 1.0, &[bucket], &[]);
    let histograms = [of(5.3, 1.0), of(1e100, 1e30), of(1.0, 2.0), of(-1e100, -1e30), of(2.0, 3.0)];
    let sum = sum_of(&histograms).finish();
    assert_close(sum.sum, 8.3);
    assert_eq!(sum.positive.counts(), [6.0]);
    assert_close(mean_of(&histograms).sum, 1.66);
}

#[test]
fn what_additions_lose_follows_changes_of_resolution() {
    let fine = |sum: f64, bucket: f64| zeroed(plain(sum, 1.0, &[0.0, bucket], &[]), 0.001, 0.0);
    let coarse = at_schema(-1, zeroed(plain(-1e100, 1.0, &[0.0, -1e30], &[]), 0.25, 2.0));
    let sum = sum_of(&[fine(1.0, 1.0), fine(1e100, 1e30), coarse]).finish();
    assert_alike(&sum, &at_schema(-1, zeroed(plain(1.0, 3.0, &[0.0, 1.0], &[]), 0.25, 2.0)));
}

#[test]
fn a_mean_is_finite_where_the_sum_is_not() {
    let of = |count: f64, sum: f64| plain(sum, count, &[count], &[]);
    let huge = [of(f64::MAX, 5.3), of(1e308, 1e100), of(1e-6, 1.0), of(1e-6, -1e100), of(1e-6, 2.0)];
    let mean = mean_of(&huge);
    assert_close(mean.count, 5.595_386_269_726_63e307);
    assert_close(mean.sum, 1.66);
    assert_close(mean.positive.counts()[0], mean.count);
    assert!(sum_of(&huge).finish().overflows());
    assert_alike(&mean_of(&huge[2..3]), &huge[2]);
}

#[test]
fn less_in_any_bucket_is_a_counter_reset() {
    let before = zeroed(plain(5.0, 6.0, &[1.0, 2.0, 1.0], &[1.0]), 0.001, 1.0);
    let grown = zeroed(plain(9.0, 9.0, &[1.0, 2.0, 1.0, 2.0], &[1.0, 1.0]), 0.001, 1.0);
    assert!(!grown.is_reset_since(&before) && !before.is_reset_since(&before));
    assert!(before.is_reset_since(&grown));
    let mut moved = grown.clone();
    moved.positive = Buckets::from_counts([(0, 1.0), (1, 1.0), (2, 9.0)]);
    assert!(moved.is_reset_since(&before));
    moved.positive = Buckets::from_counts([(0, 1.0), (2, 9.0)]);
    assert!(moved.is_reset_since(&before));
    let mut less_near_zero = grown.clone();
    less_near_zero.zero_count = 0.0;
    assert!(less_near_zero.is_reset_since(&before));
}

#[test]
fn hints_are_believed() {
    let (before, mut now) = (plain(1.0, 5.0, &[5.0], &[]), plain(1.0, 1.0, &[1.0], &[]));
    now.counter_reset = CounterReset::NotReset;
    assert!(!now.is_reset_since(&before));
    let mut grown = plain(1.0, 9.0, &[9.0], &[]);
    grown.counter_reset = CounterReset::Reset;
    assert!(grown.is_reset_since(&before));
}

#[test]
fn a_counter_may_lose_resolution_but_not_gain_it() {
    let fine = zeroed(plain(5.0, 4.0, &[1.0, 2.0, 1.0], &[]), 0.001, 0.0);
    let coarse = at_schema(-1, zeroed(plain(5.0, 5.0, &[1.0, 4.0], &[]), 0.001, 0.0));
    assert!(!coarse.is_reset_since(&fine));
    assert!(fine.is_reset_since(&coarse));
    let wider = zeroed(plain(5.0, 5.0, &[0.0, 3.0, 1.0], &[]), 1.0, 1.0);
    assert!(!wider.is_reset_since(&fine));
    assert!(fine.is_reset_since(&wider));
    // Widening never ends within a bucket that was in use.
    let cut = zeroed(plain(5.0, 5.0, &[0.0, 3.0, 1.0], &[]), 0.75, 1.0);
    assert!(cut.is_reset_since(&fine));
}

#[test]
fn custom_buckets_are_compared_at_the_bounds_that_both_have() {
    let before = custom(55.0, 15.0, &[2.0, 4.0, 6.0], &[1.0, 2.0, 5.0, 7.0]);
    assert!(custom(56.0, 15.0, &[2.0, 3.0, 4.0, 6.0], &[1.0, 0.0, 1.0, 5.0, 8.0]).is_reset_since(&before));
    assert!(!custom(56.0, 16.0, &[2.0, 3.0, 4.0, 6.0], &[1.0, 1.0, 1.0, 5.0, 8.0]).is_reset_since(&before));
    assert!(plain(56.0, 16.0, &[16.0], &[]).is_reset_since(&before));
}
