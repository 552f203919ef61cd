//! How connections are set up: journal, durability, memory, patience.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// How long a write waits for another process's transaction.
const BUSY: Duration = Duration::from_secs(3);
/// Statements that a connection keeps compiled.
const STATEMENTS: usize = 64;

/// What a commit promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It survives a loss of power.
    Full,
    /// It survives the death of the process; after a loss of power the newest commits may be missing,
    /// but never a part of one. For what can be rebuilt.
    Normal,
}

/// Opens for writing; creates the file when it is missing.
pub(super) fn writer(path: &Path, durability: Durability) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", "wal")?;
    let synchronous = match durability {
        Durability::Full => "full",
        Durability::Normal => "normal",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // Another thread moves the log into the file; see `checkpoint`.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    // Negative: KiB. The page cache of the system does the rest.
    connection.pragma_update(None, "cache_size", -4_096)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Opens for reading only.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    // Read-only connections cannot recover a log that a killed writer left, so the file is opened for
    // writing and the connection is told never to.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -2_048)?;
    connection.pragma_update(None, "mmap_size", 256 * 1024 * 1024)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    Ok(connection)
}
