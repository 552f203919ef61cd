//! The projection's side: documents, parked events and checkpoints of a generation.
//!
//! Documents are written first and can be found; only then the checkpoint moves. What fails between the
//! two is done again, which changes nothing that was done: an order's version is its revision, the
//! checkpoint's is its position.

use std::collections::HashMap;

use async_trait::async_trait;
use delivery::models::OrderId;
use delivery::projections::OrderView;
use delivery::repository::{Batch, Error, Generation, GenerationState, GenerationStatus, ParkedEvent, ProjectionStore};
use eventsourcing::Position;
use hyper::Method;
use progress::Live;
use serde::Deserialize;
use serde_json::json;

use crate::OrderSearch;
use crate::bulk::{self, Visible};
use crate::documents::{self, Operation, Order, Parked};
use crate::failure::Failure;
use crate::search::Searched;
use crate::transport::{Body, Limit};

/// Orders asked for at once.
const IDS_MAX: usize = 500;
/// Parked events asked for at once.
const PARKED_MAX: usize = 1_000;
/// How often generations that change while they are looked at are looked at again.
const ROUNDS: usize = 5;

/// Says that there is no such generation, where there is none.
fn of(generation: Generation, doing: &'static str) -> impl Fn(Failure) -> Error {
    move |failure| {
        if failure.is_missing() { Error::UnknownGeneration(generation) } else { failure.while_(doing) }
    }
}

#[derive(Deserialize)]
struct Counted {
    aggregations: Aggregations,
}

#[derive(Deserialize)]
struct Aggregations {
    orders: Bucket,
    parked: Bucket,
}

#[derive(Deserialize)]
struct Bucket {
    doc_count: u64,
}

impl OrderSearch {
    /// Lets everything that was written be found.
    async fn refreshed(&self, alias: &str) -> Result<(), Failure> {
        self.client.tell(Limit::READ, Method::POST, &format!("/{alias}/_refresh"), Body::Nothing).await
    }

    async fn status(&self, generation: Generation, state: GenerationState) -> Result<GenerationStatus, Failure> {
        let alias = self.name.of(generation);
        // Asked for first: documents may be ahead of their checkpoint, never behind it.
        let Live { checkpoint, .. } = self.checkpoint_of(Limit::READ, &alias).await?;
        self.refreshed(&alias).await?;
        let kind = |kind: &str| json!({"filter": {"term": {"kind": kind}}});
        let body = json!({
            "size": 0,
            "track_total_hits": false,
            "aggs": {"orders": kind("order"), "parked": kind("parked")},
        });
        let path = format!("/{alias}/_search?allow_partial_search_results=false");
        let counted: Counted = self.client.ask(Limit::READ, Method::POST, &path, body).await?;
        let Aggregations { orders, parked } = counted.aggregations;
        Ok(GenerationStatus { generation, state, checkpoint, orders: orders.doc_count, parked: parked.doc_count })
    }

    async fn statuses(&self) -> Result<Vec<GenerationStatus>, Failure> {
        let (listed, live) = self.ensured().await?;
        let mut all = vec![self.status(live, GenerationState::Live).await?];
        if let Some(building) = listed.building {
            all.push(self.status(building, GenerationState::Building).await?);
        }
        Ok(all)
    }

    /// Whether readers see the generation. Asked for once while it stays the live one.
    async fn is_live(&self, generation: Generation) -> Result<bool, Failure> {
        if self.progress.generation() == Some(generation) {
            return Ok(true);
        }
        let (_, live) = self.ensured().await?;
        Ok(live == generation)
    }

    /// Moves the checkpoint forward; one that is there already, or further, stays.
    async fn advance(&self, alias: &str, position: Position) -> Result<(), Failure> {
        let (path, document) = documents::checkpoint(position);
        match self.client.tell(Limit::WRITE, Method::PUT, &format!("/{alias}/{path}"), document).await {
            Err(failure) if failure.is_taken() => Ok(()),
            done => done,
        }
    }
}

/// What a batch has to write. No operation is about the same document as another one, so that it does not
/// matter in which order they are done.
fn operations(batch: &Batch) -> Result<Vec<Operation>, Error> {
    let mut newest: HashMap<OrderId, &OrderView> = HashMap::with_capacity(batch.upserts.len());
    for view in &batch.upserts {
        let known = newest.entry(view.id).or_insert(view);
        if known.revision < view.revision {
            *known = view;
        }
    }
    let mut park: HashMap<Position, &ParkedEvent> = HashMap::with_capacity(batch.park.len());
    park.extend(batch.park.iter().map(|parked| (parked.event.position, parked)));
    let release: std::collections::HashSet<_> =
        batch.release.iter().filter(|position| !park.contains_key(position)).collect();
    let upserts = newest.into_values().map(documents::upsert);
    let parked = park.into_values().map(documents::park);
    let released = release.into_iter().map(|position| Ok(documents::release(*position)));
    upserts.chain(parked).chain(released).collect()
}

#[async_trait]
impl ProjectionStore for OrderSearch {
    async fn generations(&self) -> Result<Vec<GenerationStatus>, Error> {
        for _ in 1..ROUNDS {
            match self.statuses().await {
                // Promoted or given up while it was looked at.
                Err(failure) if failure.is_missing() => {}
                done => return done.map_err(|failure| failure.while_("listing generations")),
            }
        }
        self.statuses().await.map_err(|failure| failure.while_("listing generations"))
    }

    async fn load(&self, generation: Generation, ids: &[OrderId]) -> Result<Vec<OrderView>, Error> {
        let alias = self.name.of(generation);
        let mut views = Vec::with_capacity(ids.len());
        for ids in ids.chunks(IDS_MAX) {
            let ids: Vec<_> = ids.iter().map(OrderId::to_string).collect();
            let ids: Vec<_> = ids.iter().map(String::as_str).collect();
            let found = self.get_all::<Order>(Limit::READ, &alias, &ids).await;
            let found = found.map_err(of(generation, "loading orders"))?;
            for order in found.into_iter().filter_map(|found| found.source) {
                views.push(order.view()?);
            }
        }
        Ok(views)
    }

    async fn commit(&self, generation: Generation, batch: Batch) -> Result<(), Error> {
        let failed = of(generation, "writing a batch");
        let alias = self.name.of(generation);
        let operations = operations(&batch)?;
        let is_live = self.is_live(generation).await.map_err(&failed)?;
        if operations.is_empty() && batch.checkpoint.is_none() {
            return self.checkpoint_of(Limit::READ, &alias).await.map(drop).map_err(failed);
        }
        if !operations.is_empty() {
            let visible = if is_live { Visible::AtOnce } else { Visible::Later };
            bulk::write(&self.client, &alias, operations, visible).await.map_err(&failed)?;
        }
        if let Some(checkpoint) = batch.checkpoint {
            self.advance(&alias, checkpoint).await.map_err(&failed)?;
            if is_live {
                self.progress.publish(Live { generation, checkpoint });
            }
        }
        Ok(())
    }

    async fn parked(&self, generation: Generation, max: usize) -> Result<Vec<ParkedEvent>, Error> {
        let failed = of(generation, "listing parked events");
        let alias = self.name.of(generation);
        self.refreshed(&alias).await.map_err(&failed)?;
        let path = format!("/{alias}/_search?allow_partial_search_results=false");
        let mut events = Vec::new();
        let mut after = -1;
        while events.len() < max {
            let size = (max - events.len()).min(PARKED_MAX);
            let body = json!({
                "size": size,
                "track_total_hits": false,
                "query": {"term": {"kind": "parked"}},
                "sort": [{"position": "asc"}],
                "search_after": [after],
                "_source": ["parked"],
            });
            let answer: Searched<Parked> =
                self.client.ask(Limit::READ, Method::POST, &path, body).await.map_err(&failed)?;
            let hits = answer.whole(&self.client).map_err(&failed)?.hits;
            let found = hits.len();
            after = hits.last().and_then(|hit| hit.place()).unwrap_or(i64::MAX);
            for parked in hits.into_iter().filter_map(|hit| hit.source) {
                events.push(parked.event()?);
            }
            if found < size {
                break;
            }
        }
        Ok(events)
    }

    async fn begin_rebuild(&self) -> Result<Generation, Error> {
        self.begin().await
    }

    async fn promote(&self, generation: Generation) -> Result<(), Error> {
        self.promoted(generation).await.map(drop)
    }

    async fn discard(&self, generation: Generation) -> Result<(), Error> {
        self.discarded(generation).await
    }
}
