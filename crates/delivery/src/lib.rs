//! The order-delivery domain: what an order is, what may be done to it, and how it is looked at.
//!
//! Pure: no HTTP, no engine, no runtime, no logging. `repository` names what the domain needs from
//! the outside; adapters under `infrastructure/` provide it.

pub mod aggregate;
pub mod commands;
pub mod events;
pub mod models;
pub mod projections;
pub mod queries;
pub mod repository;
pub mod services;
