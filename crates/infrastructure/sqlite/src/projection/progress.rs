//! How far the live generation is, for those who wait: told at once by this process's own writers,
//! asked of the file for those of other processes.

use std::time::Duration;

use delivery::repository::Error;
use eventsourcing::Position;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use super::generations::{self, Live};
use crate::database::Database;

/// How often one waiter asks.
const TICK: Duration = Duration::from_millis(25);
/// For how long an answer does for all waiters. Less than [`TICK`], so that progress is noticed after
/// two of them at the latest.
const FRESH: Duration = Duration::from_millis(20);

pub(super) struct Progress {
    database: Database,
    /// Names the projection in errors.
    engine: &'static str,
    live: watch::Sender<Option<Live>>,
    asked_at: Mutex<Option<Instant>>,
}

impl Progress {
    pub(super) fn new(database: Database, engine: &'static str) -> Self {
        Self { database, engine, live: watch::Sender::new(None), asked_at: Mutex::default() }
    }

    /// Tells the waiters. News may come out of order: the newest stays.
    pub(super) fn publish(&self, news: Live) {
        self.live.send_if_modified(|live| {
            let is_newer = live.is_none_or(|live| live < news);
            if is_newer {
                *live = Some(news);
            }
            is_newer
        });
    }

    /// Waits until the live generation is at `position`. Holds nothing between its polls that a
    /// dropped future could lose.
    pub(super) async fn reached(&self, position: Position) -> Result<(), Error> {
        let mut live = self.live.subscribe();
        // What was told may be out of date: another process may have promoted a generation that is
        // behind. So nobody is let through before the file has been asked.
        self.publish(self.ask().await?);
        loop {
            let told = live.wait_for(|live| live.is_some_and(|live| live.checkpoint >= position));
            // The channel cannot be closed while this borrow of its sender lasts.
            let is_reached = tokio::time::timeout(TICK, told).await.is_ok();
            if is_reached {
                return Ok(());
            }
            self.refresh().await?;
        }
    }

    /// Asks the file.
    pub(super) async fn ask(&self) -> Result<Live, Error> {
        let asked = self.database.read(generations::live).await;
        asked.map_err(|failure| failure.of(self.engine))
    }

    /// Asks the file, unless another waiter is doing so or just did: however many wait, the file is
    /// asked fifty times a second at most.
    async fn refresh(&self) -> Result<(), Error> {
        let Ok(mut asked_at) = self.asked_at.try_lock() else {
            return Ok(());
        };
        if asked_at.is_none_or(|asked_at| asked_at.elapsed() >= FRESH) {
            *asked_at = Some(Instant::now());
            self.publish(self.ask().await?);
        }
        Ok(())
    }
}
