//! Exponential histograms as classic ones, with explicit bounds.
//!
//! A bucket with index `i` at scale `s` holds what is above `base^i` and up to `base^(i+1)`, where `base` is
//! `2^(2^-s)`. These become buckets with the upper bounds `le = base^(i+1)`, over the range of buckets that
//! hold anything, empty ones between included, so that bounds do not come and go; and one more bound at the
//! lower edge, without which a quantile within the lowest bucket would be interpolated from zero.
//!
//! - Where that would be more than [`BUCKETS_MAX`], the scale is lowered, which joins neighbours in pairs as
//!   often as is needed. Bounds at a lower scale are bounds at a higher one too, so series go on.
//! - Negative buckets come first, from the largest magnitude on, with `le = -base^i`: the magnitude's lower
//!   edge is the value's upper one. A value of exactly `-base^(i+1)` is counted one bucket late, because
//!   negative buckets hold their lower edge and Prometheus' do not.
//! - The zero bucket becomes `le = zero_threshold`, if it or a negative bucket holds anything.
//! - Bounds beyond what a double can hold are left out; the infinite bucket has what is in them.

use super::emit::Reason;
use super::{Buckets, ExponentialPoint};

/// How many buckets a histogram becomes at most, the infinite one included.
const BUCKETS_MAX: usize = 160;
/// What one side of zero can have at most: the zero bucket, a lower edge and the infinite bucket are besides.
const SPAN_MAX: i64 = BUCKETS_MAX as i64 - 3;
/// Scales beyond make buckets that doubles cannot tell apart, or that hold all of them.
const SCALES: std::ops::RangeInclusive<i32> = -11..=52;

/// An exponential histogram of at most [`BUCKETS_MAX`] buckets.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Exponential {
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    scale: i32,
    zero_count: u64,
    zero_threshold: f64,
    positive: Buckets,
    negative: Buckets,
}

impl Exponential {
    /// The histogram of a point, its scale lowered if it has too many buckets.
    pub(super) fn new(point: &ExponentialPoint<'_>) -> Result<Self, Reason> {
        if !SCALES.contains(&point.scale) {
            let (low, high) = (SCALES.start(), SCALES.end());
            return Err(format!("a scale of {}, but it has to be from {low} to {high}", point.scale).into());
        }
        if !(point.zero_threshold >= 0.0 && point.zero_threshold.is_finite()) {
            return Err("the zero threshold has to be a finite number that is not negative".into());
        }
        let mut histogram = Self {
            count: point.count,
            sum: point.sum,
            scale: point.scale,
            zero_count: point.zero_count,
            zero_threshold: point.zero_threshold,
            positive: trimmed(&point.positive),
            negative: trimmed(&point.negative),
        };
        histogram.lower_to_fit();
        Ok(histogram)
    }

    /// How many numbers it holds.
    pub(super) fn entries(&self) -> usize {
        4 + self.positive.counts.len() + self.negative.counts.len()
    }

    /// Adds another one, at the lower of the scales and the higher of the zero thresholds.
    pub(super) fn absorb(&mut self, mut delta: Self) {
        let scale = self.scale.min(delta.scale);
        self.lower_by(self.scale.abs_diff(scale));
        delta.lower_by(delta.scale.abs_diff(scale));
        // Joined, they may be too wide; told before anything is allocated.
        let shift = shift_to_fit(&union(&self.positive, &delta.positive), &union(&self.negative, &delta.negative));
        self.lower_by(shift);
        delta.lower_by(shift);
        let threshold = self.zero_threshold.max(delta.zero_threshold);
        self.raise_threshold(threshold);
        delta.raise_threshold(threshold);
        self.count = self.count.saturating_add(delta.count);
        self.sum = self.sum.zip(delta.sum).map(|(total, delta)| total + delta);
        self.zero_count = self.zero_count.saturating_add(delta.zero_count);
        merge(&mut self.positive, &delta.positive);
        merge(&mut self.negative, &delta.negative);
    }

    fn lower_to_fit(&mut self) {
        let range = |buckets: &Buckets| (!buckets.counts.is_empty()).then(|| (buckets.offset, last(buckets)));
        self.lower_by(shift_to_fit(&range(&self.positive), &range(&self.negative)));
    }

    fn lower_by(&mut self, shift: u32) {
        if shift > 0 {
            lower(&mut self.positive, shift);
            lower(&mut self.negative, shift);
            self.scale = self.scale.saturating_sub_unsigned(shift);
        }
    }

    /// Moves buckets that are within the threshold, or only just beyond it, to the zero bucket.
    fn raise_threshold(&mut self, threshold: f64) {
        if threshold <= self.zero_threshold {
            return;
        }
        self.zero_threshold = threshold;
        let scale = self.scale;
        for buckets in [&mut self.positive, &mut self.negative] {
            let within = (0_i64..).zip(&buckets.counts);
            let within = within.take_while(|(position, _)| power(buckets.offset + position, scale) < threshold).count();
            let moved: u64 = buckets.counts.drain(..within).fold(0, u64::saturating_add);
            buckets.offset += i64::try_from(within).unwrap_or(0);
            self.zero_count = self.zero_count.saturating_add(moved);
        }
    }

    /// Upper bounds and how many values are up to them; the last, infinite one is not among them, for it
    /// holds all.
    pub(super) fn buckets(&self) -> Vec<(f64, u64)> {
        let mut buckets = Vec::new();
        let mut up_to = 0_u64;
        let mut push = |bound: f64, count: u64| {
            up_to = up_to.saturating_add(count);
            match buckets.last_mut() {
                Some((last, total)) if *last >= bound => *total = up_to,
                _ if bound.is_finite() => buckets.push((bound, up_to)),
                _ => {}
            }
        };
        for (position, count) in self.negative.counts.iter().enumerate().rev() {
            push(-power(self.negative.offset + position as i64, self.scale), *count);
        }
        if self.zero_count > 0 || !self.negative.counts.is_empty() {
            push(self.zero_threshold, self.zero_count);
        }
        if !self.positive.counts.is_empty() {
            push(power(self.positive.offset, self.scale), 0);
        }
        for (position, count) in self.positive.counts.iter().enumerate() {
            push(power(self.positive.offset + position as i64 + 1, self.scale), *count);
        }
        buckets
    }
}

/// `base^index` at this scale: the same double for the same bound, whatever the scale.
fn power(index: i64, scale: i32) -> f64 {
    (index as f64 * f64::from(-scale).exp2()).exp2()
}

fn last(buckets: &Buckets) -> i64 {
    buckets.offset + buckets.counts.len() as i64 - 1
}

/// The same without empty buckets at both ends.
fn trimmed(buckets: &Buckets) -> Buckets {
    let used = |count: &u64| *count > 0;
    let Some(first) = buckets.counts.iter().position(used) else { return Buckets::default() };
    let end = buckets.counts.iter().rposition(used).map_or(first, |last| last + 1);
    Buckets {
        offset: buckets.offset + first as i64,
        counts: buckets.counts.get(first..end).unwrap_or_default().to_vec(),
    }
}

type Range = Option<(i64, i64)>;

fn union(a: &Buckets, b: &Buckets) -> Range {
    match (a.counts.is_empty(), b.counts.is_empty()) {
        (true, true) => None,
        (false, true) => Some((a.offset, last(a))),
        (true, false) => Some((b.offset, last(b))),
        (false, false) => Some((a.offset.min(b.offset), last(a).max(last(b)))),
    }
}

/// How often neighbours have to be joined until both sides together are few enough. Indexes have 33 bits, so
/// it ends.
fn shift_to_fit(positive: &Range, negative: &Range) -> u32 {
    let span = |range: &Range, shift: u32| range.map_or(0, |(low, high)| (high >> shift) - (low >> shift) + 1);
    (0..40).find(|shift| span(positive, *shift) + span(negative, *shift) <= SPAN_MAX).unwrap_or(40)
}

fn lower(buckets: &mut Buckets, shift: u32) {
    if buckets.counts.is_empty() {
        return;
    }
    let first = buckets.offset >> shift;
    let mut counts = vec![0_u64; ((last(buckets) >> shift) - first + 1) as usize];
    for (position, count) in buckets.counts.iter().enumerate() {
        let index = ((buckets.offset + position as i64) >> shift) - first;
        if let Some(joined) = counts.get_mut(index as usize) {
            *joined = joined.saturating_add(*count);
        }
    }
    *buckets = Buckets { offset: first, counts };
}

/// Adds buckets of the same scale; both together are few.
fn merge(total: &mut Buckets, delta: &Buckets) {
    let Some((first, last)) = union(total, delta) else { return };
    let mut counts = vec![0_u64; (last - first + 1) as usize];
    for buckets in [&*total, delta] {
        for (position, count) in buckets.counts.iter().enumerate() {
            if let Some(sum) = counts.get_mut((buckets.offset - first) as usize + position) {
                *sum = sum.saturating_add(*count);
            }
        }
    }
    *total = Buckets { offset: first, counts };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(scale: i32, offset: i64, counts: &[u64]) -> ExponentialPoint<'static> {
        let positive = Buckets { offset, counts: counts.to_vec() };
        ExponentialPoint { scale, positive, count: 9, ..ExponentialPoint::default() }
    }

    #[test]
    fn buckets_get_their_bounds() {
        let histogram = Exponential::new(&point(0, -1, &[1, 0, 3])).unwrap();
        assert_eq!(histogram.buckets(), [(0.5, 0), (1.0, 1), (2.0, 1), (4.0, 4)]);
    }

    #[test]
    fn zeros_and_negatives_come_first() {
        let mut given = point(0, 0, &[2]);
        given.negative = Buckets { offset: 1, counts: vec![4, 8] };
        given.zero_count = 16;
        let histogram = Exponential::new(&given).unwrap();
        // 8 from -8 to -4, 4 from -4 to -2, 16 about zero, 2 from 1 to 2.
        assert_eq!(histogram.buckets(), [(-4.0, 8), (-2.0, 12), (0.0, 28), (1.0, 28), (2.0, 30)]);
        given.zero_threshold = 0.25;
        let histogram = Exponential::new(&given).unwrap();
        assert_eq!(histogram.buckets()[2], (0.25, 28));
    }

    #[test]
    fn too_many_buckets_are_joined_and_none_is_lost() {
        let counts: Vec<u64> = (0..1_000).map(|number| number % 3).collect();
        let histogram = Exponential::new(&point(5, -300, &counts)).unwrap();
        let buckets = histogram.buckets();
        assert!(buckets.len() < BUCKETS_MAX, "{}", buckets.len());
        assert_eq!(buckets.last().unwrap().1, counts.iter().sum::<u64>());
        let fine = |index: i64| power(index, 5);
        let wrong = buckets.iter().find(|(bound, _)| !(-300..=700).any(|index| fine(index) == *bound || *bound > 0.0));
        assert_eq!(wrong, None);
        assert!(buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1));
    }

    #[test]
    fn bounds_at_a_lower_scale_are_bounds_at_a_higher_one() {
        for index in -50..50 {
            assert_eq!(power(index, 3).to_bits(), power(index * 2, 4).to_bits());
            assert_eq!(power(index, -1).to_bits(), power(index * 2, 0).to_bits());
        }
    }

    #[test]
    fn different_scales_and_thresholds_are_added_up() {
        let mut total = Exponential::new(&point(1, 0, &[1, 1, 1, 1])).unwrap();
        let mut other = point(0, 4, &[5]);
        other.zero_threshold = 1.5;
        total.absorb(Exponential::new(&other).unwrap());
        // At scale 0 the first two are from 1 to 2, which the threshold reaches into.
        assert_eq!(total.buckets(), [(1.5, 2), (2.0, 2), (4.0, 4), (8.0, 4), (16.0, 4), (32.0, 9)]);
        assert_eq!(total.count, 18);
    }

    #[test]
    fn hostile_numbers_stay_small() {
        for (scale, offset) in [(52, i64::from(i32::MAX)), (-11, i64::from(i32::MIN)), (20, 0), (0, -2_000)] {
            let histogram = Exponential::new(&point(scale, offset, &[u64::MAX, 0, u64::MAX])).unwrap();
            let buckets = histogram.buckets();
            assert!(buckets.is_sorted_by(|a, b| a.0 < b.0) && buckets.len() < BUCKETS_MAX, "{buckets:?}");
        }
        assert!(Exponential::new(&point(100, 0, &[1])).unwrap_err().contains("from -11 to 52"));
        let mut total = Exponential::new(&point(0, i64::from(i32::MIN), &[1])).unwrap();
        total.absorb(Exponential::new(&point(0, i64::from(i32::MAX), &[1])).unwrap());
        assert!(total.entries() < BUCKETS_MAX);
    }
}
