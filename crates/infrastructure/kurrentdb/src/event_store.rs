//! The port to the event store. A stream is a stream, a position is the engine's commit position, and
//! everything but following is asked of the leader, so that what was acknowledged can be read.

mod append;
mod read;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use eventsourcing::store::{Error, Page};
use eventsourcing::{
    Appended, EventStore as Port, ExpectedRevision, NewEvent, Position, RecordedEvent, Revision, StreamId, Subscription,
};

use crate::call::{self, Call};
use crate::failure::Failure;
use crate::nodes::{Nodes, Role};
use crate::receipts::Receipts;
use crate::rpc::Caller;
use crate::settings::Settings;
use crate::subscription::Follower;
use crate::transport::{OpenError, Transport};

/// Readiness waits for it: long enough for a leader to be found, short enough to be asked often.
const PING_DEADLINE: Duration = Duration::from_secs(3);

/// A KurrentDB server or cluster as an event store. Cheap to clone.
#[derive(Clone)]
pub struct EventStore(Arc<Core>);

pub(crate) struct Core {
    nodes: Nodes,
    receipts: Receipts,
    deadline: Duration,
}

impl EventStore {
    /// A store of the server or cluster that `settings` name. Nothing is sent before the first call, and
    /// a server that is down now may come later.
    ///
    /// # Errors
    /// When a file that the settings name is not what it should be.
    pub fn open(settings: Settings) -> Result<Self, OpenError> {
        let transport = Transport::new(&settings)?;
        let deadline = settings.deadline;
        Ok(Self(Arc::new(Core { nodes: Nodes::new(settings, transport), receipts: Receipts::default(), deadline })))
    }

    /// The version of the server that is asked, as it tells it, such as `24.10.0`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it cannot be reached.
    pub async fn server_version(&self) -> Result<String, Error> {
        let deadline = PING_DEADLINE.min(self.0.deadline);
        let features = self.0.within(Role::Lead, deadline, Caller::features).await;
        Ok(features
            .map_err(|failure| failure.into_error("asking for the server's version"))?
            .event_store_server_version)
    }
}

impl Core {
    pub(crate) async fn call<T, F>(&self, role: Role, attempt: impl Fn(Caller) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.within(role, self.deadline, attempt).await
    }

    pub(crate) fn receipts(&self) -> &Receipts {
        &self.receipts
    }

    async fn within<T, F>(&self, role: Role, deadline: Duration, attempt: impl Fn(Caller) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        call::make(&self.nodes, Call { role, deadline }, attempt).await
    }
}

#[async_trait]
impl Port for EventStore {
    async fn append(
        &self,
        stream: &StreamId,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, Error> {
        self.0.append(stream, expected, events).await
    }

    async fn read(&self, stream: &StreamId, from: Revision, max: usize) -> Result<Vec<RecordedEvent>, Error> {
        self.0.read(stream, from, max).await
    }

    async fn read_all(&self, after: Position, max: usize, prefix: &str) -> Result<Page, Error> {
        self.0.read_all(after, max, prefix).await
    }

    async fn head(&self) -> Result<Position, Error> {
        self.0.head(self.0.deadline).await
    }

    async fn subscribe(&self, after: Position, prefix: &str) -> Result<Box<dyn Subscription>, Error> {
        Ok(Box::new(Follower::new(Arc::clone(&self.0), after, prefix).await?))
    }

    /// Asks the leader for its last event: that there is one, and that it answers, is what can be known
    /// without a write.
    async fn ping(&self) -> Result<(), Error> {
        self.0.head(PING_DEADLINE.min(self.0.deadline)).await.map(drop)
    }
}

impl fmt::Debug for EventStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventStore({})", self.0.nodes.settings().hosts())
    }
}
