//! Reads of the store for handlers: away from the threads that serve, a few at a time, and not for ever.
//! What is read, and the shape in which a failure is sent, is the handlers' business.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use console_storage::ReadError;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// Why a read gave nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadFailure {
    /// Others read for so long that this one never began.
    #[error("the console is busy with other reads; try again in a moment")]
    Busy,
    /// It took too long.
    #[error("reading took longer than {} s; narrow the time or the selection", limit.as_secs())]
    TimedOut {
        /// How long it may take.
        limit: Duration,
    },
    /// The store could not.
    #[error("the store could not be read; the console's log says why")]
    Store(#[from] ReadError),
    /// The thread that read ended without an answer.
    #[error("the read ended without an answer; the console's log says why")]
    Lost,
}

impl ReadFailure {
    /// The status that says whose turn it is.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::Store(ReadError::TooMany { .. }) => StatusCode::BAD_REQUEST,
            Self::Store(ReadError::Stopped) => StatusCode::GATEWAY_TIMEOUT,
            Self::Store(ReadError::Io { .. }) | Self::Lost => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The text for a client. What a client cannot do anything about goes to the log, for paths and the
    /// system's words are not theirs.
    pub(crate) fn tell(&self) -> String {
        match self {
            Self::Store(error @ (ReadError::TooMany { .. } | ReadError::Stopped)) => error.to_string(),
            Self::Store(error @ ReadError::Io { source, .. }) => {
                tracing::error!(error.cause = %format_args!("{error}: {source}"), "console store cannot be read");
                self.to_string()
            }
            Self::Busy | Self::TimedOut { .. } | Self::Lost => self.to_string(),
        }
    }
}

/// Tells a read that nobody waits for it any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Sets its stop when the handler ends, be it because the client went away.
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// A bound on reads at a time and on the time of each.
#[derive(Debug, Clone)]
pub(crate) struct Reads {
    permits: Arc<Semaphore>,
    limit: Duration,
}

impl Reads {
    /// At most `at_once` reads, each within `limit`, waiting for its turn included.
    pub(crate) fn new(at_once: usize, limit: Duration) -> Self {
        Self { permits: Arc::new(Semaphore::new(at_once)), limit }
    }

    /// Runs `work` on a thread that may block. It has to look at its [`Stop`] now and then: until it ends it
    /// counts as one of the reads at a time, whether somebody waits for it or not.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Stop) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadFailure> {
        self.run_within(self.limit, work).await
    }

    /// The same within less time than others have.
    pub(crate) async fn run_within<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce(&Stop) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadFailure> {
        let limit = limit.min(self.limit);
        let give_up = Instant::now() + limit;
        let permit = match timeout_at(give_up, self.permits.clone().acquire_owned()).await {
            Ok(permit) => permit.map_err(|_| ReadFailure::Lost)?,
            Err(_) => return Err(ReadFailure::Busy),
        };
        let stop = Stop::default();
        let _guard = StopOnDrop(stop.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let result = work(&stop);
            drop(permit);
            result
        });
        match timeout_at(give_up, reading).await {
            Ok(Ok(result)) => result.map_err(ReadFailure::from),
            Ok(Err(_)) => Err(ReadFailure::Lost),
            Err(_) => Err(ReadFailure::TimedOut { limit }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_read_that_takes_too_long_is_told_to_stop_and_holds_its_place_until_it_does() {
        let reads = Reads::new(1, Duration::from_millis(50));
        let (ended, end) = mpsc::channel();
        let (go, wait) = mpsc::channel::<()>();
        let slow = reads.run(move |stop| {
            let _ = wait.recv();
            let _ = ended.send(stop.is_set());
            Ok(())
        });
        assert!(matches!(slow.await, Err(ReadFailure::TimedOut { .. })));
        assert!(matches!(reads.run(|_| Ok(())).await, Err(ReadFailure::Busy)));
        go.send(()).unwrap();
        assert_eq!(end.recv(), Ok(true));
        let freed = reads.permits.acquire().await;
        assert!(freed.is_ok());
    }

    #[tokio::test]
    async fn a_read_that_panics_is_an_error_and_frees_its_place() {
        let reads = Reads::new(1, Duration::from_secs(30));
        let lost = reads.run(|_| -> Result<(), ReadError> { panic!("on purpose") }).await;
        assert!(matches!(lost, Err(ReadFailure::Lost)));
        assert!(matches!(reads.run(|_| Ok(7)).await, Ok(7)));
    }

    /// Runs `work`, and gives what it logged as JSON.
    fn logged<T>(work: impl FnOnce() -> T) -> (T, String) {
        #[derive(Clone, Default)]
        struct Log(Arc<std::sync::Mutex<Vec<u8>>>);
        impl std::io::Write for Log {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
        let done = tracing::subscriber::with_default(subscriber, work);
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        (done, text)
    }

    #[test]
    fn a_client_learns_what_it_can_do_and_nothing_of_the_machine() {
        let source = std::io::Error::other("disk on fire");
        let failed = ReadFailure::Store(ReadError::Io { path: "/var/secret".into(), source });
        let (told, log) = logged(|| failed.tell());
        assert_eq!((failed.status().as_u16(), told.contains("secret")), (500, false));
        // Whoever looks after the machine learns the rest.
        assert!(log.contains("console store cannot be read") && log.contains("/var/secret: disk on fire"), "{log}");
        let too_many = ReadFailure::Store(ReadError::TooMany { what: "series", limit: 5 });
        assert_eq!(too_many.status().as_u16(), 400);
        assert!(too_many.tell().contains("narrow the selection"));
        assert_eq!((ReadFailure::Busy.status().as_u16(), ReadFailure::Lost.status().as_u16()), (503, 500));
        let late = ReadFailure::TimedOut { limit: Duration::from_secs(20) };
        assert_eq!((late.status().as_u16(), late.tell().contains("20 s")), (504, true));
    }
}
