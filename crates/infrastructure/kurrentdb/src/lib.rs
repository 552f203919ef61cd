//! KurrentDB, which was EventStoreDB until 2024, as the event store: a thin client of our own over its
//! gRPC protocol, for the few methods that the port needs.
//!
//! It knows no domain and no metric. It writes and reads streams that other clients share: names,
//! types and payloads are on the wire as they are, except for the few that the engine does not take
//! (see `names`).

mod call;
mod convert;
mod event_store;
mod failure;
mod names;
mod nodes;
pub mod protocol;
mod receipts;
mod rpc;
pub mod settings;
mod subscription;
mod transport;

pub use event_store::EventStore;
pub use settings::Settings;
pub use transport::OpenError;
