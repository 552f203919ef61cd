//! Mean, variance and standard deviation, estimated from the middle of each bucket.

use super::{Bucket, FloatHistogram};

impl FloatHistogram {
    /// The mean of the observations; NaN if there are none.
    pub fn mean(&self) -> f64 {
        self.sum / self.count
    }

    /// The variance of the observations, each taken to be in the middle of its bucket.
    pub fn variance(&self) -> f64 {
        let mean = self.mean();
        let (mut total, mut lost) = (0.0_f64, 0.0_f64);
        for bucket in self.populated_buckets() {
            let distance = self.middle(&bucket) - mean;
            let more = bucket.count * distance * distance;
            let sum = total + more;
            if sum.is_infinite() {
                lost = 0.0;
            } else if total.abs() >= more.abs() {
                lost += (total - sum) + more;
            } else {
                lost += (more - sum) + total;
            }
            total = sum;
        }
        (total + lost) / self.count
    }

    /// The standard deviation of the observations, each taken to be in the middle of its bucket.
    pub fn standard_deviation(&self) -> f64 {
        self.variance().sqrt()
    }

    /// Where a bucket's observations are on average: the mean of a custom bucket's bounds, zero in the zero
    /// bucket, the geometric mean of an exponential bucket's bounds.
    fn middle(&self, bucket: &Bucket) -> f64 {
        if self.is_custom() {
            (bucket.lower + bucket.upper) / 2.0
        } else if bucket.touches_zero() {
            0.0
        } else {
            geometric_mean(bucket.lower, bucket.upper)
        }
    }
}

/// The geometric mean of two numbers of one sign, with that sign.
pub(super) fn geometric_mean(lower: f64, upper: f64) -> f64 {
    let middle = lower.abs().sqrt() * upper.abs().sqrt();
    if lower < 0.0 { -middle } else { middle }
}
