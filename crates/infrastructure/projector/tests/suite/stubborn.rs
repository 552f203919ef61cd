//! An event store whose subscriptions can be held up, so that a test can look at what is half done.

use std::sync::Arc;

use async_trait::async_trait;
use eventsourcing::store::{Error, Page};
use eventsourcing::{
    Appended, EventStore, ExpectedRevision, NewEvent, Position, RecordedEvent, Revision, StreamId, Subscription,
};
use tokio::sync::watch;

pub(crate) struct Stubborn {
    inner: Arc<dyn EventStore>,
    limit: watch::Sender<Option<Position>>,
}

impl Stubborn {
    pub(crate) fn new(inner: Arc<dyn EventStore>) -> Self {
        Self { inner, limit: watch::Sender::new(None) }
    }

    /// Subscriptions made from now on give nothing behind this position.
    pub(crate) fn hold_at(&self, position: Position) {
        self.limit.send_replace(Some(position));
    }

    /// They go on.
    pub(crate) fn let_go(&self) {
        self.limit.send_replace(None);
    }
}

#[async_trait]
impl EventStore for Stubborn {
    async fn append(
        &self,
        stream: &StreamId,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, Error> {
        self.inner.append(stream, expected, events).await
    }

    async fn read(&self, stream: &StreamId, from: Revision, max: usize) -> Result<Vec<RecordedEvent>, Error> {
        self.inner.read(stream, from, max).await
    }

    async fn read_all(&self, after: Position, max: usize, prefix: &str) -> Result<Page, Error> {
        self.inner.read_all(after, max, prefix).await
    }

    async fn head(&self) -> Result<Position, Error> {
        self.inner.head().await
    }

    async fn subscribe(&self, after: Position, prefix: &str) -> Result<Box<dyn Subscription>, Error> {
        let follower = self.inner.subscribe(after, prefix).await?;
        if self.limit.borrow().is_none() {
            return Ok(follower);
        }
        let limit = self.limit.subscribe();
        Ok(Box::new(Held { store: Arc::clone(&self.inner), after, prefix: prefix.to_owned(), limit, follower: None }))
    }

    async fn ping(&self) -> Result<(), Error> {
        self.inner.ping().await
    }
}

struct Held {
    store: Arc<dyn EventStore>,
    after: Position,
    prefix: String,
    limit: watch::Receiver<Option<Position>>,
    /// Once let go, an ordinary subscription.
    follower: Option<Box<dyn Subscription>>,
}

#[async_trait]
impl Subscription for Held {
    async fn next(&mut self, max: usize) -> Result<Page, Error> {
        loop {
            if let Some(follower) = &mut self.follower {
                return follower.next(max).await;
            }
            let limit = *self.limit.borrow_and_update();
            let Some(limit) = limit else {
                self.follower = Some(self.store.subscribe(self.after, &self.prefix).await?);
                continue;
            };
            let room = usize::try_from(limit.0.saturating_sub(self.after.0)).unwrap().min(max);
            let page = self.store.read_all(self.after, room, &self.prefix).await?;
            if room > 0 && !page.events.is_empty() {
                self.after = page.next;
                return Ok(page);
            }
            let _ = self.limit.changed().await;
        }
    }
}
