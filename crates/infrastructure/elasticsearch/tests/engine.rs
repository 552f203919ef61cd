//! The contract suites against a real engine, which TEST_ELASTICSEARCH_URL names; without it all cases are
//! skipped. And what only this adapter promises: see `engine/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "engine/behaviour.rs"]
mod behaviour;
#[path = "engine/place.rs"]
mod place;

use place::{open, place};

contract_tests::order_search_adapter!(place: super::place, open: super::open);
