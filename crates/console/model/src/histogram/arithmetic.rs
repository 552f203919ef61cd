//! Sums and differences of histograms, and their multiples. Sums that are exact over many histograms are in
//! `sum`.

use super::{CounterReset, FloatHistogram};

/// Says why two histograms have no sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Incompatible {
    /// One has exponential buckets, the other listed bounds.
    #[error("a histogram with exponential buckets and one with custom buckets have no buckets in common")]
    MixedSchemas,
}

/// What had to be done about two histograms to bring them together, for a query to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reconciled {
    /// One is known to be a counter reset and the other to be none.
    pub conflicting_resets: bool,
    /// Their custom bounds differ: only those that both have are left.
    pub bounds: bool,
}

impl FloatHistogram {
    /// Adds another one. The result has the coarser of both schemas and a zero bucket as wide as both, or
    /// the bounds that both have.
    pub fn add(&mut self, other: &Self) -> Result<Reconciled, Incompatible> {
        self.combine(other, |mine, theirs| mine + theirs)
    }

    /// Subtracts another one, as [`FloatHistogram::add`] adds it. The result is a gauge.
    pub fn sub(&mut self, other: &Self) -> Result<Reconciled, Incompatible> {
        let reconciled = self.combine(other, |mine, theirs| mine - theirs)?;
        self.counter_reset = CounterReset::Gauge;
        Ok(reconciled)
    }

    fn combine(&mut self, other: &Self, operation: impl Fn(f64, f64) -> f64) -> Result<Reconciled, Incompatible> {
        let (other, reconciled) = self.align(other)?;
        self.count = operation(self.count, other.count);
        self.sum = operation(self.sum, other.sum);
        self.zero_count = operation(self.zero_count, other.zero_count);
        let sides = [(&mut self.positive, &other.positive), (&mut self.negative, &other.negative)];
        for (mine, theirs) in sides {
            mine.cover(theirs);
            mine.with_each(theirs, |count, _, their| *count = operation(*count, their));
        }
        Ok(reconciled)
    }

    /// Multiplies everything that is counted, and the sum. A negative factor makes it a gauge.
    pub fn mul(&mut self, factor: f64) {
        self.scale(factor, |number| number * factor);
    }

    /// Divides everything that is counted, and the sum. A negative divisor makes it a gauge; 0 leaves no
    /// buckets, for nothing can be said of them.
    pub fn div(&mut self, divisor: f64) {
        self.scale(divisor, |number| number / divisor);
        if divisor == 0.0 {
            self.positive = super::Buckets::new();
            self.negative = super::Buckets::new();
        }
    }

    fn scale(&mut self, factor: f64, operation: impl Fn(f64) -> f64) {
        let counts = self.positive.counts_mut().iter_mut().chain(self.negative.counts_mut());
        counts
            .chain([&mut self.count, &mut self.sum, &mut self.zero_count])
            .for_each(|number| *number = operation(*number));
        if factor < 0.0 {
            self.counter_reset = CounterReset::Gauge;
        }
    }
}
