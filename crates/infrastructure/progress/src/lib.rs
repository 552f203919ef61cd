//! How far the live generation of a projection is, for those who wait: told at once by this process's own
//! writers, asked of the engine for those of other processes. How an engine is asked belongs to its adapter.

use std::time::Duration;

use delivery::repository::Generation;
use eventsourcing::Position;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

/// The state of the live generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Live {
    // Compared first: a generation that is promoted later is newer, wherever it stands.
    /// Which one it is.
    pub generation: Generation,
    /// How far it is.
    pub checkpoint: Position,
}

/// What was heard last, and when the engine was asked for it.
#[derive(Debug)]
pub struct Progress {
    live: watch::Sender<Option<Live>>,
    asked_at: Mutex<Option<Instant>>,
    tick: Duration,
}

impl Progress {
    /// For waiters that ask the engine every `tick` each, and together once in four fifths of that at most. The
    /// ports want progress noticed within 100 ms, which is two ticks and the engine's answers.
    #[must_use]
    pub fn asking_every(tick: Duration) -> Self {
        Self { live: watch::Sender::new(None), asked_at: Mutex::default(), tick }
    }

    /// Tells the waiters. News may come out of order: the newest stays.
    pub fn publish(&self, news: Live) {
        self.live.send_if_modified(|live| {
            let is_newer = live.is_none_or(|live| live < news);
            if is_newer {
                *live = Some(news);
            }
            is_newer
        });
    }

    /// The generation that was live when it was heard of last.
    #[must_use]
    pub fn generation(&self) -> Option<Generation> {
        self.live.borrow().map(|live| live.generation)
    }

    /// Waits until the live generation is at `position`, as long as that takes; `ask` asks the engine. Holds
    /// nothing between its polls that a dropped future could lose.
    ///
    /// # Errors
    /// Those of `ask`.
    pub async fn reached<E, F>(&self, position: Position, ask: impl Fn() -> F) -> Result<(), E>
    where
        F: Future<Output = Result<Live, E>>,
    {
        let mut live = self.live.subscribe();
        // What was told may be out of date: another process may have promoted a generation that is behind. So
        // nobody is let through before the engine has been asked.
        self.publish(ask().await?);
        loop {
            let told = live.wait_for(|live| live.is_some_and(|live| live.checkpoint >= position));
            // The channel cannot be closed while this borrow of its sender lasts.
            if tokio::time::timeout(self.tick, told).await.is_ok() {
                return Ok(());
            }
            self.refresh(&ask).await?;
        }
    }

    /// Asks the engine, unless another waiter is doing so or just did: however many wait, it is asked about as
    /// often as by one.
    async fn refresh<E, F>(&self, ask: impl Fn() -> F) -> Result<(), E>
    where
        F: Future<Output = Result<Live, E>>,
    {
        let Ok(mut asked_at) = self.asked_at.try_lock() else {
            return Ok(());
        };
        // Less than a tick, so that progress is noticed after two of them at the latest.
        let fresh = self.tick * 4 / 5;
        if asked_at.is_none_or(|asked_at| asked_at.elapsed() >= fresh) {
            *asked_at = Some(Instant::now());
            self.publish(ask().await?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
