//! The projection's side: documents, parked events and checkpoints of a generation.
//!
//! Documents are written first, then the checkpoint moves, which only a generation's own state lets it do.
//! What fails between the two is done again, which changes nothing that was done.

use std::collections::HashSet;

use async_trait::async_trait;
use delivery::models::OrderId;
use delivery::projections::OrderView;
use delivery::repository::{Batch, Error, Generation, GenerationState, GenerationStatus, ParkedEvent, ProjectionStore};
use eventsourcing::Position;
use futures_util::TryStreamExt;
use mongodb::bson::doc;
use progress::Live;

use crate::OrderReadModel;
use crate::connection::Limit;
use crate::documents::{self, saturating};
use crate::failure::Failure;
use crate::state::State;
use crate::writes::newest;

/// Orders asked for at once.
const IDS_MAX: usize = 1_000;
/// How often generations that change while they are looked at are looked at again.
const ROUNDS: usize = 10;

impl OrderReadModel {
    async fn known(&self, generation: Generation) -> Result<State, Failure> {
        let state = self.state().await?;
        if state.has(generation) { Ok(state) } else { Err(Failure::Gone(generation)) }
    }

    async fn status(
        &self,
        generation: Generation,
        state: GenerationState,
        checkpoint: Position,
    ) -> Result<GenerationStatus, Failure> {
        // By the engine's own bookkeeping, since counting would read a million orders every time. After a
        // crash of the engine it may be off until `validate` has been run there.
        let orders = self.orders(generation).await?;
        let orders = self.connection.within(Limit::READ, orders.estimated_document_count()).await?;
        let parked = self.parked_events(generation).await?;
        let parked = self.connection.within(Limit::READ, parked.estimated_document_count()).await?;
        Ok(GenerationStatus { generation, state, checkpoint, orders, parked })
    }

    async fn statuses(&self) -> Result<Vec<GenerationStatus>, Failure> {
        for _ in 0..ROUNDS {
            let state = self.state().await?;
            let Live { generation, checkpoint } = state.live()?;
            let mut all = vec![self.status(generation, GenerationState::Live, checkpoint).await?];
            if let Some(building) = state.building()? {
                let checkpoint = state.checkpoint(building);
                all.push(self.status(building, GenerationState::Building, checkpoint).await?);
            }
            if self.state().await?.is_like(&state) {
                return Ok(all);
            }
        }
        Err(Failure::Driver("generations change faster than they can be listed".to_owned()))
    }

    async fn loaded(&self, generation: Generation, ids: &[OrderId]) -> Result<Vec<OrderView>, Failure> {
        let orders = self.orders(generation).await?;
        let mut views = Vec::with_capacity(ids.len());
        for ids in ids.chunks(IDS_MAX) {
            let keys: Vec<_> = ids.iter().map(|id| documents::key(*id)).collect();
            let found = async { orders.find(doc! {"_id": {"$in": keys}}).await?.try_collect::<Vec<_>>().await };
            for document in self.connection.within(Limit::READ, Box::pin(found)).await? {
                views.push(documents::view(document)?);
            }
        }
        // A generation that is gone by now may have been on its way while it was read.
        self.known(generation).await?;
        Ok(views)
    }

    async fn committed(&self, generation: Generation, batch: &Batch) -> Result<(), Failure> {
        let upserts = newest(&batch.upserts)?;
        let _turn = self.turns.lock().await;
        let before = self.known(generation).await?;
        self.prepare(generation).await?;
        let orders = self.orders(generation).await?;
        self.upsert(orders.name(), &upserts).await?;
        self.park(generation, batch).await?;
        if let Some(checkpoint) = batch.checkpoint {
            self.advance(generation, checkpoint).await?;
        }
        // What was written to a generation that had just gone is nowhere.
        let after = self.known(generation).await?;
        if let (Ok(live), true) = (after.live(), before != after) {
            self.progress.publish(live);
        }
        Ok(())
    }

    /// Releases events, then parks events: one that a batch names twice stays parked.
    async fn park(&self, generation: Generation, batch: &Batch) -> Result<(), Failure> {
        let events = self.parked_events(generation).await?;
        let parked: HashSet<_> = batch.park.iter().map(|parked| parked.event.position).collect();
        let release: Vec<_> = batch.release.iter().filter(|position| !parked.contains(position)).collect();
        for positions in release.chunks(IDS_MAX) {
            let keys: Vec<_> = positions.iter().map(|position| saturating(position.0)).collect();
            self.connection.within(Limit::WRITE, events.delete_many(doc! {"_id": {"$in": keys}})).await?;
        }
        for parked in &batch.park {
            let key = doc! {"_id": saturating(parked.event.position.0)};
            let replace = events.replace_one(key, documents::parked(parked)).upsert(true);
            self.connection.within(Limit::WRITE, replace).await?;
        }
        Ok(())
    }

    async fn parked_list(&self, generation: Generation, max: usize) -> Result<Vec<ParkedEvent>, Failure> {
        let mut list = Vec::new();
        // The engine takes no limit for all.
        if let Some(limit) = i64::try_from(max).ok().filter(|limit| *limit > 0) {
            let events = self.parked_events(generation).await?;
            let find = events.find(doc! {}).sort(doc! {"_id": 1}).limit(limit);
            let found = async { find.await?.try_collect::<Vec<_>>().await };
            for document in self.connection.within(Limit::WRITE, Box::pin(found)).await? {
                list.push(documents::parked_event(&document)?);
            }
        }
        self.known(generation).await?;
        Ok(list)
    }
}

#[async_trait]
impl ProjectionStore for OrderReadModel {
    async fn generations(&self) -> Result<Vec<GenerationStatus>, Error> {
        self.statuses().await.map_err(|failure| failure.while_("listing generations"))
    }

    async fn load(&self, generation: Generation, ids: &[OrderId]) -> Result<Vec<OrderView>, Error> {
        self.loaded(generation, ids).await.map_err(|failure| failure.while_("loading orders"))
    }

    async fn commit(&self, generation: Generation, batch: Batch) -> Result<(), Error> {
        self.committed(generation, &batch).await.map_err(|failure| failure.while_("writing a batch"))
    }

    async fn parked(&self, generation: Generation, max: usize) -> Result<Vec<ParkedEvent>, Error> {
        self.parked_list(generation, max).await.map_err(|failure| failure.while_("listing parked events"))
    }

    async fn begin_rebuild(&self) -> Result<Generation, Error> {
        self.begin().await
    }

    async fn promote(&self, generation: Generation) -> Result<(), Error> {
        self.promoted(generation).await.map(drop).map_err(|failure| failure.while_("promoting a rebuild"))
    }

    async fn discard(&self, generation: Generation) -> Result<(), Error> {
        self.discarded(generation).await.map_err(|failure| failure.while_("giving a rebuild up"))
    }
}
