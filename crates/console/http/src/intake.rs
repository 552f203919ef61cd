//! The way in: telemetry of any protocol is decoded, counted and handed to the store here, and whoever
//! sent it is told what became of it. The protocols' own ways of saying so are in the modules below.

pub(crate) mod body;
pub(crate) mod grpc;
pub(crate) mod otlp;
pub(crate) mod push;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use console_model::{LogBatch, SampleBatch, SpanBatch};
pub use console_otlp::Signal;
use console_otlp::{DecodeError, Rejected, Translator};
use console_receivers::{Refused, Sink, loki, remote_write};
use console_storage::{IngestError, Store};
use eventsourcing::Clock;

use crate::arrivals::Arrivals;
use body::Budget;

/// Requests that are decoded at the same time. Each may need a few times its body's bytes.
const DECODING_MAX: usize = 4;
/// Bodies below this are decoded where they arrive: handing them to another thread would take longer.
const INLINE_BYTES_MAX: usize = 64 * 1024;

/// How a body of OTLP is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`
    Protobuf,
    /// `application/json`
    Json,
}

/// Why nothing of a request was taken.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It is not what it claims to be. Sending it again would not help.
    #[error("{0}")]
    Malformed(String),
    /// Too many are being decoded. Sending it again later helps.
    #[error("the console is busy; send it again in a second")]
    Busy,
    /// The disk takes nothing. Sending it again later may help.
    #[error("{0}")]
    Unavailable(String),
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl From<IngestError> for Failure {
    fn from(error: IngestError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Requests by what became of them, since the start.
#[derive(Debug, Default)]
pub struct Requests {
    /// Taken, at least in part.
    pub taken: AtomicU64,
    /// Malformed.
    pub malformed: AtomicU64,
    /// Turned away: too busy, too large, or the disk takes nothing.
    pub turned_away: AtomicU64,
    /// Items in requests that were taken which were not: bad ids and the like.
    pub items_rejected: AtomicU64,
}

/// Takes telemetry in.
pub struct Intake {
    store: Arc<Store>,
    arrivals: Arc<Arrivals>,
    translator: Mutex<Translator>,
    clock: Arc<dyn Clock>,
    requests: Requests,
    budget: Budget,
    decoding: tokio::sync::Semaphore,
}

impl Intake {
    /// For this store.
    #[must_use]
    pub fn new(store: Arc<Store>, arrivals: Arc<Arrivals>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            arrivals,
            translator: Mutex::default(),
            clock,
            requests: Requests::default(),
            budget: Budget::default(),
            decoding: tokio::sync::Semaphore::new(DECODING_MAX),
        }
    }

    /// What became of requests.
    #[must_use]
    pub const fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Memory for bodies that are coming in.
    pub(crate) const fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The right to decompress and decode. Whoever waits for it holds a share of the budget, which bounds how
    /// many there are.
    pub(crate) async fn slot(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Failure> {
        self.decoding.acquire().await.map_err(|_| Failure::Busy)
    }

    /// Counts a request that was turned away before it was read.
    pub(crate) fn turned_away(&self) {
        self.requests.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts items that were not taken of a request that was.
    pub(crate) fn rejected(&self, items: u64) {
        self.requests.items_rejected.fetch_add(items, Ordering::Relaxed);
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// Nanoseconds since the Unix epoch; 0 before it.
    fn now_ns(&self) -> u64 {
        u64::try_from(self.clock.now().as_nanosecond()).unwrap_or_default()
    }

    /// Takes a request of OTLP.
    pub fn otlp(&self, signal: Signal, encoding: Encoding, bytes: &[u8]) -> Result<Rejected, Failure> {
        let arrival_ns = self.now_ns();
        match signal {
            Signal::Traces => {
                let decoded = match encoding {
                    Encoding::Protobuf => console_otlp::traces::from_protobuf(bytes, arrival_ns)?,
                    Encoding::Json => console_otlp::traces::from_json(bytes, arrival_ns)?,
                };
                self.spans(&decoded.batch)?;
                Ok(decoded.rejected)
            }
            Signal::Logs => {
                let decoded = match encoding {
                    Encoding::Protobuf => console_otlp::logs::from_protobuf(bytes, arrival_ns)?,
                    Encoding::Json => console_otlp::logs::from_json(bytes, arrival_ns)?,
                };
                self.records(&decoded.batch)?;
                Ok(decoded.rejected)
            }
            Signal::Metrics => {
                let decoded = match encoding {
                    Encoding::Protobuf => console_otlp::metrics::from_protobuf(bytes, arrival_ns)?,
                    Encoding::Json => console_otlp::metrics::from_json(bytes, arrival_ns)?,
                };
                let samples = {
                    let mut translator = self.translator.lock().unwrap_or_else(PoisonError::into_inner);
                    translator.translate(decoded, arrival_ns)
                };
                let mut rejected = samples.rejected;
                self.samples_in(&samples.batch, &mut rejected)?;
                Ok(rejected)
            }
        }
    }

    /// Takes spans.
    pub fn spans(&self, batch: &SpanBatch) -> Result<(), Failure> {
        self.store.ingest_spans(batch)?;
        self.arrivals.spans(batch, self.now_ms());
        Ok(())
    }

    /// Takes log records.
    pub fn records(&self, batch: &LogBatch) -> Result<(), Failure> {
        self.store.ingest_logs(batch)?;
        self.arrivals.logs(batch, self.now_ms());
        Ok(())
    }

    /// Takes samples, and tells what of them was not taken.
    pub fn samples_in(&self, batch: &SampleBatch, rejected: &mut Rejected) -> Result<(), Failure> {
        let outcome = self.store.ingest_samples(batch)?;
        self.arrivals.samples(batch, self.now_ms());
        let reasons = [
            (outcome.out_of_order, "samples older than the newest of their series"),
            (outcome.duplicate, "samples that contradict one that is there"),
            (outcome.too_old, "samples older than the console keeps"),
            (outcome.over_series_limit, "samples of series beyond the console's limit"),
        ];
        for (count, reason) in reasons.into_iter().filter(|(count, _)| *count > 0) {
            rejected.count += count;
            if rejected.message.is_empty() {
                rejected.message = format!("{count} {reason}");
            }
        }
        Ok(())
    }

    /// Takes a request of Prometheus' remote write.
    pub fn remote_write(&self, version: u8, bytes: &[u8]) -> Result<(remote_write::Decoded, Rejected), Failure> {
        let decoded = match version {
            2 => remote_write::decode_v2(bytes),
            _ => remote_write::decode_v1(bytes),
        };
        let decoded = decoded.map_err(|error| Failure::Malformed(error.to_string()))?;
        let mut rejected = Rejected::default();
        self.samples_in(&decoded.batch, &mut rejected)?;
        Ok((decoded, rejected))
    }

    /// Takes a request of Loki's push.
    pub fn loki(&self, encoding: Encoding, bytes: &[u8]) -> Result<loki::Decoded, Failure> {
        let arrival_ns = self.now_ns();
        let malformed = |error: &dyn std::error::Error| Failure::Malformed(error.to_string());
        let decoded = match encoding {
            Encoding::Protobuf => loki::decode_protobuf(bytes, arrival_ns).map_err(|error| malformed(&error))?,
            Encoding::Json => loki::decode_json(bytes, arrival_ns).map_err(|error| malformed(&error))?,
        };
        self.records(&decoded.batch)?;
        Ok(decoded)
    }

    /// Does `work` on a body where it delays nobody else, and counts how it ended. The caller has a slot.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        bytes: usize,
        work: impl FnOnce(&Self) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let done = if bytes <= INLINE_BYTES_MAX {
            work(self)
        } else {
            let intake = Arc::clone(self);
            let task = tokio::task::spawn_blocking(move || work(&intake));
            task.await.unwrap_or_else(|_| Err(Failure::Unavailable("the console failed to read it".to_owned())))
        };
        let counter = match &done {
            Ok(_) => &self.requests.taken,
            Err(Failure::Malformed(_)) => &self.requests.malformed,
            Err(Failure::Busy | Failure::Unavailable(_)) => &self.requests.turned_away,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        done
    }
}

/// A body, whole and decompressed, with what has to be held while it is worked on.
pub(crate) async fn received<'a>(
    intake: &'a Intake,
    headers: &axum::http::HeaderMap,
    body: axum::body::Body,
    default_encoding: &str,
) -> Result<(bytes::Bytes, (body::Share<'a>, tokio::sync::SemaphorePermit<'a>)), body::Error> {
    let read = async {
        let (raw, share) = body::receive(&intake.budget, body).await?;
        let slot = intake.slot().await.map_err(|_| body::Error::Busy)?;
        Ok((body::undo(headers, default_encoding, raw).await?, (share, slot)))
    };
    let read = read.await;
    if read.is_err() {
        intake.turned_away();
    }
    read
}

impl Sink for Intake {
    fn samples(&self, batch: SampleBatch) -> Result<(), Refused> {
        let mut rejected = Rejected::default();
        self.samples_in(&batch, &mut rejected).map_err(|failure| Refused::new(failure.to_string()))
    }

    fn logs(&self, batch: LogBatch) -> Result<(), Refused> {
        self.records(&batch).map_err(|failure| Refused::new(failure.to_string()))
    }
}
