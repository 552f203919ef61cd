//! How long to wait before the next attempt: doubling, with jitter, up to a bound.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
/// The longest wait.
pub(crate) const LONGEST: Duration = Duration::from_secs(15);

/// Counts failures in a row.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure. `jitter` is from 0 to 1: followers that failed together do not
    /// come back together.
    pub(crate) fn next(&mut self, jitter: f64) -> Duration {
        let wait = FIRST.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        wait.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
    }

    /// After a success.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_start_over_after_a_success() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..12).map(|_| backoff.next(1.0)).collect();
        assert_eq!(waits[..3], [FIRST, FIRST * 2, FIRST * 4]);
        assert_eq!(waits[11], LONGEST);
        backoff.reset();
        assert_eq!(backoff.next(0.0), FIRST / 2);
    }
}
