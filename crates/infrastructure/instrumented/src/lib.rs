//! Decorators around every port: they time each call, count how it ended, and log what failed at the
//! level of debugging (whoever handles the failure logs it once). Adapters and domain stay silent.
//!
//! Names and meanings of the metrics are in `semconv/`; nothing here changes an answer.

mod event_store;
mod read_side;

pub use event_store::EventStore;
pub use read_side::{IdempotencyStore, OrderReadModel, OrderSearch, ProjectionStore};

use std::future::Future;
use std::time::Instant;

/// Runs a call and hands its outcome and its seconds to `observe`.
///
/// A call that is dropped half-way (its client left, or its deadline passed) is told as `cancelled`.
async fn timed<T, E>(
    call: impl Future<Output = Result<T, E>>,
    outcome: impl Fn(&E) -> &'static str,
    observe: impl Fn(&'static str, f64),
) -> Result<T, E> {
    let mut guard = Guard { observe, started: Instant::now(), outcome: Some("cancelled") };
    let result = call.await;
    guard.outcome = Some(result.as_ref().err().map_or("ok", outcome));
    result
}

struct Guard<O: Fn(&'static str, f64)> {
    observe: O,
    started: Instant,
    outcome: Option<&'static str>,
}

impl<O: Fn(&'static str, f64)> Drop for Guard<O> {
    fn drop(&mut self) {
        if let Some(outcome) = self.outcome.take() {
            (self.observe)(outcome, self.started.elapsed().as_secs_f64());
        }
    }
}
