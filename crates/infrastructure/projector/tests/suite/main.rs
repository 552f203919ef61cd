//! The projection engine over real adapters: what it projects, in which order, and what it does when
//! something fails. The rules are those of `docs/adr/0003-projections.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may panic as tests may")]

mod convergence;
mod outages;
mod parking;
mod partitions;
mod rebuild;
mod stubborn;
mod watched;
mod world;

/// Runs cases on every adapter, each on an empty world.
macro_rules! on_each_adapter {
    ($($case:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::world::World::memory()).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::world::World::sqlite()).await;
            })*
        }
    };
}
pub(crate) use on_each_adapter;
