//! One step of a projection: a page of events becomes documents and parked events. Orders are spread
//! over partitions; within an order the events keep their order.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use delivery::models::OrderId;
use delivery::projections::{Applied, OrderView, apply};
use delivery::repository::{Error, Generation, ParkedEvent, ProjectionStore};
use eventsourcing::{RecordedEvent, Revision, StreamId, with_causes};
use futures_util::future::try_join_all;
use jiff::Timestamp;

/// Below this many events a step is not worth spreading.
const SPREAD_FROM: usize = 128;

/// Streams with parked events, and the revisions that are parked: what comes after the first is parked
/// too.
pub(crate) type Blocked = HashMap<StreamId, BTreeSet<Revision>>;

/// What a step leads to.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) upserts: Vec<OrderView>,
    pub(crate) parked: Vec<ParkedEvent>,
}

/// Where a step reads from and what it has to know.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) target: Arc<dyn ProjectionStore>,
    pub(crate) generation: Generation,
    pub(crate) blocked: Arc<Blocked>,
    pub(crate) now: Timestamp,
}

impl Step {
    /// Folds a page in up to `partitions` tasks.
    pub(crate) async fn run(self, events: Vec<RecordedEvent>, partitions: NonZeroUsize) -> Result<Outcome, Error> {
        if partitions.get() == 1 || events.len() < SPREAD_FROM {
            return self.fold(events).await;
        }
        let tasks = partition(events, partitions).into_iter().map(|part| {
            let task = tokio::spawn(self.clone().fold(part));
            async move {
                task.await.unwrap_or_else(|failure| {
                    Err(Error::Unavailable { engine: "projection", reason: failure.to_string(), source: None })
                })
            }
        });
        let mut whole = Outcome::default();
        for part in try_join_all(tasks).await? {
            whole.upserts.extend(part.upserts);
            whole.parked.extend(part.parked);
        }
        Ok(whole)
    }

    async fn fold(self, events: Vec<RecordedEvent>) -> Result<Outcome, Error> {
        let mut views = self.load(&events).await?;
        let mut changed = HashSet::new();
        let mut newly_blocked = HashSet::new();
        let mut parked = Vec::new();
        for event in events {
            if self.is_parked(&event) {
                continue;
            }
            if self.is_blocked(&event) || newly_blocked.contains(&event.stream) {
                parked.push(self.park(event, "an earlier event of this order is parked".to_owned()));
                continue;
            }
            let id = OrderId::from_stream(&event.stream);
            let view = id.and_then(|id| views.remove(&id));
            match apply_caught(view.clone(), &event) {
                Ok(Applied::Changed(view, adjustments)) => {
                    for adjustment in adjustments {
                        tracing::info!(
                            event.position = event.position.0,
                            event.type = &*event.event_type,
                            adjustment,
                            "recorded event was upcast"
                        );
                    }
                    changed.insert(view.id);
                    views.insert(view.id, view);
                }
                Ok(Applied::AlreadySeen(view)) => {
                    views.insert(view.id, view);
                }
                Err(error) => {
                    if let Some(stored) = self.seen(id, &event).await? {
                        views.insert(stored.id, stored);
                        continue;
                    }
                    if let Some((id, view)) = id.zip(view) {
                        views.insert(id, view);
                    }
                    newly_blocked.insert(event.stream.clone());
                    parked.push(self.park(event, error));
                }
            }
        }
        let upserts = views.into_values().filter(|view| changed.contains(&view.id)).collect();
        Ok(Outcome { upserts, parked })
    }

    /// Redelivered: it stays parked as it is, with its own error and attempts.
    fn is_parked(&self, event: &RecordedEvent) -> bool {
        self.blocked.get(&event.stream).is_some_and(|parked| parked.contains(&event.revision))
    }

    /// What comes before the first parked event has been applied, and is not held up by it.
    fn is_blocked(&self, event: &RecordedEvent) -> bool {
        let first = self.blocked.get(&event.stream).and_then(BTreeSet::first);
        first.is_some_and(|first| *first < event.revision)
    }

    /// The order's document, when it is past an event that cannot be applied: redelivered after it was
    /// skipped, in a page that begins with the order's first event and so did not load the document.
    async fn seen(&self, id: Option<OrderId>, event: &RecordedEvent) -> Result<Option<OrderView>, Error> {
        let Some(id) = id else { return Ok(None) };
        let stored = self.target.load(self.generation, &[id]).await?.pop();
        Ok(stored.filter(|stored| stored.revision >= event.revision))
    }

    /// The views that the events build on. An order whose first event is in the page has none.
    async fn load(&self, events: &[RecordedEvent]) -> Result<HashMap<OrderId, OrderView>, Error> {
        let mut first_seen = HashMap::new();
        for event in events {
            if let Some(id) = OrderId::from_stream(&event.stream)
                && let Entry::Vacant(entry) = first_seen.entry(id)
            {
                entry.insert(event.revision);
            }
        }
        // Revision 0 can be a redelivery, so that the document is there: the guarded upsert sorts it out.
        let known: Vec<OrderId> =
            first_seen.into_iter().filter(|(_, revision)| *revision != Revision::FIRST).map(|(id, _)| id).collect();
        if known.is_empty() {
            return Ok(HashMap::new());
        }
        let views = self.target.load(self.generation, &known).await?;
        Ok(views.into_iter().map(|view| (view.id, view)).collect())
    }

    fn park(&self, event: RecordedEvent, error: String) -> ParkedEvent {
        tracing::warn!(
            event.position = event.position.0,
            event.type = &*event.event_type,
            stream = event.stream.as_str(),
            generation = self.generation.0,
            error.cause = error,
            "event parked"
        );
        ParkedEvent { event, error, attempts: 1, parked_at: self.now }
    }
}

/// Applies an event; whatever is wrong with it, a panic included, is its own fault and not the
/// projection's.
pub(crate) fn apply_caught(view: Option<OrderView>, event: &RecordedEvent) -> Result<Applied, String> {
    match catch_unwind(AssertUnwindSafe(|| apply(view, event))) {
        Ok(Ok(applied)) => Ok(applied),
        Ok(Err(error)) => Err(with_causes(&error)),
        Err(_) => Err("the projection panicked on this event".to_owned()),
    }
}

fn partition(events: Vec<RecordedEvent>, partitions: NonZeroUsize) -> Vec<Vec<RecordedEvent>> {
    let mut parts = vec![Vec::with_capacity(events.len() / partitions + 1); partitions.get()];
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    for event in events {
        let index = hasher.hash_one(event.stream.as_str()) % partitions.get() as u64;
        if let Some(part) = usize::try_from(index).ok().and_then(|index| parts.get_mut(index)) {
            part.push(event);
        }
    }
    parts
}
