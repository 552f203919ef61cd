//! Sums and means of many histograms, with the error of each addition carried along (Neumaier's variant of
//! Kahan's summation), as Prometheus sums them.

use super::{Buckets, CounterReset, FloatHistogram, Incompatible, Reconciled};

/// A sum of histograms.
#[derive(Debug, Clone)]
pub struct HistogramSum {
    total: FloatHistogram,
    /// What the additions to each number lost, in the layout of the total.
    lost: FloatHistogram,
    reset_seen: bool,
    not_reset_seen: bool,
    bounds_reconciled: bool,
}

impl HistogramSum {
    /// A sum of one.
    pub fn new(first: &FloatHistogram) -> Self {
        let mut lost = first.clone();
        zero(&mut lost);
        Self {
            total: first.clone(),
            lost,
            reset_seen: first.counter_reset == CounterReset::Reset,
            not_reset_seen: first.counter_reset == CounterReset::NotReset,
            bounds_reconciled: false,
        }
    }

    /// Adds one. On an error the sum is as it was.
    pub fn add(&mut self, other: &FloatHistogram) -> Result<(), Incompatible> {
        let (aligned, reconciled) = self.total.align(other)?;
        self.reset_seen |= other.counter_reset == CounterReset::Reset;
        self.not_reset_seen |= other.counter_reset == CounterReset::NotReset;
        self.bounds_reconciled |= reconciled.bounds;
        self.follow();
        add_exactly(&mut self.total.count, &mut self.lost.count, aligned.count);
        add_exactly(&mut self.total.sum, &mut self.lost.sum, aligned.sum);
        add_exactly(&mut self.total.zero_count, &mut self.lost.zero_count, aligned.zero_count);
        add_buckets(&mut self.total.positive, &mut self.lost.positive, &aligned.positive);
        add_buckets(&mut self.total.negative, &mut self.lost.negative, &aligned.negative);
        Ok(())
    }

    /// Brings what was lost to the form that the total has taken.
    fn follow(&mut self) {
        if self.total.is_custom() {
            if !self.total.same_bounds(&self.lost) {
                self.lost.regroup_to_bounds(self.total.custom_values.clone());
            }
        } else {
            if self.total.zero_threshold > self.lost.zero_threshold {
                self.lost.absorb_below(self.total.zero_threshold);
            }
            self.lost.reduce_resolution(self.total.schema);
        }
    }

    /// Multiplies the sum.
    pub fn mul(&mut self, factor: f64) {
        self.total.mul(factor);
        self.lost.mul(factor);
    }

    /// Divides the sum.
    pub fn div(&mut self, divisor: f64) {
        self.total.div(divisor);
        self.lost.div(divisor);
    }

    /// What had to be done about all that was added.
    pub const fn reconciled(&self) -> Reconciled {
        Reconciled { conflicting_resets: self.reset_seen && self.not_reset_seen, bounds: self.bounds_reconciled }
    }

    /// The sum, without empty buckets.
    pub fn finish(self) -> FloatHistogram {
        let Self { mut total, lost, .. } = self;
        let settle = |total: &mut f64, lost: f64| {
            if total.is_finite() {
                *total += lost;
            }
        };
        settle(&mut total.count, lost.count);
        settle(&mut total.sum, lost.sum);
        settle(&mut total.zero_count, lost.zero_count);
        for (total, lost) in [(&mut total.positive, &lost.positive), (&mut total.negative, &lost.negative)] {
            total.cover(lost);
            total.with_each(lost, |count, _, lost| settle(count, lost));
        }
        total.compact();
        total
    }
}

/// A mean of histograms: of their sum as long as that is no infinity, and from then on carried along, as
/// Prometheus has it.
#[derive(Debug, Clone)]
pub struct HistogramMean {
    /// The sum, or from the first overflow on the mean.
    sum: HistogramSum,
    count: f64,
    running: bool,
}

impl HistogramMean {
    /// The mean of one.
    pub fn new(first: &FloatHistogram) -> Self {
        Self { sum: HistogramSum::new(first), count: 1.0, running: false }
    }

    /// Adds one. On an error the mean is as it was.
    pub fn add(&mut self, other: &FloatHistogram) -> Result<(), Incompatible> {
        if !self.running {
            // Far from the largest number there is nothing to be undone.
            let before = if is_moderate(&self.sum.total) && is_moderate(other) { None } else { Some(self.sum.clone()) };
            self.sum.add(other)?;
            self.count += 1.0;
            match before {
                Some(before) if self.sum.total.overflows() => {
                    self.running = true;
                    self.sum = before;
                    self.sum.div(self.count - 1.0);
                }
                _ => return Ok(()),
            }
        } else {
            self.count += 1.0;
        }
        let mut part = other.clone();
        part.div(self.count);
        let mut mean = self.sum.clone();
        mean.mul((self.count - 1.0) / self.count);
        if let Err(incompatible) = mean.add(&part) {
            self.count -= 1.0;
            return Err(incompatible);
        }
        self.sum = mean;
        Ok(())
    }

    /// What had to be done about all that was added.
    pub const fn reconciled(&self) -> Reconciled {
        self.sum.reconciled()
    }

    /// The mean, without empty buckets.
    pub fn finish(self) -> FloatHistogram {
        let Self { mut sum, count, running } = self;
        if !running {
            sum.div(count);
        }
        sum.finish()
    }
}

/// Whether two of them can be added without overflow.
fn is_moderate(histogram: &FloatHistogram) -> bool {
    let counts = histogram.positive.counts().iter().chain(histogram.negative.counts());
    let numbers = [histogram.count, histogram.sum, histogram.zero_count];
    numbers.iter().chain(counts).all(|number| number.abs() < f64::MAX / 4.0)
}

fn zero(histogram: &mut FloatHistogram) {
    histogram.count = 0.0;
    histogram.sum = 0.0;
    histogram.zero_count = 0.0;
    histogram.positive.counts_mut().fill(0.0);
    histogram.negative.counts_mut().fill(0.0);
}

fn add_buckets(total: &mut Buckets, lost: &mut Buckets, more: &Buckets) {
    total.cover(more);
    // Lost covers a part of what the total covers at most.
    lost.cover(total);
    let errors = lost.counts_mut();
    total.with_each(more, |count, place, more| {
        if let Some(lost) = errors.get_mut(place) {
            add_exactly(count, lost, more);
        }
    });
}

/// Adds a number to a total and what the addition lost to what was lost before.
fn add_exactly(total: &mut f64, lost: &mut f64, more: f64) {
    let sum = *total + more;
    *lost = if sum.is_infinite() {
        0.0
    } else if total.abs() >= more.abs() {
        *lost + ((*total - sum) + more)
    } else {
        *lost + ((more - sum) + *total)
    };
    *total = sum;
}
