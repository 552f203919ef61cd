//! The event store, observed. Waiting for events is not a call: a subscription is timed when it begins.

use std::sync::Arc;

use async_trait::async_trait;
use eventsourcing::store::{Error, Page};
use eventsourcing::{
    Appended, EventStore as Port, ExpectedRevision, NewEvent, Position, RecordedEvent, Revision, StreamId, Subscription,
};
use telemetry::names::span;

use crate::{Instruments, Operation, timed};

const APPEND: Operation = Operation::new("append", span::APPEND_ORDER);
const READ: Operation = Operation::new("read", span::READ_ORDER);
const READ_ALL: Operation = Operation::new("read_all", span::READ_EVENTS);
const HEAD: Operation = Operation::new("head", span::READ_HEAD);
const SUBSCRIBE: Operation = Operation::untraced("subscribe");
const PING: Operation = Operation::new("ping", span::PING_EVENT_STORE);

/// An [`eventsourcing::EventStore`] whose calls are observed.
pub struct EventStore {
    inner: Arc<dyn Port>,
    instruments: Instruments,
}

impl EventStore {
    /// Wraps a store.
    #[must_use]
    pub fn new(inner: Arc<dyn Port>, instruments: Instruments) -> Self {
        Self { inner, instruments }
    }

    async fn timed<T>(&self, operation: Operation, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let Instruments { backend, metrics, .. } = &self.instruments;
        let observe = |outcome, seconds| metrics.eventstore.observe(operation.name, backend, outcome, seconds);
        timed(&self.instruments, operation, call, Error::outcome, observe).await
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
        self.timed(APPEND, self.inner.append(stream, expected, events)).await
    }

    async fn read(&self, stream: &StreamId, from: Revision, max: usize) -> Result<Vec<RecordedEvent>, Error> {
        self.timed(READ, self.inner.read(stream, from, max)).await
    }

    async fn read_all(&self, after: Position, max: usize, prefix: &str) -> Result<Page, Error> {
        self.timed(READ_ALL, self.inner.read_all(after, max, prefix)).await
    }

    async fn head(&self) -> Result<Position, Error> {
        self.timed(HEAD, self.inner.head()).await
    }

    async fn subscribe(&self, after: Position, prefix: &str) -> Result<Box<dyn Subscription>, Error> {
        self.timed(SUBSCRIBE, self.inner.subscribe(after, prefix)).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.timed(PING, self.inner.ping()).await
    }
}
