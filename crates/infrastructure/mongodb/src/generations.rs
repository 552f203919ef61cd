//! The collections of a generation: made with their indexes, removed as a whole. Which generations there
//! are is the business of `state`, and collections of others are nobody's.

use std::sync::PoisonError;

use delivery::repository::{Error, Generation};
use mongodb::bson::{Document, doc};
use mongodb::{Collection, IndexModel};
use progress::Live;

use crate::OrderReadModel;
use crate::connection::Limit;
use crate::documents::{CREATED_POSITION, STATUS};
use crate::failure::Failure;

/// What a collection of a generation is called, behind the name of all.
fn orders_name(Generation(number): Generation) -> String {
    format!("v{number:06}")
}

fn parked_name(generation: Generation) -> String {
    format!("{}.parked", orders_name(generation))
}

/// The generation of a collection, by what stands behind the name of all.
fn generation_of(suffix: &str) -> Option<Generation> {
    let number = suffix.strip_prefix('v')?;
    number.strip_suffix(".parked").unwrap_or(number).parse().ok().map(Generation)
}

impl OrderReadModel {
    pub(crate) async fn orders(&self, generation: Generation) -> Result<Collection<Document>, Failure> {
        self.connection.collection(&orders_name(generation)).await
    }

    pub(crate) async fn parked_events(&self, generation: Generation) -> Result<Collection<Document>, Failure> {
        self.connection.collection(&parked_name(generation)).await
    }

    /// Makes the indexes of a generation, once for each process; the engine makes none twice.
    pub(crate) async fn prepare(&self, generation: Generation) -> Result<(), Failure> {
        let is_prepared = |number| self.prepared.lock().unwrap_or_else(PoisonError::into_inner).contains(number);
        if is_prepared(&generation.0) {
            return Ok(());
        }
        // Lists are newest first, of all orders or of those that stand somewhere.
        let indexes = [doc! {CREATED_POSITION: -1}, doc! {STATUS: 1, CREATED_POSITION: -1}];
        let orders = self.orders(generation).await?;
        for keys in indexes {
            // One in a command: FerretDB 1 drops the connection when it has two of those that one asks for.
            let index = IndexModel::builder().keys(keys).build();
            self.connection.within(Limit::WRITE, orders.create_index(index)).await?;
        }
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).insert(generation.0);
        Ok(())
    }

    /// Removes the collections of a generation that nobody reads any more.
    async fn remove(&self, generation: Generation) -> Result<(), Failure> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).remove(&generation.0);
        for collection in [self.orders(generation).await?, self.parked_events(generation).await?] {
            match self.connection.within(Limit::WRITE, collection.drop()).await {
                Err(failure) if !failure.is_missing() => return Err(failure),
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes what a process left that died half-way, or wrote when its generation was gone.
    async fn sweep(&self) -> Result<(), Failure> {
        let database = self.connection.database().await?;
        let names = self.connection.within(Limit::READ, database.list_collection_names()).await?;
        // Asked for after the names: a generation is entered before it has collections.
        let state = self.state().await?;
        let prefix = format!("{}.", self.connection.config().name);
        for generation in names.iter().filter_map(|name| generation_of(name.strip_prefix(&prefix)?)) {
            if !state.has(generation) {
                self.remove(generation).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn begin(&self) -> Result<Generation, Error> {
        let _turn = self.turns.lock().await;
        let failed = |failure: Failure| failure.while_("beginning a rebuild");
        self.sweep().await.map_err(failed)?;
        loop {
            let state = self.state().await.map_err(failed)?;
            if let Some(building) = state.building().map_err(failed)? {
                return Err(Error::RebuildRunning(building));
            }
            let next = Self::next(&state).map_err(failed)?;
            if self.enter(&state, next).await.map_err(failed)? {
                self.prepare(next).await.map_err(failed)?;
                return Ok(next);
            }
        }
    }

    pub(crate) async fn promoted(&self, generation: Generation) -> Result<Live, Failure> {
        let _turn = self.turns.lock().await;
        let live = self.state().await?.live()?.generation;
        if !self.switch(live, generation).await? {
            return Err(Failure::Gone(generation));
        }
        // Done: readers are on the new one. What is left of the old one is removed now or by the next rebuild.
        let _ = self.remove(live).await;
        self.live().await
    }

    pub(crate) async fn discarded(&self, generation: Generation) -> Result<(), Failure> {
        let _turn = self.turns.lock().await;
        // Whoever discards what does not exist yet makes it exist, and is told that it was not that.
        self.state().await?;
        if !self.strike(generation).await? {
            return Err(Failure::Gone(generation));
        }
        let _ = self.remove(generation).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_leads_back_to_its_generation() {
        for number in [1, 42, 1_234_567] {
            let generation = Generation(number);
            assert_eq!(generation_of(&orders_name(generation)), Some(generation));
            assert_eq!(generation_of(&parked_name(generation)), Some(generation));
        }
        for other in ["projection", "v", "vx", "v000001.other", "x000001"] {
            assert_eq!(generation_of(other), None, "{other}");
        }
    }
}
