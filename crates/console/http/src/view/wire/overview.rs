//! Answers about services and the store.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Kind, Time};

/// The state of everything that sends, and of the store.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// The console's clock.
    pub now: Time,
    /// The console's version.
    pub version: String,
    /// Where senders reach it, beside the port of this page.
    pub ports: Ports,
    /// How many minutes the counts by minute reach over.
    #[schema(minimum = 1, maximum = 180)]
    pub minutes: usize,
    /// Who sends or has something in the store, by name.
    pub services: Vec<ServiceActivity>,
    /// Whether some services are counted together under `(other services)`, because there are too many.
    pub services_truncated: bool,
    /// How full the store is.
    pub store: StoreState,
    /// What was not kept since the console started; counts of zero are left out.
    pub dropped: Vec<Dropped>,
    /// What the store did that readers have to know, newest first, fifty at most.
    pub facts: Vec<FactView>,
}

/// Ports for senders.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ports {
    /// OTLP over gRPC.
    pub otlp_grpc: u16,
    /// OTLP over HTTP.
    pub otlp_http: u16,
}

/// What one service sends.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceActivity {
    /// Its name.
    pub name: String,
    /// What it sent, by signal.
    pub signals: Signals,
    /// Its failed spans.
    pub errors: Errors,
    /// When it last sent something since the console started; null if it did not.
    #[schema(required)]
    pub last_seen: Option<Time>,
    /// Bytes that are kept of it, all signals together: in blocks as they are on disk, and what is in none yet as it
    /// is in memory.
    pub bytes: u64,
}

/// What a service sent, by signal.
#[derive(Debug, Serialize, ToSchema)]
pub struct Signals {
    /// Spans.
    pub spans: Received,
    /// Log lines.
    pub lines: Received,
    /// Samples.
    pub samples: Received,
}

/// How much of one signal came in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Received {
    /// In the sixty seconds up to now.
    pub last_minute: u64,
    /// Since the console started.
    pub total: u64,
    /// By minute of the clock, oldest first; the last one is not over.
    pub per_minute: Vec<u64>,
}

/// How many spans failed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Errors {
    /// In the sixty seconds up to now.
    pub last_minute: u64,
    /// By minute of the clock, oldest first; the last one is not over.
    pub per_minute: Vec<u64>,
}

/// How full the store is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoreState {
    /// Bytes on disk.
    pub bytes: u64,
    /// Bytes it may take.
    pub bytes_max: u64,
    /// How long it keeps, seconds; 0 for as long as there is room.
    pub retention_seconds: u64,
    /// The oldest it has.
    pub oldest: OldestKept,
    /// What the disk refuses at the moment; null if all is well.
    #[schema(required)]
    pub trouble: Option<String>,
}

/// The oldest of each signal that is kept; null where nothing is.
#[derive(Debug, Serialize, ToSchema)]
pub struct OldestKept {
    /// The oldest start of a span.
    #[schema(required)]
    pub spans: Option<Time>,
    /// The oldest log line.
    #[schema(required)]
    pub lines: Option<Time>,
    /// The oldest sample.
    #[schema(required)]
    pub samples: Option<Time>,
}

/// Something that was not kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct Dropped {
    /// What, and why, for people.
    #[schema(value_type = String)]
    pub what: &'static str,
    /// How many.
    pub count: u64,
}

/// Something the store did.
#[derive(Debug, Serialize, ToSchema)]
pub struct FactView {
    /// When it was done.
    pub at: Time,
    /// What was done.
    pub kind: FactName,
    /// To what.
    pub signal: SignalName,
    /// Whose it was; empty if not known.
    pub service: String,
    /// The oldest it held; null if not known.
    #[schema(required)]
    pub from: Option<Time>,
    /// The newest it held; null if not known.
    #[schema(required)]
    pub to: Option<Time>,
    /// How many spans, lines or samples; 0 if not known.
    pub items: u64,
    /// How many bytes on disk.
    pub bytes: u64,
    /// More about it; empty if there is nothing to say.
    pub detail: String,
}

/// What the store can do that readers have to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum FactName {
    /// Removed to stay within the limit of bytes.
    EvictedForSize,
    /// Removed because it was too old.
    EvictedForAge,
    /// Cut off when the store was opened, because it was not whole.
    Repaired,
    /// Left out of an answer, because its bytes have changed on disk.
    Damaged,
}

/// A kind of telemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum SignalName {
    /// Spans.
    Traces,
    /// Log lines.
    Logs,
    /// Samples.
    Metrics,
    /// Spans of traces that something refers to.
    Pinned,
}

/// The services that have spans.
#[derive(Debug, Serialize, ToSchema)]
pub struct Services {
    /// By name.
    pub services: Vec<ServiceOperations>,
}

/// A service and how much it can do.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceOperations {
    /// Its name.
    pub name: String,
    /// How many operations of it are known: names of spans, with their kinds.
    pub operations: usize,
}

/// The operations of a service.
#[derive(Debug, Serialize, ToSchema)]
pub struct Operations {
    /// By name, then kind.
    pub operations: Vec<OperationName>,
}

/// An operation.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperationName {
    /// The spans' name.
    pub name: String,
    /// The spans' kind.
    pub kind: Kind,
}
