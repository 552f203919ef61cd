//! Orders by id and in pages, in memory.

use async_trait::async_trait;
use delivery::models::OrderId;
use delivery::projections::OrderView;
use delivery::queries::ListOrders;
use delivery::repository::{Error, OrderReadModel};
use eventsourcing::Position;

use crate::projection::{Kind, Projection};

/// A projection to read orders from.
pub enum Orders {}

impl Kind for Orders {
    const ENGINE: &'static str = "order read model";
}

#[async_trait]
impl OrderReadModel for Projection<Orders> {
    async fn get(&self, id: OrderId) -> Result<Option<OrderView>, Error> {
        self.read_live(|contents| contents.documents.get(&id).cloned()).await
    }

    async fn list(&self, query: &ListOrders) -> Result<Vec<OrderView>, Error> {
        let is_wanted = |view: &OrderView| {
            query.before.is_none_or(|before| view.created_position < before)
                && query.status.is_none_or(|status| view.order.status() == Some(status))
        };
        self.read_live(|contents| contents.newest_first(is_wanted).into_iter().take(query.limit).cloned().collect())
            .await
    }

    async fn checkpoint(&self) -> Result<Position, Error> {
        self.live_checkpoint().await
    }

    async fn reached(&self, position: Position) -> Result<(), Error> {
        self.live_reached(position).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.is_healthy().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    async fn open(_place: &()) -> Arc<crate::OrderReadModel> {
        Arc::default()
    }

    mod store {
        contract_tests::projection_store_contract!(place: || (), open: super::open);
    }

    mod reader {
        contract_tests::order_read_model_contract!(place: || (), open: super::open);
    }
}
