//! Sums of deltas, per series: OpenTelemetry's "delta-to-cumulative"
//! (<https://opentelemetry.io/docs/specs/otel/metrics/data-model/#sums-delta-to-cumulative>).
//!
//! - The first delta of a series begins a sum.
//! - One that begins where the last one ended, or overlaps it, or does not say where it begins, is added.
//! - One that begins later leaves a gap: the sender was restarted or something was lost. The sum begins anew.
//! - One that ends no later than the last one did, or begins before its sum, is refused.
//!
//! Where a sum begins the series gets a zero at the delta's start, if that is known and later than what
//! the series has: the zero is what a reset is for Prometheus, and without it `rate` would take the first
//! delta behind a gap for the difference to the sum before.

use console_model::Labels;
use hashbrown::HashMap;

use super::emit::{Reason, milliseconds};
use super::exponential::Exponential;
use super::histogram::Histogram;

/// Clocks that are not read twice: a gap of up to so many nanoseconds is none.
const GAP_NS_MAX: u64 = 1_000_000;

/// What is summed up.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Total {
    Number(f64),
    Histogram(Histogram),
    Exponential(Exponential),
}

impl Total {
    /// How many numbers it holds.
    fn entries(&self) -> usize {
        match self {
            Self::Number(_) => 1,
            Self::Histogram(histogram) => histogram.entries(),
            Self::Exponential(histogram) => histogram.entries(),
        }
    }

    /// Adds a delta, or gives it back if the two do not fit.
    fn absorb(&mut self, delta: Self) -> Result<(), Self> {
        match (self, delta) {
            (Self::Number(total), Self::Number(delta)) => {
                *total += delta;
                Ok(())
            }
            (Self::Histogram(total), Self::Histogram(delta)) => total.absorb(delta).map_err(Self::Histogram),
            (Self::Exponential(total), Self::Exponential(delta)) => {
                total.absorb(delta);
                Ok(())
            }
            (_, delta) => Err(delta),
        }
    }
}

/// When a delta was, and when it arrived; nanoseconds since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interval {
    pub(super) start_ns: u64,
    pub(super) time_ns: u64,
    pub(super) arrival_ns: u64,
}

#[derive(Debug)]
struct Entry {
    start_ns: u64,
    last_ns: u64,
    arrival_ns: u64,
    total: Total,
}

/// The sums of all series that send deltas.
#[derive(Debug)]
pub(super) struct Deltas {
    series: HashMap<Labels, Entry>,
    entries: usize,
    entries_max: usize,
    idle_ns_max: u64,
    swept_ns: u64,
}

impl Deltas {
    pub(super) fn new(entries_max: usize, idle_ns_max: u64) -> Self {
        Self { series: HashMap::new(), entries: 0, entries_max, idle_ns_max, swept_ns: 0 }
    }

    /// How many numbers are held.
    pub(super) const fn entries(&self) -> usize {
        self.entries
    }

    /// Adds a delta: the sum, and the millisecond at which it began if it did now.
    pub(super) fn add(
        &mut self,
        series: &Labels,
        interval: Interval,
        delta: Total,
    ) -> Result<(Total, Option<i64>), Reason> {
        let Interval { start_ns, time_ns, arrival_ns } = interval;
        let zero_ms = |last_ns: Option<u64>| {
            let start_ms = milliseconds(start_ns);
            let later = last_ns.is_none_or(|last_ns| milliseconds(last_ns) < start_ms);
            (start_ns != 0 && start_ms < milliseconds(time_ns) && later).then_some(start_ms)
        };
        let Some(entry) = self.series.get_mut(series) else {
            let more = delta.entries();
            if self.entries.saturating_add(more) > self.entries_max {
                return Err("no room for the sum of one more series of deltas; send cumulative values".into());
            }
            self.entries += more;
            let total = delta.clone();
            self.series.insert(series.clone(), Entry { start_ns, last_ns: time_ns, arrival_ns, total });
            return Ok((delta, zero_ms(None)));
        };
        if time_ns <= entry.last_ns {
            return Err("the delta ends no later than the one before it".into());
        }
        if start_ns != 0 && start_ns < entry.start_ns {
            return Err("the delta begins before the sum that it would be added to".into());
        }
        let before = entry.total.entries();
        let gap = start_ns > entry.last_ns.saturating_add(GAP_NS_MAX);
        let afresh = if gap { Err(delta) } else { entry.total.absorb(delta) };
        let mut zero = None;
        if let Err(delta) = afresh {
            entry.total = delta;
            entry.start_ns = start_ns;
            zero = zero_ms(Some(entry.last_ns));
        }
        (entry.last_ns, entry.arrival_ns) = (time_ns, arrival_ns);
        let total = entry.total.clone();
        self.entries = self.entries.saturating_sub(before) + total.entries();
        Ok((total, zero))
    }

    /// Forgets a series that says it has ended.
    pub(super) fn end(&mut self, series: &Labels) {
        if let Some(entry) = self.series.remove(series) {
            self.entries = self.entries.saturating_sub(entry.total.entries());
        }
    }

    /// Forgets what no delta arrived for in a long time; looks through all only now and then.
    pub(super) fn sweep(&mut self, arrival_ns: u64) {
        if arrival_ns.saturating_sub(self.swept_ns) < self.idle_ns_max / 8 {
            return;
        }
        self.swept_ns = arrival_ns;
        let idle_ns_max = self.idle_ns_max;
        self.series.retain(|_, entry| arrival_ns.saturating_sub(entry.arrival_ns) <= idle_ns_max);
        self.entries = self.series.values().map(|entry| entry.total.entries()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn add(deltas: &mut Deltas, start_ms: u64, end_ms: u64, value: f64) -> Result<(f64, Option<i64>), Reason> {
        let interval = Interval { start_ns: start_ms * MS, time_ns: end_ms * MS, arrival_ns: end_ms * MS };
        let series = Labels::from_pairs([("__name__", "x")]);
        deltas.add(&series, interval, Total::Number(value)).map(|(total, zero)| match total {
            Total::Number(total) => (total, zero),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn deltas_in_a_row_are_summed_up() {
        let mut deltas = Deltas::new(10, 1_000 * MS);
        assert_eq!(add(&mut deltas, 100, 110, 5.0), Ok((5.0, Some(100))));
        assert_eq!(add(&mut deltas, 110, 120, 2.0), Ok((7.0, None)));
        // No start: nothing is known of a gap.
        assert_eq!(add(&mut deltas, 0, 130, 1.0), Ok((8.0, None)));
        // Overlapping: another sender with the same labels, perhaps. What it says is not lost.
        assert_eq!(add(&mut deltas, 125, 140, 1.0), Ok((9.0, None)));
    }

    #[test]
    fn a_gap_begins_a_new_sum_from_zero() {
        let mut deltas = Deltas::new(10, 1_000 * MS);
        assert_eq!(add(&mut deltas, 100, 110, 5.0), Ok((5.0, Some(100))));
        assert_eq!(add(&mut deltas, 150, 160, 7.0), Ok((7.0, Some(150))));
        assert_eq!(add(&mut deltas, 160, 170, 1.0), Ok((8.0, None)));
    }

    #[test]
    fn what_is_late_is_refused() {
        let mut deltas = Deltas::new(10, 1_000 * MS);
        assert_eq!(add(&mut deltas, 100, 110, 5.0), Ok((5.0, Some(100))));
        assert!(add(&mut deltas, 100, 110, 5.0).unwrap_err().contains("no later"));
        assert!(add(&mut deltas, 90, 120, 5.0).unwrap_err().contains("begins before"));
        assert_eq!(add(&mut deltas, 110, 120, 1.0), Ok((6.0, None)));
    }

    #[test]
    fn sums_are_bounded_and_idle_ones_forgotten() {
        let mut deltas = Deltas::new(1, 1_000 * MS);
        assert_eq!(add(&mut deltas, 100, 110, 5.0), Ok((5.0, Some(100))));
        let other = Labels::from_pairs([("__name__", "y")]);
        let interval = |ms: u64| Interval { start_ns: 0, time_ns: ms * MS, arrival_ns: ms * MS };
        assert!(deltas.add(&other, interval(120), Total::Number(1.0)).unwrap_err().contains("no room"));
        deltas.sweep(1_200 * MS);
        assert_eq!(deltas.entries(), 0);
        assert_eq!(deltas.add(&other, interval(1_300), Total::Number(1.0)), Ok((Total::Number(1.0), None)));
        deltas.end(&other);
        assert_eq!(deltas.entries(), 0);
    }
}
