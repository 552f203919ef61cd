//! The ports to an event store. Every clause with MUST is a test in `contract-tests`, which every
//! adapter runs.

use async_trait::async_trait;

use crate::{ExpectedRevision, NewEvent, Position, RecordedEvent, Revision, StreamId};

/// Keeps events, appends them under optimistic concurrency, and lets them be followed.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Appends `events`, all or none, as the revisions that follow `expected`.
    ///
    /// - MUST answer `Ok` only once the events survive a crash of the process and of the machine.
    /// - MUST fail with [`Error::Conflict`] when the stream is not at `expected`, and then MUST leave
    ///   no trace; of concurrent appends with the same expectation exactly one MUST win.
    /// - MUST be idempotent by event id: when the stream already holds exactly these ids at exactly
    ///   these revisions, it answers `Ok` with their place and writes nothing, whatever came after.
    /// - MUST give positions that increase in the order in which readers can see the events.
    /// - MUST refuse an empty list with [`Error::Invalid`].
    async fn append(
        &self,
        stream: &StreamId,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, Error>;

    /// Reads a stream forward from revision `from`, at most `max` events. A stream without events, or
    /// `from` behind its end, MUST read as empty.
    async fn read(&self, stream: &StreamId, from: Revision, max: usize) -> Result<Vec<RecordedEvent>, Error>;

    /// Reads the whole store in position order, strictly after `after`, at most `max` events, keeping
    /// only streams whose name starts with `prefix` (empty keeps all).
    ///
    /// `next` of the page MUST be the position to go on from, even when the filter kept nothing, and
    /// MUST never skip an event that becomes visible later.
    async fn read_all(&self, after: Position, max: usize, prefix: &str) -> Result<Page, Error>;

    /// The position of the last visible event, [`Position::START`] when there is none.
    async fn head(&self) -> Result<Position, Error>;

    /// Follows the store from strictly after `after`: first what is there, then what comes.
    async fn subscribe(&self, after: Position, prefix: &str) -> Result<Box<dyn Subscription>, Error>;

    /// Succeeds when the store can be written to. Cheap enough to be asked once a second.
    async fn ping(&self) -> Result<(), Error>;
}

/// A catch-up subscription.
#[async_trait]
pub trait Subscription: Send {
    /// Waits until at least one event is there and returns up to `max`, in position order.
    ///
    /// - MUST return every matching event exactly once for the life of the subscription.
    /// - MUST be cancel-safe: dropping the future loses nothing.
    /// - After an error the subscription is over; the follower subscribes again from its checkpoint.
    async fn next(&mut self, max: usize) -> Result<Page, Error>;
}

/// A run of events and where to go on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// In position order.
    pub events: Vec<RecordedEvent>,
    /// Everything up to and including this position has been looked at.
    pub next: Position,
}

/// The receipt of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The revision of the last event appended.
    pub revision: Revision,
    /// The position of the last event appended.
    pub position: Position,
    /// The events were there already, from an earlier attempt with the same ids.
    pub duplicate: bool,
}

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The stream is not where the writer believed it to be: decide again on what is there now.
    #[error("stream {stream} is at revision {}, not as expected", .current.map_or("none".to_owned(), |r| r.to_string()))]
    Conflict {
        /// The stream.
        stream: StreamId,
        /// Its last revision, `None` for no event.
        current: Option<Revision>,
    },
    /// The store cannot be reached, cannot write, or is overloaded: the same call may succeed later.
    /// Nothing was acknowledged, but an append may have been stored; retry it with the same ids.
    #[error("the event store is unavailable: {reason}")]
    Unavailable {
        /// What was being done, for the log.
        reason: String,
        /// What the engine said.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// What is stored cannot be read: needs a person.
    #[error("the event store is damaged: {reason}")]
    Corrupt {
        /// What was found, and where.
        reason: String,
        /// What the engine said.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The call itself makes no sense.
    #[error("invalid use of the event store: {0}")]
    Invalid(String),
}

impl Error {
    /// An [`Error::Unavailable`] without an underlying cause.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into(), source: None }
    }

    /// The constant word under which metrics and logs count this error.
    #[must_use]
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "conflict",
            Self::Unavailable { .. } => "unavailable",
            Self::Corrupt { .. } => "corrupt",
            Self::Invalid(_) => "invalid",
        }
    }
}
