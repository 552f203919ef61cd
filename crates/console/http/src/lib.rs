//! The console's server: what it takes in over HTTP and gRPC, the APIs that tools speak, its own pages.
//!
//! How telemetry is decoded and how it is kept are other crates' business.

pub mod alerting;
pub mod arrivals;
pub mod console;
pub mod export;
pub mod graph;
mod guard;
mod held;
pub mod intake;
pub mod jaeger;
pub mod loki;
mod pages;
pub mod prometheus;
pub mod queries;
mod reads;
pub mod trace_tree;
pub mod view;
