//! Faults to order: what a test or a drill makes an adapter of this crate do wrong. The adapters ask
//! before they touch anything, so that a failed call has changed nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A handle on the faults of one adapter, or of several that share it. Healthy to begin with.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    /// Calls that still fail.
    failing: u64,
    /// Every call fails.
    is_down: bool,
    /// What every call waits.
    delay: Duration,
}

/// The call was made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fault was injected")]
pub struct Injected;

impl Faults {
    /// Makes the next `calls` calls fail.
    pub fn fail_next(&self, calls: u64) {
        self.plan().failing = calls;
    }

    /// Makes every call fail until [`Faults::heal`].
    pub fn fail(&self) {
        self.plan().is_down = true;
    }

    /// Makes every call wait before it does anything, failing or not.
    pub fn delay(&self, delay: Duration) {
        self.plan().delay = delay;
    }

    /// Ends all faults.
    pub fn heal(&self) {
        *self.plan() = Plan::default();
    }

    /// What an adapter calls first: waits, and fails, as ordered.
    pub async fn inject(&self) -> Result<(), Injected> {
        let delay = self.plan().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let mut plan = self.plan();
        if plan.is_down {
            return Err(Injected);
        }
        match plan.failing.checked_sub(1) {
            Some(left) => {
                plan.failing = left;
                Err(Injected)
            }
            None => Ok(()),
        }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn exactly_the_next_calls_fail() {
        let faults = Faults::default();
        faults.fail_next(2);
        for expected in [Err(Injected), Err(Injected), Ok(()), Ok(())] {
            assert_eq!(faults.inject().await, expected);
        }
    }

    #[tokio::test]
    async fn an_outage_lasts_until_healed() {
        let faults = Faults::default();
        faults.clone().fail();
        for _ in 0..3 {
            assert_eq!(faults.inject().await, Err(Injected));
        }
        faults.heal();
        assert_eq!(faults.inject().await, Ok(()));
    }

    #[tokio::test]
    async fn a_delay_comes_before_everything() {
        let faults = Faults::default();
        faults.delay(Duration::from_millis(30));
        let begun = tokio::time::Instant::now();
        assert_eq!(faults.inject().await, Ok(()));
        assert!(begun.elapsed() >= Duration::from_millis(30));
    }
}
