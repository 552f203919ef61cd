//! A histogram without what is above or below a value: PromQL's `</` and `>/`.

use super::statistics::geometric_mean;
use super::{Bucket, Buckets, FloatHistogram};

/// Which side of the value stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    Below,
    Above,
}

/// What is left of a bucket.
struct Rest {
    /// Of its count.
    count: f64,
    /// The sum of what is left, each taken to be in the middle.
    sum: f64,
}

impl FloatHistogram {
    /// Leaves only observations up to a value. Where something is left out, count and sum are estimated from
    /// what is left in the buckets.
    pub fn trim_above(&mut self, value: f64) {
        self.trim(value, Keep::Below);
    }

    /// Leaves only observations from a value on. Where something is left out, count and sum are estimated
    /// from what is left in the buckets.
    pub fn trim_below(&mut self, value: f64) {
        self.trim(value, Keep::Above);
    }

    fn trim(&mut self, value: f64, keep: Keep) {
        let (mut count, mut sum, mut changed) = (0.0, 0.0, false);
        let mut visit = |bucket: Bucket| {
            let rest = self.rest_of(&bucket, value, keep);
            changed |= rest.count.to_bits() != bucket.count.to_bits();
            count += rest.count;
            sum += rest.sum;
            rest.count
        };
        let side = |buckets: &Buckets, visit: &mut dyn FnMut(i32, f64) -> f64| {
            Buckets::from_counts(
                buckets.iter().map(|(index, count)| (index, if count == 0.0 { count } else { visit(index, count) })),
            )
        };
        let negative = side(&self.negative, &mut |index, count| visit(self.negative_bucket(index, count)));
        let zero_count = self.zero_bucket().map(&mut visit);
        let positive = side(&self.positive, &mut |index, count| visit(self.positive_bucket(index, count)));
        if changed {
            self.zero_count = zero_count.unwrap_or(self.zero_count);
            (self.positive, self.negative, self.count, self.sum) = (positive, negative, count, sum);
            self.compact();
        }
    }

    fn rest_of(&self, bucket: &Bucket, value: f64, keep: Keep) -> Rest {
        let share = match keep {
            Keep::Below => self.share_below(bucket, value),
            // Nothing is known of where the observations of a bucket without a beginning are, so none of them
            // is known to be above a value within it.
            Keep::Above if self.is_without_beginning_at(bucket, value) => 0.0,
            Keep::Above => 1.0 - self.share_below(bucket, value),
        };
        if share <= 0.0 || share.is_nan() {
            return Rest { count: 0.0, sum: 0.0 };
        }
        let count = if share >= 1.0 { bucket.count } else { bucket.count * share };
        let (mut lower, mut upper) = self.extent(bucket);
        match keep {
            Keep::Below => upper = upper.min(value),
            Keep::Above => lower = lower.max(value),
        }
        let middle = if lower.is_infinite() {
            upper
        } else if upper.is_infinite() {
            lower
        } else if self.is_custom() || bucket.touches_zero() {
            f64::midpoint(lower, upper)
        } else {
            geometric_mean(lower, upper)
        };
        Rest { count, sum: count * middle }
    }

    fn is_without_beginning_at(&self, bucket: &Bucket, value: f64) -> bool {
        let within = bucket.lower == f64::NEG_INFINITY && value > bucket.lower && value < bucket.upper;
        within && (value < 0.0 || bucket.upper == f64::INFINITY)
    }
}
