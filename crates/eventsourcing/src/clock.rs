//! The port to the wall clock, injected everywhere so that tests and drills own the time.

use jiff::Timestamp;

/// Tells the current time.
pub trait Clock: Send + Sync {
    /// The current time, UTC, with nanosecond resolution at best. May go backwards: order events by
    /// [`crate::Position`], never by time.
    fn now(&self) -> Timestamp;
}

/// The machine's clock. The one place that is allowed to ask for it.
#[derive(Debug, Default, Clone, Copy)]
pub struct System;

impl Clock for System {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter that everything else is given")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
