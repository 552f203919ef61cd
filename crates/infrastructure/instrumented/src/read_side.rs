//! Read model, search, projection target and idempotency keys, observed. Waiting for a position is not a
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
use telemetry::names::span;
use uuid::Uuid;

use crate::{Instruments, Operation, timed};

macro_rules! decorator {
    ($(#[$doc:meta])* $name:ident, $port:ident) => {
        $(#[$doc])*
        pub struct $name {
            inner: Arc<dyn $port>,
            instruments: Instruments,
        }

        impl $name {
            /// Wraps an adapter.
            #[must_use]
            pub fn new(inner: Arc<dyn $port>, instruments: Instruments) -> Self {
                Self { inner, instruments }
            }

            async fn timed<T>(
                &self,
                operation: Operation,
                call: impl Future<Output = Result<T, Error>>,
            ) -> Result<T, Error> {
                observed(&self.instruments, operation, call).await
            }
        }
    };
}

async fn observed<T>(
    instruments: &Instruments,
    operation: Operation,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let Instruments { backend, metrics, .. } = instruments;
    let observe = |outcome, seconds| metrics.readmodel.observe(operation.name, backend, outcome, seconds);
    timed(instruments, operation, call, Error::outcome, observe).await
}

decorator!(
    /// A [`delivery::repository::OrderReadModel`] whose calls are observed.
    OrderReadModel, ReadModelPort
);
decorator!(
    /// A [`delivery::repository::OrderSearch`] whose calls are observed.
    OrderSearch, SearchPort
);
/// A [`delivery::repository::ProjectionStore`] whose calls are observed.
pub struct ProjectionStore {
    inner: Arc<dyn ProjectionPort>,
    instruments: Instruments,
    commit: Operation,
}

impl ProjectionStore {
    /// Wraps the target of the read model's projection.
    #[must_use]
    pub fn of_orders(inner: Arc<dyn ProjectionPort>, instruments: Instruments) -> Self {
        Self { inner, instruments, commit: Operation::new("commit", span::UPSERT_ORDER) }
    }

    /// Wraps the target of the search's projection.
    #[must_use]
    pub fn of_search(inner: Arc<dyn ProjectionPort>, instruments: Instruments) -> Self {
        Self { inner, instruments, commit: Operation::new("commit", span::INDEX_ORDER) }
    }

    async fn timed<T>(&self, operation: Operation, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        observed(&self.instruments, operation, call).await
    }
}
decorator!(
    /// A [`delivery::repository::IdempotencyStore`] whose calls are observed.
    IdempotencyStore, IdempotencyPort
);

#[async_trait]
impl ReadModelPort for OrderReadModel {
    async fn get(&self, id: OrderId) -> Result<Option<OrderView>, Error> {
        self.timed(Operation::new("get", span::GET_ORDER), self.inner.get(id)).await
    }

    async fn list(&self, query: &ListOrders) -> Result<Vec<OrderView>, Error> {
        self.timed(Operation::new("list", span::LIST_ORDERS), self.inner.list(query)).await
    }

    async fn checkpoint(&self) -> Result<Position, Error> {
        self.timed(Operation::untraced("checkpoint"), self.inner.checkpoint()).await
    }

    async fn reached(&self, position: Position) -> Result<(), Error> {
        self.inner.reached(position).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.timed(Operation::new("ping", span::PING_READ_MODEL), self.inner.ping()).await
    }
}

#[async_trait]
impl SearchPort for OrderSearch {
    async fn search(&self, query: &SearchOrders) -> Result<SearchPage, Error> {
        self.timed(Operation::new("search", span::SEARCH_ORDERS), self.inner.search(query)).await
    }

    async fn checkpoint(&self) -> Result<Position, Error> {
        self.timed(Operation::untraced("checkpoint"), self.inner.checkpoint()).await
    }

    async fn reached(&self, position: Position) -> Result<(), Error> {
        self.inner.reached(position).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.timed(Operation::new("ping", span::PING_SEARCH), self.inner.ping()).await
    }
}

#[async_trait]
impl ProjectionPort for ProjectionStore {
    async fn generations(&self) -> Result<Vec<GenerationStatus>, Error> {
        self.timed(Operation::new("generations", span::READ_GENERATIONS), self.inner.generations()).await
    }

    async fn load(&self, generation: Generation, ids: &[OrderId]) -> Result<Vec<OrderView>, Error> {
        self.timed(Operation::new("load", span::LOAD_ORDERS), self.inner.load(generation, ids)).await
    }

    async fn commit(&self, generation: Generation, batch: Batch) -> Result<(), Error> {
        self.timed(self.commit, self.inner.commit(generation, batch)).await
    }

    async fn parked(&self, generation: Generation, max: usize) -> Result<Vec<ParkedEvent>, Error> {
        self.timed(Operation::new("parked", span::READ_PARKED_EVENTS), self.inner.parked(generation, max)).await
    }

    async fn begin_rebuild(&self) -> Result<Generation, Error> {
        self.timed(Operation::new("begin_rebuild", span::BEGIN_REBUILD), self.inner.begin_rebuild()).await
    }

    async fn promote(&self, generation: Generation) -> Result<(), Error> {
        self.timed(Operation::new("promote", span::PROMOTE_REBUILD), self.inner.promote(generation)).await
    }

    async fn discard(&self, generation: Generation) -> Result<(), Error> {
        self.timed(Operation::new("discard", span::DISCARD_REBUILD), self.inner.discard(generation)).await
    }
}

#[async_trait]
impl IdempotencyPort for IdempotencyStore {
    async fn begin(&self, key: &str, fingerprint: [u8; 16], command_id: Uuid) -> Result<Begun, Error> {
        self.timed(
            Operation::new("idempotency_begin", span::CLAIM_IDEMPOTENCY_KEY),
            self.inner.begin(key, fingerprint, command_id),
        )
        .await
    }

    async fn complete(&self, key: &str, response: StoredResponse) -> Result<(), Error> {
        self.timed(
            Operation::new("idempotency_complete", span::KEEP_IDEMPOTENT_ANSWER),
            self.inner.complete(key, response),
        )
        .await
    }

    async fn release(&self, key: &str) -> Result<(), Error> {
        self.timed(Operation::new("idempotency_release", span::RELEASE_IDEMPOTENCY_KEY), self.inner.release(key)).await
    }

    async fn purge(&self) -> Result<u64, Error> {
        self.timed(Operation::untraced("idempotency_purge"), self.inner.purge()).await
    }
}
