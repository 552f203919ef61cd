//! The event store, timed. Waiting for events is not a call: a subscription is timed when it begins.

use std::sync::Arc;

use async_trait::async_trait;
use eventsourcing::store::{Error, Page};
use eventsourcing::{
    Appended, EventStore as Port, ExpectedRevision, NewEvent, Position, RecordedEvent, Revision, StreamId, Subscription,
};
use telemetry::Metrics;

use crate::timed;

/// An [`eventsourcing::EventStore`] whose calls are counted.
pub struct EventStore {
    inner: Arc<dyn Port>,
    backend: &'static str,
    metrics: Arc<Metrics>,
}

impl EventStore {
    /// Wraps a store; `backend` is the engine's name in metrics.
    #[must_use]
    pub fn new(inner: Arc<dyn Port>, backend: &'static str, metrics: Arc<Metrics>) -> Self {
        Self { inner, backend, metrics }
    }

    async fn timed<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let observe = |outcome, seconds| self.metrics.eventstore.observe(operation, self.backend, outcome, seconds);
        timed(call, Error::outcome, observe).await
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
        self.timed("append", self.inner.append(stream, expected, events)).await
    }

    async fn read(&self, stream: &StreamId, from: Revision, max: usize) -> Result<Vec<RecordedEvent>, Error> {
        self.timed("read", self.inner.read(stream, from, max)).await
    }

    async fn read_all(&self, after: Position, max: usize, prefix: &str) -> Result<Page, Error> {
        self.timed("read_all", self.inner.read_all(after, max, prefix)).await
    }

    async fn head(&self) -> Result<Position, Error> {
        self.timed("head", self.inner.head()).await
    }

    async fn subscribe(&self, after: Position, prefix: &str) -> Result<Box<dyn Subscription>, Error> {
        self.timed("subscribe", self.inner.subscribe(after, prefix)).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.timed("ping", self.inner.ping()).await
    }
}
