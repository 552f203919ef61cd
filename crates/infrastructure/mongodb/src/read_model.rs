//! The reader's side: orders by id and in pages, newest first, from the live generation.

use async_trait::async_trait;
use delivery::aggregate::Status;
use delivery::models::OrderId;
use delivery::projections::OrderView;
use delivery::queries::ListOrders;
use delivery::repository::{Error, Generation, OrderReadModel as Port};
use eventsourcing::Position;
use futures_util::TryStreamExt;
use mongodb::bson::{Document, doc};

use crate::OrderReadModel;
use crate::connection::Limit;
use crate::documents::{self, CREATED_POSITION, STATUS, saturating};
use crate::failure::Failure;

/// What a list asks for. It goes on by key, not by number: pages stay what they are while orders arrive.
fn filter(query: &ListOrders) -> Document {
    let mut filter = Document::new();
    if let Some(status) = query.status {
        filter.insert(STATUS, Status::name(status));
    }
    if let Some(before) = query.before {
        filter.insert(CREATED_POSITION, doc! {"$lt": saturating(before.0)});
    }
    filter
}

impl OrderReadModel {
    async fn found(&self, generation: Generation, id: OrderId) -> Result<Option<OrderView>, Failure> {
        let orders = self.orders(generation).await?;
        let found = self.connection.within(Limit::READ, orders.find_one(doc! {"_id": documents::key(id)})).await?;
        found.map(documents::view).transpose()
    }

    async fn listed(&self, generation: Generation, query: &ListOrders, limit: i64) -> Result<Vec<OrderView>, Failure> {
        let orders = self.orders(generation).await?;
        let batch = u32::try_from(limit).unwrap_or(u32::MAX).saturating_add(1);
        let find = orders.find(filter(query)).sort(doc! {CREATED_POSITION: -1}).limit(limit).batch_size(batch);
        let found = async { find.await?.try_collect::<Vec<_>>().await };
        let found = self.connection.within(Limit::READ, Box::pin(found)).await?;
        found.into_iter().map(documents::view).collect()
    }
}

#[async_trait]
impl Port for OrderReadModel {
    async fn get(&self, id: OrderId) -> Result<Option<OrderView>, Error> {
        let found = self.of_live(|generation| self.found(generation, id)).await;
        found.map_err(|failure| failure.while_("reading an order"))
    }

    async fn list(&self, query: &ListOrders) -> Result<Vec<OrderView>, Error> {
        // To the engine, a limit of nothing is none.
        let Some(limit) = i64::try_from(query.limit).ok().filter(|limit| *limit > 0) else {
            return Ok(Vec::new());
        };
        let found = self.of_live(|generation| self.listed(generation, query, limit)).await;
        found.map_err(|failure| failure.while_("listing orders"))
    }

    async fn checkpoint(&self) -> Result<Position, Error> {
        let live = self.live().await.map_err(|failure| failure.while_("reading the checkpoint"))?;
        Ok(live.checkpoint)
    }

    async fn reached(&self, position: Position) -> Result<(), Error> {
        self.live_reached(position).await.map_err(|failure| failure.while_("waiting for a position"))
    }

    async fn ping(&self) -> Result<(), Error> {
        let asked = tokio::time::timeout(Limit::PROBE.0, self.live()).await;
        let asked = asked.unwrap_or_else(|_| Err(self.connection.late(Limit::PROBE)));
        asked.map(drop).map_err(|failure| failure.while_("being asked whether it answers"))
    }
}
