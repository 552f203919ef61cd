//! Read model, search, projection target and idempotency keys, timed. Waiting for a position is not a
//! call and is not timed.

use std::sync::Arc;

use async_trait::async_trait;
use delivery::models::OrderId;
use delivery::projections::OrderView;
use delivery::queries::{ListOrders, SearchOrders, SearchPage};
use delivery::repository::{
    Batch, Begun, Error, Generation, GenerationStatus, IdempotencyStore as IdempotencyPort,
    OrderReadModel as ReadModelPort, OrderSearch as SearchPort, ParkedEvent, ProjectionStore as ProjectionPort,
    StoredResponse,
};
use eventsourcing::Position;
use telemetry::Metrics;
use uuid::Uuid;

use crate::timed;

macro_rules! decorator {
    ($(#[$doc:meta])* $name:ident, $port:ident) => {
        $(#[$doc])*
        pub struct $name {
            inner: Arc<dyn $port>,
            backend: &'static str,
            metrics: Arc<Metrics>,
        }

        impl $name {
            /// Wraps an adapter; `backend` is the engine's name in metrics.
            #[must_use]
            pub fn new(inner: Arc<dyn $port>, backend: &'static str, metrics: Arc<Metrics>) -> Self {
                Self { inner, backend, metrics }
            }

            async fn timed<T>(
                &self,
                operation: &'static str,
                call: impl Future<Output = Result<T, Error>>,
            ) -> Result<T, Error> {
                let observe =
                    |outcome, seconds| self.metrics.readmodel.observe(operation, self.backend, outcome, seconds);
                timed(call, Error::outcome, observe).await
            }
        }
    };
}

decorator!(
    /// A [`delivery::repository::OrderReadModel`] whose calls are counted.
    OrderReadModel, ReadModelPort
);
decorator!(
    /// A [`delivery::repository::OrderSearch`] whose calls are counted.
    OrderSearch, SearchPort
);
decorator!(
    /// A [`delivery::repository::ProjectionStore`] whose calls are counted.
    ProjectionStore, ProjectionPort
);
decorator!(
    /// A [`delivery::repository::IdempotencyStore`] whose calls are counted.
    IdempotencyStore, IdempotencyPort
);

#[async_trait]
impl ReadModelPort for OrderReadModel {
    async fn get(&self, id: OrderId) -> Result<Option<OrderView>, Error> {
        self.timed("get", self.inner.get(id)).await
    }

    async fn list(&self, query: &ListOrders) -> Result<Vec<OrderView>, Error> {
        self.timed("list", self.inner.list(query)).await
    }

    async fn checkpoint(&self) -> Result<Position, Error> {
        self.timed("checkpoint", self.inner.checkpoint()).await
    }

    async fn reached(&self, position: Position) -> Result<(), Error> {
        self.inner.reached(position).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.timed("ping", self.inner.ping()).await
    }
}

#[async_trait]
impl SearchPort for OrderSearch {
    async fn search(&self, query: &SearchOrders) -> Result<SearchPage, Error> {
        self.timed("search", self.inner.search(query)).await
    }

    async fn checkpoint(&self) -> Result<Position, Error> {
        self.timed("checkpoint", self.inner.checkpoint()).await
    }

    async fn reached(&self, position: Position) -> Result<(), Error> {
        self.inner.reached(position).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.timed("ping", self.inner.ping()).await
    }
}

#[async_trait]
impl ProjectionPort for ProjectionStore {
    async fn generations(&self) -> Result<Vec<GenerationStatus>, Error> {
        self.timed("generations", self.inner.generations()).await
    }

    async fn load(&self, generation: Generation, ids: &[OrderId]) -> Result<Vec<OrderView>, Error> {
        self.timed("load", self.inner.load(generation, ids)).await
    }

    async fn commit(&self, generation: Generation, batch: Batch) -> Result<(), Error> {
        self.timed("commit", self.inner.commit(generation, batch)).await
    }

    async fn parked(&self, generation: Generation, max: usize) -> Result<Vec<ParkedEvent>, Error> {
        self.timed("parked", self.inner.parked(generation, max)).await
    }

    async fn begin_rebuild(&self) -> Result<Generation, Error> {
        self.timed("begin_rebuild", self.inner.begin_rebuild()).await
    }

    async fn promote(&self, generation: Generation) -> Result<(), Error> {
        self.timed("promote", self.inner.promote(generation)).await
    }

    async fn discard(&self, generation: Generation) -> Result<(), Error> {
        self.timed("discard", self.inner.discard(generation)).await
    }
}

#[async_trait]
impl IdempotencyPort for IdempotencyStore {
    async fn begin(&self, key: &str, fingerprint: [u8; 16], command_id: Uuid) -> Result<Begun, Error> {
        self.timed("idempotency_begin", self.inner.begin(key, fingerprint, command_id)).await
    }

    async fn complete(&self, key: &str, response: StoredResponse) -> Result<(), Error> {
        self.timed("idempotency_complete", self.inner.complete(key, response)).await
    }

    async fn release(&self, key: &str) -> Result<(), Error> {
        self.timed("idempotency_release", self.inner.release(key)).await
    }

    async fn purge(&self) -> Result<u64, Error> {
        self.timed("idempotency_purge", self.inner.purge()).await
    }
}
