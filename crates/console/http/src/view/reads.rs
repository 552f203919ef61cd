//! Reading the store for pages: an answer is made and written down where it keeps nobody waiting.

use std::time::Duration;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::error::Error;
use crate::reads::{self, ReadFailure};

/// Reads at a time.
const READS_MAX: usize = 8;
/// How long a read may take, its turn included, before the page is told that it takes too long.
const READ_MAX: Duration = Duration::from_secs(15);

/// See the module.
pub(super) struct Reads(reads::Reads);

impl Default for Reads {
    fn default() -> Self {
        Self(reads::Reads::new(READS_MAX, READ_MAX))
    }
}

impl Reads {
    /// Does the work when it is its turn.
    pub(super) async fn run<F>(&self, work: F) -> Result<Answer, Error>
    where
        F: FnOnce() -> Result<Answer, Error> + Send + 'static,
    {
        match self.0.run(move |_| Ok(work())).await {
            Ok(answer) => answer,
            Err(ReadFailure::Busy) => Err(Error::Busy),
            Err(ReadFailure::TimedOut { .. }) => Err(Error::Slow),
            Err(failure) => Err(Error::internal(&failure)),
        }
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
    use super::*;

    #[tokio::test]
    async fn a_panic_while_reading_costs_the_answer_only() {
        let reads = Reads::default();
        assert!(matches!(reads.run(|| panic!("on purpose")).await, Err(Error::Internal)));
        assert!(reads.run(|| Answer::of(&3)).await.is_ok());
    }

    #[tokio::test]
    async fn what_takes_too_long_is_told_from_what_had_no_turn() {
        let reads = Reads(reads::Reads::new(1, Duration::from_millis(20)));
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let slow = reads.run(move || {
            let _ = wait.recv();
            Answer::of(&1)
        });
        assert!(matches!(slow.await, Err(Error::Slow)));
        assert!(matches!(reads.run(|| Answer::of(&2)).await, Err(Error::Busy)));
        drop(go);
    }
}
