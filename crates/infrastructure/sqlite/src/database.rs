//! The plumbing that all SQLite adapters share: one writer thread with group commit, reader threads
//! with connections of their own, and what to do when the disk says no. It knows no table.
//!
//! Nothing here blocks a thread of the async runtime: calls are queued (bounded) and answered by the
//! thread that owns the connection.

mod checkpoint;
mod connection;
mod open;
mod threads;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use connection::Durability;
pub use open::Error as OpenError;
pub(crate) use open::{Schema, check};

use threads::{Job, Pending};

/// Calls that may wait for a thread; whoever comes next waits outside, up to its own deadline.
const QUEUE: usize = 4_096;
/// Why an operation on an open database failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The engine could not do it; nothing was changed.
    #[error("{path}: {source}")]
    Engine {
        path: String,
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// What is stored cannot be read.
    #[error("{path} is damaged: {source}")]
    Damaged {
        path: String,
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// The work panicked; nothing was changed.
    #[error("{path}: the operation panicked")]
    Panicked { path: String },
    /// The database has been closed.
    #[error("{path} is closed")]
    Closed { path: String },
}

/// An open database file. Cheap to clone; closes when the last clone is gone.
#[derive(Clone)]
pub(crate) struct Database(Arc<Inner>);

struct Inner {
    path: PathBuf,
    writer: mpsc::Sender<Box<dyn Job>>,
    /// For reads that take microseconds. One thread: the busier it is, the less often it has to be
    /// woken, and being woken is what such a read costs most.
    reader: mpsc::Sender<Box<dyn Job>>,
    /// For reads of many rows, so that they do not stand in the way of the others.
    scanner: mpsc::Sender<Box<dyn Job>>,
    commits: watch::Receiver<u64>,
}

impl Database {
    /// Opens or creates a file of this schema, and brings it to the newest version.
    pub(crate) fn open(path: &Path, schema: &'static Schema, durability: Durability) -> Result<Self, OpenError> {
        let connection = open::open(path, schema, durability)?;
        let (committed, commits) = watch::channel(0);
        let thread = |error| OpenError::thread(path, &error);
        let mover = connection::writer(path, durability).map_err(|error| OpenError::engine(path, schema, &error))?;
        let help = checkpoint::start(mover, path, commits.clone()).map_err(thread)?;
        let writer = threads::start_writer(connection, path, durability, QUEUE, committed, help).map_err(thread)?;
        let start_reader = || {
            let connection = connection::reader(path).map_err(|error| OpenError::engine(path, schema, &error))?;
            threads::start_reader(connection, path, QUEUE).map_err(|error| OpenError::thread(path, &error))
        };
        let (reader, scanner) = (start_reader()?, start_reader()?);
        Ok(Self(Arc::new(Inner { path: path.to_owned(), writer, reader, scanner, commits })))
    }

    /// Runs `work`, which looks at a few rows, on the thread for quick reads. Work of several
    /// statements that have to agree opens a transaction of its own.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        self.run(&self.0.reader, work).await
    }

    /// As [`Database::read`], for work that may look at many rows, on a thread of its own.
    pub(crate) async fn scan<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        self.run(&self.0.scanner, work).await
    }

    /// Runs `work` on the writer thread, as part of the transaction at hand, and answers once that
    /// transaction is committed: with [`Durability::Full`] after the fsync.
    ///
    /// `work` MUST NOT write before it knows that it will not refuse: a refusal is an `Ok` of a type of
    /// its own. An `Err` of the engine takes the whole transaction back, and every work in it fails.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        self.run(&self.0.writer, work).await
    }

    async fn run<T: Send + 'static>(
        &self,
        thread: &mpsc::Sender<Box<dyn Job>>,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        let closed = || Failure::Closed { path: self.0.path.display().to_string() };
        thread.send(Box::new(Pending::new(work, reply))).await.map_err(|_| closed())?;
        match answer.await {
            Ok(result) => result,
            Err(_) => Err(closed()),
        }
    }

    /// Changes its value after every commit of this process. Commits of other processes do not show:
    /// whoever waits for those polls.
    pub(crate) fn commits(&self) -> watch::Receiver<u64> {
        self.0.commits.clone()
    }
}

impl Failure {
    /// Sorts an engine's error.
    pub(crate) fn new(path: &Path, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        let path = path.display().to_string();
        let damaged = matches!(source.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase));
        let source = Arc::new(source);
        if damaged { Self::Damaged { path, source } } else { Self::Engine { path, source } }
    }

    /// The same failure, for another work of the same transaction.
    pub(crate) fn share(&self) -> Self {
        match self {
            Self::Engine { path, source } => Self::Engine { path: path.clone(), source: Arc::clone(source) },
            Self::Damaged { path, source } => Self::Damaged { path: path.clone(), source: Arc::clone(source) },
            Self::Panicked { path } => Self::Panicked { path: path.clone() },
            Self::Closed { path } => Self::Closed { path: path.clone() },
        }
    }
}

impl From<Failure> for eventsourcing::store::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Damaged { .. } => {
                Self::Corrupt { reason: "the file cannot be read".to_owned(), source: Some(Box::new(failure)) }
            }
            _ => Self::Unavailable { reason: "the file cannot be used".to_owned(), source: Some(Box::new(failure)) },
        }
    }
}

impl Failure {
    /// As an error of the read side, on behalf of `engine`.
    pub(crate) fn of(self, engine: &'static str) -> delivery::repository::Error {
        match self {
            Self::Damaged { .. } => delivery::repository::Error::Corrupt {
                engine,
                reason: "the file cannot be read".to_owned(),
                source: Some(Box::new(self)),
            },
            _ => delivery::repository::Error::Unavailable {
                engine,
                reason: "the file cannot be used".to_owned(),
                source: Some(Box::new(self)),
            },
        }
    }
}

#[cfg(test)]
mod tests;
