//! What the handlers are given.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use delivery::repository::IdempotencyStore;
use delivery::services::{OrderCommands, OrderQueries};
use eventsourcing::Clock;
use secrecy::SecretString;
use telemetry::{Metrics, Tracer};

use crate::{Recent, admin, health, watch};
use server::Drain;

/// Limits and secrets of the API.
pub struct Config {
    /// What the paths of the order routes start with, without a slash at its end.
    pub base_path: String,
    /// How long a request may take; 503 after that.
    pub request_timeout: Duration,
    /// Bytes of a request's body at most; 413 beyond.
    pub body_limit: usize,
    /// Requests that one peer may send; 429 beyond.
    pub rate_limit: Option<RateLimit>,
    /// Bearer token for `/admin`.
    pub admin_token: Option<SecretString>,
    /// Signs cursors.
    pub cursor_key: [u8; 32],
}

/// Requests that one peer may send.
#[derive(Debug, Clone, Copy)]
pub struct RateLimit {
    /// In the long run.
    pub per_second: NonZeroU32,
    /// At once.
    pub burst: NonZeroU32,
}

/// What the order routes need.
pub struct Orders {
    /// Changes orders.
    pub commands: OrderCommands,
    /// Reads orders.
    pub queries: OrderQueries,
    /// Remembers idempotency keys.
    pub idempotency: Arc<dyn IdempotencyStore>,
    /// What this process wrote last.
    pub recent: Recent,
    /// Wakes those who watch orders.
    pub hub: watch::Hub,
}

/// What every handler is given.
pub struct State {
    /// Limits and secrets.
    pub config: Config,
    /// The order routes, where this process serves them.
    pub orders: Option<Orders>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What readiness depends on.
    pub readiness: health::Readiness,
    /// The projections that this process runs, if any.
    pub projections: Arc<dyn admin::Projections>,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
    /// Where spans are made.
    pub tracer: Tracer,
    /// What of logs and traces can be changed while the process runs.
    pub telemetry: telemetry::Control,
    /// Tells long-lived answers to end.
    pub drain: Drain,
}
