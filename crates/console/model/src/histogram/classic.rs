//! A classic histogram, with a series for each bound, as a native one with custom buckets.

use super::{Buckets, FloatHistogram};

/// Says why classic buckets are no histogram.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum InvalidClassic {
    /// A bound that is no number.
    #[error("a bucket's upper bound is NaN, but it is a number or +Inf")]
    Bound,
    /// Counts are cumulative: the bucket with the higher bound holds the lower one.
    #[error("the bucket up to {bound} counts {count}, less than the {before} up to a lower bound")]
    Falling {
        /// The bucket's bound.
        bound: f64,
        /// Its count.
        count: f64,
        /// The count of the bucket before.
        before: f64,
    },
    /// The count of all is less than that of a bucket.
    #[error("{count} observations in all, less than the {in_buckets} in buckets")]
    Count {
        /// In all.
        count: f64,
        /// In the buckets.
        in_buckets: f64,
    },
}

impl FloatHistogram {
    /// The histogram with custom buckets that has these upper bounds with their cumulative counts, in any
    /// order; of a repeated bound the first one holds. Without a count it is that of the last bucket,
    /// without a sum it is 0.
    pub fn from_classic(
        buckets: impl IntoIterator<Item = (f64, f64)>,
        count: Option<f64>,
        sum: Option<f64>,
    ) -> Result<Self, InvalidClassic> {
        let mut buckets: Vec<(f64, f64)> = buckets.into_iter().collect();
        if buckets.iter().any(|(bound, _)| bound.is_nan()) {
            return Err(InvalidClassic::Bound);
        }
        // Adding zero makes one of both zeros.
        buckets.iter_mut().for_each(|(bound, _)| *bound += 0.0);
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        buckets.dedup_by(|later, kept| later.0 == kept.0);
        let highest = buckets.last().map_or(0.0, |(_, count)| *count);
        let count = count.unwrap_or(highest);
        if buckets.last().is_none_or(|(bound, _)| *bound != f64::INFINITY) {
            if count < highest {
                return Err(InvalidClassic::Count { count, in_buckets: highest });
            }
            buckets.push((f64::INFINITY, count));
        }
        let bounds: Vec<f64> = buckets.iter().map(|(bound, _)| *bound).filter(|bound| bound.is_finite()).collect();
        let mut histogram = Self::custom(bounds);
        let (mut before, mut index) = (0.0, 0);
        let mut counts = Buckets::new();
        for (bound, cumulative) in buckets {
            if cumulative < before {
                return Err(InvalidClassic::Falling { bound, count: cumulative, before });
            }
            if bound != f64::NEG_INFINITY {
                if cumulative != before {
                    counts.push(index, cumulative - before);
                }
                index += 1;
                before = cumulative;
            }
        }
        histogram.positive = counts;
        histogram.count = count;
        histogram.sum = sum.unwrap_or(0.0);
        Ok(histogram)
    }
}
