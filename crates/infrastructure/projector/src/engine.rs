//! The one task of a projection: it drives the lanes, answers requests between their steps, and starts
//! over whatever fails.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use delivery::repository::{self, Batch, Generation, GenerationState};
use eventsourcing::Position;
use eventsourcing::store::Page;
use futures_util::FutureExt;
use telemetry::scope::{self, Scope, within};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, interval, sleep};

use crate::backoff::{Backoff, LONGEST};
use crate::handle::{Error, Health, RunState, lag};
use crate::lane::{Failure, Lane};
use crate::spans::Place;
use crate::{Options, Ports, parking};

/// How often lag is measured while nothing happens.
const MEASURE_EVERY: Duration = Duration::from_secs(1);

type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// What can be asked of the engine; see [`crate::Projector`].
pub(crate) enum Request {
    Rebuild { promote: bool, asked_by: Option<Scope>, reply: Reply<Generation> },
    Promote { asked_by: Option<Scope>, reply: Reply<Generation> },
    Discard { asked_by: Option<Scope>, reply: Reply<Generation> },
    Replay { position: Position, asked_by: Option<Scope>, reply: Reply<usize> },
    Skip { position: Position, asked_by: Option<Scope>, reply: Reply<usize> },
}

pub(crate) struct Engine {
    options: Options,
    ports: Ports,
    health: Arc<Mutex<Health>>,
}

struct Lanes {
    live: Lane,
    building: Option<Building>,
}

struct Building {
    lane: Lane,
    promote: bool,
}

/// What the engine woke up for.
enum Wake {
    Live(Result<Page, Failure>),
    Building(Result<Page, Failure>),
    Request(Request),
    Measure,
    Shutdown,
}

impl Engine {
    pub(crate) fn new(options: Options, ports: Ports, health: Arc<Mutex<Health>>) -> Self {
        Self { options, ports, health }
    }

    /// Runs until shutdown. Failures to start, and panics, are waited out here; failures of a lane,
    /// inside.
    pub(crate) async fn supervise(self, mut inbox: mpsc::Receiver<Request>, mut shutdown: watch::Receiver<bool>) {
        let mut backoff = Backoff::default();
        loop {
            let begun = Instant::now();
            let run = AssertUnwindSafe(self.run(&mut inbox, &mut shutdown)).catch_unwind().await;
            let failure = match run {
                Ok(Ok(())) => break,
                Ok(Err(failure)) => failure,
                Err(_) => Failure("the projection panicked".to_owned()),
            };
            if begun.elapsed() > LONGEST {
                // It was at work meanwhile: this is not one more failure in a row.
                backoff.reset();
            }
            let wait = backoff.next(rand_jitter());
            self.failed(&failure, wait);
            tokio::select! {
                () = sleep(wait) => {}
                _ = shutdown.wait_for(|stop| *stop) => break,
            }
        }
        self.set_health(|health| health.state = RunState::Stopped);
        tracing::info!(projection = self.options.name, "projection stopped");
    }

    async fn run(
        &self,
        inbox: &mut mpsc::Receiver<Request>,
        shutdown: &mut watch::Receiver<bool>,
    ) -> Result<(), Failure> {
        let mut lanes = self.lanes().await?;
        self.tell_adopted(lanes.building.as_ref());
        let mut measure = interval(MEASURE_EVERY);
        loop {
            match self.wake(&mut lanes, inbox, shutdown, &mut measure).await {
                Wake::Shutdown => return Ok(()),
                Wake::Live(page) => self.step_live(&mut lanes, page).await,
                Wake::Building(page) => self.step_building(&mut lanes, page).await,
                Wake::Request(request) => self.answer(&mut lanes, request).await,
                Wake::Measure => {
                    self.measure(lanes.live.checkpoint, lanes.live.parked).await;
                    self.promote_when_ready(&mut lanes).await;
                    // A store that answers slowly is not only asked for its lag.
                    measure.reset();
                }
            }
            self.show(&lanes);
        }
    }

    async fn wake(
        &self,
        lanes: &mut Lanes,
        inbox: &mut mpsc::Receiver<Request>,
        shutdown: &mut watch::Receiver<bool>,
        measure: &mut tokio::time::Interval,
    ) -> Wake {
        let building = async {
            match &mut lanes.building {
                Some(building) => building.lane.next(&self.ports, &self.options).await,
                None => std::future::pending().await,
            }
        };
        // Every branch is cancel-safe; without `biased` the lanes share the time evenly.
        tokio::select! {
            _ = shutdown.wait_for(|stop| *stop) => Wake::Shutdown,
            page = lanes.live.next(&self.ports, &self.options) => Wake::Live(page),
            page = building => Wake::Building(page),
            // Nobody may hold a handle any more: then there are no requests.
            Some(request) = inbox.recv() => Wake::Request(request),
            _ = measure.tick() => Wake::Measure,
        }
    }

    /// The lanes as the target has them: a rebuild that a restart cut short goes on, and waits to be
    /// promoted by hand.
    async fn lanes(&self) -> Result<Lanes, Failure> {
        let generations = self.ports.target.generations().await?;
        let failure = self.health.lock().unwrap_or_else(PoisonError::into_inner).last_error.clone();
        let lane = |state: GenerationState| {
            let status = generations.iter().find(|status| status.state == state)?;
            Some(self.new_lane(status.generation, status.checkpoint, state).after(failure.clone()))
        };
        let live = lane(GenerationState::Live)
            .ok_or_else(|| Failure("the projection's store has no live generation".to_owned()))?;
        let building = lane(GenerationState::Building).map(|lane| Building { lane, promote: false });
        Ok(Lanes { live, building })
    }

    fn new_lane(&self, generation: Generation, checkpoint: Position, state: GenerationState) -> Lane {
        let batch = match state {
            GenerationState::Live => self.options.live_batch,
            GenerationState::Building => self.options.rebuild_batch,
        };
        Lane::new(generation, checkpoint, state, batch, self.options.partitions)
    }

    fn tell_adopted(&self, building: Option<&Building>) {
        if let Some(building) = building {
            tracing::warn!(
                projection = self.options.name,
                generation = building.lane.generation.0,
                "rebuild goes on after a restart and has to be promoted by hand"
            );
        }
    }

    /// After a failure: generations may have come and gone unseen, because an answer was lost. A target
    /// that cannot be asked is asked after the next failure.
    async fn agree(&self, lanes: &mut Lanes) {
        let Ok(found) = self.lanes().await else { return };
        if found.live.generation != lanes.live.generation {
            lanes.live = found.live;
        }
        let number = |building: &Option<Building>| building.as_ref().map(|building| building.lane.generation);
        if number(&found.building) != number(&lanes.building) {
            self.tell_adopted(found.building.as_ref());
            lanes.building = found.building;
        }
    }

    async fn step_live(&self, lanes: &mut Lanes, page: Result<Page, Failure>) {
        if self.step(&mut lanes.live, page).await {
            self.ports.metrics.projection.parked(self.options.name, lanes.live.parked as u64);
        } else {
            self.agree(lanes).await;
        }
    }

    async fn step_building(&self, lanes: &mut Lanes, page: Result<Page, Failure>) {
        let Some(building) = &mut lanes.building else { return };
        if !self.step(&mut building.lane, page).await {
            self.agree(lanes).await;
        } else if building.lane.checkpoint >= lanes.live.checkpoint {
            self.promote_when_ready(lanes).await;
        }
    }

    /// Whether all went well.
    async fn step(&self, lane: &mut Lane, page: Result<Page, Failure>) -> bool {
        let started = Instant::now();
        let done = match page {
            Ok(page) => lane.project(&self.ports, self.options.name, page).await,
            Err(failure) => Err(failure),
        };
        match done {
            Ok(0) => true,
            Ok(events) => {
                let events = u32::try_from(events).unwrap_or(u32::MAX);
                self.ports.metrics.projection.batch(self.options.name, events, started.elapsed().as_secs_f64());
                true
            }
            Err(failure) => {
                let wait = lane.fail(&failure, rand_jitter());
                self.failed(&failure, wait);
                false
            }
        }
    }

    /// Asked after each step that takes a rebuild to the live checkpoint, and now and then, since it may
    /// have got there without a step.
    async fn promote_when_ready(&self, lanes: &mut Lanes) {
        if lanes.building.as_ref().is_some_and(|building| building.promote) {
            match self.promote(lanes).await {
                // A store that fails shows in the lane.
                Ok(_) | Err(Error::NotCaughtUp { .. } | Error::Store(_)) => {}
                Err(error) => {
                    tracing::warn!(projection = self.options.name, error.cause = %error, "rebuild could not be promoted");
                }
            }
        }
    }

    async fn answer(&self, lanes: &mut Lanes, request: Request) {
        // Whoever asked may have left: there is nobody to tell then.
        match request {
            Request::Rebuild { promote, asked_by, reply } => {
                drop(reply.send(within(asked_by.or_else(scope::current), self.rebuild(lanes, promote)).await));
            }
            Request::Promote { asked_by, reply } => {
                drop(reply.send(within(asked_by.or_else(scope::current), self.promote(lanes)).await))
            }
            Request::Discard { asked_by, reply } => {
                drop(reply.send(within(asked_by.or_else(scope::current), self.discard(lanes)).await))
            }
            Request::Replay { position, asked_by, reply } => {
                let done = parking::replay(&self.ports, self.place(&lanes.live), asked_by.as_ref(), position).await;
                drop(reply.send(self.unblocked(lanes, done).await));
            }
            Request::Skip { position, asked_by, reply } => {
                let done = parking::skip(&self.ports, self.place(&lanes.live), asked_by.as_ref(), position).await;
                drop(reply.send(self.unblocked(lanes, done).await));
            }
        }
    }

    fn place(&self, lane: &Lane) -> Place {
        lane.place(self.options.name)
    }

    async fn unblocked(&self, lanes: &mut Lanes, done: Result<usize, Error>) -> Result<usize, Error> {
        if let Err(failure) = lanes.live.reload_parked(&self.ports).await {
            // What is blocked is read again when the lane starts over.
            let wait = lanes.live.fail(&failure, rand_jitter());
            self.failed(&failure, wait);
        }
        self.ports.metrics.projection.parked(self.options.name, lanes.live.parked as u64);
        done
    }

    async fn rebuild(&self, lanes: &mut Lanes, promote: bool) -> Result<Generation, Error> {
        if lanes.building.is_some() {
            return Err(Error::RebuildRunning);
        }
        let generation = match self.ports.target.begin_rebuild().await {
            Ok(generation) => generation,
            Err(error) => {
                self.agree(lanes).await;
                return Err(match error {
                    repository::Error::RebuildRunning(_) => Error::RebuildRunning,
                    error => error.into(),
                });
            }
        };
        let lane = self.new_lane(generation, Position::START, GenerationState::Building);
        lanes.building = Some(Building { lane, promote });
        tracing::info!(projection = self.options.name, generation = generation.0, "rebuild begun");
        Ok(generation)
    }

    /// The rebuild has to be at the live checkpoint at least: readers never go back in time.
    async fn promote(&self, lanes: &mut Lanes) -> Result<Generation, Error> {
        let Some(building) = &mut lanes.building else {
            return Err(Error::NoRebuild);
        };
        self.catch_up(&mut building.lane, lanes.live.checkpoint).await?;
        let (generation, checkpoint) = (building.lane.generation, building.lane.checkpoint);
        if let Err(error) = self.ports.target.promote(generation).await {
            self.agree(lanes).await;
            return Err(error.into());
        }
        // A new lane on the same generation: with the live batch size, from its checkpoint.
        lanes.live = self.new_lane(generation, checkpoint, GenerationState::Live);
        lanes.building = None;
        tracing::info!(projection = self.options.name, generation = generation.0, "rebuild promoted");
        Ok(generation)
    }

    /// A rebuild stops at the last event that is followed, which may be before the live checkpoint: takes
    /// it there when only events of other streams are between.
    async fn catch_up(&self, lane: &mut Lane, live: Position) -> Result<(), Error> {
        let mut seen = lane.checkpoint;
        while seen < live {
            let page = self.ports.store.read_all(seen, 1, &self.options.prefix).await?;
            let is_missing = page.events.first().is_some_and(|event| event.position <= live);
            if is_missing || page.next <= seen {
                return Err(Error::NotCaughtUp { checkpoint: lane.checkpoint, live });
            }
            seen = page.next;
        }
        if lane.checkpoint < live {
            let batch = Batch { checkpoint: Some(live), ..Batch::default() };
            self.ports.target.commit(lane.generation, batch).await?;
            lane.checkpoint = live;
        }
        Ok(())
    }

    async fn discard(&self, lanes: &mut Lanes) -> Result<Generation, Error> {
        let Some(building) = &lanes.building else {
            return Err(Error::NoRebuild);
        };
        let generation = building.lane.generation;
        if let Err(error) = self.ports.target.discard(generation).await {
            self.agree(lanes).await;
            return Err(error.into());
        }
        lanes.building = None;
        tracing::info!(projection = self.options.name, generation = generation.0, "rebuild discarded");
        Ok(generation)
    }

    async fn measure(&self, checkpoint: Position, parked: usize) {
        // A store that cannot be asked shows elsewhere; the gauges keep their last value meanwhile.
        if let Ok((_, lag)) = lag(&self.ports, &self.options, checkpoint).await {
            let metrics = &self.ports.metrics.projection;
            metrics.progress(self.options.name, checkpoint.0, lag.events, lag.seconds);
            metrics.parked(self.options.name, parked as u64);
        }
    }

    fn failed(&self, failure: &Failure, wait: Duration) {
        self.ports.metrics.projection.restarted(self.options.name);
        tracing::warn!(
            projection = self.options.name,
            error.cause = failure.0,
            retry_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            "projection failed and starts over"
        );
        self.set_health(|health| {
            health.state = RunState::BackingOff;
            health.last_error = Some(failure.0.clone());
            health.restarts += 1;
        });
    }

    /// The projection is well when all its lanes are.
    fn show(&self, lanes: &Lanes) {
        let building = lanes.building.as_ref().and_then(|building| building.lane.failure());
        let failure = lanes.live.failure().or(building);
        self.set_health(|health| {
            health.state = if failure.is_some() { RunState::BackingOff } else { RunState::Running };
            health.last_error = failure.map(str::to_owned);
        });
    }

    fn set_health(&self, change: impl FnOnce(&mut Health)) {
        change(&mut self.health.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn rand_jitter() -> f64 {
    rand::random()
}
