//! `BatchAppend`: many appends over one call, each answered by its correlation id.
#![allow(missing_docs, reason = "names and meaning are those of the published definitions")]
#![allow(clippy::large_enum_variant, reason = "so is the form; most messages are the large one")]

use super::{Empty, ProposedMessage, RpcStatus, StreamIdentifier, Success, Timestamp, Uuid};

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct BatchAppendReq {
    #[prost(message, optional, tag = "1")]
    pub correlation_id: Option<Uuid>,
    /// With the first request of an append.
    #[prost(message, optional, tag = "2")]
    pub options: Option<batch_append_req::Options>,
    #[prost(message, repeated, tag = "3")]
    pub proposed_messages: Vec<ProposedMessage>,
    /// The append is whole.
    #[prost(bool, tag = "4")]
    pub is_final: bool,
}

pub mod batch_append_req {
    use super::{BatchExpected, StreamIdentifier, Timestamp};

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub struct Options {
        #[prost(message, optional, tag = "1")]
        pub stream_identifier: Option<StreamIdentifier>,
        #[prost(oneof = "BatchExpected", tags = "2, 3, 4, 5")]
        pub expected: Option<BatchExpected>,
        #[prost(oneof = "Deadline", tags = "6, 7")]
        pub deadline: Option<Deadline>,
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
    pub enum Deadline {
        /// A point in time: what servers before 21.10.1 take.
        #[prost(message, tag = "6")]
        At(Timestamp),
        /// A `google.protobuf.Duration`.
        #[prost(message, tag = "7")]
        Within(Timestamp),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum BatchExpected {
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
pub struct BatchAppendResp {
    #[prost(message, optional, tag = "1")]
    pub correlation_id: Option<Uuid>,
    #[prost(oneof = "batch_append_resp::Result", tags = "2, 3")]
    pub result: Option<batch_append_resp::Result>,
    #[prost(message, optional, tag = "4")]
    pub stream_identifier: Option<StreamIdentifier>,
    #[prost(oneof = "batch_append_resp::Expected", tags = "5, 6, 7, 8")]
    pub expected: Option<batch_append_resp::Expected>,
}

pub mod batch_append_resp {
    use super::{Empty, RpcStatus, Success};

    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub enum Result {
        #[prost(message, tag = "2")]
        Error(RpcStatus),
        #[prost(message, tag = "3")]
        Success(Success),
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
    pub enum Expected {
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
