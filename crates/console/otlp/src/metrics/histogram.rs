//! Histograms with explicit bounds: checked, added up, and as the cumulative buckets that Prometheus has.

use super::HistogramPoint;
use super::emit::Reason;

/// A histogram whose bounds are known to be in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Histogram {
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    bounds: Vec<f64>,
    counts: Vec<u64>,
}

impl Histogram {
    /// The histogram of a point.
    pub(super) fn new(point: &HistogramPoint<'_>) -> Result<Self, Reason> {
        let (bounds, counts) = (&point.bounds, &point.counts);
        if !counts.is_empty() && counts.len() != bounds.len() + 1 {
            let (found, expected) = (counts.len(), bounds.len() + 1);
            return Err(format!("{found} bucket counts, but the explicit bounds make {expected} buckets").into());
        }
        if !bounds.is_sorted_by(|a, b| a < b) || bounds.iter().any(|bound| bound.is_nan()) {
            return Err("explicit bounds have to grow, as in [0.1, 0.5, 1]".into());
        }
        Ok(Self { count: point.count, sum: point.sum, bounds: bounds.clone(), counts: counts.clone() })
    }

    /// How many numbers it holds.
    pub(super) fn entries(&self) -> usize {
        2 + self.bounds.len() + self.counts.len()
    }

    /// Adds one with the same bounds; gives another back.
    pub(super) fn absorb(&mut self, delta: Self) -> Result<(), Self> {
        if self.bounds != delta.bounds || self.counts.len() != delta.counts.len() {
            return Err(delta);
        }
        self.count = self.count.saturating_add(delta.count);
        self.sum = self.sum.zip(delta.sum).map(|(total, delta)| total + delta);
        for (total, delta) in self.counts.iter_mut().zip(delta.counts) {
            *total = total.saturating_add(delta);
        }
        Ok(())
    }

    /// Upper bounds and how many values are up to them; the last, infinite one is not among them, for it
    /// holds all.
    pub(super) fn buckets(&self) -> Vec<(f64, u64)> {
        let mut up_to = 0_u64;
        let finite = self.bounds.iter().zip(&self.counts).filter(|(bound, _)| **bound != f64::INFINITY);
        let cumulative = finite.map(|(bound, count)| {
            up_to = up_to.saturating_add(*count);
            (*bound, up_to)
        });
        cumulative.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_histogram_is_told_why() {
        let point = |bounds: &[f64], counts: &[u64]| HistogramPoint {
            bounds: bounds.to_vec(),
            counts: counts.to_vec(),
            ..HistogramPoint::default()
        };
        assert!(Histogram::new(&point(&[1.0], &[1])).unwrap_err().contains("make 2 buckets"));
        assert!(Histogram::new(&point(&[2.0, 1.0], &[1, 1, 1])).unwrap_err().contains("have to grow"));
        assert!(Histogram::new(&point(&[f64::NAN], &[1, 1])).unwrap_err().contains("have to grow"));
        assert_eq!(Histogram::new(&point(&[], &[])).unwrap().buckets(), []);
        let good = Histogram::new(&point(&[1.0, 2.0], &[1, 2, 3])).unwrap();
        assert_eq!(good.buckets(), [(1.0, 1), (2.0, 3)]);
    }
}
