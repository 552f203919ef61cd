//! The exporter against collectors on real sockets. What it makes of records byte by byte is tested
//! beside the encoder, and against another implementation by `tests/otlp_peer.sh`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests, outside of functions marked as such")]

mod accounts;
mod collector;
mod delivery;
mod log;
mod setup;
