//! Where the suites run: on a server of the test's own, or, with `TEST_KURRENTDB_URL`, on one that is
//! there already. The latter is shared, so each test keeps to names of its own there.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use eventsourcing::store::{Error, Page};
use eventsourcing::{
    Appended, EventId, EventStore as Port, ExpectedRevision, NewEvent, Position, RecordedEvent, Revision, StreamId,
    Subscription,
};
use kurrentdb::{EventStore, Settings};
use kurrentdb_testserver::{Cluster, Options};
use uuid::Uuid;

/// A fresh, empty place.
pub(crate) struct Place {
    url: String,
    /// In front of every name.
    scope: String,
    _cluster: Option<Cluster>,
}

/// A place for one test.
pub(crate) fn place() -> Place {
    if let Ok(url) = std::env::var("TEST_KURRENTDB_URL") {
        return Place { url, scope: format!("test-{}-", Uuid::new_v4()), _cluster: None };
    }
    // More than the default, as the payloads of one case need it.
    let cluster = Cluster::start(Options { append_bytes_max: 4 << 20, ..Options::default() }).unwrap();
    Place { url: cluster.url(), scope: String::new(), _cluster: Some(cluster) }
}

/// A store in a place, with connections of its own.
pub(crate) async fn open(place: &Place) -> Arc<Scoped> {
    Arc::new(Scoped { inner: store(&place.url), scope: place.scope.clone() })
}

pub(crate) fn store(url: &str) -> EventStore {
    EventStore::open(Settings::parse(url).unwrap()).unwrap()
}

/// Servers of the test's own, and a store on them. Calls have little time, so that a test has too.
pub(crate) fn cluster(options: Options) -> (Cluster, EventStore) {
    let cluster = Cluster::start(options).unwrap();
    let store = store(&patient_for(&cluster.url(), 2_000));
    (cluster, store)
}

pub(crate) fn patient_for(url: &str, deadline_ms: u64) -> String {
    format!("{url}&defaultDeadline={deadline_ms}&gossipTimeout=1&discoveryInterval=20&maxDiscoverAttempts=100")
}

pub(crate) fn event(number: u64) -> NewEvent {
    NewEvent {
        id: EventId(Uuid::from_u128(u128::from(number) + 1)),
        event_type: "COUNTED".into(),
        data: Bytes::from(format!("{{\"number\":{number}}}")),
        metadata: Bytes::from_static(b"{}"),
    }
}

/// Appends one event, of which nothing may have been there.
pub(crate) async fn append(store: &EventStore, stream: &str, number: u64) -> Appended {
    let expected = ExpectedRevision::after(number.checked_sub(1).map(Revision));
    let appended = store.append(&StreamId::new(stream), expected, vec![event(number)]).await.unwrap();
    assert!(!appended.duplicate);
    appended
}

pub(crate) async fn numbers(store: &EventStore, stream: &str) -> Vec<u64> {
    let events = store.read(&StreamId::new(stream), Revision::FIRST, usize::MAX).await.unwrap();
    events.iter().map(number).collect()
}

pub(crate) fn number(event: &RecordedEvent) -> u64 {
    u64::try_from(event.id.0.as_u128() - 1).unwrap()
}

/// The numbers of the next events of a subscription.
pub(crate) async fn follow(subscription: &mut Box<dyn Subscription>, count: usize) -> Vec<u64> {
    let mut seen = Vec::new();
    while seen.len() < count {
        let page = tokio::time::timeout(Duration::from_secs(30), subscription.next(count - seen.len())).await;
        seen.extend(page.expect("an event is missing").unwrap().events.iter().map(number));
    }
    seen
}

/// A store that keeps to a part of a shared one: names have something in front, and what is before and
/// behind is not there.
pub(crate) struct Scoped {
    inner: EventStore,
    scope: String,
}

impl Scoped {
    fn enter(&self, stream: &StreamId) -> StreamId {
        StreamId::new(format!("{}{stream}", self.scope))
    }

    fn leave(&self, mut events: Vec<RecordedEvent>) -> Vec<RecordedEvent> {
        for event in &mut events {
            event.stream = StreamId::new(event.stream.as_str().strip_prefix(&self.scope).unwrap());
        }
        events
    }

    fn prefix(&self, prefix: &str) -> String {
        format!("{}{prefix}", self.scope)
    }
}

#[async_trait]
impl Port for Scoped {
    async fn append(
        &self,
        stream: &StreamId,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, Error> {
        self.inner.append(&self.enter(stream), expected, events).await.map_err(|error| match error {
            Error::Conflict { current, .. } => Error::Conflict { stream: stream.clone(), current },
            other => other,
        })
    }

    async fn read(&self, stream: &StreamId, from: Revision, max: usize) -> Result<Vec<RecordedEvent>, Error> {
        Ok(self.leave(self.inner.read(&self.enter(stream), from, max).await?))
    }

    async fn read_all(&self, after: Position, max: usize, prefix: &str) -> Result<Page, Error> {
        let page = self.inner.read_all(after, max, &self.prefix(prefix)).await?;
        let mut next = page.next;
        if !self.scope.is_empty() && page.events.len() < max {
            next = next.min(self.head().await?).max(after);
        }
        Ok(Page { events: self.leave(page.events), next })
    }

    async fn head(&self) -> Result<Position, Error> {
        if self.scope.is_empty() {
            return self.inner.head().await;
        }
        let (mut head, mut after) = (Position::START, Position::START);
        loop {
            let page = self.inner.read_all(after, 1_000, &self.scope).await?;
            head = page.events.last().map_or(head, |event| event.position);
            if page.next == after {
                return Ok(head);
            }
            after = page.next;
        }
    }

    async fn subscribe(&self, after: Position, prefix: &str) -> Result<Box<dyn Subscription>, Error> {
        let inner = self.inner.subscribe(after, &self.prefix(prefix)).await?;
        Ok(Box::new(ScopedSubscription { inner, scope: self.scope.clone() }))
    }

    async fn ping(&self) -> Result<(), Error> {
        self.inner.ping().await
    }
}

struct ScopedSubscription {
    inner: Box<dyn Subscription>,
    scope: String,
}

#[async_trait]
impl Subscription for ScopedSubscription {
    async fn next(&mut self, max: usize) -> Result<Page, Error> {
        let mut page = self.inner.next(max).await?;
        for event in &mut page.events {
            event.stream = StreamId::new(event.stream.as_str().strip_prefix(&self.scope).unwrap());
        }
        Ok(page)
    }
}
