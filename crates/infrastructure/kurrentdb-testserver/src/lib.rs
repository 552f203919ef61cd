//! A server that speaks KurrentDB's gRPC protocol, for tests: streams, reads both ways, `$all` with
//! filters, subscriptions with checkpoints, deletes, gossip and server features, over a log in memory
//! that the nodes of a cluster share. What it does wrong, it does on order; see [`Faults`].
//!
//! It follows what is published of the genuine server: message definitions, error trailers, documented
//! behaviour of the official clients, which are run against it (`tests/kurrentdb_clients.sh`). What it
//! does not have: persistence, users beyond one, permissions, projections, persistent subscriptions,
//! links, replication that takes time. It is not for use.

mod batch;
mod cluster;
pub mod faults;
mod filter;
mod log;
mod node;
mod service;
mod status;

pub use cluster::{Cluster, Options};
pub use faults::Faults;
pub use node::Node;
