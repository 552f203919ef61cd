//! When customers come: by arithmetic on the plan alone, never by what the service answers.
//!
//! Pure. The first request of a customer is due when all requests of the customers before him would
//! have been sent at the fixed rate, so that the requests together, not the customers, make the rate.
//! Sessions that come openly and then take their steps one after the other are the *partly open*
//! model of Schroeder, Wierman, Harchol-Balter: "Open Versus Closed: A Cautionary Tale" (NSDI 2006).

use std::time::Duration;

use crate::planner::{Journey, Planner};

/// The unmeasured and then the measured time of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
}

impl Window {
    pub(crate) fn total(&self) -> Duration {
        self.warm_up.saturating_add(self.duration)
    }

    /// Whether what is due then is measured.
    pub(crate) fn measures(&self, at: Duration) -> bool {
        at >= self.warm_up
    }
}

/// A customer who comes.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// Since the beginning of the run.
    pub(crate) at: Duration,
    pub(crate) measured: bool,
    pub(crate) journey: Journey,
}

/// All customers of a run, in the order of their coming.
#[derive(Debug)]
pub(crate) struct Schedule {
    planner: Planner,
    rate_per_second: f64,
    window: Window,
    requests_before: u64,
}

impl Schedule {
    pub(crate) fn new(planner: Planner, rate_per_second: f64, window: Window) -> Self {
        Self { planner, rate_per_second, window, requests_before: 0 }
    }
}

impl Iterator for Schedule {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        // Computed from the count each time: adding up gaps would drift.
        let at = Duration::try_from_secs_f64(self.requests_before as f64 / self.rate_per_second).ok()?;
        if at >= self.window.total() {
            return None;
        }
        let journey = self.planner.next();
        self.requests_before += journey.requests();
        Some(Arrival { at, measured: self.window.measures(at), journey })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scenario::{Mix, Scenario};

    fn schedule(rate_per_second: f64, warm_up_ms: u64, duration_ms: u64, mix: Mix) -> Vec<Arrival> {
        let window =
            Window { warm_up: Duration::from_millis(warm_up_ms), duration: Duration::from_millis(duration_ms) };
        Schedule::new(Planner::new(1, mix, Duration::ZERO), rate_per_second, window).collect()
    }

    #[test]
    fn history_readers_with_five_requests_come_every_half_second_at_ten_a_second() {
        let arrivals = schedule(10.0, 1_000, 2_000, Mix::only(Scenario::History));
        let at: Vec<_> = arrivals.iter().map(|arrival| arrival.at.as_millis()).collect();
        assert_eq!(at, [0, 500, 1_000, 1_500, 2_000, 2_500]);
        let measured: Vec<_> = arrivals.iter().map(|arrival| arrival.measured).collect();
        assert_eq!(measured, [false, false, true, true, true, true]);
    }

    #[test]
    fn a_long_run_does_not_drift() {
        let arrivals = schedule(333.3, 0, 3_600_000, Mix::only(Scenario::History));
        let last = arrivals.last().unwrap();
        let wanted = (arrivals.len() - 1) as f64 * 5.0 / 333.3;
        assert!((last.at.as_secs_f64() - wanted).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn requests_make_the_rate(rate in 1.0_f64..500.0, seconds in 1_u64..20) {
            let arrivals = schedule(rate, 0, seconds * 1_000, Mix::default());
            let requests: u64 = arrivals.iter().map(|arrival| arrival.journey.requests()).sum();
            let wanted = rate * seconds as f64;
            // The last customer may have more requests than fit.
            prop_assert!(requests as f64 >= wanted && (requests as f64) < wanted + 9.0);
            prop_assert!(arrivals.is_sorted_by_key(|arrival| arrival.at));
        }
    }
}
