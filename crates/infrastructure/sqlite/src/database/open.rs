//! Opening a file: create it, recognise it, bring it up to date, or refuse it with the reason.

use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};

use super::connection::{self, Durability};

/// The first bytes of every SQLite file (<https://www.sqlite.org/fileformat.html>).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// What a file is for.
pub(crate) struct Schema {
    /// SQLite's `application_id`: tells our files from others and from each other.
    pub(crate) application_id: i32,
    /// For messages.
    pub(crate) name: &'static str,
    /// Each brings the schema one version further; `user_version` counts them. Never changed once
    /// released.
    pub(crate) migrations: &'static [&'static str],
    /// A query that has to give no row on a file that is whole, cheap enough for every start.
    pub(crate) quick_check: &'static str,
}

/// Why a file cannot be opened. Each says what was found, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder or the file cannot be created or opened.
    #[error("{}: cannot be opened ({reason}); check the path and its permissions", .path.display())]
    Unusable {
        /// Where.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is something else altogether.
    #[error(
        "{}: is not an SQLite database; move it away, or name another file",
        .path.display()
    )]
    NotADatabase {
        /// Where.
        path: PathBuf,
    },
    /// The database is another program's, or another part's of this one.
    #[error(
        "{}: is an SQLite database, but not a highbeam {expected} (application id {found:#x}); name another file",
        .path.display()
    )]
    Foreign {
        /// Where.
        path: PathBuf,
        /// What it was to be.
        expected: &'static str,
        /// What it says to be.
        found: i32,
    },
    /// A newer build wrote it.
    #[error(
        "{}: has schema version {found}, and this build knows up to {known}; use a newer highbeam, or restore a copy from before",
        .path.display()
    )]
    TooNew {
        /// Where.
        path: PathBuf,
        /// Its version.
        found: usize,
        /// The newest that this build knows.
        known: usize,
    },
    /// What is in it cannot be right.
    #[error("{}: is damaged ({reason}); restore a copy, or have `highbeam check --full` look at all of it", .path.display())]
    Damaged {
        /// Where.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
}

impl Error {
    pub(super) fn thread(path: &Path, error: &std::io::Error) -> Self {
        Self::Unusable { path: path.to_owned(), reason: format!("no thread can be started: {error}") }
    }

    pub(super) fn engine(path: &Path, schema: &Schema, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, reason: format!("{}: {error}", schema.name) },
            _ => Self::Unusable { path, reason: error.to_string() },
        }
    }
}

/// Opens a file for writing, as [`super::Database::open`] says.
pub(super) fn open(path: &Path, schema: &Schema, durability: Durability) -> Result<Connection, Error> {
    prepare(path)?;
    let failed = |error: rusqlite::Error| Error::engine(path, schema, &error);
    // The journal mode, which the writer sets, is kept in the file: not in one that is to be refused.
    recognise(&connection::reader(path).map_err(failed)?, path, schema)?;
    let connection = connection::writer(path, durability).map_err(failed)?;
    // Once more: another process may have made the file meanwhile.
    recognise(&connection, path, schema)?;
    migrate(&connection, schema).map_err(failed)?;
    quick_check(&connection, path, schema)?;
    Ok(connection)
}

/// Looks at an existing file without changing it; `full` reads every page.
pub(crate) fn check(path: &Path, schema: &Schema, full: bool) -> Result<(), Error> {
    recognise_bytes(path)?;
    let failed = |error: rusqlite::Error| Error::engine(path, schema, &error);
    let connection = connection::reader(path).map_err(failed)?;
    recognise(&connection, path, schema)?;
    quick_check(&connection, path, schema)?;
    if full {
        let verdict: String =
            connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(failed)?;
        if verdict != "ok" {
            return Err(Error::Damaged { path: path.to_owned(), reason: verdict });
        }
    }
    Ok(())
}

/// Creates folder and file for the owner only, before SQLite does it for everyone.
fn prepare(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    let unusable = |error: std::io::Error| Error::Unusable { path: path.to_owned(), reason: error.to_string() };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unusable)?;
    }
    if path.is_dir() {
        return Err(Error::Unusable { path: path.to_owned(), reason: "it is a folder".to_owned() });
    }
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map_err(unusable)?;
    recognise_bytes(path)
}

/// SQLite would take a short foreign file for an empty database and overwrite it.
fn recognise_bytes(path: &Path) -> Result<(), Error> {
    let unusable = |error: std::io::Error| Error::Unusable { path: path.to_owned(), reason: error.to_string() };
    let mut head = Vec::new();
    std::fs::File::open(path).map_err(unusable)?.take(16).read_to_end(&mut head).map_err(unusable)?;
    if head.is_empty() || head == MAGIC { Ok(()) } else { Err(Error::NotADatabase { path: path.to_owned() }) }
}

fn recognise(connection: &Connection, path: &Path, schema: &Schema) -> Result<(), Error> {
    let failed = |error: rusqlite::Error| Error::engine(path, schema, &error);
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(failed);
    let found = pragma("application_id")?;
    let version = usize::try_from(pragma("user_version")?).unwrap_or(usize::MAX);
    let objects: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    let is_new = found == 0 && version == 0 && objects == 0;
    if !is_new && found != schema.application_id {
        return Err(Error::Foreign { path: path.to_owned(), expected: schema.name, found });
    }
    let known = schema.migrations.len();
    if version > known {
        return Err(Error::TooNew { path: path.to_owned(), found: version, known });
    }
    if !is_new && objects == 0 {
        return Err(Error::Damaged { path: path.to_owned(), reason: "its tables are gone".to_owned() });
    }
    Ok(())
}

/// Applies what is missing, in one transaction; another process may be doing the same.
fn migrate(connection: &Connection, schema: &Schema) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let newest = u32::try_from(schema.migrations.len()).unwrap_or(u32::MAX);
    if version == newest {
        // Writing what is there already would change the file all the same.
        return connection.execute_batch("COMMIT");
    }
    for migration in schema.migrations.iter().skip(usize::try_from(version).unwrap_or(usize::MAX)) {
        connection.execute_batch(migration)?;
    }
    connection.pragma_update(None, "application_id", schema.application_id)?;
    connection.pragma_update(None, "user_version", newest)?;
    connection.execute_batch("COMMIT")
}

fn quick_check(connection: &Connection, path: &Path, schema: &Schema) -> Result<(), Error> {
    // A file that has never been migrated has no tables to look at.
    let version: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| Error::engine(path, schema, &error))?;
    if version == 0 || schema.quick_check.is_empty() {
        return Ok(());
    }
    let found = connection.prepare(schema.quick_check).and_then(|mut statement| statement.exists([]));
    match found {
        Ok(false) => Ok(()),
        Ok(true) => Err(Error::Damaged { path: path.to_owned(), reason: "rows are missing".to_owned() }),
        // Whatever the engine stumbles over here is in the file.
        Err(error) => Err(Error::Damaged { path: path.to_owned(), reason: error.to_string() }),
    }
}
