//! Quantiles of a histogram and shares of it between two values, interpolated within a bucket: exponentially
//! in exponential buckets, evenly in the zero bucket and in custom buckets.

use super::{Bucket, FloatHistogram};

/// What NaN observations, which are counted but are in no bucket, do to a quantile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NanObservations {
    /// There are none.
    #[default]
    None,
    /// The quantile is among them, so it is NaN itself.
    ResultIsNan,
    /// They count as the highest observations, so the quantile is higher than without them.
    Skewed,
}

/// A quantile, and what is to be told about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantile {
    /// The value.
    pub value: f64,
    /// What NaN observations did to it.
    pub nan_observations: NanObservations,
}

/// A share of the observations, and what is to be told about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fraction {
    /// The share, 0 to 1.
    pub value: f64,
    /// Whether there are NaN observations, which count as outside.
    pub nan_observations: bool,
}

impl FloatHistogram {
    /// The value below which the share `q` of the observations is. NaN if nothing was observed, the
    /// infinities for a share below 0 or above 1.
    pub fn quantile(&self, q: f64) -> Quantile {
        let plain = |value| Quantile { value, nan_observations: NanObservations::None };
        if q < 0.0 {
            return plain(f64::NEG_INFINITY);
        }
        if q > 1.0 {
            return plain(f64::INFINITY);
        }
        if self.count == 0.0 || q.is_nan() {
            return plain(f64::NAN);
        }
        // From the nearer end, to add up fewer errors; but NaN observations are at the upper end only.
        if self.sum.is_nan() || q < 0.5 { self.quantile_from_below(q) } else { plain(self.quantile_from_above(q)) }
    }

    fn quantile_from_below(&self, q: f64) -> Quantile {
        let rank = q * self.count;
        let (mut seen, mut found) = (0.0, None);
        let mut buckets = self.populated_buckets();
        for bucket in buckets.by_ref() {
            seen += bucket.count;
            found = Some(bucket);
            if seen >= rank {
                break;
            }
        }
        let observed: f64 = seen + buckets.map(|bucket| bucket.count).sum::<f64>();
        let has_nan = self.sum.is_nan() && observed < self.count;
        let Some(bucket) = found else { return Quantile { value: f64::NAN, nan_observations: result_is_nan(has_nan) } };
        if seen < rank && self.sum.is_nan() {
            return Quantile { value: f64::NAN, nan_observations: result_is_nan(has_nan) };
        }
        let nan_observations = if has_nan { NanObservations::Skewed } else { NanObservations::None };
        // Errors of rounding may leave the highest bucket short of the rank.
        let share = if seen < rank { 1.0 } else { (rank - (seen - bucket.count)) / bucket.count };
        Quantile { value: self.value_in(&bucket, share), nan_observations }
    }

    fn quantile_from_above(&self, q: f64) -> f64 {
        let rank = (1.0 - q) * self.count;
        let (mut seen, mut found) = (0.0, None);
        for bucket in self.buckets_reversed().filter(|bucket| bucket.count != 0.0) {
            seen += bucket.count;
            found = Some(bucket);
            if seen >= rank {
                break;
            }
        }
        let Some(bucket) = found else { return f64::NAN };
        let share = if seen < rank { 0.0 } else { (seen - rank) / bucket.count };
        self.value_in(&bucket, share)
    }

    /// The value that has this share of a bucket below it.
    fn value_in(&self, bucket: &Bucket, share: f64) -> f64 {
        if self.is_custom() {
            if bucket.lower == f64::NEG_INFINITY && bucket.upper <= 0.0 {
                return bucket.upper;
            }
            if bucket.upper == f64::INFINITY {
                return bucket.lower;
            }
        }
        let (lower, upper) = self.extent(bucket);
        if self.is_custom() || bucket.touches_zero() {
            return lower + (upper - lower) * share;
        }
        let (low, high) = (lower.abs().log2(), upper.abs().log2());
        if lower > 0.0 { (low + (high - low) * share).exp2() } else { -(high + (low - high) * (1.0 - share)).exp2() }
    }

    /// From where to where observations in a bucket are taken to be. The zero bucket only reaches to the side
    /// on which there are other buckets, if it is one side; the first custom bucket begins at zero if it ends
    /// above.
    pub(super) fn extent(&self, bucket: &Bucket) -> (f64, f64) {
        if self.is_custom() {
            let from_zero = bucket.lower == f64::NEG_INFINITY && bucket.upper > 0.0;
            return (if from_zero { 0.0 } else { bucket.lower }, bucket.upper);
        }
        if bucket.touches_zero() {
            match (self.negative.is_empty(), self.positive.is_empty()) {
                (true, false) => return (0.0, bucket.upper),
                (false, true) => return (bucket.lower, 0.0),
                _ => {}
            }
        }
        (bucket.lower, bucket.upper)
    }

    /// The share of a bucket's observations that are at or below a value.
    pub(super) fn share_below(&self, bucket: &Bucket, value: f64) -> f64 {
        let (lower, upper) = self.extent(bucket);
        if value >= upper {
            return 1.0;
        }
        if value == f64::NEG_INFINITY || value.is_nan() {
            return 0.0;
        }
        if lower == f64::NEG_INFINITY {
            // Of a custom bucket without a beginning: its observations are taken to be anywhere below.
            return 1.0;
        }
        if value <= lower || upper == f64::INFINITY {
            return 0.0;
        }
        if self.is_custom() || bucket.touches_zero() {
            return (value - lower) / (upper - lower);
        }
        let (low, high, at) = (lower.abs().log2(), upper.abs().log2(), value.abs().log2());
        if value > 0.0 { (at - low) / (high - low) } else { 1.0 - (at - high) / (low - high) }
    }

    /// The share of the observations between two values. NaN if nothing was observed.
    pub fn fraction(&self, lower: f64, upper: f64) -> Fraction {
        if self.count == 0.0 || lower.is_nan() || upper.is_nan() {
            return Fraction { value: f64::NAN, nan_observations: false };
        }
        let (mut below_lower, mut below_upper, mut observed) = (0.0, 0.0, 0.0);
        for bucket in self.populated_buckets() {
            below_lower += bucket.count * self.share_below(&bucket, lower);
            below_upper += bucket.count * self.share_below(&bucket, upper);
            observed += bucket.count;
        }
        let nan_observations = self.sum.is_nan() && observed < self.count;
        let value = if lower >= upper { 0.0 } else { (below_upper - below_lower) / self.count };
        Fraction { value, nan_observations }
    }
}

fn result_is_nan(has_nan: bool) -> NanObservations {
    if has_nan { NanObservations::ResultIsNan } else { NanObservations::None }
}
