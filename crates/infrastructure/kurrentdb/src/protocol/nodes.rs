//! Who is in the cluster, and what a server can do.
#![allow(missing_docs, reason = "names and meaning are those of the published definitions")]

use super::Uuid;

/// The answer of `Gossip.Read`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ClusterInfo {
    #[prost(message, repeated, tag = "1")]
    pub members: Vec<MemberInfo>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct EndPoint {
    #[prost(string, tag = "1")]
    pub address: String,
    #[prost(uint32, tag = "2")]
    pub port: u32,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct MemberInfo {
    #[prost(message, optional, tag = "1")]
    pub instance_id: Option<Uuid>,
    /// In ticks of 100 ns since 1970.
    #[prost(int64, tag = "2")]
    pub time_stamp: i64,
    #[prost(enumeration = "NodeState", tag = "3")]
    pub state: i32,
    #[prost(bool, tag = "4")]
    pub is_alive: bool,
    #[prost(message, optional, tag = "5")]
    pub http_end_point: Option<EndPoint>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub enum NodeState {
    Initializing = 0,
    DiscoverLeader = 1,
    Unknown = 2,
    PreReplica = 3,
    CatchingUp = 4,
    Clone = 5,
    Follower = 6,
    PreLeader = 7,
    Leader = 8,
    Manager = 9,
    ShuttingDown = 10,
    Shutdown = 11,
    ReadOnlyLeaderless = 12,
    PreReadOnlyReplica = 13,
    ReadOnlyReplica = 14,
    ResigningLeader = 15,
}

/// The answer of `ServerFeatures.GetSupportedMethods`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct SupportedMethods {
    #[prost(message, repeated, tag = "1")]
    pub methods: Vec<SupportedMethod>,
    #[prost(string, tag = "2")]
    pub event_store_server_version: String,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct SupportedMethod {
    #[prost(string, tag = "1")]
    pub method_name: String,
    #[prost(string, tag = "2")]
    pub service_name: String,
    #[prost(string, repeated, tag = "3")]
    pub features: Vec<String>,
}
