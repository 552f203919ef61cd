//! Bringing two histograms to one form: the coarser schema, the wider zero bucket, the bounds that both
//! have.

use std::borrow::Cow;
use std::sync::Arc;

use super::arithmetic::{Incompatible, Reconciled};
use super::schema::{coarser_index, exponential_bound, is_exponential};
use super::{Buckets, CounterReset, FloatHistogram};

impl FloatHistogram {
    /// Joins buckets until the resolution is that of `schema`. Without effect where it is that coarse already
    /// and on custom buckets.
    pub fn reduce_resolution(&mut self, schema: i8) {
        if !is_exponential(self.schema) || !is_exponential(schema) || schema >= self.schema {
            return;
        }
        let steps = u32::from(self.schema.abs_diff(schema));
        self.positive = self.positive.regroup(|index| coarser_index(index, steps));
        self.negative = self.negative.regroup(|index| coarser_index(index, steps));
        self.schema = schema;
    }

    /// Widens the zero bucket to `threshold`, or as far beyond it as is needed so that no bucket in which
    /// something was counted is cut through. Without effect where it is that wide already.
    pub fn widen_zero(&mut self, threshold: f64) {
        if threshold > self.zero_threshold && !self.is_custom() {
            let threshold = self.threshold_clear_of_buckets(threshold);
            self.absorb_below(threshold);
        }
    }

    /// The first threshold from this one on that cuts through no bucket in which something was counted.
    pub(super) fn threshold_clear_of_buckets(&self, mut threshold: f64) -> f64 {
        // Each round ends at the end of another bucket, so there are at most as many rounds as buckets; two
        // are enough but for buckets of both signs that take turns.
        loop {
            let before = threshold;
            for buckets in [&self.positive, &self.negative] {
                for (index, count) in buckets.iter() {
                    let (lower, upper) = self.bounds(index);
                    if lower >= threshold {
                        break;
                    }
                    if upper > threshold && count != 0.0 {
                        threshold = upper;
                    }
                }
            }
            if threshold.total_cmp(&before).is_eq() {
                return threshold;
            }
        }
    }

    /// Makes this the zero bucket's threshold and moves into it what was counted in buckets that begin below.
    pub(super) fn absorb_below(&mut self, threshold: f64) {
        let schema = self.schema;
        let mut absorbed = 0.0;
        for buckets in [&mut self.positive, &mut self.negative] {
            let inside = |index: i32| exponential_bound(schema, i64::from(index) - 1) < threshold;
            if !buckets.iter().next().is_some_and(|(index, _)| inside(index)) {
                continue;
            }
            absorbed += buckets.iter().filter(|(index, _)| inside(*index)).map(|(_, count)| count).sum::<f64>();
            *buckets = Buckets::from_counts(buckets.iter().filter(|(index, _)| !inside(*index)));
        }
        self.zero_count += absorbed;
        self.zero_threshold = threshold;
    }

    /// Whether both have the same custom bounds, bit by bit.
    pub(super) fn same_bounds(&self, other: &Self) -> bool {
        let (mine, theirs) = (&self.custom_values, &other.custom_values);
        Arc::ptr_eq(mine, theirs)
            || (mine.len() == theirs.len()
                && mine.iter().zip(theirs.iter()).all(|(one, other)| one.to_bits() == other.to_bits()))
    }

    /// The custom bounds that both have.
    pub(super) fn common_bounds(&self, other: &Self) -> Arc<[f64]> {
        let mut theirs = other.custom_values.iter().copied().peekable();
        let common = self.custom_values.iter().copied().filter(|bound| {
            while theirs.next_if(|candidate| candidate < bound).is_some() {}
            theirs.next_if(|candidate| candidate == bound).is_some()
        });
        common.collect()
    }

    /// Joins custom buckets until there are only these bounds, which must be among its own.
    pub(super) fn regroup_to_bounds(&mut self, bounds: Arc<[f64]>) {
        let own = std::mem::replace(&mut self.custom_values, bounds);
        let bounds = &self.custom_values;
        self.positive = self.positive.regroup(|index| {
            let upper = usize::try_from(index).ok().and_then(|index| own.get(index));
            let place = upper.map_or(bounds.len(), |upper| bounds.partition_point(|bound| bound < upper));
            i32::try_from(place).unwrap_or(i32::MAX)
        });
    }

    /// Brings both to one form: this one in place, the other in a copy if it must change.
    pub(super) fn align<'a>(&mut self, other: &'a Self) -> Result<(Cow<'a, Self>, Reconciled), Incompatible> {
        let mut other = Cow::Borrowed(other);
        let mut reconciled = Reconciled::default();
        if self.is_custom() != other.is_custom() {
            return Err(Incompatible::MixedSchemas);
        }
        if self.is_custom() {
            if !self.same_bounds(&other) {
                let bounds = self.common_bounds(&other);
                self.regroup_to_bounds(bounds.clone());
                other.to_mut().regroup_to_bounds(bounds);
                reconciled.bounds = true;
            }
        } else {
            self.align_zero(&mut other);
            self.reduce_resolution(other.schema);
            if other.schema > self.schema {
                other.to_mut().reduce_resolution(self.schema);
            }
        }
        reconciled.conflicting_resets = self.join_hint(other.counter_reset);
        Ok((other, reconciled))
    }

    /// Widens the zero bucket of one, which may widen it beyond the other's, and so on: each time by at least
    /// one bucket, so it ends.
    fn align_zero(&mut self, other: &mut Cow<'_, Self>) {
        loop {
            if self.zero_threshold > other.zero_threshold {
                other.to_mut().widen_zero(self.zero_threshold);
            } else if other.zero_threshold > self.zero_threshold {
                self.widen_zero(other.zero_threshold);
            } else {
                return;
            }
        }
    }

    /// What is known of a sum's counter resets. Says whether one of the two is a reset and the other none,
    /// which nothing can be made of.
    fn join_hint(&mut self, other: CounterReset) -> bool {
        use CounterReset::{Gauge, NotReset, Reset, Unknown};
        let (hint, conflict) = match (self.counter_reset, other) {
            (one, other) if one == other => (one, false),
            (Gauge, _) | (_, Gauge) => (Gauge, false),
            (Reset, NotReset) | (NotReset, Reset) => (Unknown, true),
            _ => (Unknown, false),
        };
        self.counter_reset = hint;
        conflict
    }
}
