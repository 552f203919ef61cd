//! Opening and checking files: what is not ours, not known or not whole is refused, left alone, and
//! said with the path and what to do.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use contract_tests::clock::Manual;
use eventsourcing::store::Error;
use eventsourcing::{EventId, EventStore as _, ExpectedRevision, NewEvent, Position, Revision, StreamId};
use rusqlite::Connection;
use sqlite::{Kind, OpenError};
use tempfile::TempDir;
use uuid::Uuid;

const KINDS: [Kind; 4] = [Kind::Events, Kind::Orders, Kind::Search, Kind::Idempotency];

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(path: &Path, kind: Kind) -> Result<(), OpenError> {
    match kind {
        Kind::Events => sqlite::EventStore::open(path, Arc::new(Manual::default())).map(drop),
        Kind::Orders => sqlite::OrderReadModel::open(path).map(drop),
        Kind::Search => sqlite::OrderSearch::open(path).map(drop),
        Kind::Idempotency => sqlite::IdempotencyStore::open(path, Arc::new(Manual::default())).map(drop),
    }
}

/// A file of this kind, closed: with its log written back into it.
fn made(folder: &TempDir, kind: Kind) -> PathBuf {
    let path = folder.path().join(format!("{kind:?}.db"));
    open(&path, kind).unwrap();
    closed(&path);
    path
}

/// Waits until the threads have closed the file, which removes the log.
fn closed(path: &Path) {
    let log = PathBuf::from(format!("{}-wal", path.display()));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while log.exists() {
        assert!(std::time::Instant::now() < deadline, "{} is never closed", path.display());
        std::thread::yield_now();
    }
}

/// An event store with so many events, each of 1 KiB, in streams of 10.
fn filled(folder: &TempDir, count: u64) -> PathBuf {
    let path = folder.path().join("events.db");
    let store = sqlite::EventStore::open(&path, Arc::new(Manual::default())).unwrap();
    let event = |number: u64| NewEvent {
        id: EventId(Uuid::from_u128(number.into())),
        event_type: "COUNTED".into(),
        data: vec![b'x'; 1_024].into(),
        metadata: b"{}"[..].into(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for first in (0..count).step_by(10) {
            let stream = StreamId::new(format!("s{first}"));
            let events = (first..count.min(first + 10)).map(event).collect();
            store.append(&stream, ExpectedRevision::NoStream, events).await.unwrap();
        }
    });
    drop(store);
    closed(&path);
    path
}

/// Opening and checking say the same: where, and what to do about it.
fn refused(path: &Path, kind: Kind, what_to_do: &str) -> OpenError {
    let checked = sqlite::check(path, kind, false).unwrap_err();
    let opened = open(path, kind).unwrap_err();
    for error in [&checked, &opened] {
        let text = error.to_string();
        assert!(text.contains(path.to_str().unwrap()), "{text}");
        assert!(text.contains(what_to_do), "{text}");
    }
    assert_eq!(std::mem::discriminant(&checked), std::mem::discriminant(&opened), "{checked} {opened}");
    opened
}

/// As [`refused`], and the file is as before.
fn refused_and_left_alone(path: &Path, kind: Kind, what_to_do: &str) -> OpenError {
    let before = std::fs::read(path).unwrap();
    let error = refused(path, kind, what_to_do);
    assert!(std::fs::read(path).unwrap() == before, "{}: was changed, then refused: {error}", path.display());
    error
}

fn execute(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(sql).unwrap();
    drop(connection);
    closed(path);
}

fn overwrite(path: &Path, from: usize, bytes: &[u8]) {
    let mut content = std::fs::read(path).unwrap();
    content[from..from + bytes.len()].copy_from_slice(bytes);
    std::fs::write(path, content).unwrap();
}

fn page_size(path: &Path) -> usize {
    let header = std::fs::read(path).unwrap();
    // https://www.sqlite.org/fileformat.html, section 1.3: 1 stands for 65,536.
    match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        size => size.into(),
    }
}

#[test]
fn what_is_whole_is_opened_and_checked() {
    let folder = folder();
    for kind in KINDS {
        let path = made(&folder, kind);
        let before = std::fs::read(&path).unwrap();
        for full in [false, true] {
            sqlite::check(&path, kind, full).unwrap();
        }
        assert!(std::fs::read(&path).unwrap() == before, "a check has changed {}", path.display());
        open(&path, kind).unwrap();
    }
    let path = filled(&folder, 2_500);
    for full in [false, true] {
        sqlite::check(&path, Kind::Events, full).unwrap();
    }
}

#[test]
fn a_file_in_use_can_be_checked() {
    let folder = folder();
    let path = folder.path().join("events.db");
    let _store = sqlite::EventStore::open(&path, Arc::new(Manual::default())).unwrap();
    for full in [false, true] {
        sqlite::check(&path, Kind::Events, full).unwrap();
    }
}

#[test]
fn a_missing_file_is_not_made_by_a_check() {
    let folder = folder();
    let path = folder.path().join("missing.db");
    let error = sqlite::check(&path, Kind::Events, true).unwrap_err();
    assert!(matches!(error, OpenError::Unusable { .. }), "{error}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    assert!(!path.exists());
}

#[test]
fn only_the_owner_may_look() {
    let folder = folder();
    for kind in KINDS {
        let path = folder.path().join(format!("new {kind:?}/deeper/file.db"));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let open = match kind {
            Kind::Events => Some(sqlite::EventStore::open(&path, Arc::new(Manual::default())).unwrap()),
            _ => open(&path, kind).map(|()| None).unwrap(),
        };
        assert_eq!(mode(&path), 0o600);
        if let Some(store) = open {
            for suffix in ["-wal", "-shm"] {
                assert_eq!(mode(Path::new(&format!("{}{suffix}", path.display()))), 0o600, "{suffix}");
            }
            drop(store);
        }
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(mode(path.parent().unwrap().parent().unwrap()), 0o700);
    }
}

#[test]
fn what_is_not_sqlite_is_refused() {
    let folder = folder();
    let path = folder.path().join("notes.txt");
    let long = "not a database\n".repeat(1_000);
    for content in ["x", "SQLite format 3", "SQLite format 4\0 and so on", &long] {
        std::fs::write(&path, content).unwrap();
        for kind in KINDS {
            let error = refused_and_left_alone(&path, kind, "move it away");
            assert!(matches!(error, OpenError::NotADatabase { .. }), "{error}");
        }
    }
}

#[test]
fn each_kind_refuses_the_others_files() {
    let folder = folder();
    for kind in KINDS {
        let path = made(&folder, kind);
        for other in KINDS.into_iter().filter(|other| *other != kind) {
            let error = refused_and_left_alone(&path, other, "name another file");
            assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
        }
        open(&path, kind).unwrap();
    }
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let folder = folder();
    for (name, sql) in [
        ("tables.db", "CREATE TABLE t (a); INSERT INTO t VALUES (1)"),
        ("id.db", "PRAGMA application_id = 252006674; CREATE TABLE t (a)"),
        ("version.db", "PRAGMA user_version = 3; CREATE TABLE t (a)"),
        ("version_only.db", "PRAGMA user_version = 1"),
    ] {
        let path = folder.path().join(name);
        execute(&path, sql);
        for kind in KINDS {
            let error = refused_and_left_alone(&path, kind, "name another file");
            assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
        }
    }
}

#[test]
fn a_file_of_a_newer_build_is_refused_and_left_alone() {
    let folder = folder();
    for kind in KINDS {
        let path = made(&folder, kind);
        execute(&path, "PRAGMA user_version = 999");
        let error = refused_and_left_alone(&path, kind, "use a newer highbeam");
        assert!(matches!(error, OpenError::TooNew { found: 999, .. }), "{error}");
    }
}

#[test]
fn a_truncated_file_is_refused() {
    let folder = folder();
    let path = filled(&folder, 2_000);
    let whole = std::fs::read(&path).unwrap();
    let page = page_size(&path);
    for length in [whole.len() - page, whole.len() / 2, page, page + 1, page / 2, 100, 16] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = refused(&path, Kind::Events, if length < page { "" } else { "restore a copy" });
        assert!(matches!(error, OpenError::Damaged { .. } | OpenError::NotADatabase { .. }), "{length}: {error:?}");
    }
    std::fs::write(&path, &whole).unwrap();
    sqlite::check(&path, Kind::Events, true).unwrap();
}

#[test]
fn missing_rows_are_noticed() {
    let folder = folder();
    for sql in [
        "DELETE FROM events WHERE position = 1",
        "DELETE FROM events WHERE position = 1999",
        "DELETE FROM events WHERE position BETWEEN 1200 AND 1700",
    ] {
        let path = filled(&folder, 2_000);
        execute(&path, sql);
        let error = refused_and_left_alone(&path, Kind::Events, "restore a copy");
        assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn missing_tables_are_noticed() {
    let folder = folder();
    let path = filled(&folder, 10);
    execute(&path, "DROP TABLE events");
    let error = refused(&path, Kind::Events, "restore a copy");
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

#[test]
fn an_overwritten_first_page_is_refused() {
    let folder = folder();
    let path = filled(&folder, 100);
    overwrite(&path, 100, &vec![0xa5; page_size(&path) - 100]);
    let error = refused(&path, Kind::Events, "restore a copy");
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

/// The quick check does not read every page: that is what the full one is for.
#[test]
fn an_overwritten_page_is_found_by_the_full_check_and_by_whoever_reads_it() {
    let folder = folder();
    let path = filled(&folder, 5_000);
    let page = page_size(&path);
    let connection = Connection::open(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    drop(connection);
    // A page amid the rows, as leaf pages start with 13.
    let index = (300..).find(|index| whole[index * page] == 13).unwrap();
    overwrite(&path, index * page, &vec![0xa5; page]);
    sqlite::check(&path, Kind::Events, false).unwrap();
    let error = sqlite::check(&path, Kind::Events, true).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");

    let store = sqlite::EventStore::open(&path, Arc::new(Manual::default())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let found = store.read_all(Position::START, 5_000, "").await;
        assert!(matches!(found, Err(Error::Corrupt { .. })), "{:?}", found.map(|page| page.events.len()));
        let mut subscription = store.subscribe(Position::START, "").await.unwrap();
        let found = subscription.next(5_000).await;
        assert!(matches!(found, Err(Error::Corrupt { .. })), "{:?}", found.map(|page| page.events.len()));
        // What is whole is served.
        assert_eq!(store.read_all(Position::START, 10, "").await.unwrap().events.len(), 10);
        assert_eq!(store.read(&StreamId::new("s0"), Revision::FIRST, 100).await.unwrap().len(), 10);
    });
}

#[test]
fn a_folder_is_refused() {
    let folder = folder();
    for kind in KINDS {
        let error = refused(folder.path(), kind, "check the path");
        assert!(matches!(error, OpenError::Unusable { .. }), "{error}");
    }
}

/// Permissions would not do: the superuser may write anywhere.
#[test]
fn an_unwritable_path_is_refused() {
    let folder = folder();
    let file = folder.path().join("file");
    std::fs::write(&file, "a file, no folder").unwrap();
    for path in [file.join("events.db"), file.join("deeper/events.db"), PathBuf::from("/proc/highbeam/events.db")] {
        for kind in KINDS {
            let error = refused(&path, kind, "check the path and its permissions");
            assert!(matches!(error, OpenError::Unusable { .. }), "{error}");
        }
    }
}
