//! The messages of KurrentDB's gRPC protocol, as far as they are used: `event_store.client.*`, which
//! EventStoreDB 21 to 24 and KurrentDB 25 serve alike. Names and field numbers are those of the
//! published definitions (<https://github.com/kurrent-io/KurrentDB>, `src/Protos/Grpc`); fields that
//! nobody here reads are left out, which the wire format allows.
//!
//! What is done with the messages is decided elsewhere; public so that the test server speaks the same.

mod nodes;
mod shared;
mod streams;

pub use nodes::*;
pub use shared::*;
pub use streams::*;

/// Where the methods are.
pub mod path {
    /// `Streams.Append`: a stream of requests, one answer.
    pub const APPEND: &str = "/event_store.client.streams.Streams/Append";
    /// `Streams.Read`: one request, a stream of answers.
    pub const READ: &str = "/event_store.client.streams.Streams/Read";
    /// `Streams.Delete`
    pub const DELETE: &str = "/event_store.client.streams.Streams/Delete";
    /// `Streams.Tombstone`
    pub const TOMBSTONE: &str = "/event_store.client.streams.Streams/Tombstone";
    /// `Gossip.Read`
    pub const GOSSIP: &str = "/event_store.client.gossip.Gossip/Read";
    /// `ServerFeatures.GetSupportedMethods`
    pub const FEATURES: &str = "/event_store.client.server_features.ServerFeatures/GetSupportedMethods";
}

/// What errors carry in their trailers.
pub mod trailer {
    /// The name of the error.
    pub const EXCEPTION: &str = "exception";
    /// Value of [`EXCEPTION`]: only the leader does this.
    pub const NOT_LEADER: &str = "not-leader";
    /// Where the leader is.
    pub const LEADER_HOST: &str = "leader-endpoint-host";
    /// Where the leader is.
    pub const LEADER_PORT: &str = "leader-endpoint-port";
    /// Value of [`EXCEPTION`]: the stream is gone for good.
    pub const STREAM_DELETED: &str = "stream-deleted";
    /// Value of [`EXCEPTION`]: there is no such stream.
    pub const STREAM_NOT_FOUND: &str = "stream-not-found";
    /// Value of [`EXCEPTION`]: the stream is at another revision.
    pub const WRONG_EXPECTED_VERSION: &str = "wrong-expected-version";
    /// Value of [`EXCEPTION`]: an append of more bytes than the server takes.
    pub const TOO_LARGE: &str = "maximum-append-size-exceeded";
    /// How many bytes the server takes.
    pub const APPEND_BYTES_MAX: &str = "maximum-append-size";
    /// Value of [`EXCEPTION`]: an event without a type or a content type.
    pub const MISSING_METADATA: &str = "missing-required-metadata-property";
    /// Value of [`EXCEPTION`]: the user may not.
    pub const ACCESS_DENIED: &str = "access-denied";
    /// Which stream the error is about.
    pub const STREAM_NAME: &str = "stream-name";
    /// The revision that was expected, -1 for none.
    pub const EXPECTED_VERSION: &str = "expected-version";
    /// The revision that the stream has, -1 for none.
    pub const ACTUAL_VERSION: &str = "actual-version";
}

/// What requests carry in their headers.
pub mod header {
    /// `true` when a follower must not answer.
    pub const REQUIRES_LEADER: &str = "requires-leader";
    /// Who asks, for the server's log.
    pub const CONNECTION_NAME: &str = "connection-name";
    /// Who asks, for permission.
    pub const AUTHORIZATION: &str = "authorization";
}

/// The keys of an event's system metadata.
pub mod metadata {
    /// The name of the event.
    pub const TYPE: &str = "type";
    /// When it was recorded, in ticks of 100 ns since 1970.
    pub const CREATED: &str = "created";
    /// [`JSON`] or [`OCTETS`].
    pub const CONTENT_TYPE: &str = "content-type";
    /// The payload is JSON.
    pub const JSON: &str = "application/json";
    /// The payload is anything.
    pub const OCTETS: &str = "application/octet-stream";
}
