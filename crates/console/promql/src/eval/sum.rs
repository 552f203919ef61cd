//! Sums that carry the error of each addition along (Neumaier's variant of Kahan's summation), means, and
//! other figures of many numbers, as Prometheus computes them.

/// A sum.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    total: f64,
    lost: f64,
}

impl Sum {
    pub(super) const fn of(first: f64) -> Self {
        Self { total: first, lost: 0.0 }
    }

    pub(super) fn add(&mut self, more: f64) {
        let total = self.total + more;
        if total.is_infinite() {
            self.lost = 0.0;
        } else if self.total.abs() >= more.abs() {
            self.lost += (self.total - total) + more;
        } else {
            self.lost += (more - total) + self.total;
        }
        self.total = total;
    }

    pub(super) fn value(self) -> f64 {
        if self.total.is_infinite() { self.total } else { self.total + self.lost }
    }
}

/// A mean: of the sum as long as that is no infinity, from then on carried along.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mean {
    sum: Sum,
    count: f64,
    running: bool,
}

impl Mean {
    pub(super) const fn of(first: f64) -> Self {
        Self { sum: Sum::of(first), count: 1.0, running: false }
    }

    pub(super) fn add(&mut self, more: f64) {
        self.count += 1.0;
        if !self.running {
            let mut sum = self.sum;
            sum.add(more);
            if !sum.total.is_infinite() {
                self.sum = sum;
                return;
            }
            self.running = true;
            let before = self.count - 1.0;
            self.sum = Sum { total: self.sum.total / before, lost: self.sum.lost / before };
        }
        let share = (self.count - 1.0) / self.count;
        self.sum = Sum { total: self.sum.total * share, lost: self.sum.lost * share };
        self.sum.add(more / self.count);
    }

    pub(super) fn value(self) -> f64 {
        if self.running { self.sum.value() } else { self.sum.total / self.count + self.sum.lost / self.count }
    }
}

/// The variance of numbers, in one pass.
pub(super) fn variance(values: impl Iterator<Item = f64>) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, Sum::default(), Sum::default());
    for value in values {
        count += 1.0;
        let delta = value - mean.value();
        mean.add(delta / count);
        squares.add(delta * (value - mean.value()));
    }
    squares.value() / count
}

/// The value below which a share of the numbers is. NaN counts as the lowest. Sorts them.
pub(super) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    values.sort_unstable_by(|a, b| nan_first(*a, *b));
    let last = values.len() - 1;
    let rank = q * last as f64;
    let lower = (rank.floor().max(0.0) as usize).min(last);
    let upper = (lower + 1).min(last);
    let weight = rank - rank.floor();
    let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
    // Nothing of the upper one counts, which an infinity would make NaN of.
    if weight == 0.0 { at(lower) } else { at(lower) * (1.0 - weight) + at(upper) * weight }
}

/// In rising order, NaN before all others.
pub(super) fn nan_first(a: f64, b: f64) -> std::cmp::Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(values: &[f64]) -> f64 {
        let mut mean = Mean::of(values[0]);
        values[1..].iter().for_each(|value| mean.add(*value));
        mean.value()
    }

    #[test]
    fn small_numbers_survive_large_ones() {
        let mut sum = Sum::of(1.0);
        [1e100, 1.0, -1e100].into_iter().for_each(|value| sum.add(value));
        assert_eq!(sum.value(), 2.0);
        assert_eq!(mean(&[f64::MAX, f64::MAX]), f64::MAX);
        assert_eq!(mean(&[f64::INFINITY, 0.0, f64::INFINITY]), f64::INFINITY);
        assert!(mean(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        assert_eq!(mean(&[52.0; 12]), 52.0);
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        assert_eq!(quantile(0.75, &mut [4.0, 0.0, 1.0]), 2.5);
        assert_eq!(quantile(0.8, &mut [0.0, 1.0, f64::NAN]), 0.6000000000000001);
        assert!(quantile(0.2, &mut [0.0, 1.0, f64::NAN]).is_nan());
        assert_eq!(quantile(-0.1, &mut [0.0]), f64::NEG_INFINITY);
    }

    #[test]
    fn a_variance_of_equal_numbers_is_nothing() {
        assert_eq!(variance([1.5990505637277868; 3].into_iter()), 0.0);
        assert!((variance([0.0, 8.0, 8.0, 2.0, 3.0].into_iter()) - 10.56).abs() < 1e-12);
    }
}
