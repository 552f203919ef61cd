//! Reads orders. The read model answers; where it does not know an order yet, or not yet its newest
//! state that this process wrote, the order is folded from its stream. A read never writes.

use std::sync::Arc;

use eventsourcing::{EventStore, Position, RecordedEvent, Revision};

use super::Error;
use crate::models::OrderId;
use crate::projections::{self, OrderView};
use crate::queries::{ListOrders, SearchOrders, SearchPage};
use crate::repository::{OrderReadModel, OrderSearch};

/// Events read at once while folding an order.
const PAGE: usize = 500;

/// Reads orders.
pub struct OrderQueries {
    store: Arc<dyn EventStore>,
    read_model: Arc<dyn OrderReadModel>,
    search: Arc<dyn OrderSearch>,
}

impl OrderQueries {
    /// Queries over the three engines.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>, read_model: Arc<dyn OrderReadModel>, search: Arc<dyn OrderSearch>) -> Self {
        Self { store, read_model, search }
    }

    /// The order as of now. `at_least` is a revision that the asker knows to exist: a read model that
    /// is not there yet is passed over.
    pub async fn get(&self, id: OrderId, at_least: Option<Revision>) -> Result<Option<OrderView>, Error> {
        match self.read_model.get(id).await? {
            Some(view) if at_least.is_none_or(|revision| view.revision >= revision) => Ok(Some(view)),
            _ => self.get_as_of(id, Revision(u64::MAX)).await,
        }
    }

    /// The order as it was right after `revision`, or as it is now when it has not come so far.
    pub async fn get_as_of(&self, id: OrderId, revision: Revision) -> Result<Option<OrderView>, Error> {
        let stream = id.stream();
        let mut events: Vec<RecordedEvent> = Vec::new();
        loop {
            let from = events.last().map_or(Revision::FIRST, |event| event.revision.next());
            if from > revision {
                break;
            }
            let page = self.store.read(&stream, from, PAGE).await?;
            let is_last = page.len() < PAGE;
            events.extend(page.into_iter().filter(|event| event.revision <= revision));
            if is_last {
                break;
            }
        }
        Ok(projections::fold(&events)?)
    }

    /// A page of the order's history, oldest first, from revision `from`.
    pub async fn history(&self, id: OrderId, from: Revision, max: usize) -> Result<Vec<RecordedEvent>, Error> {
        Ok(self.store.read(&id.stream(), from, max).await?)
    }

    /// See [`ListOrders`].
    pub async fn list(&self, query: &ListOrders) -> Result<Vec<OrderView>, Error> {
        Ok(self.read_model.list(query).await?)
    }

    /// See [`SearchOrders`].
    pub async fn search(&self, query: &SearchOrders) -> Result<SearchPage, Error> {
        Ok(self.search.search(query).await?)
    }

    /// Waits until reads by id and lists include `position`. The caller bounds the wait.
    pub async fn reached(&self, position: Position) -> Result<(), Error> {
        Ok(self.read_model.reached(position).await?)
    }

    /// Waits until searches include `position`. The caller bounds the wait.
    pub async fn search_reached(&self, position: Position) -> Result<(), Error> {
        Ok(self.search.reached(position).await?)
    }
}
