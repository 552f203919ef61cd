//! Idempotency keys and the responses they led to, in a file of their own, durable once answered.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use delivery::repository::{self, Begun, Error, KEPT_SECONDS, LEASE_SECONDS, StoredResponse};
use eventsourcing::Clock;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use crate::database::{Database, Durability, OpenError, Schema};

const ENGINE: &str = "idempotency store";
/// Keys that one transaction purges at most: as long as the claims of others wait for it.
const PURGE_STEP: usize = 1_000;

/// Times are milliseconds since 1970. A completed key has a status; of the others, one that is
/// running has `is_running`, one that was released has not.
pub(crate) static SCHEMA: Schema = Schema {
    // "hbik" in ASCII.
    application_id: 0x6862_696b,
    name: "idempotency store",
    migrations: &["
        CREATE TABLE keys (
            key BLOB PRIMARY KEY,
            fingerprint BLOB NOT NULL,
            command_id BLOB NOT NULL,
            started_at_ms INTEGER NOT NULL,
            is_running INTEGER NOT NULL,
            status INTEGER,
            headers BLOB,
            body BLOB
        ) STRICT;
        CREATE INDEX keys_by_time ON keys (started_at_ms);
    "],
    quick_check: "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'keys')",
};

/// Remembers keys in a file.
pub struct IdempotencyStore {
    database: Database,
    clock: Arc<dyn Clock>,
}

impl IdempotencyStore {
    /// Opens the file, or makes it. Blocks for as long as that takes.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Ok(Self { database: Database::open(path, &SCHEMA, Durability::Full)?, clock })
    }

    async fn write<V: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<V> + Send + 'static,
    ) -> Result<V, Error> {
        let written = self.database.write(work).await;
        written.map_err(|failure| failure.of(ENGINE))
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }
}

/// A use of a key.
struct Claim {
    key: Vec<u8>,
    fingerprint: [u8; 16],
    command_id: Uuid,
    now_ms: i64,
}

/// What is known of a key.
struct Entry {
    fingerprint: [u8; 16],
    command_id: Uuid,
    age_ms: i64,
    is_running: bool,
    response: Option<Response>,
}

/// A response as it is stored.
struct Response {
    status: u16,
    headers: Vec<u8>,
    body: Vec<u8>,
}

/// What a claim comes to, before the response has been read.
enum Outcome {
    Begun(Begun),
    Replay(Response),
}

impl Claim {
    fn decide(&self, entry: Option<Entry>) -> Outcome {
        Outcome::Begun(match entry {
            None => Begun::Run { command_id: self.command_id, is_retry: false },
            Some(entry) if entry.age_ms > KEPT_SECONDS * 1_000 => return self.decide(None),
            Some(entry) if entry.fingerprint != self.fingerprint => Begun::Mismatch,
            Some(Entry { response: Some(response), .. }) => return Outcome::Replay(response),
            Some(entry) if entry.is_running && entry.age_ms <= LEASE_SECONDS * 1_000 => Begun::Running,
            Some(entry) => Begun::Run { command_id: entry.command_id, is_retry: true },
        })
    }

    fn find(&self, connection: &Connection) -> rusqlite::Result<Option<Entry>> {
        let entry = |row: &Row<'_>| {
            let status: Option<u16> = row.get(4)?;
            let response: Option<rusqlite::Result<_>> =
                status.map(|status| Ok(Response { status, headers: row.get(5)?, body: row.get(6)? }));
            Ok(Entry {
                fingerprint: row.get(0)?,
                command_id: Uuid::from_bytes(row.get(1)?),
                age_ms: self.now_ms.saturating_sub(row.get(2)?),
                is_running: row.get(3)?,
                response: response.transpose()?,
            })
        };
        connection
            .prepare_cached(
                "SELECT fingerprint, command_id, started_at_ms, is_running, status, headers, body
                 FROM keys WHERE key = ?",
            )?
            .query_row([&self.key], entry)
            .optional()
    }

    /// Claims the key, if it is free.
    fn make(&self, connection: &Connection) -> rusqlite::Result<Outcome> {
        let outcome = self.decide(self.find(connection)?);
        if let Outcome::Begun(Begun::Run { command_id, .. }) = &outcome {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO keys (key, fingerprint, command_id, started_at_ms, is_running)
                     VALUES (?1, ?2, ?3, ?4, TRUE)",
                )?
                .execute(params![self.key, self.fingerprint, command_id.as_bytes(), self.now_ms])?;
        }
        Ok(outcome)
    }
}

impl Response {
    fn new(response: StoredResponse) -> Result<Self, Error> {
        Ok(Self {
            status: response.status,
            headers: serde_json::to_vec(&response.headers)
                .map_err(|error| corrupt("headers cannot be written as JSON", error))?,
            body: response.body,
        })
    }

    fn read(self) -> Result<StoredResponse, Error> {
        Ok(StoredResponse {
            status: self.status,
            headers: serde_json::from_slice(&self.headers)
                .map_err(|error| corrupt("the headers of a response cannot be read", error))?,
            body: self.body,
        })
    }
}

fn corrupt(reason: &str, error: serde_json::Error) -> Error {
    Error::Corrupt { engine: ENGINE, reason: reason.to_owned(), source: Some(error.into()) }
}

#[async_trait]
impl repository::IdempotencyStore for IdempotencyStore {
    async fn begin(&self, key: &str, fingerprint: [u8; 16], command_id: Uuid) -> Result<Begun, Error> {
        let claim = Claim { key: key.into(), fingerprint, command_id, now_ms: self.now_ms() };
        match self.write(move |connection| claim.make(connection)).await? {
            Outcome::Begun(begun) => Ok(begun),
            Outcome::Replay(response) => response.read().map(Begun::Replay),
        }
    }

    async fn complete(&self, key: &str, response: StoredResponse) -> Result<(), Error> {
        let key = key.as_bytes().to_vec();
        let response = Response::new(response)?;
        self.write(move |connection| {
            let Response { status, headers, body } = response;
            connection
                .prepare_cached(
                    "UPDATE keys SET status = ?2, headers = ?3, body = ?4, is_running = FALSE
                     WHERE key = ?1 AND status IS NULL",
                )?
                .execute(params![key, status, headers, body])
                .map(drop)
        })
        .await
    }

    async fn release(&self, key: &str) -> Result<(), Error> {
        let key = key.as_bytes().to_vec();
        self.write(move |connection| {
            connection
                .prepare_cached("UPDATE keys SET is_running = FALSE WHERE key = ? AND status IS NULL")?
                .execute([key])
                .map(drop)
        })
        .await
    }

    async fn purge(&self) -> Result<u64, Error> {
        let oldest_kept_ms = self.now_ms().saturating_sub(KEPT_SECONDS * 1_000);
        let mut purged = 0;
        loop {
            let step = self
                .write(move |connection| {
                    connection
                        .prepare_cached(&format!(
                            "DELETE FROM keys WHERE rowid IN
                                 (SELECT rowid FROM keys WHERE started_at_ms < ? LIMIT {PURGE_STEP})"
                        ))?
                        .execute([oldest_kept_ms])
                })
                .await?;
            purged += step as u64;
            if step < PURGE_STEP {
                return Ok(purged);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn open(folder: &tempfile::TempDir, clock: Arc<dyn Clock>) -> Arc<IdempotencyStore> {
        Arc::new(IdempotencyStore::open(&folder.path().join("idempotency.db"), clock).unwrap())
    }

    mod contract {
        contract_tests::idempotency_store_contract!(place: || tempfile::tempdir().unwrap(), open: super::open);
    }

    mod reopened {
        contract_tests::idempotency_store_reopen_contract!(place: || tempfile::tempdir().unwrap(), open: super::open);
    }
}
