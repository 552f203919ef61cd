//! The console's own page API: what its pages read, as JSON. How telemetry is kept, and the APIs that other
//! tools speak, do not belong here.

mod absent;
mod document;
mod error;
mod go_duration;
mod overview;
mod parameters;
mod reads;
mod services;
mod summary;
#[cfg(test)]
mod tests;
mod trace;
mod traces;
pub mod wire;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use console_storage::Store;
use eventsourcing::Clock;

use crate::arrivals::Arrivals;
pub use document::openapi;
use reads::Reads;

/// What the page API reads.
#[derive(Clone)]
pub struct State {
    /// What is kept.
    pub store: Arc<Store>,
    /// What came in lately.
    pub arrivals: Arc<Arrivals>,
    /// What "now" is, and with it the last hour.
    pub clock: Arc<dyn Clock>,
    /// The console's version, as pages show it.
    pub version: String,
    /// Where senders reach it.
    pub ports: wire::Ports,
}

/// What handlers share.
struct Shared {
    state: State,
    reads: Reads,
}

impl Shared {
    /// Nanoseconds since the Unix epoch.
    fn now_ns(&self) -> u64 {
        u64::try_from(self.state.clock.now().as_nanosecond()).unwrap_or(0)
    }
}

/// The routes under `/api`, without those of graph and export.
pub fn router(state: State) -> Router {
    Router::new()
        .route("/api/overview", get(overview::overview))
        .route("/api/services", get(services::services))
        .route("/api/operations", get(services::operations))
        .route("/api/traces", get(traces::traces))
        .route("/api/traces/{traceId}", get(trace::trace))
        .route("/api/openapi.json", get(document::document))
        .with_state(Arc::new(Shared { state, reads: Reads::default() }))
}
