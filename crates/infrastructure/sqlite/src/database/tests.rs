//! The threads: works share transactions, a work that goes wrong takes only its transaction along,
//! and nothing outlives the last handle.

use std::sync::mpsc as blocking;
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;

const SCHEMA: Schema = Schema {
    application_id: 7,
    name: "list",
    migrations: &["CREATE TABLE list (number INTEGER NOT NULL) STRICT"],
    quick_check: "",
};
const DEADLINE: Duration = Duration::from_secs(30);

fn open(folder: &TempDir) -> Database {
    Database::open(&folder.path().join("list.db"), &SCHEMA, Durability::Full).unwrap()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn insert(number: i64) -> impl FnOnce(&Connection) -> rusqlite::Result<i64> + Send + 'static {
    move |connection| {
        connection.execute("INSERT INTO list VALUES (?1)", [number])?;
        Ok(number)
    }
}

async fn list(database: &Database) -> Vec<i64> {
    let work = |connection: &Connection| {
        connection.prepare("SELECT number FROM list ORDER BY number")?.query_map([], |row| row.get(0))?.collect()
    };
    database.read(work).await.unwrap()
}

/// Polls until it is so; a case fails when that takes too long.
async fn eventually(mut is_so: impl FnMut() -> bool) {
    let polling = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(DEADLINE, polling).await.expect("it never came to be so");
}

/// Keeps the writer busy until told, so that what comes meanwhile has to wait in the queue.
async fn hold_writer(database: &Database) -> (blocking::Sender<()>, JoinHandle<()>) {
    let (release, released) = blocking::channel::<()>();
    let (started, has_started) = oneshot::channel();
    let holding = tokio::spawn({
        let database = database.clone();
        async move {
            let work = move |_: &Connection| {
                // A case that has failed meanwhile neither listens nor releases.
                let _ = started.send(());
                let _ = released.recv();
                Ok(())
            };
            database.write(work).await.unwrap();
        }
    });
    has_started.await.unwrap();
    (release, holding)
}

fn queued(database: &Database) -> usize {
    database.0.writer.max_capacity() - database.0.writer.capacity()
}

fn write<T: Send + 'static>(
    database: &Database,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
) -> JoinHandle<Result<T, Failure>> {
    let database = database.clone();
    tokio::spawn(async move { database.write(work).await })
}

#[tokio::test]
async fn works_that_wait_share_a_commit() {
    let folder = folder();
    let database = open(&folder);
    let commits = database.commits();
    let (release, holding) = hold_writer(&database).await;
    let before = *commits.borrow();
    let writes: Vec<_> = (0..1_000).map(|number| write(&database, insert(number))).collect();
    eventually(|| queued(&database) == 1_000).await;
    release.send(()).unwrap();
    holding.await.unwrap();
    for write in writes {
        write.await.unwrap().unwrap();
    }
    assert_eq!(list(&database).await, (0..1_000).collect::<Vec<_>>());
    // The one that held the writer, and one for all the others.
    assert_eq!(*commits.borrow() - before, 2);
}

#[tokio::test]
async fn concurrent_writes_take_few_commits() {
    let folder = folder();
    let database = open(&folder);
    let commits = database.commits();
    let writes: Vec<_> = (0..2_000).map(|number| write(&database, insert(number))).collect();
    for write in writes {
        write.await.unwrap().unwrap();
    }
    let commits = *commits.borrow();
    assert!(commits < 200, "{commits} commits for 2,000 writes");
}

#[tokio::test]
async fn more_works_than_the_queue_holds_wait_their_turn() {
    let folder = folder();
    let database = open(&folder);
    let (release, holding) = hold_writer(&database).await;
    let count = i64::try_from(QUEUE).unwrap() + 500;
    let writes: Vec<_> = (0..count).map(|number| write(&database, insert(number))).collect();
    eventually(|| queued(&database) == QUEUE).await;
    // Reads do not wait with them.
    assert_eq!(list(&database).await, [0; 0]);
    release.send(()).unwrap();
    holding.await.unwrap();
    for write in writes {
        write.await.unwrap().unwrap();
    }
    assert_eq!(list(&database).await.len(), usize::try_from(count).unwrap());
}

#[tokio::test]
async fn a_panicking_work_fails_its_transaction_and_nothing_else() {
    let folder = folder();
    let database = open(&folder);
    database.write(insert(1)).await.unwrap();
    let (release, holding) = hold_writer(&database).await;
    let before = write(&database, insert(2));
    eventually(|| queued(&database) == 1).await;
    let panicking = write::<()>(&database, |connection| {
        connection.execute("INSERT INTO list VALUES (3)", [])?;
        panic!("on purpose")
    });
    eventually(|| queued(&database) == 2).await;
    let after = write(&database, insert(4));
    eventually(|| queued(&database) == 3).await;
    release.send(()).unwrap();
    // What was committed before is not touched.
    holding.await.unwrap();
    assert!(matches!(panicking.await.unwrap(), Err(Failure::Panicked { .. })));
    for shared in [before, after] {
        let shared = shared.await.unwrap();
        assert!(matches!(shared, Err(Failure::Panicked { .. })), "{shared:?}");
    }
    assert_eq!(list(&database).await, [1]);
    for number in 5..8 {
        database.write(insert(number)).await.unwrap();
    }
    assert_eq!(list(&database).await, [1, 5, 6, 7]);
}

#[tokio::test]
async fn a_failing_work_takes_its_transaction_back() {
    let folder = folder();
    let database = open(&folder);
    let commits = database.commits();
    let failing = |connection: &Connection| {
        connection.execute("INSERT INTO list VALUES (1)", [])?;
        connection.execute("INSERT INTO nowhere VALUES (1)", [])
    };
    let before = *commits.borrow();
    let failed = database.write(failing).await;
    assert!(matches!(failed, Err(Failure::Engine { .. })), "{failed:?}");
    assert!(failed.unwrap_err().to_string().contains("list.db"));
    assert_eq!(*commits.borrow(), before);
    assert_eq!(list(&database).await, [0; 0]);
    database.write(insert(2)).await.unwrap();
    assert_eq!(list(&database).await, [2]);
    assert!(*commits.borrow() > before);
}

#[tokio::test]
async fn a_read_that_panics_or_fails_leaves_the_reader_at_work() {
    let folder = folder();
    let database = open(&folder);
    for _ in 0..3 {
        let panicked = database.read::<()>(|_| panic!("on purpose")).await;
        assert!(matches!(panicked, Err(Failure::Panicked { .. })), "{panicked:?}");
        // Half-way through a transaction of its own: the next one must see what is newest.
        let failed = database.read(|connection| connection.execute_batch("BEGIN; SELECT * FROM list; nonsense")).await;
        assert!(matches!(failed, Err(Failure::Engine { .. })), "{failed:?}");
        let seen = list(&database).await.len();
        database.write(insert(1)).await.unwrap();
        assert_eq!(list(&database).await.len(), seen + 1);
    }
}

#[tokio::test]
async fn readers_cannot_write() {
    let folder = folder();
    let database = open(&folder);
    assert!(database.read(insert(1)).await.is_err());
    assert!(database.scan(insert(1)).await.is_err());
    assert_eq!(list(&database).await, [0; 0]);
}

#[tokio::test]
async fn a_work_whose_asker_left_is_not_done() {
    let folder = folder();
    let database = open(&folder);
    let (release, holding) = hold_writer(&database).await;
    let left = write(&database, insert(1));
    eventually(|| queued(&database) == 1).await;
    left.abort();
    assert!(left.await.unwrap_err().is_cancelled());
    release.send(()).unwrap();
    holding.await.unwrap();
    database.write(insert(2)).await.unwrap();
    assert_eq!(list(&database).await, [2]);
}

/// SQLite removes the log when the last connection closes: then no thread holds one any more.
#[tokio::test]
async fn dropping_the_last_handle_finishes_what_waits_and_closes_the_file() {
    let folder = folder();
    let database = open(&folder);
    let log = folder.path().join("list.db-wal");
    let (release, holding) = hold_writer(&database).await;
    let waiting = write(&database, insert(1));
    eventually(|| queued(&database) == 1).await;
    let clone = database.clone();
    drop(database);
    release.send(()).unwrap();
    holding.await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), 1);
    assert!(log.exists());
    assert_eq!(list(&clone).await, [1]);
    drop(clone);
    eventually(|| !log.exists()).await;
    assert_eq!(list(&open(&folder)).await, [1]);
}
