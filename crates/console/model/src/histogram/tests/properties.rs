//! What holds for all histograms.

use proptest::collection::{btree_map, btree_set};
use proptest::prelude::*;

use super::super::{Buckets, FloatHistogram, HistogramMean, HistogramSum};

fn buckets() -> impl Strategy<Value = Buckets> {
    btree_map(-40_i32..40, 0_u16..1000, 0..24)
        .prop_map(|counts| Buckets::from_counts(counts.into_iter().map(|(index, count)| (index, f64::from(count)))))
}

/// Valid ones with whole counts, which add up.
fn exponential() -> impl Strategy<Value = FloatHistogram> {
    let threshold = prop_oneof![Just(0.0), Just(0.001), 0.0..20.0_f64];
    (-4_i8..=8, threshold, 0_u16..100, buckets(), buckets(), -1e6..1e6_f64).prop_map(
        |(schema, zero_threshold, zero_count, positive, negative, sum)| {
            let zero_count = f64::from(zero_count);
            let count = zero_count + positive.total() + negative.total();
            let sum = sum.round();
            let plain = FloatHistogram::exponential(schema);
            let mut histogram = FloatHistogram { zero_count, count, sum, positive, negative, ..plain };
            // No observation is in a bucket and in the zero bucket.
            histogram.widen_zero(zero_threshold);
            histogram
        },
    )
}

fn custom() -> impl Strategy<Value = FloatHistogram> {
    (btree_set(-30_i32..30, 0..12), proptest::collection::vec(0_u16..1000, 13)).prop_map(|(bounds, counts)| {
        let bounds: Vec<f64> = bounds.into_iter().map(|bound| f64::from(bound) / 4.0).collect();
        let positive = Buckets::from_offset(0, counts.iter().take(bounds.len() + 1).map(|count| f64::from(*count)));
        FloatHistogram { count: positive.total(), positive, ..FloatHistogram::custom(bounds) }
    })
}

/// Anything at all.
fn wild() -> impl Strategy<Value = FloatHistogram> {
    let number = || any::<u64>().prop_map(f64::from_bits);
    let wild_buckets = move || btree_map(any::<i32>(), number(), 0..8).prop_map(Buckets::from_counts);
    let bounds = proptest::collection::vec(number(), 0..4);
    ((any::<i8>(), number(), number()), (number(), number()), wild_buckets(), wild_buckets(), bounds).prop_map(
        |((schema, zero_threshold, zero_count), (count, sum), positive, negative, bounds)| {
            let custom_values = bounds.into();
            FloatHistogram {
                zero_threshold,
                zero_count,
                count,
                sum,
                positive,
                negative,
                custom_values,
                ..FloatHistogram::exponential(schema)
            }
        },
    )
}

fn counted(histogram: &FloatHistogram) -> f64 {
    histogram.buckets().map(|bucket| bucket.count).sum()
}

proptest! {
    #[test]
    fn what_is_added_can_be_taken_away((one, other) in prop_oneof![(exponential(), exponential()), (custom(), custom())]) {
        prop_assert_eq!(one.check(), Ok(()));
        let mut sum = one.clone();
        sum.add(&other).unwrap();
        prop_assert_eq!(counted(&sum), counted(&one) + counted(&other));
        let mut back = sum.clone();
        back.sub(&other).unwrap();
        prop_assert_eq!((back.count, back.sum), (one.count, one.sum));
        // One that was brought to the form of the sum.
        let mut expected = one.clone();
        let mut nothing = sum.clone();
        nothing.mul(0.0);
        expected.add(&nothing).unwrap();
        expected.compact();
        back.compact();
        prop_assert_eq!(back, expected);
    }

    #[test]
    fn sums_do_not_depend_on_order((one, other) in prop_oneof![(exponential(), exponential()), (custom(), custom())]) {
        let (mut ahead, mut back) = (one.clone(), other.clone());
        ahead.add(&other).unwrap();
        back.add(&one).unwrap();
        ahead.compact();
        back.compact();
        prop_assert_eq!(&ahead, &back);
        let mut exact = HistogramSum::new(&one);
        exact.add(&other).unwrap();
        prop_assert_eq!(&exact.finish(), &ahead);
        let mut mean = HistogramMean::new(&one);
        mean.add(&other).unwrap();
        ahead.div(2.0);
        prop_assert_eq!(&mean.finish(), &ahead);
    }

    #[test]
    fn a_sum_is_no_counter_reset_and_a_part_of_it_is((one, other) in prop_oneof![(exponential(), exponential()), (custom(), custom())]) {
        let mut sum = one.clone();
        sum.add(&other).unwrap();
        prop_assert!(!sum.is_reset_since(&one));
        if other.count > 0.0 {
            prop_assert!(one.is_reset_since(&sum));
        }
    }

    #[test]
    fn a_lower_resolution_keeps_what_is_counted_and_where(histogram in exponential(), schema in -4_i8..=8) {
        let mut coarse = histogram.clone();
        coarse.reduce_resolution(schema);
        prop_assert_eq!(coarse.schema, schema.min(histogram.schema));
        prop_assert_eq!(counted(&coarse), counted(&histogram));
        // Up to each bound of the coarser one, as much is counted as before.
        for (index, _) in coarse.positive.iter() {
            let bound = coarse.bounds(index).1;
            let below = |histogram: &FloatHistogram| -> f64 {
                let inside = |index| histogram.bounds(index).1 <= bound;
                histogram.positive.iter().filter(|(index, _)| inside(*index)).map(|(_, count)| count).sum()
            };
            prop_assert_eq!(below(&coarse), below(&histogram));
        }
    }

    #[test]
    fn buckets_are_the_same_both_ways_and_rise(histogram in prop_oneof![exponential(), custom()]) {
        let ahead: Vec<_> = histogram.buckets().collect();
        let mut back: Vec<_> = histogram.buckets_reversed().collect();
        back.reverse();
        prop_assert_eq!(&ahead, &back);
        prop_assert_eq!(counted(&histogram), histogram.count);
        prop_assert_eq!(histogram.to_string().matches("]:").count() + histogram.to_string().matches("):").count(),
            histogram.populated_buckets().count());
        if histogram.is_custom() {
            prop_assert!(ahead.windows(2).all(|pair| pair[0].upper == pair[1].lower));
        }
    }

    #[test]
    fn quantiles_rise_and_fractions_undo_them(histogram in prop_oneof![exponential(), custom()], q in 0.0..1.0_f64, p in 0.0..1.0_f64) {
        prop_assume!(histogram.count > 0.0 && histogram.zero_threshold < 1e-2);
        let (low, high) = (histogram.quantile(q.min(p)).value, histogram.quantile(q.max(p)).value);
        prop_assert!(low <= high || (low - high).abs() <= 1e-9 * low.abs(), "{} {}", low, high);
        if !histogram.is_custom() {
            let (share, wanted) = (histogram.fraction(f64::NEG_INFINITY, low).value, q.min(p));
            // All that is exactly zero is at one place, so its share is reached at once.
            let is_at_zero = low == 0.0 && histogram.zero_threshold == 0.0;
            prop_assert!(share > wanted - 1e-6 && (is_at_zero || share < wanted + 1e-6), "{} {}", share, wanted);
        }
    }

    #[test]
    fn both_sides_of_a_trim_make_the_whole(histogram in exponential(), value in -20.0..20.0_f64) {
        prop_assume!(histogram.zero_threshold < 1e-2);
        let (mut below, mut above) = (histogram.clone(), histogram.clone());
        below.trim_above(value);
        above.trim_below(value);
        prop_assert!((below.count + above.count - histogram.count).abs() <= 1e-9 * histogram.count);
        let share = histogram.fraction(f64::NEG_INFINITY, value).value * histogram.count;
        prop_assert!(histogram.count == 0.0 || (share - below.count).abs() <= 1e-9 * histogram.count);
    }

    #[test]
    fn spans_come_back(buckets in buckets()) {
        let spans: Vec<_> = buckets.spans().collect();
        prop_assert_eq!(Buckets::from_spans(spans, buckets.counts().to_vec()), Ok(buckets));
    }

    #[test]
    fn nothing_makes_it_panic(one in wild(), other in wild(), number in any::<u64>()) {
        let number = f64::from_bits(number);
        let (mut sum, mut difference) = (one.clone(), one.clone());
        let _ = (sum.add(&other), difference.sub(&other), one.check(), one.is_reset_since(&other));
        let mut exact = HistogramSum::new(&one);
        let _ = exact.add(&other);
        let mut mean = HistogramMean::new(&one);
        let _ = mean.add(&other);
        let _ = (exact.finish(), mean.finish());
        let _ = (one.quantile(number), one.quantile(0.3), one.fraction(number, 1.0), one.variance(), one.to_string());
        let (mut below, mut above, mut coarse) = (one.clone(), one.clone(), one.clone());
        below.trim_above(number);
        above.trim_below(number);
        coarse.reduce_resolution(-4);
        coarse.widen_zero(number);
        let _ = FloatHistogram::from_classic([(number, number)], Some(one.count), None);
    }
}
