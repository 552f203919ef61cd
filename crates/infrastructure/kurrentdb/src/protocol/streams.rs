//! `event_store.client.streams`: appending, reading, deleting.
#![allow(missing_docs, reason = "names and meaning are those of the published definitions")]
#![allow(clippy::large_enum_variant, reason = "so is the form; most messages are the large one")]

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Empty, Position, StreamIdentifier, Timestamp, Uuid};

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ReadReq {
    #[prost(message, optional, tag = "1")]
    pub options: Option<read_req::Options>,
}

pub mod read_req {
    use super::{Empty, Position, StreamIdentifier};

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub struct Options {
        #[prost(oneof = "StreamOption", tags = "1, 2")]
        pub stream: Option<StreamOption>,
        #[prost(enumeration = "Direction", tag = "3")]
        pub read_direction: i32,
        #[prost(bool, tag = "4")]
        pub resolve_links: bool,
        #[prost(oneof = "CountOption", tags = "5, 6")]
        pub count: Option<CountOption>,
        #[prost(oneof = "FilterOption", tags = "7, 8")]
        pub filter: Option<FilterOption>,
        #[prost(message, optional, tag = "9")]
        pub uuid_option: Option<UuidOption>,
        #[prost(message, optional, tag = "10")]
        pub control_option: Option<ControlOption>,
    }

    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub enum StreamOption {
        #[prost(message, tag = "1")]
        Stream(StreamOptions),
        #[prost(message, tag = "2")]
        All(AllOptions),
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
    #[repr(i32)]
    pub enum Direction {
        Forwards = 0,
        Backwards = 1,
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
    pub enum CountOption {
        #[prost(uint64, tag = "5")]
        Count(u64),
        #[prost(message, tag = "6")]
        Subscription(Empty),
    }

    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub enum FilterOption {
        #[prost(message, tag = "7")]
        Filter(FilterOptions),
        #[prost(message, tag = "8")]
        NoFilter(Empty),
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub struct StreamOptions {
        #[prost(message, optional, tag = "1")]
        pub stream_identifier: Option<StreamIdentifier>,
        #[prost(oneof = "RevisionOption", tags = "2, 3, 4")]
        pub revision: Option<RevisionOption>,
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
    pub enum RevisionOption {
        #[prost(uint64, tag = "2")]
        Revision(u64),
        #[prost(message, tag = "3")]
        Start(Empty),
        #[prost(message, tag = "4")]
        End(Empty),
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
    pub struct AllOptions {
        #[prost(oneof = "AllOption", tags = "1, 2, 3")]
        pub from: Option<AllOption>,
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
    pub enum AllOption {
        #[prost(message, tag = "1")]
        Position(Position),
        #[prost(message, tag = "2")]
        Start(Empty),
        #[prost(message, tag = "3")]
        End(Empty),
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub struct FilterOptions {
        #[prost(oneof = "Filter", tags = "1, 2")]
        pub filter: Option<Filter>,
        #[prost(oneof = "Window", tags = "3, 4")]
        pub window: Option<Window>,
        #[prost(uint32, tag = "5")]
        pub checkpoint_interval_multiplier: u32,
    }

    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub enum Filter {
        #[prost(message, tag = "1")]
        StreamIdentifier(Expression),
        #[prost(message, tag = "2")]
        EventType(Expression),
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
    pub enum Window {
        #[prost(uint32, tag = "3")]
        Max(u32),
        #[prost(message, tag = "4")]
        Count(Empty),
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub struct Expression {
        #[prost(string, tag = "1")]
        pub regex: String,
        #[prost(string, repeated, tag = "2")]
        pub prefix: Vec<String>,
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
    pub struct UuidOption {
        #[prost(oneof = "UuidContent", tags = "1, 2")]
        pub content: Option<UuidContent>,
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
    pub enum UuidContent {
        #[prost(message, tag = "1")]
        Structured(Empty),
        #[prost(message, tag = "2")]
        String(Empty),
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
    pub struct ControlOption {
        #[prost(uint32, tag = "1")]
        pub compatibility: u32,
    }
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ReadResp {
    #[prost(oneof = "read_resp::Content", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9")]
    pub content: Option<read_resp::Content>,
}

pub mod read_resp {
    use super::{BTreeMap, Bytes, Empty, Position, StreamIdentifier, Timestamp, Uuid};

    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub enum Content {
        #[prost(message, tag = "1")]
        Event(ReadEvent),
        #[prost(message, tag = "2")]
        Confirmation(SubscriptionConfirmation),
        #[prost(message, tag = "3")]
        Checkpoint(Checkpoint),
        #[prost(message, tag = "4")]
        StreamNotFound(StreamNotFound),
        #[prost(uint64, tag = "5")]
        FirstStreamPosition(u64),
        #[prost(uint64, tag = "6")]
        LastStreamPosition(u64),
        #[prost(message, tag = "7")]
        LastAllStreamPosition(Position),
        #[prost(message, tag = "8")]
        CaughtUp(Liveness),
        #[prost(message, tag = "9")]
        FellBehind(Liveness),
    }

    /// `CaughtUp` and `FellBehind`, which are alike.
    #[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
    pub struct Liveness {
        #[prost(message, optional, tag = "1")]
        pub timestamp: Option<Timestamp>,
        #[prost(int64, optional, tag = "2")]
        pub stream_revision: Option<i64>,
        #[prost(message, optional, tag = "3")]
        pub position: Option<Position>,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub struct ReadEvent {
        #[prost(message, optional, tag = "1")]
        pub event: Option<RecordedEvent>,
        #[prost(message, optional, tag = "2")]
        pub link: Option<RecordedEvent>,
        #[prost(oneof = "ReadPosition", tags = "3, 4")]
        pub position: Option<ReadPosition>,
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
    pub enum ReadPosition {
        #[prost(uint64, tag = "3")]
        Commit(u64),
        #[prost(message, tag = "4")]
        None(Empty),
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub struct RecordedEvent {
        #[prost(message, optional, tag = "1")]
        pub id: Option<Uuid>,
        #[prost(message, optional, tag = "2")]
        pub stream_identifier: Option<StreamIdentifier>,
        #[prost(uint64, tag = "3")]
        pub stream_revision: u64,
        #[prost(uint64, tag = "4")]
        pub prepare_position: u64,
        #[prost(uint64, tag = "5")]
        pub commit_position: u64,
        #[prost(btree_map = "string, string", tag = "6")]
        pub metadata: BTreeMap<String, String>,
        #[prost(bytes = "bytes", tag = "7")]
        pub custom_metadata: Bytes,
        #[prost(bytes = "bytes", tag = "8")]
        pub data: Bytes,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub struct SubscriptionConfirmation {
        #[prost(string, tag = "1")]
        pub subscription_id: String,
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
    pub struct Checkpoint {
        #[prost(uint64, tag = "1")]
        pub commit_position: u64,
        #[prost(uint64, tag = "2")]
        pub prepare_position: u64,
        #[prost(message, optional, tag = "3")]
        pub timestamp: Option<Timestamp>,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub struct StreamNotFound {
        #[prost(message, optional, tag = "1")]
        pub stream_identifier: Option<StreamIdentifier>,
    }
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AppendReq {
    #[prost(oneof = "append_req::Content", tags = "1, 2")]
    pub content: Option<append_req::Content>,
}

/// Options of `Append`, `Delete` and `Tombstone`, which are alike.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct WriteOptions {
    #[prost(message, optional, tag = "1")]
    pub stream_identifier: Option<StreamIdentifier>,
    #[prost(oneof = "Expected", tags = "2, 3, 4, 5")]
    pub expected: Option<Expected>,
}

/// What a writer expects of a stream.
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum Expected {
    #[prost(uint64, tag = "2")]
    Revision(u64),
    #[prost(message, tag = "3")]
    NoStream(Empty),
    #[prost(message, tag = "4")]
    Any(Empty),
    #[prost(message, tag = "5")]
    StreamExists(Empty),
}

/// An event to be appended, by either way of appending.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ProposedMessage {
    #[prost(message, optional, tag = "1")]
    pub id: Option<Uuid>,
    #[prost(btree_map = "string, string", tag = "2")]
    pub metadata: BTreeMap<String, String>,
    #[prost(bytes = "bytes", tag = "3")]
    pub custom_metadata: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    pub data: Bytes,
}

pub mod append_req {
    use super::{ProposedMessage, WriteOptions};

    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub enum Content {
        #[prost(message, tag = "1")]
        Options(WriteOptions),
        #[prost(message, tag = "2")]
        ProposedMessage(ProposedMessage),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct AppendResp {
    #[prost(oneof = "append_resp::Result", tags = "1, 2")]
    pub result: Option<append_resp::Result>,
}

/// The receipt of an append, by either way of appending.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Success {
    #[prost(oneof = "append_resp::SuccessRevision", tags = "1, 2")]
    pub current_revision: Option<append_resp::SuccessRevision>,
    #[prost(oneof = "append_resp::SuccessPosition", tags = "3, 4")]
    pub position: Option<append_resp::SuccessPosition>,
}

pub mod append_resp {
    use super::{Empty, Position, Success};

    #[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
    pub enum Result {
        #[prost(message, tag = "1")]
        Success(Success),
        #[prost(message, tag = "2")]
        WrongExpectedVersion(WrongExpectedVersion),
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
    pub enum SuccessRevision {
        #[prost(uint64, tag = "1")]
        Revision(u64),
        #[prost(message, tag = "2")]
        NoStream(Empty),
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
    pub enum SuccessPosition {
        #[prost(message, tag = "3")]
        Position(Position),
        #[prost(message, tag = "4")]
        None(Empty),
    }

    /// Without the fields of version 20.6, which later servers fill as well.
    #[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
    pub struct WrongExpectedVersion {
        #[prost(oneof = "CurrentRevision", tags = "6, 7")]
        pub current: Option<CurrentRevision>,
        #[prost(oneof = "ExpectedRevision", tags = "8, 9, 10, 11")]
        pub expected: Option<ExpectedRevision>,
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
    pub enum CurrentRevision {
        #[prost(uint64, tag = "6")]
        Revision(u64),
        #[prost(message, tag = "7")]
        NoStream(Empty),
    }

    #[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
    pub enum ExpectedRevision {
        #[prost(uint64, tag = "8")]
        Revision(u64),
        #[prost(message, tag = "9")]
        Any(Empty),
        #[prost(message, tag = "10")]
        StreamExists(Empty),
        #[prost(message, tag = "11")]
        NoStream(Empty),
    }
}

/// The request of `Delete` and `Tombstone`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct DeleteReq {
    #[prost(message, optional, tag = "1")]
    pub options: Option<WriteOptions>,
}

/// The answer of `Delete` and `Tombstone`.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct DeleteResp {
    #[prost(oneof = "DeletePosition", tags = "1, 2")]
    pub position: Option<DeletePosition>,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum DeletePosition {
    #[prost(message, tag = "1")]
    Position(Position),
    #[prost(message, tag = "2")]
    None(Empty),
}
