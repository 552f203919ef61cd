//! The way in: telemetry of any protocol is decoded, counted and handed to the store here, and whoever
//! sent it is told what became of it. The protocols' own ways of saying so are in the modules below.

pub(crate) mod body;
pub(crate) mod grpc;
pub(crate) mod otlp;
pub(crate) mod push;
mod turns;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use console_model::{LogBatch, SampleBatch, SpanBatch};
pub use console_otlp::Signal;
use console_otlp::{DecodeError, Rejected, Translated, Translator};
use console_receivers::{Refused, Sink, loki, remote_write};
use console_storage::{IngestError, Left, SampleOutcome, Store};
use eventsourcing::Clock;

use crate::arrivals::Arrivals;
use crate::loki::Tails;
use body::{BODY_BYTES_MAX, Budget, SMALL_BYTES_MAX};
use turns::Turns;

/// Series of one request that take more than this are stored before any others are made.
const SERIES_BYTES_MAX: usize = 16 << 20;

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
    /// It is larger than what is taken at once.
    #[error("{0}")]
    TooLarge(String),
    /// It is in a form that is not known here.
    #[error("{0}")]
    Unsupported(String),
    /// It did not come to its end.
    #[error("{0}")]
    Incomplete(String),
    /// Too many are being decoded. Sending it again later helps.
    #[error("the console is busy; send it again in a second")]
    Busy,
    /// The disk takes nothing. Sending it again later may help.
    #[error("{0}")]
    Unavailable(String),
    /// A fault of the console's own. Sending it again would meet it again.
    #[error("the console failed to read it, which is a fault of the console")]
    Broken,
}

impl Failure {
    /// The status that says so over HTTP. OTLP's clients send again what 429, 502, 503 and 504 refuse.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unsupported(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Incomplete(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Busy | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether it may be sent again with better luck.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable(_))
    }
}

impl From<body::Error> for Failure {
    fn from(error: body::Error) -> Self {
        let told = error.to_string();
        match error {
            body::Error::TooLarge { .. } => Self::TooLarge(told),
            body::Error::Encoding(_) => Self::Unsupported(told),
            body::Error::Compression(..) => Self::Malformed(told),
            body::Error::Incomplete(_) => Self::Incomplete(told),
            body::Error::Busy => Self::Busy,
        }
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        let told = error.to_string();
        if error.is_too_large() { Self::TooLarge(told) } else { Self::Malformed(told) }
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
    turns: Turns,
    tails: Arc<Tails>,
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
            turns: Turns::default(),
            tails: Arc::default(),
        }
    }

    /// Those who watch log records come in.
    #[must_use]
    pub const fn tails(&self) -> &Arc<Tails> {
        &self.tails
    }

    /// What became of requests.
    #[must_use]
    pub const fn requests(&self) -> &Requests {
        &self.requests
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
                self.rejected(decoded.rejected.count);
                Ok(decoded.rejected.and(self.spans(&decoded.batch)?))
            }
            Signal::Logs => {
                let decoded = match encoding {
                    Encoding::Protobuf => console_otlp::logs::from_protobuf(bytes, arrival_ns)?,
                    Encoding::Json => console_otlp::logs::from_json(bytes, arrival_ns)?,
                };
                self.rejected(decoded.rejected.count);
                Ok(decoded.rejected.and(self.records(&decoded.batch)?))
            }
            Signal::Metrics => {
                let decoded = match encoding {
                    Encoding::Protobuf => console_otlp::metrics::from_protobuf(bytes, arrival_ns)?,
                    Encoding::Json => console_otlp::metrics::from_json(bytes, arrival_ns)?,
                };
                let mut translator = self.translator.lock().unwrap_or_else(PoisonError::into_inner);
                let translated = translator.translate(decoded, arrival_ns);
                // A few bytes may have become very many: of such there is one at a time.
                let _others_wait = (translated.bytes > SERIES_BYTES_MAX).then_some(translator);
                self.rejected(translated.rejected.count);
                self.points_in(translated)
            }
        }
    }

    /// Takes spans, and tells which the store left out.
    pub fn spans(&self, batch: &SpanBatch) -> Result<Rejected, Failure> {
        let left = self.store.ingest_spans(batch)?;
        self.arrivals.spans(batch, self.now_ms());
        Ok(told(left, "spans"))
    }

    /// Takes log records, and tells which the store left out.
    pub fn records(&self, batch: &LogBatch) -> Result<Rejected, Failure> {
        let left = self.store.ingest_logs(batch)?;
        self.arrivals.logs(batch, self.now_ms());
        self.tails.show(batch);
        Ok(told(left, "log records"))
    }

    /// Takes what data points became, and tells which of them were not taken, with those that never became
    /// anything. The store counts samples, of which a histogram is many: it gets one point after another where
    /// that makes a difference.
    fn points_in(&self, translated: Translated) -> Result<Rejected, Failure> {
        let already = translated.rejected.clone();
        let (mut points, mut refused) = (0, SampleOutcome::default());
        for (batch, origin) in translated.into_parts() {
            let outcome = self.store.ingest_samples(&batch)?;
            self.arrivals.samples(&batch, self.now_ms());
            let of_part = origin.points_refused(reasons(&outcome).iter().map(|(count, _)| count).sum());
            if of_part > 0 {
                points += of_part;
                refused.out_of_order += outcome.out_of_order;
                refused.duplicate += outcome.duplicate;
                refused.too_old += outcome.too_old;
                refused.over_series_limit += outcome.over_series_limit;
                refused.invalid += outcome.invalid;
            }
        }
        Ok(already.and(Rejected { count: points, message: first_reason(&refused) }))
    }

    /// Takes samples, and tells what of them was not taken.
    pub fn samples_in(&self, batch: &SampleBatch, rejected: &mut Rejected) -> Result<(), Failure> {
        let outcome = self.store.ingest_samples(batch)?;
        self.arrivals.samples(batch, self.now_ms());
        rejected.count += reasons(&outcome).iter().map(|(count, _)| count).sum::<u64>();
        if rejected.message.is_empty() {
            rejected.message = first_reason(&outcome);
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
        self.rejected(decoded.rejects.count());
        let mut rejected = Rejected::default();
        self.samples_in(&decoded.batch, &mut rejected)?;
        Ok((decoded, rejected))
    }

    /// Takes a request of Loki's push. Gives what is to be told of what was not taken; nothing if all was.
    pub fn loki(&self, encoding: Encoding, bytes: &[u8]) -> Result<String, Failure> {
        let arrival_ns = self.now_ns();
        let malformed = |error: &dyn std::error::Error| Failure::Malformed(error.to_string());
        let decoded = match encoding {
            Encoding::Protobuf => loki::decode_protobuf(bytes, arrival_ns).map_err(|error| malformed(&error))?,
            Encoding::Json => loki::decode_json(bytes, arrival_ns).map_err(|error| malformed(&error))?,
        };
        self.rejected(decoded.rejects.count());
        let left = self.records(&decoded.batch)?;
        let told = [decoded.rejects.to_string(), left.message].into_iter().filter(|text| !text.is_empty());
        Ok(told.collect::<Vec<_>>().join("\n"))
    }

    /// Receives a body, for [`Intake::run`].
    pub(crate) async fn receive(
        &self,
        headers: &HeaderMap,
        body: Body,
        default_encoding: &str,
    ) -> Result<Received, Failure> {
        let received = body::receive(&self.budget, body).await;
        let (raw, share) = received.map_err(|error| {
            self.turned_away();
            Failure::from(error)
        })?;
        Ok(Received { raw, encoding: body::encoding(headers, default_encoding), _share: share })
    }

    /// Undoes a body's compression and does `work` on it where that delays nobody else, and counts how it ended.
    /// It goes on to its end, and keeps its share and its turn until then, also when nobody waits for it any
    /// more.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        mut received: Received,
        mut work: impl FnOnce(&Self, Bytes) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let mut bytes_max = body::expected(&received.encoding, &received.raw).max(SMALL_BYTES_MAX);
        loop {
            let turn = self.turns.turn(bytes_max).await.map_err(|error| {
                self.turned_away();
                Failure::from(error)
            })?;
            let intake = Arc::clone(self);
            let task = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                let done = match body::undo(&received.encoding, &received.raw, bytes_max) {
                    // It has become more than could be expected: that wants another turn.
                    Err(body::Error::TooLarge { after: true }) if bytes_max < BODY_BYTES_MAX => {
                        return Err((received, work));
                    }
                    undone => undone.map_err(Failure::from).and_then(|bytes| work(&intake, bytes)),
                };
                intake.count(done.as_ref().err());
                Ok(done)
            });
            match task.await {
                Ok(Ok(done)) => return done,
                Ok(Err(again)) => (received, work) = again,
                Err(_) => {
                    self.count(Some(&Failure::Broken));
                    return Err(Failure::Broken);
                }
            }
            bytes_max = bytes_max.saturating_mul(4).min(BODY_BYTES_MAX);
        }
    }

    fn count(&self, failure: Option<&Failure>) {
        let counter = match failure {
            None => &self.requests.taken,
            Some(failure) if failure.is_passing() || matches!(failure, Failure::TooLarge(_)) => {
                &self.requests.turned_away
            }
            Some(_) => &self.requests.malformed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Why the store refused samples, with how many for each reason.
const fn reasons(outcome: &SampleOutcome) -> [(u64, &'static str); 5] {
    [
        (outcome.out_of_order, "samples older than the newest of their series"),
        (outcome.duplicate, "samples that contradict one that is there"),
        (outcome.too_old, "samples older than the console keeps"),
        (outcome.over_series_limit, "samples of series beyond the console's limit"),
        (outcome.invalid, "native histograms that are none"),
    ]
}

/// The first of the reasons that there are, empty if there are none.
fn first_reason(outcome: &SampleOutcome) -> String {
    let first = reasons(outcome).into_iter().find(|(count, _)| *count > 0);
    first.map(|(count, reason)| format!("{count} {reason}")).unwrap_or_default()
}

/// A body that has come whole, with what has to be held while it is worked on.
pub(crate) struct Received {
    raw: Bytes,
    /// How it is compressed; empty if it is not.
    encoding: String,
    _share: body::Share,
}

/// What the store left out, for the sender.
fn told(left: Left, what: &str) -> Rejected {
    let Left { too_old, too_large } = left;
    let reasons = [(too_old, "older than the console keeps"), (too_large, "larger than 32 MiB")];
    let reasons = reasons.into_iter().filter(|(count, _)| *count > 0);
    let reasons: Vec<_> = reasons.map(|(count, reason)| format!("{count} {what} {reason}")).collect();
    Rejected { count: too_old + too_large, message: reasons.join(", ") }
}

impl Sink for Intake {
    fn samples(&self, batch: SampleBatch) -> Result<(), Refused> {
        let mut rejected = Rejected::default();
        self.samples_in(&batch, &mut rejected).map_err(|failure| Refused::new(failure.to_string()))
    }

    fn logs(&self, batch: LogBatch) -> Result<(), Refused> {
        self.records(&batch).map(drop).map_err(|failure| Refused::new(failure.to_string()))
    }
}

#[cfg(test)]
mod tests;
