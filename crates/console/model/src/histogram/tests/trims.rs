//! Leaving out what is above or below a value.

use super::super::FloatHistogram;
use super::{assert_alike, assert_close, custom, plain, zeroed};

const INF: f64 = f64::INFINITY;

fn up_to(value: f64, mut histogram: FloatHistogram) -> FloatHistogram {
    histogram.trim_above(value);
    histogram
}

fn from(value: f64, mut histogram: FloatHistogram) -> FloatHistogram {
    histogram.trim_below(value);
    histogram
}

fn both_sides() -> FloatHistogram {
    zeroed(plain(123.75, 34.0, &[2.0, 4.0, 8.0, 16.0], &[1.0, 2.0]), 0.001, 1.0)
}

#[test]
fn nothing_left_out_leaves_everything_as_it_was() {
    let custom = custom(172.5, 15.0, &[5.0, 10.0], &[1.0, 6.0, 8.0]);
    for histogram in [both_sides(), custom] {
        assert_eq!(up_to(INF, histogram.clone()), histogram);
        assert_eq!(from(-INF, histogram.clone()), histogram);
        assert_alike(&up_to(-INF, histogram.clone()), &FloatHistogram::exponential(0));
        assert_alike(&from(INF, histogram.clone()), &FloatHistogram::exponential(0));
    }
}

#[test]
fn a_trim_at_zero_halves_the_zero_bucket() {
    let above = zeroed(plain(120.208_402_801_713_08, 30.5, &[2.0, 4.0, 8.0, 16.0], &[]), 0.001, 0.5);
    let mut found = from(0.0, both_sides());
    // The half that is left is shown as the whole bucket, as there is no other.
    assert_alike(&found, &above);
    found = up_to(0.0, both_sides());
    assert_alike(&found, &zeroed(plain(-3.535_783_905_932_737_7, 3.5, &[], &[1.0, 2.0]), 0.001, 0.5));
}

#[test]
fn a_trim_within_a_bucket_is_interpolated_exponentially() {
    let cut = 2.0_f64.sqrt();
    let below = up_to(cut, both_sides());
    assert_eq!((below.count.round(), below.positive.len()), (8.0, 2));
    assert!((below.sum - 0.257_093_886_598_984_7).abs() < 1e-6);
    let above = from(cut, both_sides());
    assert!((above.count - 26.0).abs() < 1e-6 && (above.sum - 116.500_670_650_709_82).abs() < 1e-6);
}

#[test]
fn a_zero_bucket_reaches_to_the_side_that_has_buckets() {
    let positive = zeroed(plain(8.021_067_811_865_475, 12.0, &[10.0], &[]), 0.5, 2.0);
    assert_eq!(from(0.0, positive.clone()), positive);
    assert_alike(&from(0.1, positive.clone()), &zeroed(plain(7.551_067_811_865_476, 11.6, &[10.0], &[]), 0.5, 1.6));
    assert_alike(&up_to(0.1, positive), &zeroed(plain(0.02, 0.4, &[], &[]), 0.5, 0.4));
    let alone = zeroed(plain(0.0, 5.0, &[], &[]), 0.1, 5.0);
    assert_alike(&from(0.05, alone.clone()), &zeroed(plain(0.093_75, 1.25, &[], &[]), 0.1, 1.25));
    assert_alike(&from(-0.05, alone), &zeroed(plain(0.093_75, 3.75, &[], &[]), 0.1, 3.75));
}

#[test]
fn custom_buckets_are_cut_evenly() {
    let bounds = [5.0, 10.0, 15.0, 20.0];
    let histogram = || custom(172.5, 15.0, &bounds, &[1.0, 6.0, 4.0, 3.0, 1.0]);
    assert_alike(&up_to(15.0, histogram()), &custom(97.5, 11.0, &bounds, &[1.0, 6.0, 4.0]));
    assert_alike(&from(15.0, histogram()), &custom(72.5, 4.0, &bounds, &[0.0, 0.0, 0.0, 3.0, 1.0]));
    assert_alike(&up_to(13.0, histogram()), &custom(75.1, 9.4, &bounds, &[1.0, 6.0, 2.4]));
    assert_alike(&from(13.0, histogram()), &custom(94.9, 5.6, &bounds, &[0.0, 0.0, 1.6, 3.0, 1.0]));
    assert_alike(&up_to(50.0, histogram()), &custom(150.0, 14.0, &bounds, &[1.0, 6.0, 4.0, 3.0]));
    assert_alike(&up_to(0.0, histogram()), &custom(0.0, 0.0, &bounds, &[]));
    let negative = || custom(172.5, 15.0, &[-10.0, 5.0], &[2.0, 1.0, 12.0]);
    assert_alike(&up_to(-4.0, negative()), &custom(-22.8, 2.4, &[-10.0, 5.0], &[2.0, 0.4]));
    assert_alike(&up_to(-15.0, negative()), &custom(-30.0, 2.0, &[-10.0, 5.0], &[2.0]));
}

#[test]
fn a_custom_bucket_without_an_end_is_kept_or_left_out_as_a_whole() {
    let at = |bound: f64| custom(33.0, 101.0, &[bound], &[1.0, 100.0]);
    for (histogram, sum, count) in [
        (up_to(10.0, at(5.0)), 2.5, 1.0),
        (up_to(2.0, at(5.0)), 0.4, 0.4),
        (up_to(-10.0, at(5.0)), 0.0, 0.0),
        (from(-10.0, at(5.0)), 500.0, 100.0),
        (from(0.0, at(5.0)), 33.0, 101.0),
        (from(2.0, at(5.0)), 502.1, 100.6),
        (from(10.0, at(5.0)), 1000.0, 100.0),
        (up_to(-2.0, at(-5.0)), -5.0, 1.0),
        (up_to(-10.0, at(-5.0)), -10.0, 1.0),
        (from(-10.0, at(-5.0)), -500.0, 100.0),
        (from(-2.0, at(-5.0)), -200.0, 100.0),
        (from(10.0, custom(100.0, 100.0, &[], &[100.0])), 0.0, 0.0),
        (up_to(10.0, custom(100.0, 100.0, &[], &[100.0])), 0.0, 0.0),
    ] {
        assert_close(histogram.sum, sum);
        assert_close(histogram.count, count);
    }
}
