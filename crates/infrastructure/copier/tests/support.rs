//! Stores to copy between, and one that does wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use eventsourcing::store::{Error, Page};
use eventsourcing::{
    Appended, EventId, EventStore, ExpectedRevision, NewEvent, Position, RecordedEvent, Revision, StreamId,
    Subscription,
};
use kurrentdb_testserver::{Cluster, Options};
use tempfile::TempDir;
use tokio::sync::Notify;
use uuid::Uuid;

#[derive(Clone, Copy)]
pub(crate) enum Place {
    Sqlite,
    Kurrentdb,
}

pub(crate) fn target(place: Place, folder: &TempDir) -> (Option<Cluster>, Arc<dyn EventStore>) {
    match place {
        Place::Sqlite => (None, sqlite(folder, "target")),
        Place::Kurrentdb => {
            let (cluster, store) = kurrentdb();
            (Some(cluster), store)
        }
    }
}

pub(crate) fn sqlite(folder: &TempDir, name: &str) -> Arc<dyn EventStore> {
    let path = folder.path().join(format!("{name}.db"));
    Arc::new(sqlite::EventStore::open(path, Arc::new(eventsourcing::clock::System)).unwrap())
}

pub(crate) fn kurrentdb() -> (Cluster, Arc<dyn EventStore>) {
    let cluster = Cluster::start(Options::default()).unwrap();
    let settings = kurrentdb::Settings::parse(&format!("{}&defaultDeadline=2000", cluster.url())).unwrap();
    (cluster, Arc::new(kurrentdb::EventStore::open(settings).unwrap()))
}

pub(crate) fn new_event(number: u64) -> NewEvent {
    NewEvent {
        id: EventId(Uuid::from_u128(u128::from(number) + 1)),
        event_type: "COUNTED".into(),
        data: Bytes::from(format!("{{\"number\":{number},\"price\":1.50}}")),
        metadata: match number % 3 {
            0 => Bytes::new(),
            1 => Bytes::from_static(b"{}"),
            _ => Bytes::from_static(br#"{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}"#),
        },
    }
}

/// Events in turn, each stream's by itself.
pub(crate) async fn fill(store: &Arc<dyn EventStore>, streams: u64, events: u64) {
    for number in 0..events {
        let stream = StreamId::new(format!("order-{}", number % streams));
        let expected = ExpectedRevision::after((number / streams).checked_sub(1).map(Revision));
        store.append(&stream, expected, vec![new_event(number)]).await.unwrap();
    }
}

/// All events, in the order of the store.
pub(crate) async fn events(store: &Arc<dyn EventStore>) -> Vec<RecordedEvent> {
    let (mut all, mut after) = (Vec::new(), Position::START);
    loop {
        let page = store.read_all(after, 500, "").await.unwrap();
        all.extend(page.events);
        if page.next == after {
            return all;
        }
        after = page.next;
    }
}

/// What two stores with the same streams have in common, metadata aside, stream by stream.
pub(crate) async fn shape(
    store: &Arc<dyn EventStore>,
) -> Vec<(StreamId, Revision, EventId, String, Bytes, Option<String>)> {
    let shape = |event: RecordedEvent| {
        let traceparent = event.metadata().traceparent;
        (event.stream, event.revision, event.id, event.event_type.into_owned(), event.data, traceparent)
    };
    let mut all: Vec<_> = events(store).await.into_iter().map(shape).collect();
    all.sort_unstable();
    all
}

/// A store between copier and store, which does not do what it says.
pub(crate) struct Liar {
    inner: Arc<dyn EventStore>,
    way: Way,
    appends: AtomicU64,
    reached: Notify,
}

enum Way {
    /// Takes so many appends and then neither takes nor answers any.
    Stops(u64),
    /// Changes an event on its way.
    Changes,
    /// Acknowledges an append that it does not make.
    Loses,
    /// Has the first events of a stream no more.
    Beheads,
}

impl Liar {
    fn new(inner: Arc<dyn EventStore>, way: Way) -> Arc<Self> {
        Arc::new(Self { inner, way, appends: AtomicU64::new(0), reached: Notify::new() })
    }

    pub(crate) fn after(inner: Arc<dyn EventStore>, appends: u64) -> Arc<Self> {
        Self::new(inner, Way::Stops(appends))
    }

    pub(crate) fn changing(inner: Arc<dyn EventStore>) -> Arc<Self> {
        Self::new(inner, Way::Changes)
    }

    pub(crate) fn losing(inner: Arc<dyn EventStore>) -> Arc<Self> {
        Self::new(inner, Way::Loses)
    }

    pub(crate) fn beheading(inner: Arc<dyn EventStore>) -> Arc<Self> {
        Self::new(inner, Way::Beheads)
    }

    pub(crate) async fn is_reached(&self) {
        self.reached.notified().await;
    }
}

#[async_trait]
impl EventStore for Liar {
    async fn append(
        &self,
        stream: &StreamId,
        expected: ExpectedRevision,
        mut events: Vec<NewEvent>,
    ) -> Result<Appended, Error> {
        let number = self.appends.fetch_add(1, Ordering::SeqCst);
        match self.way {
            Way::Stops(appends) if number >= appends => {
                self.reached.notify_one();
                std::future::pending().await
            }
            Way::Changes if number == 3 => events[0].data = Bytes::from_static(b"{}"),
            // The last page's, behind which nothing comes that would notice.
            Way::Loses if events.iter().any(|event| event.id == new_event(299).id) => {
                return Ok(Appended { revision: Revision(0), position: Position(1), duplicate: false });
            }
            _ => {}
        }
        self.inner.append(stream, expected, events).await
    }

    async fn read(&self, stream: &StreamId, from: Revision, max: usize) -> Result<Vec<RecordedEvent>, Error> {
        self.inner.read(stream, from, max).await
    }

    async fn read_all(&self, after: Position, max: usize, prefix: &str) -> Result<Page, Error> {
        let mut page = self.inner.read_all(after, max, prefix).await?;
        if matches!(self.way, Way::Beheads) {
            page.events.retain(|event| event.stream.as_str() != "order-1" || event.revision >= Revision(5));
        }
        Ok(page)
    }

    async fn head(&self) -> Result<Position, Error> {
        self.inner.head().await
    }

    async fn subscribe(&self, after: Position, prefix: &str) -> Result<Box<dyn Subscription>, Error> {
        self.inner.subscribe(after, prefix).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.inner.ping().await
    }
}
