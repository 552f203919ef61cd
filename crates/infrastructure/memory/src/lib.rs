//! Reference adapters that keep everything in memory: simple enough to be right by reading, with
//! faults to order. For tests and drills; what it holds is gone with the process.

mod event_store;
pub mod faults;
pub mod idempotency;
pub mod projection;
pub mod read_model;
pub mod search;

pub use event_store::EventStore;
pub use faults::Faults;
pub use idempotency::IdempotencyStore;

/// The order read model, and the projection behind it.
pub type OrderReadModel = projection::Projection<read_model::Orders>;
/// The order search, and the projection behind it.
pub type OrderSearch = projection::Projection<search::Items>;
