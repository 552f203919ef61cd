//! The messages of `BatchAppend`: many appends over one call, each answered by its correlation id. Other clients
//! send them; ours does not, so they are not among those of [`kurrentdb::protocol`].
#![allow(clippy::large_enum_variant, reason = "so is the form; most messages are the large one")]

use kurrentdb::protocol::{Empty, ProposedMessage, StreamIdentifier, Uuid};

/// Where the method is. It streams both ways.
pub(crate) const PATH: &str = "/event_store.client.streams.Streams/BatchAppend";

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct BatchAppendReq {
    #[prost(message, optional, tag = "1")]
    pub(crate) correlation_id: Option<Uuid>,
    /// With the first request of an append.
    #[prost(message, optional, tag = "2")]
    pub(crate) options: Option<batch_append_req::Options>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) proposed_messages: Vec<ProposedMessage>,
    /// The append is whole.
    #[prost(bool, tag = "4")]
    pub(crate) is_final: bool,
}

pub(crate) mod batch_append_req {
    use kurrentdb::protocol::{StreamIdentifier, Timestamp};

    use super::BatchExpected;

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(crate) struct Options {
        #[prost(message, optional, tag = "1")]
        pub(crate) stream_identifier: Option<StreamIdentifier>,
        #[prost(oneof = "BatchExpected", tags = "2, 3, 4, 5")]
        pub(crate) expected: Option<BatchExpected>,
        #[prost(oneof = "Deadline", tags = "6, 7")]
        pub(crate) deadline: Option<Deadline>,
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
    pub(crate) enum Deadline {
        /// A point in time: what servers before 21.10.1 take.
        #[prost(message, tag = "6")]
        At(Timestamp),
        /// A `google.protobuf.Duration`.
        #[prost(message, tag = "7")]
        Within(Timestamp),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub(crate) enum BatchExpected {
    #[prost(uint64, tag = "2")]
    Revision(u64),
    #[prost(message, tag = "3")]
    NoStream(Empty),
    #[prost(message, tag = "4")]
    Any(Empty),
    #[prost(message, tag = "5")]
    StreamExists(Empty),
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct BatchAppendResp {
    #[prost(message, optional, tag = "1")]
    pub(crate) correlation_id: Option<Uuid>,
    #[prost(oneof = "batch_append_resp::Result", tags = "2, 3")]
    pub(crate) result: Option<batch_append_resp::Result>,
    #[prost(message, optional, tag = "4")]
    pub(crate) stream_identifier: Option<StreamIdentifier>,
    #[prost(oneof = "batch_append_resp::Expected", tags = "5, 6, 7, 8")]
    pub(crate) expected: Option<batch_append_resp::Expected>,
}

pub(crate) mod batch_append_resp {
    use kurrentdb::protocol::{Empty, RpcStatus, Success};

    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub(crate) enum Result {
        #[prost(message, tag = "2")]
        Error(RpcStatus),
        #[prost(message, tag = "3")]
        Success(Success),
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
    pub(crate) enum Expected {
        #[prost(uint64, tag = "5")]
        Revision(u64),
        #[prost(message, tag = "6")]
        NoStream(Empty),
        #[prost(message, tag = "7")]
        Any(Empty),
        #[prost(message, tag = "8")]
        StreamExists(Empty),
    }
}
