//! Runs a projection: follows the event store, keeps each order's events in order while orders are
//! folded in parallel, sets poison events aside, restarts after failures, and rebuilds a generation
//! beside the live one.
//!
//! What a projection's documents are is the domain's business (`delivery::projections`), where they
//! are kept an adapter's (`delivery::repository::ProjectionStore`). One task runs one projection and
//! owns all its state, so nothing here is locked across an await.

mod backoff;
mod engine;
mod fold;
mod handle;
mod lane;
mod parking;
mod spans;

pub use handle::{Error, Health, Lag, Projector, RunState, Status};

use std::num::NonZeroUsize;
use std::sync::Arc;

use delivery::repository::ProjectionStore;
use eventsourcing::{Clock, EventStore};
use telemetry::{Metrics, Tracer};

/// What to run.
#[derive(Clone)]
pub struct Options {
    /// The projection's name in routes, metrics and logs.
    pub name: &'static str,
    /// Only streams whose name starts with this are followed.
    pub prefix: String,
    /// Orders are folded in this many partitions at once.
    pub partitions: NonZeroUsize,
    /// Events in one step of the live generation at most: bounds how long a step takes.
    pub live_batch: usize,
    /// Events in one step of a rebuild at most.
    pub rebuild_batch: usize,
}

impl Options {
    /// The sizes that the benchmarks were run with.
    #[must_use]
    pub fn new(name: &'static str, prefix: impl Into<String>, partitions: NonZeroUsize) -> Self {
        Self { name, prefix: prefix.into(), partitions, live_batch: 1_000, rebuild_batch: 4_000 }
    }
}

/// What a projection runs on.
#[derive(Clone)]
pub struct Ports {
    /// Where events come from.
    pub store: Arc<dyn EventStore>,
    /// Where documents go.
    pub target: Arc<dyn ProjectionStore>,
    /// The time, for parked events and lag.
    pub clock: Arc<dyn Clock>,
    /// Where progress is told.
    pub metrics: Arc<Metrics>,
    /// Where spans are made.
    pub tracer: Tracer,
}
