//! What the rest of the program holds of a running projection: its status, and the requests that can be
//! put to it.

use std::sync::{Arc, Mutex, PoisonError};

use delivery::repository::{self, Generation, GenerationState, GenerationStatus, ParkedEvent};
use eventsourcing::store::Page;
use eventsourcing::{Position, store};
use telemetry::scope::{self, Scope};
use tokio::sync::{mpsc, oneshot, watch};

use crate::engine::{Engine, Request};
use crate::{Options, Ports};

/// Events that are read to tell how many wait.
const SAMPLE: usize = 100;
/// Requests that may wait for the engine.
const QUEUED_REQUESTS: usize = 16;

/// Whether a projection is at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunState {
    /// At work, or waiting for events.
    #[default]
    Running,
    /// Waiting before it tries again.
    BackingOff,
    /// Shut down.
    Stopped,
}

/// How a projection fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Whether it is at work.
    pub state: RunState,
    /// The last failure, with its causes, until the next success.
    pub last_error: Option<String>,
    /// Restarts since the process started.
    pub restarts: u64,
}

/// How far a projection is behind the store.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Lag {
    /// Positions from the checkpoint to the head.
    pub events: u64,
    /// The age of the oldest event that is not projected yet; 0 when there is none.
    pub seconds: f64,
}

/// Everything there is to know about a projection.
#[derive(Debug, Clone)]
pub struct Status {
    /// [`Options::name`].
    pub name: &'static str,
    /// Its generations.
    pub generations: Vec<GenerationStatus>,
    /// The store's last position.
    pub head: Position,
    /// How far the live generation is behind.
    pub lag: Lag,
    /// How it fares.
    pub health: Health,
}

/// Why a request could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No event is parked there.
    #[error("no event is parked at position {0}")]
    NotParked(Position),
    /// It can be done later, or after something else.
    #[error("{0}")]
    Blocked(String),
    /// A rebuild is running already.
    #[error("a rebuild is running already; promote or discard it first")]
    RebuildRunning,
    /// No rebuild is running.
    #[error("no rebuild is running")]
    NoRebuild,
    /// The rebuild is not far enough.
    #[error("the rebuild is at position {checkpoint}, the live generation at {live}: wait until it has caught up")]
    NotCaughtUp {
        /// The rebuild's.
        checkpoint: Position,
        /// The live generation's.
        live: Position,
    },
    /// The event store failed.
    #[error("the event store failed")]
    Store(#[from] store::Error),
    /// The projection's own store failed.
    #[error("the projection's store failed")]
    Target(#[from] repository::Error),
    /// The projection has been shut down.
    #[error("the projection has been shut down")]
    Stopped,
}

/// A running projection. Cheap to clone.
#[derive(Clone)]
pub struct Projector {
    options: Options,
    ports: Ports,
    health: Arc<Mutex<Health>>,
    requests: mpsc::Sender<Request>,
}

impl Projector {
    /// Starts a projection; it ends when `shutdown` turns true or its sender is dropped, after the
    /// step at hand. The task is supervised from within: it only ends by shutdown.
    #[must_use]
    pub fn start(
        options: Options,
        ports: Ports,
        shutdown: watch::Receiver<bool>,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let health = Arc::new(Mutex::new(Health::default()));
        let (requests, inbox) = mpsc::channel(QUEUED_REQUESTS);
        let engine = Engine::new(options.clone(), ports.clone(), Arc::clone(&health));
        let scope = Scope::of(ports.tracer.service());
        let task = tokio::spawn(scope::within(Some(scope), engine.supervise(inbox, shutdown)));
        (Self { options, ports, health, requests }, task)
    }

    /// [`Options::name`].
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.options.name
    }

    /// How it fares right now; never waits.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the status from the stores; does not wait for the projection.
    pub async fn status(&self) -> Result<Status, Error> {
        let generations = self.ports.target.generations().await?;
        let live = generations.iter().find(|status| status.state == GenerationState::Live);
        let checkpoint = live.map_or(Position::START, |status| status.checkpoint);
        let (head, lag) = lag(&self.ports, &self.options, checkpoint).await?;
        Ok(Status { name: self.options.name, generations, head, lag, health: self.health() })
    }

    /// Begins a rebuild. `promote` makes it live by itself as soon as it has caught up.
    pub async fn rebuild(&self, promote: bool) -> Result<Generation, Error> {
        self.ask(|reply| Request::Rebuild { promote, asked_by: self.asked_by(), reply }).await
    }

    /// Makes the rebuild live.
    pub async fn promote(&self) -> Result<Generation, Error> {
        self.ask(|reply| Request::Promote { asked_by: self.asked_by(), reply }).await
    }

    /// Gives the rebuild up.
    pub async fn discard(&self) -> Result<Generation, Error> {
        self.ask(|reply| Request::Discard { asked_by: self.asked_by(), reply }).await
    }

    /// The parked events of the live generation, by position.
    pub async fn parked(&self, max: usize) -> Result<Vec<ParkedEvent>, Error> {
        let generations = self.ports.target.generations().await?;
        let live = generations.iter().find(|status| status.state == GenerationState::Live);
        match live {
            Some(live) => Ok(self.ports.target.parked(live.generation, max).await?),
            None => Ok(Vec::new()),
        }
    }

    /// Applies a parked event again, and those that stood behind it. Returns how many were applied.
    pub async fn replay(&self, position: Position) -> Result<usize, Error> {
        self.ask(|reply| Request::Replay { position, asked_by: self.asked_by(), reply }).await
    }

    /// Leaves a parked event out. Returns how many events are no longer parked.
    pub async fn skip(&self, position: Position) -> Result<usize, Error> {
        self.ask(|reply| Request::Skip { position, asked_by: self.asked_by(), reply }).await
    }

    /// On whose behalf the projection does what it is asked for; it is still the projection that does it.
    fn asked_by(&self) -> Option<Scope> {
        scope::current().map(|scope| Scope { service: self.ports.tracer.service(), ..scope })
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Request) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| Error::Stopped)?;
        answer.await.map_err(|_| Error::Stopped)?
    }
}

/// The head, and how far `checkpoint` is behind it. Events of other streams do not count as lag.
pub(crate) async fn lag(ports: &Ports, options: &Options, checkpoint: Position) -> Result<(Position, Lag), Error> {
    let head = ports.store.head().await?;
    if head <= checkpoint {
        return Ok((head, Lag::default()));
    }
    let page = ports.store.read_all(checkpoint, SAMPLE, &options.prefix).await?;
    let Some(oldest) = page.events.first() else {
        return Ok((head, Lag::default()));
    };
    let age = ports.clock.now().duration_since(oldest.recorded_at).as_secs_f64().max(0.0);
    Ok((head, Lag { events: behind(&page, head), seconds: age }))
}

/// How many events there are from the first of a page up to `head`. What was not read is estimated from
/// how far apart those stand that were: positions may count events, or bytes.
fn behind(page: &Page, head: Position) -> u64 {
    let count = u64::try_from(page.events.len()).unwrap_or(u64::MAX);
    let (Some(first), Some(last)) = (page.events.first(), page.events.last()) else { return 0 };
    let (span, rest) = (last.position.0.abs_diff(first.position.0), head.0.saturating_sub(last.position.0));
    if span == 0 || (page.events.len() < SAMPLE && page.next >= head) {
        return count;
    }
    let unread = u128::from(rest) * u128::from(count.saturating_sub(1)) / u128::from(span);
    count.saturating_add(u64::try_from(unread).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use eventsourcing::{EventId, RecordedEvent, Revision, StreamId};

    use super::*;

    fn page(count: usize, apart: u64, next: u64) -> Page {
        let event = |position| RecordedEvent {
            stream: StreamId::new("order-1"),
            revision: Revision(0),
            position: Position(position),
            id: EventId(Default::default()),
            event_type: "A".into(),
            data: Default::default(),
            raw_metadata: Default::default(),
            recorded_at: Default::default(),
        };
        Page { events: (0..count as u64).map(|index| event(1_000 + index * apart)).collect(), next: Position(next) }
    }

    #[test]
    fn lag_is_in_events_whatever_positions_count() {
        assert_eq!(behind(&page(0, 1, 9), Position(9)), 0);
        assert_eq!(behind(&page(7, 1, 1_006), Position(1_006)), 7);
        assert_eq!(behind(&page(7, 400, 9_000), Position(9_000)), 7, "what others wrote behind them is no lag");
        // More than are read: as many as stand between, for one that counts events as for one that counts bytes.
        assert_eq!(behind(&page(SAMPLE, 1, 1_099), Position(5_099)), 4_100);
        assert_eq!(behind(&page(SAMPLE, 400, 40_600), Position(40_600 + 400 * 50)), 150);
        assert_eq!(behind(&page(SAMPLE, u64::MAX / 200, 0), Position(u64::MAX)), 200);
    }
}
