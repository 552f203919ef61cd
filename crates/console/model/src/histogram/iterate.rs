//! Buckets as ranges of values, from the lowest to the highest or the other way.

use std::fmt;

use super::FloatHistogram;
use super::display::GoFloat;
use super::schema::{custom_bound, exponential_bound};

/// How much was observed between two values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Where it begins.
    pub lower: f64,
    /// Where it ends.
    pub upper: f64,
    /// Whether its beginning belongs to it.
    pub lower_inclusive: bool,
    /// Whether its end belongs to it.
    pub upper_inclusive: bool,
    /// How many observations.
    pub count: f64,
}

impl Bucket {
    /// The number that Prometheus' HTTP API has for which bounds belong to a bucket: 0 only the upper, 1 only
    /// the lower, 2 none, 3 both.
    pub const fn boundary_rule(&self) -> u8 {
        match (self.lower_inclusive, self.upper_inclusive) {
            (false, true) => 0,
            (true, false) => 1,
            (false, false) => 2,
            (true, true) => 3,
        }
    }

    /// Whether zero is in it or at one of its bounds.
    pub const fn touches_zero(&self) -> bool {
        self.lower <= 0.0 && self.upper >= 0.0
    }
}

impl fmt::Display for Bucket {
    /// As Prometheus writes it: `(1,2]:3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = if self.lower_inclusive { '[' } else { '(' };
        let close = if self.upper_inclusive { ']' } else { ')' };
        let (lower, upper, count) = (GoFloat(self.lower), GoFloat(self.upper), GoFloat(self.count));
        write!(f, "{open}{lower},{upper}{close}:{count}")
    }
}

impl FloatHistogram {
    /// All buckets from the lowest value to the highest, empty ones included, but the zero bucket only where
    /// something was counted in it. Where they reach into the zero bucket, they are cut off at its threshold.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        let negative = self.negative.iter_reversed().map(|(index, count)| self.negative_bucket(index, count));
        let positive = self.positive.iter().map(|(index, count)| self.positive_bucket(index, count));
        negative.chain(self.zero_bucket()).chain(positive)
    }

    /// As [`FloatHistogram::buckets`], from the highest value to the lowest.
    pub fn buckets_reversed(&self) -> impl Iterator<Item = Bucket> + '_ {
        let negative = self.negative.iter().map(|(index, count)| self.negative_bucket(index, count));
        let positive = self.positive.iter_reversed().map(|(index, count)| self.positive_bucket(index, count));
        positive.chain(self.zero_bucket()).chain(negative)
    }

    /// The buckets that Prometheus' HTTP API shows: those in which something was counted.
    pub fn populated_buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        self.buckets().filter(|bucket| bucket.count != 0.0)
    }

    /// The zero bucket, if something was counted in it.
    pub(super) fn zero_bucket(&self) -> Option<Bucket> {
        (self.zero_count > 0.0).then_some(Bucket {
            lower: -self.zero_threshold,
            upper: self.zero_threshold,
            lower_inclusive: true,
            upper_inclusive: true,
            count: self.zero_count,
        })
    }

    /// The bounds of a positive bucket, where the zero bucket does not count.
    pub(super) fn bounds(&self, index: i32) -> (f64, f64) {
        let index = i64::from(index);
        if self.is_custom() {
            (custom_bound(&self.custom_values, index - 1), custom_bound(&self.custom_values, index))
        } else {
            (exponential_bound(self.schema, index - 1), exponential_bound(self.schema, index))
        }
    }

    pub(super) fn positive_bucket(&self, index: i32, count: f64) -> Bucket {
        let (lower, upper) = self.bounds(index);
        let cut = !self.is_custom() && lower < self.zero_threshold && lower > 0.0;
        Bucket {
            lower: if cut { self.zero_threshold } else { lower },
            upper,
            lower_inclusive: self.is_custom() && index == 0,
            upper_inclusive: true,
            count,
        }
    }

    pub(super) fn negative_bucket(&self, index: i32, count: f64) -> Bucket {
        let mirrored = self.positive_bucket(index, count);
        Bucket {
            lower: -mirrored.upper,
            upper: -mirrored.lower,
            lower_inclusive: true,
            upper_inclusive: mirrored.lower_inclusive,
            count,
        }
    }
}
