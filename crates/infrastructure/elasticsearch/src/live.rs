//! Reading documents by id as they are now, among them the checkpoint; and the live generation, while another may
//! take its place.

use std::time::Duration;

use eventsourcing::Position;
use hyper::Method;
use progress::Live;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::OrderSearch;
use crate::documents::{CHECKPOINT, Checkpoint};
use crate::failure::{Failure, Told};
use crate::transport::Limit;

/// How often one who waits for a position asks.
pub(crate) const TICK: Duration = Duration::from_millis(40);
/// How often an index is asked for again that has just been made, or replaced, and the wait before the second
/// time; it doubles after that.
const ROUNDS: usize = 8;
const FIRST_WAIT: Duration = Duration::from_millis(10);

/// Documents by id.
#[derive(Deserialize)]
struct Answer<S> {
    docs: Vec<Entry<S>>,
}

#[derive(Deserialize)]
#[serde(bound = "S: Deserialize<'de>")]
struct Entry<S> {
    #[serde(rename = "_index")]
    index: String,
    #[serde(rename = "_seq_no")]
    number: Option<u64>,
    #[serde(rename = "_primary_term")]
    term: Option<u64>,
    #[serde(rename = "_source")]
    source: Option<S>,
    error: Option<Told>,
}

/// A document that was asked for, and where it is.
pub(crate) struct Found<S> {
    /// `None` when there is none.
    pub(crate) source: Option<S>,
    index: String,
    /// Sequence number and primary term.
    pub(crate) version: Option<(u64, u64)>,
}

impl OrderSearch {
    /// Reads documents by id as they are now, findable or not; as many answers as ids, in their order.
    pub(crate) async fn get_all<S: DeserializeOwned>(
        &self,
        limit: Limit,
        alias: &str,
        ids: &[&str],
    ) -> Result<Vec<Found<S>>, Failure> {
        let mut wait = FIRST_WAIT;
        for _ in 1..ROUNDS {
            match self.get_once(limit, alias, ids).await {
                Err(failure) if failure.is_unready() => tokio::time::sleep(wait).await,
                done => return done,
            }
            wait *= 2;
        }
        self.get_once(limit, alias, ids).await
    }

    async fn get_once<S: DeserializeOwned>(
        &self,
        limit: Limit,
        alias: &str,
        ids: &[&str],
    ) -> Result<Vec<Found<S>>, Failure> {
        let path = format!("/{alias}/_mget");
        let answer: Answer<S> = self.client.ask(limit, Method::POST, &path, json!({"ids": ids})).await?;
        let found = |entry: Entry<S>| match entry.error {
            Some(told) => Err(told.failure(404)),
            None => Ok(Found { source: entry.source, index: entry.index, version: entry.number.zip(entry.term) }),
        };
        answer.docs.into_iter().map(found).collect()
    }

    /// As [`Self::get_all`], of one document.
    pub(crate) async fn get<S: DeserializeOwned>(
        &self,
        limit: Limit,
        alias: &str,
        id: &str,
    ) -> Result<Found<S>, Failure> {
        let found = self.get_all(limit, alias, &[id]).await?.pop();
        found.ok_or_else(|| Failure::unreadable("one document was asked for, and none is in the answer"))
    }

    /// The checkpoint of the generation behind an alias; its start before the first one was written.
    pub(crate) async fn checkpoint_of(&self, limit: Limit, alias: &str) -> Result<Live, Failure> {
        let found = self.get::<Checkpoint>(limit, alias, CHECKPOINT).await?;
        let generation = self.name.generation(&found.index).ok_or_else(|| {
            Failure::Damaged(format!("alias {alias} is on {}, which is no index of its projection", found.index))
        })?;
        let checkpoint = found.source.map_or(Position::START, |found| Position(found.checkpoint));
        Ok(Live { generation, checkpoint })
    }

    /// Asks for something of the live generation; again when it has been replaced meanwhile, and after
    /// making one when there is none.
    pub(crate) async fn of_live<V, F: Future<Output = Result<V, Failure>>>(
        &self,
        ask: impl Fn() -> F,
    ) -> Result<V, Failure> {
        let mut wait = FIRST_WAIT;
        for _ in 1..ROUNDS {
            match ask().await {
                Err(failure) if failure.is_missing() => self.ensured().await.map(drop)?,
                Err(failure) if failure.is_unready() => tokio::time::sleep(wait).await,
                done => return done,
            }
            wait *= 2;
        }
        ask().await
    }

    async fn asked(&self) -> Result<Live, Failure> {
        self.of_live(|| self.checkpoint_of(Limit::READ, self.name.live())).await
    }

    /// Asks the engine, and tells those who wait.
    pub(crate) async fn live(&self) -> Result<Live, Failure> {
        let live = self.asked().await?;
        self.progress.publish(live);
        Ok(live)
    }

    /// Waits until the live generation is at `position`.
    pub(crate) async fn live_reached(&self, position: Position) -> Result<(), Failure> {
        self.progress.reached(position, || self.asked()).await
    }
}
