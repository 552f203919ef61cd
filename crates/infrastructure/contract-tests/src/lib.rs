//! One behavioural suite per port, as macros that expand to one test per case. Every adapter runs the
//! suites of the ports it implements; nothing here knows an engine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this crate is test code, although not under cfg(test)"
)]

pub mod away;
pub mod chaos;
pub mod clock;
pub mod commands;
pub mod event_store;
pub mod idempotency;
pub mod orders;
pub mod progress;
pub mod projection;
pub mod read_model;
pub mod search;
pub mod skip;

/// Runs cases of a suite, each with an adapter opened in a place of its own.
#[macro_export]
macro_rules! cases {
    ($suite:path, $place:expr, $open:expr, [$($case:ident),* $(,)?]) => {$(
        #[tokio::test]
        async fn $case() {
            use $suite as suite;
            let Some(place) = $crate::skip::unless_wanted(($place)()) else { return };
            suite::$case(($open)(&place).await).await;
        }
    )*};
}

/// Runs cases of a suite, each with a way to open adapters in one place, again or side by side.
#[macro_export]
macro_rules! reopen_cases {
    ($suite:path, $place:expr, $open:expr, [$($case:ident),* $(,)?]) => {$(
        #[tokio::test]
        async fn $case() {
            use $suite as suite;
            let Some(place) = $crate::skip::unless_wanted(($place)()) else { return };
            suite::$case(async || ($open)(&place).await).await;
        }
    )*};
}

/// As [`cases!`], for adapters that are opened with a clock.
#[macro_export]
macro_rules! clocked_cases {
    ($suite:path, $place:expr, $open:expr, [$($case:ident),* $(,)?]) => {$(
        #[tokio::test]
        async fn $case() {
            use $suite as suite;
            let Some(place) = $crate::skip::unless_wanted(($place)()) else { return };
            let clock = std::sync::Arc::new($crate::clock::Manual::default());
            let store = ($open)(&place, std::sync::Arc::<$crate::clock::Manual>::clone(&clock)).await;
            suite::$case(store, clock).await;
        }
    )*};
}

/// As [`reopen_cases!`], for adapters that are opened with a clock.
#[macro_export]
macro_rules! clocked_reopen_cases {
    ($suite:path, $place:expr, $open:expr, [$($case:ident),* $(,)?]) => {$(
        #[tokio::test]
        async fn $case() {
            use $suite as suite;
            let Some(place) = $crate::skip::unless_wanted(($place)()) else { return };
            let clock = std::sync::Arc::new($crate::clock::Manual::default());
            let open = async || ($open)(&place, std::sync::Arc::<$crate::clock::Manual>::clone(&clock)).await;
            suite::$case(open, std::sync::Arc::clone(&clock)).await;
        }
    )*};
}
