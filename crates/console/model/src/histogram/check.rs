//! Whether a histogram may be taken in as a sample.

use super::schema::{CUSTOM_SCHEMA, SCHEMA_MAX, SCHEMA_MIN, is_exponential};
use super::{Buckets, FloatHistogram, InvalidSpans};

/// Buckets that a sample may have, empty ones included. In the finest schema that is enough for values from a
/// nanosecond to a century.
pub const BUCKETS_MAX: usize = 16_384;

/// Says why a histogram is no sample. The end of each text is what Prometheus says.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum InvalidHistogram {
    /// A schema that nobody knows.
    #[error(
        "schema {0}: histogram has an invalid schema, which must be between {SCHEMA_MIN} and {SCHEMA_MAX} for exponential buckets, or {CUSTOM_SCHEMA} for custom buckets"
    )]
    Schema(i32),
    /// Spans that do not fit.
    #[error("{side} side: {why}")]
    Spans {
        /// Positive or negative.
        side: &'static str,
        /// Why.
        why: InvalidSpans,
    },
    /// Less than nothing was observed.
    #[error(
        "{side} side: bucket number {position} has observation count of {count}: histogram has a bucket whose observation count is negative"
    )]
    NegativeBucket {
        /// Positive or negative.
        side: &'static str,
        /// Which bucket, counted from 1.
        position: usize,
        /// How much.
        count: f64,
    },
    /// Less than nothing was observed near zero.
    #[error("zero bucket has observation count of {0}: histogram has a bucket whose observation count is negative")]
    NegativeZeroBucket(f64),
    /// Less than nothing was observed at all.
    #[error("observation count is {0}: histogram's observation count is negative")]
    NegativeCount(f64),
    /// The zero bucket's threshold is no distance.
    #[error("zero threshold is {0}: it must be a number from 0 on, as 2.938735877055719e-39")]
    ZeroThreshold(f64),
    /// Integer counts that do not add up.
    #[error("{in_buckets} observations found in buckets, but the Count field is {count}: {rule}")]
    CountMismatch {
        /// In the buckets.
        in_buckets: u64,
        /// In all.
        count: u64,
        /// Which rule is broken.
        rule: &'static str,
    },
    /// Custom buckets with a zero bucket.
    #[error("custom buckets: must have zero count of 0 and zero threshold of 0")]
    CustomZero,
    /// Custom buckets with negative ones.
    #[error("custom buckets: must not have negative buckets")]
    CustomNegative,
    /// Bounds in the wrong order.
    #[error("custom bound number {position} is {bound}: histogram custom bounds must be in strictly increasing order")]
    CustomOrder {
        /// Which bound, counted from 1.
        position: usize,
        /// The bound.
        bound: f64,
    },
    /// A bound that is no finite number.
    #[error("custom bound number {position} is {bound}: histogram custom bounds must be finite")]
    CustomFinite {
        /// Which bound, counted from 1.
        position: usize,
        /// The bound.
        bound: f64,
    },
    /// More buckets than bounds have.
    #[error(
        "only {bounds} custom bounds defined which is insufficient to cover total span length of {buckets}: histogram custom bounds are too few"
    )]
    CustomTooFew {
        /// How many bounds.
        bounds: usize,
        /// Up to which bucket, counted from 1.
        buckets: i64,
    },
    /// More buckets or bounds than are taken.
    #[error("{0} buckets, but a histogram may have {BUCKETS_MAX}: lower the resolution")]
    TooMany(usize),
    /// Exponential buckets with bounds.
    #[error("histogram with exponential schema must not have custom bounds")]
    ExponentialBounds,
}

impl FloatHistogram {
    /// Whether it may be taken in as a sample: a known schema, nothing negative, rising bounds. Whether the
    /// count fits the buckets is not asked, as errors of rounding allow for no answer. The mark of a series'
    /// end may always be.
    pub fn check(&self) -> Result<(), InvalidHistogram> {
        let buckets = (self.positive.len() + self.negative.len()).max(self.custom_values.len());
        if buckets > BUCKETS_MAX {
            return Err(InvalidHistogram::TooMany(buckets));
        }
        if self.is_stale() {
            return Ok(());
        }
        if self.is_custom() {
            self.check_custom()?;
        } else if is_exponential(self.schema) {
            if !self.custom_values.is_empty() {
                return Err(InvalidHistogram::ExponentialBounds);
            }
        } else {
            return Err(InvalidHistogram::Schema(i32::from(self.schema)));
        }
        if self.zero_threshold < 0.0 || self.zero_threshold.is_nan() {
            return Err(InvalidHistogram::ZeroThreshold(self.zero_threshold));
        }
        if self.zero_count < 0.0 {
            return Err(InvalidHistogram::NegativeZeroBucket(self.zero_count));
        }
        if self.count < 0.0 {
            return Err(InvalidHistogram::NegativeCount(self.count));
        }
        check_counts("positive", &self.positive)?;
        check_counts("negative", &self.negative)
    }

    fn check_custom(&self) -> Result<(), InvalidHistogram> {
        let mut before = f64::NEG_INFINITY;
        for (position, bound) in self.custom_values.iter().copied().enumerate() {
            let position = position + 1;
            if !bound.is_finite() {
                return Err(InvalidHistogram::CustomFinite { position, bound });
            }
            if bound <= before {
                return Err(InvalidHistogram::CustomOrder { position, bound });
            }
            before = bound;
        }
        if self.zero_count != 0.0 || self.zero_threshold != 0.0 {
            return Err(InvalidHistogram::CustomZero);
        }
        if !self.negative.is_empty() {
            return Err(InvalidHistogram::CustomNegative);
        }
        let (first, last) = (self.positive.iter().next(), self.positive.iter_reversed().next());
        let bounds = self.custom_values.len();
        let buckets = last.map_or(0, |(index, _)| i64::from(index) + 1);
        let before_the_first = first.is_some_and(|(index, _)| index < 0);
        if before_the_first || usize::try_from(buckets).map_or(true, |buckets| buckets > bounds + 1) {
            return Err(InvalidHistogram::CustomTooFew { bounds, buckets });
        }
        Ok(())
    }
}

fn check_counts(side: &'static str, buckets: &Buckets) -> Result<(), InvalidHistogram> {
    match buckets.counts().iter().position(|count| *count < 0.0) {
        None => Ok(()),
        Some(place) => {
            let count = buckets.counts().get(place).copied().unwrap_or_default();
            Err(InvalidHistogram::NegativeBucket { side, position: place + 1, count })
        }
    }
}
