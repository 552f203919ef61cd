//! A clock that stands still until a case moves it.

use std::sync::{Mutex, PoisonError};

use eventsourcing::Clock;
use jiff::{SignedDuration, Timestamp};

/// Tells the time it was set to.
#[derive(Debug)]
pub struct Manual(Mutex<Timestamp>);

impl Default for Manual {
    /// Some time in 2023.
    fn default() -> Self {
        Self(Mutex::new(Timestamp::new(1_700_000_000, 5_000_000).unwrap_or_default()))
    }
}

impl Manual {
    /// Moves on by so many seconds, back if negative.
    pub fn advance_seconds(&self, seconds: i64) {
        self.advance(SignedDuration::from_secs(seconds));
    }

    /// Moves on by so many milliseconds.
    pub fn advance_ms(&self, milliseconds: i64) {
        self.advance(SignedDuration::from_millis(milliseconds));
    }

    fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now += by;
    }
}

impl Clock for Manual {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
