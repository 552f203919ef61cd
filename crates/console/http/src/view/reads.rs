//! Reading the store for pages: files are read on threads that may wait, and on a few at a time, so that
//! pages never keep those waiting who send telemetry.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::error::Error;

/// Reads at a time.
const READS_MAX: usize = 8;
/// How long a request waits for its turn.
const TURN_MAX: Duration = Duration::from_secs(5);
/// How long a read may take before the page is told that it takes too long.
const READ_MAX: Duration = Duration::from_secs(15);

/// See the module.
pub(super) struct Reads {
    turns: Arc<Semaphore>,
    turn_max: Duration,
    read_max: Duration,
}

impl Default for Reads {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(READS_MAX)), turn_max: TURN_MAX, read_max: READ_MAX }
    }
}

impl Reads {
    /// Does the work when it is its turn. A read that is given up goes on to its end and keeps its turn until
    /// then: files cannot be told to stop, but their number is bounded.
    pub(super) async fn run<F>(&self, work: F) -> Result<Answer, Error>
    where
        F: FnOnce() -> Result<Answer, Error> + Send + 'static,
    {
        let turn = timeout(self.turn_max, self.turns.clone().acquire_owned()).await.map_err(|_| Error::Busy)?;
        let turn = turn.map_err(|_| Error::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let answer = work();
            drop(turn);
            answer
        });
        timeout(self.read_max, done).await.map_err(|_| Error::Slow)?.map_err(|error| Error::internal(&error))?
    }
}

/// JSON, written down.
pub(super) struct Answer(Vec<u8>);

impl Answer {
    /// Writes down an answer.
    pub(super) fn of(value: &impl Serialize) -> Result<Self, Error> {
        serde_json::to_vec(value).map(Self).map_err(|error| Error::internal(&error))
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
        (headers, self.0).into_response()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn what_takes_too_long_is_given_up_and_too_many_wait_for_their_turn_in_vain() {
        let turns = Arc::new(Semaphore::new(1));
        let reads = Reads { turns, turn_max: Duration::from_millis(20), read_max: Duration::from_millis(20) };
        let (go, wait) = mpsc::channel::<()>();
        let slow = reads.run(move || {
            let _ = wait.recv();
            Answer::of(&1)
        });
        assert!(matches!(slow.await, Err(Error::Slow)));
        assert!(matches!(reads.run(|| Answer::of(&2)).await, Err(Error::Busy)));
        drop(go);
        let _turn = reads.turns.acquire().await.unwrap();
    }

    #[tokio::test]
    async fn a_panic_while_reading_costs_the_answer_only() {
        let reads = Reads::default();
        assert!(matches!(reads.run(|| panic!("on purpose")).await, Err(Error::Internal)));
        assert_eq!(reads.turns.available_permits(), READS_MAX);
        assert!(reads.run(|| Answer::of(&3)).await.is_ok());
    }
}
