//! The ports of the read side. Every clause with MUST is a test in `contract-tests`, which every
//! adapter runs. (The port of the write side is [`eventsourcing::EventStore`].)

use async_trait::async_trait;
use eventsourcing::{Position, RecordedEvent};
use jiff::Timestamp;
use uuid::Uuid;

use crate::models::OrderId;
use crate::projections::OrderView;
use crate::queries::{ListOrders, SearchOrders, SearchPage};

/// Reads orders by id and in pages, from the live generation.
#[async_trait]
pub trait OrderReadModel: Send + Sync {
    /// The order, as far as it has been projected.
    async fn get(&self, id: OrderId) -> Result<Option<OrderView>, Error>;

    /// A page of orders. MUST be in descending [`OrderView::created_position`].
    async fn list(&self, query: &ListOrders) -> Result<Vec<OrderView>, Error>;

    /// The checkpoint of the live generation.
    async fn checkpoint(&self) -> Result<Position, Error>;

    /// Waits until the checkpoint is at `position` or behind it; the caller bounds the wait. MUST be
    /// cancel-safe and MUST notice progress made by another process within 100 ms.
    async fn reached(&self, position: Position) -> Result<(), Error>;

    /// Succeeds when the model can be read.
    async fn ping(&self) -> Result<(), Error>;
}

/// Finds orders by the text of their items, in the live generation.
#[async_trait]
pub trait OrderSearch: Send + Sync {
    /// See [`SearchOrders`]. MUST NOT match words across two items or across title and description.
    /// MUST take the text literally: no operator syntax.
    async fn search(&self, query: &SearchOrders) -> Result<SearchPage, Error>;

    /// As [`OrderReadModel::checkpoint`].
    async fn checkpoint(&self) -> Result<Position, Error>;

    /// As [`OrderReadModel::reached`].
    async fn reached(&self, position: Position) -> Result<(), Error>;

    /// Succeeds when the index can be searched.
    async fn ping(&self) -> Result<(), Error>;
}

/// The number of a generation: a complete copy of a projection. One is live; at most one more is
/// being built beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u32);

/// Whether readers see a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GenerationState {
    /// Readers see it.
    Live,
    /// It is being rebuilt.
    Building,
}

/// A generation and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationStatus {
    /// Its number.
    pub generation: Generation,
    /// Whether readers see it.
    pub state: GenerationState,
    /// Everything up to here has been applied or parked.
    pub checkpoint: Position,
    /// Orders in it.
    pub orders: u64,
    /// Events parked in it.
    pub parked: u64,
}

/// An event that a projection could not apply, or that came after such a one in the same stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedEvent {
    /// The event; also its key in the list of parked events, by position.
    pub event: RecordedEvent,
    /// Why it was parked, with its causes; never its values.
    pub error: String,
    /// How often it has been tried.
    pub attempts: u32,
    /// When it was parked first.
    pub parked_at: Timestamp,
}

/// What one step of a projection changes. All of it happens, or none.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Documents to write.
    pub upserts: Vec<OrderView>,
    /// Events to park; one that is parked already is replaced.
    pub park: Vec<ParkedEvent>,
    /// Events that are no longer parked.
    pub release: Vec<Position>,
    /// How far the projection is afterwards.
    pub checkpoint: Option<Position>,
}

/// What a projector writes: documents, parked events and the checkpoint, by generation.
#[async_trait]
pub trait ProjectionStore: Send + Sync {
    /// All generations; MUST hold exactly one that is live, from the first use on.
    async fn generations(&self) -> Result<Vec<GenerationStatus>, Error>;

    /// The documents of the given orders, in any order; orders without one are left out.
    async fn load(&self, generation: Generation, ids: &[OrderId]) -> Result<Vec<OrderView>, Error>;

    /// Applies a batch.
    ///
    /// - MUST apply an upsert only when its revision is higher than the stored one, so that an old
    ///   batch, applied again, changes nothing.
    /// - MUST NOT move the checkpoint backwards.
    /// - MUST write documents and parked events no later than the checkpoint: after a crash the
    ///   checkpoint is never ahead of them.
    /// - MUST fail with [`Error::UnknownGeneration`] for one that was never begun or is gone.
    async fn commit(&self, generation: Generation, batch: Batch) -> Result<(), Error>;

    /// The parked events of a generation, by position, at most `max`.
    async fn parked(&self, generation: Generation, max: usize) -> Result<Vec<ParkedEvent>, Error>;

    /// Begins an empty generation beside the live one, with its checkpoint at [`Position::START`].
    /// MUST fail with [`Error::RebuildRunning`] while there is one already.
    async fn begin_rebuild(&self) -> Result<Generation, Error>;

    /// Makes the building generation the live one, atomically for readers, and removes the one that
    /// was live.
    async fn promote(&self, generation: Generation) -> Result<(), Error>;

    /// Gives the building generation up. MUST fail with [`Error::UnknownGeneration`] for the live one.
    async fn discard(&self, generation: Generation) -> Result<(), Error>;
}

/// A response kept for the retries of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResponse {
    /// HTTP status code.
    pub status: u16,
    /// Headers to send again, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as sent.
    pub body: Vec<u8>,
}

/// What an idempotency key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// First use, or the retry of an attempt that never ended: run the command under this id.
    Run {
        /// The id of the first attempt, kept with the key, so that all attempts are one command.
        command_id: Uuid,
        /// An earlier attempt may have stored its events.
        is_retry: bool,
    },
    /// Done before: send this again.
    Replay(StoredResponse),
    /// Another attempt is running.
    Running,
    /// The key was used for another request.
    Mismatch,
}

/// Remembers idempotency keys and the responses they led to.
#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Claims a key for the request with this fingerprint.
    ///
    /// - Of concurrent claims of one key exactly one MUST be told to run.
    /// - A claim older than [`LEASE_SECONDS`] whose attempt never ended MUST be handed to the next,
    ///   with the first attempt's command id.
    /// - A key older than [`KEPT_SECONDS`] counts as never used.
    /// - MUST survive a restart once answered.
    async fn begin(&self, key: &str, fingerprint: [u8; 16], command_id: Uuid) -> Result<Begun, Error>;

    /// Keeps the response. MUST survive a restart once answered.
    async fn complete(&self, key: &str, response: StoredResponse) -> Result<(), Error>;

    /// Ends an attempt without a response worth keeping: the key's next use runs at once, as a retry.
    async fn release(&self, key: &str) -> Result<(), Error>;

    /// Removes keys older than [`KEPT_SECONDS`]; returns how many.
    async fn purge(&self) -> Result<u64, Error>;
}

/// How long an attempt may run before its key is handed on, in seconds: longer than any request's
/// deadline.
pub const LEASE_SECONDS: i64 = 30;
/// How long a key is remembered, in seconds: 24 hours.
pub const KEPT_SECONDS: i64 = 24 * 60 * 60;

/// Why a read-side engine could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be reached, cannot write, or is overloaded: the same call may succeed later.
    #[error("{engine} is unavailable: {reason}")]
    Unavailable {
        /// Which one, for instance `order read model`.
        engine: &'static str,
        /// What was being done, for the log.
        reason: String,
        /// What the engine said.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// What is stored cannot be read: needs a person.
    #[error("{engine} is damaged: {reason}")]
    Corrupt {
        /// Which one.
        engine: &'static str,
        /// What was found, and where.
        reason: String,
        /// What the engine said.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// There is no such generation, or it is not in the state the call needs.
    #[error("there is no generation {} to do this with", .0.0)]
    UnknownGeneration(Generation),
    /// A generation is being built already.
    #[error("generation {} is being built already", .0.0)]
    RebuildRunning(Generation),
}

impl Error {
    /// The constant word under which metrics and logs count this error.
    #[must_use]
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "unavailable",
            Self::Corrupt { .. } => "corrupt",
            Self::UnknownGeneration(_) | Self::RebuildRunning(_) => "invalid",
        }
    }
}
