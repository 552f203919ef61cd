//! A generation on its way: its subscription, what is blocked in it, how it fares. The engine runs one
//! lane for the live generation and one more during a rebuild.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use delivery::repository::{Batch, Generation};
use eventsourcing::store::Page;
use eventsourcing::{Position, StreamId, Subscription};
use tokio::time::{Instant, sleep_until};

use crate::backoff::Backoff;
use crate::fold::{Step, with_causes};
use crate::{Options, Ports};

/// Parked events that a generation may hold before its lane stops: a projection that can apply nothing
/// must not copy the whole store into the parking table.
pub(crate) const MAX_PARKED: usize = 100_000;

pub(crate) struct Lane {
    pub(crate) generation: Generation,
    pub(crate) checkpoint: Position,
    pub(crate) parked: usize,
    batch: usize,
    partitions: NonZeroUsize,
    blocked: Arc<HashSet<StreamId>>,
    subscription: Option<Box<dyn Subscription>>,
    backoff: Backoff,
    retry_at: Option<Instant>,
}

/// What went wrong, in one line for the log and the status.
pub(crate) struct Failure(pub(crate) String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(with_causes(&error))
    }
}

impl Lane {
    pub(crate) fn new(generation: Generation, checkpoint: Position, batch: usize, partitions: NonZeroUsize) -> Self {
        Self {
            generation,
            checkpoint,
            parked: 0,
            batch,
            partitions,
            blocked: Arc::default(),
            subscription: None,
            backoff: Backoff::default(),
            retry_at: None,
        }
    }

    /// Waits for the next page; (re)subscribes when there is need. Cancel-safe.
    pub(crate) async fn next(&mut self, ports: &Ports, options: &Options) -> Result<Page, Failure> {
        if let Some(at) = self.retry_at {
            sleep_until(at).await;
            self.retry_at = None;
        }
        if self.subscription.is_none() {
            self.subscribe(ports, options).await?;
        }
        match &mut self.subscription {
            Some(subscription) => Ok(subscription.next(self.batch).await?),
            None => Ok(Page { events: Vec::new(), next: self.checkpoint }),
        }
    }

    /// Takes up where the target says that this generation is.
    async fn subscribe(&mut self, ports: &Ports, options: &Options) -> Result<(), Failure> {
        self.reload_parked(ports).await?;
        let generations = ports.target.generations().await?;
        let status = generations
            .iter()
            .find(|status| status.generation == self.generation)
            .ok_or_else(|| Failure(format!("generation {} is gone", self.generation.0)))?;
        self.checkpoint = status.checkpoint;
        self.subscription = Some(ports.store.subscribe(self.checkpoint, &options.prefix).await?);
        Ok(())
    }

    /// Reads again which streams are blocked.
    pub(crate) async fn reload_parked(&mut self, ports: &Ports) -> Result<(), Failure> {
        let parked = ports.target.parked(self.generation, MAX_PARKED).await?;
        self.parked = parked.len();
        self.blocked = Arc::new(parked.into_iter().map(|parked| parked.event.stream).collect());
        Ok(())
    }

    /// Projects a page and commits it together with the checkpoint.
    pub(crate) async fn project(&mut self, ports: &Ports, page: Page) -> Result<usize, Failure> {
        let events = page.events.len();
        if self.parked >= MAX_PARKED {
            return Err(Failure(format!(
                "{MAX_PARKED} events are parked: replay or skip them, or mend the projection"
            )));
        }
        let step = Step {
            target: Arc::clone(&ports.target),
            generation: self.generation,
            blocked: Arc::clone(&self.blocked),
            now: ports.clock.now(),
        };
        let outcome = step.run(page.events, self.partitions).await?;
        let newly_parked: Vec<StreamId> = outcome.parked.iter().map(|parked| parked.event.stream.clone()).collect();
        let batch =
            Batch { upserts: outcome.upserts, park: outcome.parked, release: Vec::new(), checkpoint: Some(page.next) };
        ports.target.commit(self.generation, batch).await?;
        self.checkpoint = page.next;
        if !newly_parked.is_empty() {
            self.parked += newly_parked.len();
            Arc::make_mut(&mut self.blocked).extend(newly_parked);
        }
        self.backoff.reset();
        Ok(events)
    }

    /// Gives the subscription up and waits a while: the next attempt starts from the checkpoint.
    pub(crate) fn fail(&mut self, jitter: f64) -> Duration {
        let wait = self.backoff.next(jitter);
        self.subscription = None;
        self.retry_at = Some(Instant::now() + wait);
        wait
    }
}
