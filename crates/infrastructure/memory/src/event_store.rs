//! The event store in memory: a list of events under a lock. Simple enough to be seen right, and the
//! reference that other adapters are compared with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use eventsourcing::store::{Error, Page};
use eventsourcing::{
    Appended, Clock, EventStore as Port, ExpectedRevision, NewEvent, Position, RecordedEvent, Revision, StreamId,
    Subscription,
};
use tokio::sync::watch;

use crate::Faults;

/// An event store that is gone with the process. Cheap to clone.
#[derive(Clone)]
pub struct EventStore(Arc<Shared>);

struct Shared {
    events: Mutex<Vec<RecordedEvent>>,
    head: watch::Sender<Position>,
    clock: Arc<dyn Clock>,
    faults: Faults,
}

impl EventStore {
    /// An empty store. `clock` tells when events are recorded.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let head = watch::Sender::new(Position::START);
        Self(Arc::new(Shared { events: Mutex::default(), head, clock, faults: Faults::default() }))
    }

    /// What the store is made to do wrong.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    fn events(&self) -> MutexGuard<'_, Vec<RecordedEvent>> {
        self.0.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn inject(&self) -> Result<(), Error> {
        self.0.faults.inject().await.map_err(|fault| Error::Unavailable {
            reason: "a fault was injected".to_owned(),
            source: Some(Box::new(fault)),
        })
    }

    fn page(&self, after: Position, max: usize, prefix: &str) -> Page {
        let events = self.events();
        let mut page = Page { events: Vec::new(), next: after };
        for event in events.iter().filter(|event| event.position > after) {
            if page.events.len() == max {
                break;
            }
            page.next = event.position;
            if event.stream.as_str().starts_with(prefix) {
                page.events.push(event.clone());
            }
        }
        page
    }
}

#[async_trait]
impl Port for EventStore {
    async fn append(
        &self,
        stream: &StreamId,
        expected: ExpectedRevision,
        new: Vec<NewEvent>,
    ) -> Result<Appended, Error> {
        self.inject().await?;
        if new.is_empty() {
            return Err(Error::Invalid("an append needs at least one event".to_owned()));
        }
        let mut events = self.events();
        let of_stream: Vec<_> = events.iter().filter(|event| event.stream == *stream).collect();
        let current = of_stream.last().map(|event| event.revision);
        if ExpectedRevision::after(current) != expected {
            let first = usize::try_from(expected.first_appended().0).unwrap_or(usize::MAX);
            let there = of_stream.get(first..first.saturating_add(new.len())).unwrap_or_default();
            let is_repeated = there.len() == new.len() && there.iter().zip(&new).all(|(there, new)| there.id == new.id);
            return match there.last().filter(|_| is_repeated) {
                Some(last) => Ok(Appended { revision: last.revision, position: last.position, duplicate: true }),
                None => Err(Error::Conflict { stream: stream.clone(), current }),
            };
        }
        let now = self.0.clock.now();
        let mut revision = expected.first_appended();
        let mut position = events.last().map_or(Position::START, |event| event.position);
        for (index, event) in new.into_iter().enumerate() {
            if index > 0 {
                revision = revision.next();
            }
            position = Position(position.0 + 1);
            events.push(RecordedEvent {
                stream: stream.clone(),
                revision,
                position,
                id: event.id,
                event_type: event.event_type,
                data: event.data,
                raw_metadata: event.metadata,
                recorded_at: now,
            });
        }
        self.0.head.send_replace(position);
        Ok(Appended { revision, position, duplicate: false })
    }

    async fn read(&self, stream: &StreamId, from: Revision, max: usize) -> Result<Vec<RecordedEvent>, Error> {
        self.inject().await?;
        let events = self.events();
        let wanted = events.iter().filter(|event| event.stream == *stream && event.revision >= from);
        Ok(wanted.take(max).cloned().collect())
    }

    async fn read_all(&self, after: Position, max: usize, prefix: &str) -> Result<Page, Error> {
        self.inject().await?;
        Ok(self.page(after, max, prefix))
    }

    async fn head(&self) -> Result<Position, Error> {
        self.inject().await?;
        Ok(*self.0.head.borrow())
    }

    async fn subscribe(&self, after: Position, prefix: &str) -> Result<Box<dyn Subscription>, Error> {
        self.inject().await?;
        let head = self.0.head.subscribe();
        Ok(Box::new(Follower { store: self.clone(), after, prefix: prefix.to_owned(), head }))
    }

    async fn ping(&self) -> Result<(), Error> {
        self.inject().await
    }
}

struct Follower {
    store: EventStore,
    after: Position,
    prefix: String,
    head: watch::Receiver<Position>,
}

#[async_trait]
impl Subscription for Follower {
    async fn next(&mut self, max: usize) -> Result<Page, Error> {
        loop {
            self.store.inject().await?;
            self.head.mark_unchanged();
            let page = self.store.page(self.after, max, &self.prefix);
            self.after = page.next;
            if !page.events.is_empty() {
                return Ok(page);
            }
            // The sender lives in the store that is held here.
            let _ = self.head.changed().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn open(_place: &()) -> Arc<EventStore> {
        Arc::new(EventStore::new(Arc::new(contract_tests::clock::Manual::default())))
    }

    contract_tests::event_store_contract!(place: || (), open: open);

    mod commands {
        contract_tests::order_commands_contract!(place: || (), open: super::open);
    }
}
