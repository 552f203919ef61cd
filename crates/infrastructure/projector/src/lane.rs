//! A generation on its way: its subscription, what is blocked in it, how it fares. The engine runs one
//! lane for the live generation and one more during a rebuild.

use std::collections::BTreeSet;
use std::mem;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use delivery::repository::{self, Batch, Generation, GenerationState, ParkedEvent};
use eventsourcing::store::{self, Page};
use eventsourcing::{Position, Subscription, with_causes};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use telemetry::scope::{self, Scope, within};
use tokio::time::{Instant, sleep_until};

use crate::backoff::Backoff;
use crate::fold::{Blocked, Step};
use crate::spans::{self, Place};
use crate::{Options, Ports};

/// Parked events that a generation may hold before its lane stops: a projection that can apply nothing
/// must not copy the whole store into the parking table.
pub(crate) const MAX_PARKED: usize = 100_000;

pub(crate) struct Lane {
    pub(crate) generation: Generation,
    pub(crate) checkpoint: Position,
    pub(crate) parked: usize,
    state: GenerationState,
    batch: usize,
    partitions: NonZeroUsize,
    blocked: Arc<Blocked>,
    source: Source,
    backoff: Backoff,
    retry_at: Option<Instant>,
    failure: Option<String>,
}

/// Where pages come from. What is under way is kept here and not in the future of [`Lane::next`]: the
/// engine drops that one whenever something else comes first, and an engine that answers slowly would
/// have to begin again each time.
#[derive(Default)]
enum Source {
    #[default]
    None,
    Subscribing(BoxFuture<'static, Result<Subscribed, Failure>>),
    Subscribed(Box<dyn Subscription>),
    Reading(BoxFuture<'static, (Box<dyn Subscription>, Result<Page, store::Error>)>),
}

/// A subscription, and what has to be known to begin with it.
struct Subscribed {
    subscription: Box<dyn Subscription>,
    checkpoint: Position,
    blocked: Blocked,
    /// There is nothing to project yet.
    is_caught_up: bool,
}

/// What went wrong, in one line for the log and the status.
pub(crate) struct Failure(pub(crate) String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(with_causes(&error))
    }
}

impl Lane {
    pub(crate) fn new(
        generation: Generation,
        checkpoint: Position,
        state: GenerationState,
        batch: usize,
        partitions: NonZeroUsize,
    ) -> Self {
        Self {
            generation,
            checkpoint,
            state,
            parked: 0,
            batch,
            partitions,
            blocked: Arc::default(),
            source: Source::None,
            backoff: Backoff::default(),
            retry_at: None,
            failure: None,
        }
    }

    /// A lane that has yet to show that this failure is over.
    pub(crate) fn after(self, failure: Option<String>) -> Self {
        Self { failure, ..self }
    }

    /// The last failure, until the next success.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Waits for the next page; (re)subscribes when there is need. Right after that the page is empty
    /// when there is nothing to project: projecting it shows that the engines answer. Cancel-safe.
    pub(crate) async fn next(&mut self, ports: &Ports, options: &Options) -> Result<Page, Failure> {
        if let Some(at) = self.retry_at {
            sleep_until(at).await;
            self.retry_at = None;
        }
        loop {
            match &mut self.source {
                Source::Subscribing(subscribing) => {
                    let subscribed = subscribing.await;
                    self.source = Source::None;
                    let Subscribed { subscription, checkpoint, blocked, is_caught_up } = subscribed?;
                    self.checkpoint = checkpoint;
                    self.block(blocked);
                    self.source = Source::Subscribed(subscription);
                    if is_caught_up {
                        return Ok(Page { events: Vec::new(), next: checkpoint });
                    }
                }
                Source::Reading(reading) => {
                    let (subscription, page) = reading.await;
                    self.source = Source::Subscribed(subscription);
                    return Ok(page?);
                }
                Source::None => {
                    self.source = Source::Subscribing(Box::pin(subscribe(
                        ports.clone(),
                        options.prefix.clone(),
                        self.generation,
                    )));
                }
                Source::Subscribed(_) => {
                    if let Source::Subscribed(mut subscription) = mem::take(&mut self.source) {
                        let batch = self.batch;
                        self.source = Source::Reading(Box::pin(async move {
                            let page = subscription.next(batch).await;
                            (subscription, page)
                        }));
                    }
                }
            }
        }
    }

    /// Reads again which streams are blocked.
    pub(crate) async fn reload_parked(&mut self, ports: &Ports) -> Result<(), Failure> {
        if let Source::Subscribing(_) = self.source {
            // It may have read what is blocked already.
            self.source = Source::None;
        }
        self.block(blocked(ports, self.generation).await?);
        Ok(())
    }

    fn block(&mut self, blocked: Blocked) {
        self.parked = blocked.values().map(BTreeSet::len).sum();
        self.blocked = Arc::new(blocked);
    }

    /// Where and why this lane's events are projected, for traces.
    pub(crate) const fn place(&self, projection: &'static str) -> Place {
        Place { projection, generation: self.generation, is_rebuild: matches!(self.state, GenerationState::Building) }
    }

    /// Projects a page and commits it together with the checkpoint.
    pub(crate) async fn project(
        &mut self,
        ports: &Ports,
        projection: &'static str,
        page: Page,
    ) -> Result<usize, Failure> {
        let events = page.events.len();
        if self.parked >= MAX_PARKED {
            return Err(Failure(format!(
                "{MAX_PARKED} events are parked: replay or skip them, or mend the projection"
            )));
        }
        let now = ports.clock.now();
        let spans = spans::Batch::begin(&ports.tracer, self.place(projection), &page.events, now);
        let done = self.commit(ports, page, spans.scope(), now).await;
        spans.end(done.as_deref().map_err(drop));
        for ParkedEvent { event, .. } in done? {
            self.parked += 1;
            Arc::make_mut(&mut self.blocked).entry(event.stream).or_default().insert(event.revision);
        }
        self.backoff.reset();
        self.failure = None;
        Ok(events)
    }

    /// Folds a page and commits it; what was newly parked.
    async fn commit(
        &mut self,
        ports: &Ports,
        page: Page,
        scope: Option<Scope>,
        now: Timestamp,
    ) -> Result<Vec<ParkedEvent>, Failure> {
        let step = Step {
            target: Arc::clone(&ports.target),
            generation: self.generation,
            blocked: Arc::clone(&self.blocked),
            now,
        };
        let outcome = step.run(page.events, self.partitions).await?;
        let parked = outcome.parked.clone();
        let batch =
            Batch { upserts: outcome.upserts, park: outcome.parked, release: Vec::new(), checkpoint: Some(page.next) };
        // All that the batch's traces tell of the target: reading the documents first is too small a part
        // of the whole to be told once for each event.
        within(scope.or_else(scope::current), ports.target.commit(self.generation, batch)).await?;
        self.checkpoint = page.next;
        Ok(parked)
    }

    /// Gives the subscription up and waits a while: the next attempt starts from the checkpoint.
    pub(crate) fn fail(&mut self, failure: &Failure, jitter: f64) -> Duration {
        let wait = self.backoff.next(jitter);
        self.source = Source::None;
        self.retry_at = Some(Instant::now() + wait);
        self.failure = Some(failure.0.clone());
        wait
    }
}

/// Takes up where the target says that this generation is.
async fn subscribe(ports: Ports, prefix: String, generation: Generation) -> Result<Subscribed, Failure> {
    let blocked = blocked(&ports, generation).await?;
    let generations = ports.target.generations().await?;
    let status = generations
        .iter()
        .find(|status| status.generation == generation)
        .ok_or_else(|| Failure(format!("generation {} is gone", generation.0)))?;
    let checkpoint = status.checkpoint;
    let subscription = ports.store.subscribe(checkpoint, &prefix).await?;
    let is_caught_up = ports.store.read_all(checkpoint, 1, &prefix).await?.events.is_empty();
    Ok(Subscribed { subscription, checkpoint, blocked, is_caught_up })
}

async fn blocked(ports: &Ports, generation: Generation) -> Result<Blocked, repository::Error> {
    let mut blocked = Blocked::new();
    for ParkedEvent { event, .. } in ports.target.parked(generation, MAX_PARKED).await? {
        blocked.entry(event.stream).or_default().insert(event.revision);
    }
    Ok(blocked)
}
