//! What PromQL relies on, in figures that can be checked by hand or that Prometheus gives.

mod arithmetic;
mod properties;
mod shapes;
mod shares;
mod trims;

use super::{Buckets, CUSTOM_SCHEMA, FloatHistogram};

/// An exponential histogram of schema 0 without a zero bucket: sum, count and buckets from index 0 on.
fn plain(sum: f64, count: f64, positive: &[f64], negative: &[f64]) -> FloatHistogram {
    FloatHistogram {
        sum,
        count,
        positive: Buckets::from_offset(0, positive.iter().copied()),
        negative: Buckets::from_offset(0, negative.iter().copied()),
        ..FloatHistogram::exponential(0)
    }
}

/// The same with a zero bucket.
fn zeroed(mut histogram: FloatHistogram, threshold: f64, count: f64) -> FloatHistogram {
    (histogram.zero_threshold, histogram.zero_count) = (threshold, count);
    histogram
}

/// The same with another schema.
fn at_schema(schema: i8, mut histogram: FloatHistogram) -> FloatHistogram {
    histogram.schema = schema;
    histogram
}

/// A histogram with custom buckets: sum, count, bounds and buckets from the first on.
fn custom(sum: f64, count: f64, bounds: &[f64], buckets: &[f64]) -> FloatHistogram {
    let positive = Buckets::from_offset(0, buckets.iter().copied());
    let histogram = FloatHistogram { sum, count, positive, ..FloatHistogram::custom(bounds) };
    assert_eq!(histogram.schema, CUSTOM_SCHEMA);
    histogram
}

#[track_caller]
fn assert_close(found: f64, expected: f64) {
    let same = found == expected || found.is_nan() && expected.is_nan();
    let close = (found - expected).abs() <= 1e-9 * expected.abs().max(1e-12);
    assert!(same || close, "{found} is not {expected}");
}

/// Whether both look the same to a reader: numbers but for rounding, and buckets in which something is.
#[track_caller]
fn assert_alike(found: &FloatHistogram, expected: &FloatHistogram) {
    assert_close(found.count, expected.count);
    assert_close(found.sum, expected.sum);
    let (found, expected): (Vec<_>, Vec<_>) =
        (found.populated_buckets().collect(), expected.populated_buckets().collect());
    assert_eq!(found.len(), expected.len(), "{found:?} {expected:?}");
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found.boundary_rule(), expected.boundary_rule());
        assert_close(found.lower, expected.lower);
        assert_close(found.upper, expected.upper);
        assert_close(found.count, expected.count);
    }
}
