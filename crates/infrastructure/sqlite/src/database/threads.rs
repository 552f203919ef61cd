//! The threads that own the connections. The writer gathers what waits into one transaction, so that
//! one fsync serves many; readers take one work after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::Failure;
use super::checkpoint::{self, Help};
use super::connection::{self, Durability};

/// Works in one transaction at most: bounds how long the first of them waits for the last.
const GROUP: usize = 1_024;

/// A work with a place for its answer.
pub(super) trait Job: Send {
    /// Does the work and keeps the result.
    fn run(&mut self, connection: &Connection, path: &Path) -> Result<(), Failure>;

    /// Hands the result over, or the failure of the transaction that it was part of.
    fn finish(self: Box<Self>, failure: Option<&Failure>);
}

pub(super) struct Pending<W, T> {
    work: Option<W>,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, Failure>>,
}

impl<W, T> Pending<W, T> {
    pub(super) fn new(work: W, reply: oneshot::Sender<Result<T, Failure>>) -> Self {
        Self { work: Some(work), result: None, reply }
    }
}

impl<W, T> Job for Pending<W, T>
where
    W: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
    T: Send,
{
    fn run(&mut self, connection: &Connection, path: &Path) -> Result<(), Failure> {
        // Nobody waits any more: not having done it is the cheapest honest answer.
        let Some(work) = self.work.take().filter(|_| !self.reply.is_closed()) else {
            return Ok(());
        };
        match catch_unwind(AssertUnwindSafe(|| work(connection))) {
            Ok(Ok(value)) => {
                self.result = Some(value);
                Ok(())
            }
            Ok(Err(error)) => Err(Failure::new(path, error)),
            Err(_) => Err(Failure::Panicked { path: path.display().to_string() }),
        }
    }

    fn finish(self: Box<Self>, failure: Option<&Failure>) {
        let answer = match (failure, self.result) {
            (Some(failure), _) => Err(failure.share()),
            (None, Some(value)) => Ok(value),
            // Its asker had left before it ran.
            (None, None) => return,
        };
        // The asker may have left meanwhile; what was committed stays.
        drop(self.reply.send(answer));
    }
}

/// Starts the thread that writes. It ends when every sender is gone and what waited is done.
pub(super) fn start_writer(
    connection: Connection,
    path: &Path,
    durability: Durability,
    queue: usize,
    committed: watch::Sender<u64>,
    help: Help,
) -> std::io::Result<mpsc::Sender<Box<dyn Job>>> {
    let (sender, inbox) = mpsc::channel(queue);
    let writer = Writer { connection: Some(connection), path: path.to_owned(), durability, committed, help };
    std::thread::Builder::new().name("sqlite-writer".to_owned()).spawn(move || writer.run(inbox))?;
    Ok(sender)
}

struct Writer {
    /// `None` after a failure that left the connection in doubt: the next group opens it again.
    connection: Option<Connection>,
    path: PathBuf,
    durability: Durability,
    committed: watch::Sender<u64>,
    help: Help,
}

impl Writer {
    fn run(mut self, mut inbox: mpsc::Receiver<Box<dyn Job>>) {
        let mut group = Vec::with_capacity(GROUP);
        while inbox.blocking_recv_many(&mut group, GROUP) > 0 {
            let failure = self.commit(&mut group).err();
            if failure.is_none() {
                self.committed.send_modify(|commits| *commits = commits.wrapping_add(1));
            }
            for job in group.drain(..) {
                job.finish(failure.as_ref());
            }
            if self.help.is_wanted()
                && let Some(connection) = &self.connection
            {
                // What it could not move, the next one will; the thread for it complains.
                drop(checkpoint::pass(connection));
            }
        }
    }

    /// All or nothing: the works of a group share one transaction.
    fn commit(&mut self, group: &mut [Box<dyn Job>]) -> Result<(), Failure> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connection::writer(&self.path, self.durability).map_err(|error| Failure::new(&self.path, error))?,
        };
        let done = transaction(&connection, &self.path, group);
        // After a failure a fresh connection is the surest way back: no half-open transaction, no
        // stale page.
        if done.is_ok() {
            self.connection = Some(connection);
        }
        done
    }
}

fn transaction(connection: &Connection, path: &Path, group: &mut [Box<dyn Job>]) -> Result<(), Failure> {
    let statement = |sql: &str| {
        let mut statement = connection.prepare_cached(sql)?;
        statement.execute([]).map(drop)
    };
    let failed = |error| Failure::new(path, error);
    statement("BEGIN IMMEDIATE").map_err(failed)?;
    let done = group
        .iter_mut()
        .try_for_each(|job| job.run(connection, path))
        .and_then(|()| statement("COMMIT").map_err(failed));
    if done.is_err() {
        // The connection is about to be closed, which rolls back as well; its own error is the less
        // telling one.
        drop(statement("ROLLBACK"));
    }
    done
}

/// Starts a thread that reads. It ends when every sender is gone.
pub(super) fn start_reader(
    connection: Connection,
    path: &Path,
    queue: usize,
) -> std::io::Result<mpsc::Sender<Box<dyn Job>>> {
    let (sender, mut inbox) = mpsc::channel::<Box<dyn Job>>(queue);
    let path = path.to_owned();
    std::thread::Builder::new().name("sqlite-reader".to_owned()).spawn(move || {
        while let Some(mut job) = inbox.blocking_recv() {
            let failure = read(&connection, &path, &mut *job).err();
            job.finish(failure.as_ref());
        }
    })?;
    Ok(sender)
}

fn read(connection: &Connection, path: &Path, job: &mut dyn Job) -> Result<(), Failure> {
    let done = job.run(connection, path);
    // A work that opened a read transaction and failed half-way must not keep an old snapshot.
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").map_err(|error| Failure::new(path, error))?;
    }
    done
}
