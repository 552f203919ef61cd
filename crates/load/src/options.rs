//! What a run is to do, typed and checked. How a command line says it is [`crate::arguments`]'s.

use std::time::Duration;

use crate::{journey::WallClock, scenario::Mix, slo::Objective, target::Target};

/// Requests a second at most; beyond, the schedule's own arithmetic would be the load.
const RATE_MAX: f64 = 1_000_000.0;

/// Customers under way at most: each is a task, a connection, and a few kilobytes.
const CUSTOMERS_MAX: usize = 100_000;

/// A day: longer runs are `highbeam up`'s demo traffic.
const DURATION_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// When requests are sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// At a fixed rate, whatever the answers do.
    Open {
        /// Requests a second. Customers come so that all their requests together make this rate.
        rate_per_second: f64,
        /// Customers under way at once, each with one request in flight (an impatient one: two).
        in_flight_max: usize,
        /// How long a customer who finds the bound reached waits for his turn; then he is dropped.
        lateness_max: Duration,
    },
    /// As fast as `concurrency` customers, one after the other each, get their answers.
    Closed {
        /// Customers at once.
        concurrency: usize,
    },
}

impl Default for Mode {
    fn default() -> Self {
        Self::Open { rate_per_second: 50.0, in_flight_max: 256, lateness_max: Duration::from_secs(1) }
    }
}

/// What a run is to do.
#[derive(Clone)]
pub struct Options {
    /// Where the service is.
    pub target: Target,
    /// When requests are sent.
    pub mode: Mode,
    /// How long is measured.
    pub duration: Duration,
    /// How long traffic flows unmeasured before.
    pub warm_up: Duration,
    /// How long a customer waits for one answer.
    pub request_timeout: Duration,
    /// Which customers come.
    pub mix: Mix,
    /// The same seed brings the same customers with the same orders.
    pub seed: u64,
    /// What must hold.
    pub objectives: Vec<Objective>,
    /// The wall clock, for payment timestamps and the report.
    pub clock: WallClock,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Options")
            .field("target", &self.target)
            .field("mode", &self.mode)
            .field("duration", &self.duration)
            .field("warm_up", &self.warm_up)
            .field("request_timeout", &self.request_timeout)
            .field("mix", &self.mix)
            .field("seed", &self.seed)
            .field("objectives", &self.objectives)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Half a minute of fifty requests a second against the default address.
    #[must_use]
    pub fn new(clock: WallClock) -> Self {
        Self {
            target: Target::default(),
            mode: Mode::default(),
            duration: Duration::from_secs(30),
            warm_up: Duration::from_secs(2),
            request_timeout: Duration::from_secs(10),
            mix: Mix::default(),
            seed: 1,
            objectives: Vec::new(),
            clock,
        }
    }

    /// Every fault, each with an example of what is right; empty if there is none.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut require = |holds: bool, fault: String| {
            if !holds {
                faults.push(fault);
            }
        };
        let customers = 1..=CUSTOMERS_MAX;
        match self.mode {
            Mode::Open { rate_per_second, in_flight_max, lateness_max } => {
                require(
                    rate_per_second > 0.0 && rate_per_second <= RATE_MAX,
                    format!(
                        "the rate {rate_per_second} is not above 0 and at most {RATE_MAX}; right would be: --rate 50"
                    ),
                );
                require(
                    customers.contains(&in_flight_max),
                    format!(
                        "{in_flight_max} in flight is not from 1 to {CUSTOMERS_MAX}; right would be: --max-in-flight 256"
                    ),
                );
                require(
                    lateness_max <= DURATION_MAX,
                    "the lateness is over a day; right would be: --max-lateness 1s".to_owned(),
                );
            }
            Mode::Closed { concurrency } => require(
                customers.contains(&concurrency),
                format!(
                    "the concurrency {concurrency} is not from 1 to {CUSTOMERS_MAX}; right would be: --concurrency 16"
                ),
            ),
        }
        require(
            !self.duration.is_zero() && self.duration <= DURATION_MAX,
            "the duration is not above 0 and at most a day; right would be: --duration 30s".to_owned(),
        );
        require(self.warm_up <= DURATION_MAX, "the warm-up is over a day; right would be: --warm-up 2s".to_owned());
        require(
            !self.request_timeout.is_zero() && self.request_timeout <= Duration::from_secs(300),
            "the timeout is not above 0 and at most 5 minutes; right would be: --timeout 10s".to_owned(),
        );
        faults
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn all_faults_are_told_together() {
        let mut options = Options::new(Arc::new(String::new));
        assert_eq!(options.faults(), Vec::<String>::new());
        options.mode = Mode::Open { rate_per_second: f64::NAN, in_flight_max: 0, lateness_max: Duration::ZERO };
        options.duration = Duration::ZERO;
        options.request_timeout = Duration::ZERO;
        let faults = options.faults();
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert!(faults.iter().all(|fault| fault.contains("right would be: --")));
        options.mode = Mode::Closed { concurrency: 0 };
        assert_eq!(options.faults().len(), 3);
    }
}
