//! SQLite behind the ports: event store, order read model, order search and idempotency keys, each in a
//! file of its own, so that each has its own writer and its own promise of durability.
//!
//! No rule about orders belongs here, and nothing of SQLite is visible outside but paths and errors.

mod database;
mod event_store;
mod idempotency;
mod numbers;
pub mod projection;
#[cfg(test)]
mod query_plan;
pub mod read_model;
pub mod search;

pub use database::OpenError;
pub use event_store::EventStore;
pub use idempotency::IdempotencyStore;

/// The order read model, and the projection behind it.
pub type OrderReadModel = projection::Projection<read_model::Orders>;
/// The order search, and the projection behind it.
pub type OrderSearch = projection::Projection<search::Items>;

use std::path::Path;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`EventStore`]
    Events,
    /// [`OrderReadModel`]
    Orders,
    /// [`OrderSearch`]
    Search,
    /// [`IdempotencyStore`]
    Idempotency,
}

/// Looks at a file without changing it; `full` reads every page, which takes its time.
pub fn check(path: &Path, kind: Kind, full: bool) -> Result<(), OpenError> {
    let schema = match kind {
        Kind::Events => &event_store::SCHEMA,
        Kind::Orders => <read_model::Orders as projection::Kind>::SCHEMA,
        Kind::Search => <search::Items as projection::Kind>::SCHEMA,
        Kind::Idempotency => &idempotency::SCHEMA,
    };
    database::check(path, schema, full)
}
