//! The service over real sockets: connections, what surrounds every request, the routes of operations,
//! idempotency keys. What the order routes answer is not tested here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod admin;
mod connections;
mod fakes;
mod health;
mod idempotency;
mod logs;
mod requests;
mod support;
