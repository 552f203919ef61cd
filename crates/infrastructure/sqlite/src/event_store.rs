//! The event store on one SQLite file. Positions are row ids: the one writer gives them in commit
//! order and without gaps, so a reader that has seen a position has seen everything before it.

mod rows;
mod subscription;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use eventsourcing::store::{Error, Page};
use eventsourcing::{
    Appended, Clock, EventStore as Port, ExpectedRevision, NewEvent, Position, RecordedEvent, Revision, StreamId,
    Subscription,
};

use crate::OpenError;
use crate::database::{Database, Durability, Failure, Schema};
use subscription::Follower;

pub(crate) const SCHEMA: Schema = Schema {
    application_id: i32::from_be_bytes(*b"hbev"),
    name: "event store",
    migrations: &["
        CREATE TABLE events (
            position INTEGER PRIMARY KEY,
            stream TEXT NOT NULL,
            revision INTEGER NOT NULL,
            id BLOB NOT NULL,
            type TEXT NOT NULL,
            data BLOB NOT NULL,
            metadata BLOB NOT NULL,
            recorded_at INTEGER NOT NULL -- microseconds since 1970
        ) STRICT;
        CREATE UNIQUE INDEX events_by_stream ON events (stream, revision);
    "],
    // Positions are given without gaps: the first is 1, and those at the end follow each other.
    quick_check: "
        SELECT 1 FROM (
            SELECT count(*) AS events, max(position) AS last, min(position) AS first
            FROM (SELECT position FROM events ORDER BY position DESC LIMIT 1000)
        ) WHERE events > 0 AND (last - first + 1 <> events OR (SELECT min(position) FROM events) <> 1)
    ",
};

/// An event store in a file. Cheap to clone.
#[derive(Clone)]
pub struct EventStore {
    database: Database,
    clock: Arc<dyn Clock>,
    path: PathBuf,
}

impl EventStore {
    /// Opens or creates the file. `clock` tells when events are recorded.
    ///
    /// # Errors
    /// When the file is not an event store of a known version, or cannot be used; see [`OpenError`].
    pub fn open(path: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let database = Database::open(path, &SCHEMA, Durability::Full)?;
        Ok(Self { database, clock, path: path.to_owned() })
    }

    async fn page(&self, after: Position, max: usize, prefix: &str) -> Result<Page, Failure> {
        let prefix = prefix.to_owned();
        self.database.scan(move |connection| rows::read_all(connection, after, max, &prefix)).await
    }
}

#[async_trait]
impl Port for EventStore {
    async fn append(
        &self,
        stream: &StreamId,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, Error> {
        if events.is_empty() {
            return Err(Error::Invalid("an append needs at least one event".to_owned()));
        }
        let (stream, now) = (stream.clone(), self.clock.now());
        self.database.write(move |connection| rows::append(connection, &stream, expected, &events, now)).await?
    }

    async fn read(&self, stream: &StreamId, from: Revision, max: usize) -> Result<Vec<RecordedEvent>, Error> {
        let stream = stream.clone();
        Ok(self.database.read(move |connection| rows::read(connection, &stream, from, max)).await?)
    }

    async fn read_all(&self, after: Position, max: usize, prefix: &str) -> Result<Page, Error> {
        Ok(self.page(after, max, prefix).await?)
    }

    async fn head(&self) -> Result<Position, Error> {
        Ok(self.database.read(rows::head).await?)
    }

    async fn subscribe(&self, after: Position, prefix: &str) -> Result<Box<dyn Subscription>, Error> {
        Ok(Box::new(Follower::new(self.clone(), after, prefix, self.database.commits())))
    }

    /// Takes the write lock and gives it back, in a transaction that changes nothing and so costs no
    /// fsync. A full disk shows only when something is written: the room that is left is asked for.
    async fn ping(&self) -> Result<(), Error> {
        Ok(self.database.write(|_| Ok(())).await?)
    }
}

impl std::fmt::Debug for EventStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EventStore({})", self.path.display())
    }
}

#[cfg(test)]
mod tests;
