//! The live generation: how far it is, and reading something of it while another may take its place.

use std::time::Duration;

use delivery::repository::Generation;
use eventsourcing::Position;
use progress::Live;

use crate::OrderReadModel;
use crate::connection::Limit;
use crate::failure::Failure;

/// How often one who waits for a position asks.
pub(crate) const TICK: Duration = Duration::from_millis(40);
/// How often a read is done again because its generation was replaced meanwhile.
const ROUNDS: usize = 10;

impl OrderReadModel {
    async fn asked(&self) -> Result<Live, Failure> {
        self.state().await?.live()
    }

    /// Asks the engine, and tells those who wait.
    pub(crate) async fn live(&self) -> Result<Live, Failure> {
        let live = self.asked().await?;
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

    /// Waits until the live generation is at `position`.
    pub(crate) async fn live_reached(&self, position: Position) -> Result<(), Failure> {
        self.progress.reached(position, || self.asked()).await
    }
}
