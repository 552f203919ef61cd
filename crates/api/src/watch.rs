//! Watching orders: one subscription for the whole process wakes those who watch, each of whom then
//! reads what is new from the order's own stream. A slow watcher costs nobody anything but itself.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use delivery::models::OrderId;
use eventsourcing::{EventStore, Position, Revision, StreamId, with_causes};
use futures_util::stream::unfold;
use tokio::sync::Notify;

use crate::State;
use crate::error::{Error, Kind};
use crate::handlers::history::entry;

/// Streams open at once.
const MAX_WATCHERS: usize = 1_000;
/// Events read at once.
const PAGE: usize = 100;
/// How long the hub waits after a failure.
const RETRY: Duration = Duration::from_secs(1);
/// How often a silent stream shows that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Who watches what. Cheap to clone.
#[derive(Clone, Default)]
pub struct Hub(Arc<Shared>);

#[derive(Default)]
struct Shared {
    watched: Mutex<Watched>,
    /// Somebody has begun to watch.
    begun: Notify,
}

#[derive(Default)]
struct Watched {
    count: usize,
    by_stream: HashMap<StreamId, Vec<Arc<Notify>>>,
}

impl Hub {
    /// Follows the store for as long as anybody watches; never returns. Streams whose names do not
    /// start with `prefix` are of no interest.
    pub async fn follow(self, store: Arc<dyn EventStore>, prefix: String) {
        loop {
            self.0.begun.notified().await;
            while self.is_watched() {
                if let Err(error) = self.follow_while_watched(&*store, &prefix).await {
                    tracing::warn!(error.cause = with_causes(&error), "watched orders cannot be followed");
                    tokio::time::sleep(RETRY).await;
                }
                // Whatever happened in between: everyone looks for himself.
                self.wake_all();
            }
        }
    }

    async fn follow_while_watched(
        &self,
        store: &dyn EventStore,
        prefix: &str,
    ) -> Result<(), eventsourcing::store::Error> {
        let head: Position = store.head().await?;
        let mut subscription = store.subscribe(head, prefix).await?;
        // Watchers that began before the subscription did may have missed something.
        self.wake_all();
        while self.is_watched() {
            // Now and then a look whether anybody is left.
            let next = tokio::time::timeout(HEARTBEAT, subscription.next(1_024)).await;
            let Ok(page) = next else { continue };
            let page = page?;
            let watched = self.watched();
            for event in &page.events {
                watched.by_stream.get(&event.stream).into_iter().flatten().for_each(|watcher| watcher.notify_one());
            }
        }
        Ok(())
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.0.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_watched(&self) -> bool {
        self.watched().count > 0
    }

    fn wake_all(&self) {
        self.watched().by_stream.values().flatten().for_each(|watcher| watcher.notify_one());
    }

    fn register(&self, stream: StreamId) -> Option<Registration> {
        let wake = Arc::new(Notify::new());
        {
            let mut watched = self.watched();
            if watched.count >= MAX_WATCHERS {
                return None;
            }
            watched.count += 1;
            watched.by_stream.entry(stream.clone()).or_default().push(Arc::clone(&wake));
        }
        self.0.begun.notify_one();
        Some(Registration { hub: self.clone(), stream, wake })
    }
}

/// A place among the watchers, given back when dropped.
struct Registration {
    hub: Hub,
    stream: StreamId,
    wake: Arc<Notify>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut watched = self.hub.watched();
        watched.count -= 1;
        if let Some(watchers) = watched.by_stream.get_mut(&self.stream) {
            watchers.retain(|watcher| !Arc::ptr_eq(watcher, &self.wake));
            if watchers.is_empty() {
                watched.by_stream.remove(&self.stream);
            }
        }
    }
}

struct Watcher {
    state: Arc<State>,
    id: OrderId,
    next: Revision,
    ready: VecDeque<Event>,
    registration: Registration,
}

/// The answer that sends an order's events from revision `from` on, as they happen, until the client
/// leaves or the server drains.
pub(crate) fn stream(state: &Arc<State>, id: OrderId, from: Revision) -> Result<Response, Error> {
    let orders = state.orders.as_ref();
    let registration = orders.and_then(|orders| orders.hub.register(id.stream()));
    let registration = registration.ok_or_else(|| {
        Error::new(Kind::Unavailable, format!("{MAX_WATCHERS} streams are open, which is as many as there may be"))
    })?;
    let watcher = Watcher { state: Arc::clone(state), id, next: from, ready: VecDeque::new(), registration };
    let events = unfold(watcher, async |mut watcher| {
        let event = watcher.next().await?;
        Some((Ok::<_, Infallible>(event), watcher))
    });
    let alive = KeepAlive::new().interval(HEARTBEAT).text("alive");
    Ok(Sse::new(events).keep_alive(alive).into_response())
}

impl Watcher {
    /// The next event, or `None` when the stream is to end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.state.drain.has_begun() {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let queries = &self.state.orders.as_ref()?.queries;
            match queries.history(self.id, self.next, PAGE).await {
                Ok(page) if page.is_empty() => {
                    tokio::select! {
                        () = self.registration.wake.notified() => {}
                        () = self.state.drain.begun() => return None,
                    }
                }
                Ok(page) => {
                    for event in page {
                        self.next = event.revision.next();
                        let shown = Event::default().id(event.revision.to_string()).event(&*event.event_type);
                        // Text and numbers always have a JSON form.
                        self.ready.extend(shown.json_data(entry(&event)).ok());
                    }
                }
                // The client comes back with the last revision that it has seen.
                Err(error) => {
                    tracing::warn!(error.cause = with_causes(&error), "watched order cannot be read");
                    return None;
                }
            }
        }
    }
}
