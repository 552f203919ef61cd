//! Idempotency keys and the responses they led to, in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use delivery::repository::{self, Begun, Error, KEPT_SECONDS, LEASE_SECONDS, StoredResponse};
use eventsourcing::Clock;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::Faults;

/// Remembers keys for as long as this value lives.
pub struct IdempotencyStore {
    keys: Mutex<HashMap<String, Entry>>,
    clock: Arc<dyn Clock>,
    faults: Faults,
}

struct Entry {
    fingerprint: [u8; 16],
    command_id: Uuid,
    /// When the newest attempt began.
    started_at: Timestamp,
    state: State,
}

enum State {
    Running,
    Released,
    Completed(StoredResponse),
}

impl Entry {
    fn is_older_than(&self, seconds: i64, now: Timestamp) -> bool {
        now.duration_since(self.started_at) > SignedDuration::from_secs(seconds)
    }
}

impl IdempotencyStore {
    /// An empty store with these faults.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, faults: Faults) -> Self {
        Self { keys: Mutex::default(), clock, faults }
    }

    async fn keys(&self) -> Result<MutexGuard<'_, HashMap<String, Entry>>, Error> {
        self.faults.inject().await.map_err(|injected| Error::Unavailable {
            engine: "idempotency store",
            reason: "the memory adapter was told to fail".to_owned(),
            source: Some(Box::new(injected)),
        })?;
        Ok(self.keys.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends a running attempt; one that has ended already, or is forgotten, stays as it is.
    async fn end(&self, key: &str, state: State) -> Result<(), Error> {
        let mut keys = self.keys().await?;
        if let Some(entry) = keys.get_mut(key)
            && !matches!(entry.state, State::Completed(_))
        {
            entry.state = state;
        }
        Ok(())
    }
}

#[async_trait]
impl repository::IdempotencyStore for IdempotencyStore {
    async fn begin(&self, key: &str, fingerprint: [u8; 16], command_id: Uuid) -> Result<Begun, Error> {
        let mut keys = self.keys().await?;
        let now = self.clock.now();
        let Some(entry) = keys.get_mut(key).filter(|entry| !entry.is_older_than(KEPT_SECONDS, now)) else {
            let entry = Entry { fingerprint, command_id, started_at: now, state: State::Running };
            keys.insert(key.to_owned(), entry);
            return Ok(Begun::Run { command_id, is_retry: false });
        };
        Ok(match &entry.state {
            _ if entry.fingerprint != fingerprint => Begun::Mismatch,
            State::Completed(response) => Begun::Replay(response.clone()),
            State::Running if !entry.is_older_than(LEASE_SECONDS, now) => Begun::Running,
            State::Running | State::Released => {
                entry.started_at = now;
                entry.state = State::Running;
                Begun::Run { command_id: entry.command_id, is_retry: true }
            }
        })
    }

    async fn complete(&self, key: &str, response: StoredResponse) -> Result<(), Error> {
        self.end(key, State::Completed(response)).await
    }

    async fn release(&self, key: &str) -> Result<(), Error> {
        self.end(key, State::Released).await
    }

    async fn purge(&self) -> Result<u64, Error> {
        let mut keys = self.keys().await?;
        let now = self.clock.now();
        let before = keys.len();
        keys.retain(|_, entry| !entry.is_older_than(KEPT_SECONDS, now));
        Ok((before - keys.len()) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn open(_place: &(), clock: Arc<dyn Clock>) -> Arc<IdempotencyStore> {
        Arc::new(IdempotencyStore::new(clock, Faults::default()))
    }

    contract_tests::idempotency_store_contract!(place: || (), open: open);
}
