//! Quantiles, fractions, mean and deviation.

use super::super::{FloatHistogram, NanObservations};
use super::{assert_close, at_schema, custom, plain, zeroed};

#[test]
fn quantiles_are_interpolated_exponentially() {
    let positive = zeroed(plain(100.0, 12.0, &[2.0, 3.0, 0.0, 1.0, 4.0], &[]), 0.001, 2.0);
    for (q, expected) in [
        (-1.0, f64::NEG_INFINITY),
        (0.0, 0.0),
        (0.1, 0.0006),
        (0.5, 1.587_401_051_968_199_4),
        (0.6, 4.594_793_419_988_138),
        (0.9, 12.996_038_341_699_77),
        (0.99, 15.670_724_761_390_83),
        (1.0, 16.0),
        (1.001, f64::INFINITY),
        (f64::NAN, f64::NAN),
    ] {
        assert_close(positive.quantile(q).value, expected);
        // Upside down.
        let negative = FloatHistogram {
            positive: positive.negative.clone(),
            negative: positive.positive.clone(),
            ..positive.clone()
        };
        assert_close(negative.quantile(1.0 - q).value, -expected);
    }
}

#[test]
fn quantiles_on_both_sides_of_zero() {
    let sides = [2.0, 3.0, 0.0, 1.0, 4.0];
    let both = zeroed(plain(100.0, 24.0, &sides, &sides), 0.001, 4.0);
    for (q, expected) in [(0.5, 0.0), (0.55, 0.0006), (0.7, 1.203_025_036_082_116_4), (0.9, 10.556_063_286_183_155)] {
        assert_close(both.quantile(q).value + 1.0, expected + 1.0);
        assert_close(both.quantile(1.0 - q).value + 1.0, 1.0 - expected);
    }
    // In a gap, the quantile is where the next bucket begins.
    assert_close(plain(0.0, 8.0, &[1.0, 2.0, 1.0], &[1.0, 2.0, 1.0]).quantile(0.5).value, 0.5);
}

#[test]
fn quantiles_and_fractions_of_other_schemas_agree() {
    for (schema, expected) in [(-1, 8.0), (0, 2.828_427_124_746_19), (1, 1.681_792_830_507_429_2)] {
        let histogram = at_schema(schema, plain(6.0, 5.0, &[0.0, 0.0, 5.0], &[]));
        assert_close(histogram.quantile(0.5).value, expected);
        assert_close(histogram.fraction(0.0, expected).value, 0.5);
    }
}

#[test]
fn quantiles_of_custom_buckets_are_interpolated_evenly() {
    let histogram = custom(5.0, 4.0, &[5.0, 10.0], &[1.0, 2.0, 1.0]);
    assert_close(histogram.quantile(0.5).value, 7.5);
    assert_close(histogram.quantile(0.125).value, 2.5);
    assert_close(histogram.quantile(0.99).value, 10.0);
    assert_close(histogram.fraction(5.0, 10.0).value, 0.5);
    assert_close(custom(5.0, 4.0, &[-5.0], &[4.0]).quantile(0.5).value, -5.0);
}

#[test]
fn nan_observations_are_beyond_every_quantile_and_in_no_fraction() {
    let only = plain(f64::NAN, 3.0, &[], &[]);
    let some = plain(f64::NAN, 15.0, &[12.0], &[]);
    for histogram in [&only, &some] {
        let quantile = histogram.quantile(0.81);
        assert!(quantile.value.is_nan());
        assert_eq!(quantile.nan_observations, NanObservations::ResultIsNan);
    }
    assert_eq!(only.quantile(0.4).nan_observations, NanObservations::ResultIsNan);
    let quantile = some.quantile(0.4);
    assert_close(quantile.value, 0.5_f64.sqrt());
    assert_eq!(quantile.nan_observations, NanObservations::Skewed);
    let fraction = some.fraction(f64::NEG_INFINITY, f64::INFINITY);
    assert_close(fraction.value, 0.8);
    assert!(fraction.nan_observations);
    // The sum of both infinities is no observation.
    assert_eq!(plain(f64::NAN, 4.0, &[4.0], &[]).quantile(0.4).nan_observations, NanObservations::None);
}

#[test]
fn fractions_are_interpolated_as_quantiles_are() {
    let inf = f64::INFINITY;
    let histogram = zeroed(plain(100.0, 12.0, &[2.0, 3.0, 0.0, 1.0, 4.0], &[]), 0.001, 2.0);
    for (lower, upper, expected) in [
        (0.0, inf, 1.0),
        (-inf, 0.0, 0.0),
        (0.0, 0.001, 1.0 / 6.0),
        (0.001, inf, 5.0 / 6.0),
        (0.0, 0.0005, 1.0 / 12.0),
        (1.0, 2.0, 0.25),
        (0.0, 1.5, 0.479_573_958_513_622_4),
        (1.5, 6.0, 0.152_506_249_879_807_24),
        (42.0, 3.0, 0.0),
        (42.0, 42.0, 0.0),
        (-inf, inf, 1.0),
        (f64::NAN, 1.0, f64::NAN),
    ] {
        assert_close(histogram.fraction(lower, upper).value, expected);
    }
    assert_close(histogram.quantile(0.632_080_208_393_429_7).value, 6.0);
    assert!(FloatHistogram::exponential(0).fraction(0.0, 1.0).value.is_nan());
}

#[test]
fn fractions_of_custom_buckets_without_an_end_know_no_middle() {
    let positive = custom(0.0, 100.0, &[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 94.0]);
    assert_close(positive.fraction(0.0, 1.5).value, 0.02);
    assert_close(positive.fraction(4.0, 5.0).value, 0.0);
    assert_close(positive.fraction(400.0, f64::INFINITY).value, 0.94);
    let negative = custom(0.0, 100.0, &[-3.0, -2.0, -1.0], &[10.0, 2.0, 3.0, 85.0]);
    assert_close(negative.fraction(-4.0, -2.0).value, 0.02);
    assert_close(negative.fraction(f64::NEG_INFINITY, -1.5).value, 0.135);
}

#[test]
fn mean_and_deviation() {
    let spread = at_schema(2, plain(10.0, 4.0, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0], &[]));
    assert_close(spread.mean(), 2.5);
    assert_close(spread.variance(), 1.163_807_968_526_718);
    assert_close(spread.standard_deviation(), 1.078_799_318_004_381_1);
    let below = plain(-100.0, 10.0, &[], &[0.0, 0.0, 0.0, 0.0, 10.0]);
    assert_close(below.variance(), 1.725_830_020_304_794);
    let bounds = custom(330.0, 110.0, &[0.0, 0.1, 0.2, 1.0], &[0.0, 50.0, 20.0, 40.0]);
    assert_close(bounds.variance(), 7.527_045_454_545_455);
    assert!(FloatHistogram::exponential(0).standard_deviation().is_nan());
    assert!(plain(f64::NAN, 4.0, &[4.0], &[]).variance().is_nan());
    assert_eq!(plain(f64::INFINITY, 4.0, &[4.0], &[]).variance(), f64::INFINITY);
}
