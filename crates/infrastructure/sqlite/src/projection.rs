//! A projection in a file of its own: generations of documents, parked events and checkpoints, so
//! that one transaction covers what one batch changes. What read model and search have in common;
//! how documents are asked for is theirs.

mod documents;
pub(crate) mod generations;
mod parking;

use std::marker::PhantomData;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use delivery::models::OrderId;
use delivery::projections::OrderView;
use delivery::repository::{Batch, Error, Generation, GenerationState, GenerationStatus, ParkedEvent, ProjectionStore};
use eventsourcing::Position;
use progress::{Live, Progress};
use rusqlite::types::ToSql;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::database::{Database, Durability, OpenError, Schema};
use crate::numbers;
use generations::Change;

pub(crate) use documents::{Document, Previous};

/// How often one who waits for a position asks the file.
const TICK: Duration = Duration::from_millis(25);

/// What a projection is for: what it keeps beside the documents, to find them by.
pub(crate) trait Kind: Sized + Send + Sync + 'static {
    /// Names it in errors.
    const ENGINE: &'static str;
    /// The file, with a first generation in it that is live.
    const SCHEMA: &'static Schema;
    /// What a generation needs beside its documents: tables and indexes. Like all statements here,
    /// written for generation 1: `_v1` ends the name of whatever belongs to a generation.
    const TABLES: &'static str;
    /// Removes them.
    const DROP_TABLES: &'static str;
    /// The views through which readers look at the live generation.
    const VIEWS: &'static str;
    /// Removes them.
    const DROP_VIEWS: &'static str;

    /// A value kept in the row of the document.
    type Facet: ToSql + Send + 'static;
    /// What [`Kind::index`] needs of an order.
    type Terms: Send + 'static;

    /// What is kept of an order beside its document. Runs before the writer takes the order.
    fn terms(view: &OrderView) -> (Self::Facet, Self::Terms);

    /// Writes what is kept beside a document that has just been written.
    fn index(
        connection: &Connection,
        generation: Generation,
        document: &Document<Self>,
        previous: Option<&Previous>,
    ) -> rusqlite::Result<()>;
}

/// A projection kept by SQLite. `K` says what for.
#[expect(private_bounds, reason = "what a projection may be for is decided here")]
pub struct Projection<K: Kind> {
    database: Database,
    progress: Progress,
    kind: PhantomData<K>,
}

/// The outcome of a work that the domain may refuse: refused, it has written nothing.
type Answer<V> = rusqlite::Result<Result<V, Error>>;

#[expect(private_bounds, reason = "see the type")]
impl<K: Kind> Projection<K> {
    /// Opens the file, or makes it. Blocks for as long as that takes.
    ///
    /// A loss of power may cost the newest batches, whole, with the checkpoints they brought: the
    /// projector does them again.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let database = Database::open(path, K::SCHEMA, Durability::Normal)?;
        Ok(Self { database, progress: Progress::asking_every(TICK), kind: PhantomData })
    }

    /// Reads from one snapshot.
    pub(crate) async fn read<V: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<V> + Send + 'static,
    ) -> Result<V, Error> {
        let read = self.database.read(work).await;
        read.map_err(|failure| failure.of(K::ENGINE))
    }

    /// Reads many rows from one snapshot.
    pub(crate) async fn scan<V: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<V> + Send + 'static,
    ) -> Result<V, Error> {
        let read = self.database.scan(work).await;
        read.map_err(|failure| failure.of(K::ENGINE))
    }

    async fn write<V: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Answer<V> + Send + 'static,
    ) -> Result<V, Error> {
        let written = self.database.write(work).await;
        written.map_err(|failure| failure.of(K::ENGINE))?
    }

    /// Reads a stored document.
    pub(crate) fn decode(document: &[u8]) -> Result<OrderView, Error> {
        documents::read::<K>(document)
    }

    /// Reads stored documents.
    pub(crate) fn decode_all(documents: &[Vec<u8>]) -> Result<Vec<OrderView>, Error> {
        documents.iter().map(|document| Self::decode(document)).collect()
    }

    async fn live(&self) -> Result<Live, Error> {
        self.read(generations::live).await
    }

    pub(crate) async fn live_checkpoint(&self) -> Result<Position, Error> {
        self.live().await.map(|live| live.checkpoint)
    }

    pub(crate) async fn live_reached(&self, position: Position) -> Result<(), Error> {
        self.progress.reached(position, || self.live()).await
    }
}

#[async_trait]
impl<K: Kind> ProjectionStore for Projection<K> {
    async fn generations(&self) -> Result<Vec<GenerationStatus>, Error> {
        self.scan(generations::all).await
    }

    async fn load(&self, generation: Generation, ids: &[OrderId]) -> Result<Vec<OrderView>, Error> {
        let keys = documents::keys(ids);
        let load = move |connection: &Connection| documents::load(connection, generation, &keys);
        let found = self.scan(move |connection| of_generation(connection, generation, load)).await?;
        Self::decode_all(&found?)
    }

    async fn commit(&self, generation: Generation, batch: Batch) -> Result<(), Error> {
        let documents = documents::prepare::<K>(&batch.upserts)?;
        let Batch { park, release, checkpoint, .. } = batch;
        let live = self
            .write(move |connection| {
                let state = match generations::state(connection, generation)? {
                    Ok(state) => state,
                    Err(unknown) => return Ok(Err(unknown)),
                };
                let change = Change {
                    orders: documents::write(connection, generation, &documents)?,
                    parked: parking::apply(connection, generation, &release, &park)?,
                    checkpoint: numbers::saturating(checkpoint.unwrap_or_default().0),
                };
                let checkpoint = generations::enter(connection, generation, &change)?;
                Ok(Ok((state == GenerationState::Live).then_some(Live { generation, checkpoint })))
            })
            .await?;
        if let Some(live) = live {
            self.progress.publish(live);
        }
        Ok(())
    }

    async fn parked(&self, generation: Generation, max: usize) -> Result<Vec<ParkedEvent>, Error> {
        let list = move |connection: &Connection| parking::list::<K>(connection, generation, max);
        let found = self.scan(move |connection| of_generation(connection, generation, list)).await?;
        found?.into_iter().collect()
    }

    async fn begin_rebuild(&self) -> Result<Generation, Error> {
        self.write(generations::begin::<K>).await
    }

    async fn promote(&self, generation: Generation) -> Result<(), Error> {
        let live = self.write(move |connection| generations::promote::<K>(connection, generation)).await?;
        self.progress.publish(live);
        Ok(())
    }

    async fn discard(&self, generation: Generation) -> Result<(), Error> {
        self.write(move |connection| generations::discard::<K>(connection, generation)).await
    }
}

/// Reads something of a generation that has to be there.
fn of_generation<V>(
    connection: &Connection,
    generation: Generation,
    read: impl FnOnce(&Connection) -> rusqlite::Result<V>,
) -> Answer<V> {
    let _snapshot = snapshot(connection)?;
    match generations::state(connection, generation)? {
        Ok(_) => read(connection).map(Ok),
        Err(unknown) => Ok(Err(unknown)),
    }
}

/// A read transaction, for what takes more than one statement; ends when dropped. `None` inside of one.
pub(crate) fn snapshot(connection: &Connection) -> rusqlite::Result<Option<Transaction<'_>>> {
    connection
        .is_autocommit()
        .then(|| Transaction::new_unchecked(connection, TransactionBehavior::Deferred))
        .transpose()
}
