//! Whether a counter began anew between two histograms.

use super::{CounterReset, FloatHistogram};

impl FloatHistogram {
    /// Whether this one cannot have grown out of `before`, so that the counter must have begun anew between
    /// them. Follows the hint where there is one.
    pub fn is_reset_since(&self, before: &Self) -> bool {
        match self.counter_reset {
            CounterReset::Reset => return true,
            CounterReset::NotReset => return false,
            CounterReset::Unknown | CounterReset::Gauge => {}
        }
        if self.count < before.count || self.is_custom() != before.is_custom() {
            return true;
        }
        if self.is_custom() { self.custom_falls_short(before) } else { self.exponential_falls_short(before) }
    }

    fn custom_falls_short(&self, before: &Self) -> bool {
        if self.same_bounds(before) {
            return self.positive.falls_short_of(&before.positive);
        }
        let bounds = self.common_bounds(before);
        let (mut now, mut before) = (self.clone(), before.clone());
        now.regroup_to_bounds(bounds.clone());
        before.regroup_to_bounds(bounds);
        now.positive.falls_short_of(&before.positive)
    }

    fn exponential_falls_short(&self, before: &Self) -> bool {
        // A running counter loses resolution and widens its zero bucket, never the other way.
        if self.schema > before.schema || self.zero_threshold < before.zero_threshold {
            return true;
        }
        if self.schema == before.schema && self.zero_threshold <= before.zero_threshold {
            return self.counts_fall_short(before);
        }
        if before.threshold_clear_of_buckets(self.zero_threshold) > self.zero_threshold {
            return true;
        }
        let mut before = before.clone();
        before.widen_zero(self.zero_threshold);
        before.reduce_resolution(self.schema);
        self.counts_fall_short(&before)
    }

    fn counts_fall_short(&self, before: &Self) -> bool {
        self.zero_count < before.zero_count
            || self.positive.falls_short_of(&before.positive)
            || self.negative.falls_short_of(&before.negative)
    }
}
