//! The HTTP presentation of the order service: routes, bodies, headers, problems, limits, and the
//! OpenAPI description that is generated from them.
//!
//! It decides nothing about orders (that is `delivery`) and knows no engine.

pub mod admin;
mod answer;
mod body;
mod conditional;
mod context;
pub mod cursor;
mod dto;
mod error;
mod handlers;
pub mod health;
mod idempotency;
mod metrics;
mod middleware;
pub mod openapi;
mod parameters;
mod problem;
mod recent;
mod state;
pub mod watch;

use std::sync::Arc;

use axum::Router;

pub use error::Kind;
pub use recent::Recent;
pub use state::{Config, Orders, RateLimit, State};

/// All routes of a process: those of orders where it serves them, and those of operations.
pub fn router(state: Arc<State>) -> Router {
    let (router, description) = openapi::routes(&state);
    let router = router.merge(openapi::swagger(description));
    middleware::apply(router.with_state(Arc::clone(&state)), state)
}
