//! How far the live generation is, for those who wait: told at once by this process's own writers, asked
//! of the engine for those of other processes.

use std::time::Duration;

use delivery::repository::Generation;
use eventsourcing::Position;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use crate::OrderReadModel;
use crate::connection::Limit;
use crate::failure::Failure;

/// How often one waiter asks.
const TICK: Duration = Duration::from_millis(40);
/// For how long an answer does for all waiters. Less than [`TICK`], so that progress is noticed after two
/// of them at the latest.
const FRESH: Duration = Duration::from_millis(30);
/// How often a read is done again because its generation was replaced meanwhile.
const ROUNDS: usize = 10;

/// The state of the live generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Live {
    // Compared first: a generation that is promoted later is newer, wherever it stands.
    pub(crate) generation: Generation,
    pub(crate) checkpoint: Position,
}

/// What was heard last.
pub(crate) struct Progress {
    live: watch::Sender<Option<Live>>,
    asked_at: Mutex<Option<Instant>>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { live: watch::Sender::new(None), asked_at: Mutex::default() }
    }
}

impl Progress {
    /// Tells the waiters. News may come out of order: the newest stays.
    pub(crate) fn publish(&self, news: Live) {
        self.live.send_if_modified(|live| {
            let is_newer = live.is_none_or(|live| live < news);
            if is_newer {
                *live = Some(news);
            }
            is_newer
        });
    }

    /// The generation that was live when it was heard of last.
    fn generation(&self) -> Option<Generation> {
        self.live.borrow().map(|live| live.generation)
    }
}

impl OrderReadModel {
    /// Asks the engine.
    pub(crate) async fn live(&self) -> Result<Live, Failure> {
        let live = self.state().await?.live()?;
        self.progress.publish(live);
        Ok(live)
    }

    /// Reads something of the live generation. A generation is removed after it was replaced, never before:
    /// one that is still live after the reading was whole while it was read.
    pub(crate) async fn of_live<V, F: Future<Output = Result<V, Failure>>>(
        &self,
        read: impl Fn(Generation) -> F,
    ) -> Result<V, Failure> {
        // It is two calls or more, and nobody waits longer for that.
        let read = tokio::time::timeout(Limit::READ.0, self.of_live_now(read)).await;
        read.unwrap_or_else(|_| Err(self.connection.late(Limit::READ)))
    }

    async fn of_live_now<V, F: Future<Output = Result<V, Failure>>>(
        &self,
        read: impl Fn(Generation) -> F,
    ) -> Result<V, Failure> {
        let mut generation = match self.progress.generation() {
            Some(generation) => generation,
            None => self.live().await?.generation,
        };
        for _ in 0..ROUNDS {
            let value = read(generation).await;
            let now = self.live().await?.generation;
            if now == generation {
                return value;
            }
            generation = now;
        }
        Err(Failure::Driver("the live generation is replaced faster than it can be read".to_owned()))
    }

    /// Waits until the live generation is at `position`. Holds nothing between its polls that a dropped
    /// future could lose.
    pub(crate) async fn live_reached(&self, position: Position) -> Result<(), Failure> {
        let mut live = self.progress.live.subscribe();
        // What was told may be out of date: another process may have promoted a generation that is behind.
        // So nobody is let through before the engine has been asked.
        self.live().await?;
        loop {
            let told = live.wait_for(|live| live.is_some_and(|live| live.checkpoint >= position));
            // The channel cannot be closed while this borrow of its sender lasts.
            if tokio::time::timeout(TICK, told).await.is_ok() {
                return Ok(());
            }
            self.refresh().await?;
        }
    }

    /// Asks the engine, unless another waiter is doing so or just did: however many wait, it is asked
    /// thirty times a second at most.
    async fn refresh(&self) -> Result<(), Failure> {
        let Ok(mut asked_at) = self.progress.asked_at.try_lock() else {
            return Ok(());
        };
        if asked_at.is_none_or(|asked_at| asked_at.elapsed() >= FRESH) {
            *asked_at = Some(Instant::now());
            self.live().await?;
        }
        Ok(())
    }
}
