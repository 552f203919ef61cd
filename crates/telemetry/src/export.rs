//! Sends spans and log lines to a collector over OTLP, from a thread of its own. The callers' side
//! never waits: queues are bounded, what does not fit or cannot be delivered is dropped and counted,
//! and each record ends up in exactly one of the counters of [`Exports`].
//!
//! What was sent and never answered is sent again, as OTLP demands, so a collector may get it twice.
//! What is recorded, and which traces are kept, is decided elsewhere.

mod encode;
mod health;
mod queue;
mod transport;
mod wire;
mod worker;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::metrics::Exports;
use crate::record::{Log, Span, Value};
use encode::{Encoder, Record};
use queue::{Queue, reason};
use transport::Transport;
use worker::Worker;

/// The `tracing` target of what the exporter itself logs. Whoever hands log lines to an exporter leaves
/// these out, or a collector that is away would be told about with every attempt to tell it.
pub const TARGET: &str = "telemetry::export";

thread_local! {
    static IS_EXPORTING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is the exporter's thread. What the libraries log that it calls (at `debug` and
/// `trace`, about every frame) is no more to be handed to it than [`TARGET`].
#[must_use]
pub fn is_exporting() -> bool {
    IS_EXPORTING.get()
}

/// The wire form of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC over HTTP/2: `grpc`.
    Grpc,
    /// Protobuf over HTTP/1.1: `http/protobuf`.
    HttpProtobuf,
}

/// Where and how one signal is sent.
#[derive(Clone)]
pub struct Endpoint {
    /// `http://` or `https://`, with the path for [`Protocol::HttpProtobuf`] (for instance
    /// `http://localhost:4318/v1/traces`), without one for gRPC.
    pub url: String,
    /// The wire form.
    pub protocol: Protocol,
    /// Sent with each request; values may be secrets and are never shown.
    pub headers: Vec<(String, secrecy::SecretString)>,
    /// Whether requests are compressed with gzip.
    pub gzip: bool,
    /// How long one request may take.
    pub timeout: Duration,
    /// PEM of the certificates to trust instead of the system's.
    pub certificate: Option<Vec<u8>>,
}

/// How one signal is gathered.
#[derive(Debug, Clone, Copy)]
pub struct Batching {
    /// Records that may wait; one more is dropped.
    pub queue: usize,
    /// Records in one request at most.
    pub batch: usize,
    /// How long a record may wait for others.
    pub delay: Duration,
}

/// One signal's settings.
#[derive(Clone)]
pub struct Signal {
    /// Where to.
    pub endpoint: Endpoint,
    /// How it is gathered.
    pub batching: Batching,
}

/// Everything an exporter needs to know.
#[derive(Clone)]
pub struct Options {
    /// The resource attributes of each service that this process is; [`crate::record::Service`] is an
    /// index into it.
    pub services: Vec<Vec<(String, Value)>>,
    /// `None` sends no spans.
    pub spans: Option<Signal>,
    /// `None` sends no log lines.
    pub logs: Option<Signal>,
}

/// How a request that failed is tried again.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    /// About how long to wait after the first failure; each wait is about twice the one before.
    pub first: Duration,
    /// About how long a wait gets, unless the collector asks for a longer one.
    pub max: Duration,
    /// For how long one request is tried before its records are dropped.
    pub give_up: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), max: Duration::from_secs(30), give_up: Duration::from_secs(60) }
    }
}

/// Why an exporter cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An endpoint's address makes no sense. It is not repeated, since it may hold a secret.
    #[error("the address for {signal} {problem}; an example of right: {example}")]
    Url {
        /// `traces` or `logs`.
        signal: &'static str,
        /// What is wrong with it.
        problem: &'static str,
        /// What would be right.
        example: &'static str,
    },
    /// A header has a name or a value that cannot be sent.
    #[error("the header {name} for {signal} cannot be sent; an example of right: x-api-key=abc")]
    Header {
        /// `traces` or `logs`.
        signal: &'static str,
        /// The header's name.
        name: String,
    },
    /// There is no certificate in what should be one.
    #[error("the certificate for {0} cannot be read; it begins with -----BEGIN CERTIFICATE-----")]
    Certificate(&'static str),
    /// The client cannot be set up, for want of the system's certificates most likely.
    #[error("the client for {signal} cannot be set up")]
    Client {
        /// `traces` or `logs`.
        signal: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The machine has no thread for it.
    #[error("the thread that exports telemetry cannot be started")]
    Thread(#[source] std::io::Error),
}

/// Which of the signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Spans,
    Logs,
}

impl Kind {
    const fn signal(self) -> &'static str {
        match self {
            Self::Spans => "traces",
            Self::Logs => "logs",
        }
    }

    const fn method(self) -> &'static str {
        match self {
            Self::Spans => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Self::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        }
    }

    const fn example(self, protocol: Protocol) -> &'static str {
        match (protocol, self) {
            (Protocol::Grpc, _) => "http://localhost:4317",
            (Protocol::HttpProtobuf, Self::Spans) => "http://localhost:4318/v1/traces",
            (Protocol::HttpProtobuf, Self::Logs) => "http://localhost:4318/v1/logs",
        }
    }
}

/// Takes records and sends them. Cheap to clone. When the last one goes without [`Exporter::shutdown`],
/// what waits is dropped and counted.
#[derive(Clone)]
pub struct Exporter(Arc<Handle>);

struct Handle {
    spans: Option<Arc<Queue<Span>>>,
    logs: Option<Arc<Queue<Log>>>,
    /// By when the worker has to end.
    closing: watch::Sender<Option<Instant>>,
    /// Closed when the worker has ended.
    done: watch::Receiver<()>,
}

impl Exporter {
    /// Starts the thread. A collector that cannot be reached is no error: it may come later.
    ///
    /// # Errors
    /// When an endpoint cannot be read or the thread cannot be started.
    pub fn start(options: Options, exports: Exports) -> Result<Self, Error> {
        Self::start_with(options, Retry::default(), exports)
    }

    /// As [`Exporter::start`], with other waits between attempts.
    ///
    /// # Errors
    /// As [`Exporter::start`].
    pub fn start_with(options: Options, retry: Retry, exports: Exports) -> Result<Self, Error> {
        let (closing, closed) = watch::channel(None);
        let (ended, done) = watch::channel(());
        let worker = |kind: Kind, signal: &Signal| {
            let transport = Transport::new(&signal.endpoint, kind)?;
            Ok(worker::Outlet {
                transport,
                encoder: Encoder::new(&options.services),
                delay: signal.batching.delay,
                timeout: signal.endpoint.timeout,
                retry,
                closing: closed.clone(),
            })
        };
        let spans = options.spans.as_ref().map(|signal| worker(Kind::Spans, signal)).transpose()?;
        let logs = options.logs.as_ref().map(|signal| worker(Kind::Logs, signal)).transpose()?;
        let queues = (
            options.spans.map(|signal| queue(Kind::Spans, &signal, &exports)),
            options.logs.map(|signal| queue(Kind::Logs, &signal, &exports)),
        );
        let spans = queues.0.clone().zip(spans).map(|(queue, outlet)| Worker::new(queue, outlet));
        let logs = queues.1.clone().zip(logs).map(|(queue, outlet)| Worker::new(queue, outlet));
        if spans.is_some() || logs.is_some() {
            run(spans, logs, ended)?;
        }
        Ok(Self(Arc::new(Handle { spans: queues.0, logs: queues.1, closing, done })))
    }

    /// Hands a span over, or drops and counts it. Never waits.
    pub fn span(&self, span: Span) {
        if let Some(queue) = &self.0.spans {
            queue.push(span);
        }
    }

    /// As [`Exporter::span`], for a log line.
    pub fn log(&self, log: Log) {
        if let Some(queue) = &self.0.logs {
            queue.push(log);
        }
    }

    /// Sends what waits, as far as that is possible within `patience`; the rest is dropped and counted.
    /// Records that come later are dropped as well.
    pub async fn shutdown(&self, patience: Duration) {
        self.0.close(patience);
        // It is never sent to: this returns when the worker's end is dropped.
        let _ = self.0.done.clone().changed().await;
    }
}

impl Handle {
    fn close(&self, patience: Duration) {
        if let Some(queue) = &self.spans {
            queue.close();
        }
        if let Some(queue) = &self.logs {
            queue.close();
        }
        // An eternity is as good as a time that cannot be told.
        let now = Instant::now();
        let deadline = now.checked_add(patience).unwrap_or(now + Duration::from_secs(86_400));
        self.closing.send_replace(Some(deadline));
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close(Duration::ZERO);
    }
}

fn queue<R>(kind: Kind, signal: &Signal, exports: &Exports) -> Arc<Queue<R>> {
    Arc::new(Queue::new(signal.batching, exports.flow(kind.signal(), &reason::ALL)))
}

/// Encodes spans as the exporter does. For measuring only.
#[doc(hidden)]
pub struct Encoding(Encoder);

impl Encoding {
    /// For services with these attributes.
    #[must_use]
    pub fn new(services: &[Vec<(String, Value)>]) -> Self {
        Self(Encoder::new(services))
    }

    /// One request with these spans, as far as they fit.
    pub fn spans(&mut self, spans: &[Span]) -> bytes::Bytes {
        for span in spans {
            if self.0.push(span).is_err() {
                break;
            }
        }
        self.0.finish().map_or_else(bytes::Bytes::new, |request| request.body)
    }
}

/// Both signals share a thread and do not wait for each other.
fn run(spans: Option<Worker<Span>>, logs: Option<Worker<Log>>, ended: watch::Sender<()>) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Thread)?;
    let work = move || {
        IS_EXPORTING.set(true);
        runtime.block_on(async { tokio::join!(maybe(spans), maybe(logs)) });
        drop(ended);
        // A name that is being looked up cannot be called off, and is not waited for.
        runtime.shutdown_background();
    };
    std::thread::Builder::new().name("telemetry".to_owned()).spawn(work).map(drop).map_err(Error::Thread)
}

async fn maybe<R: Record>(worker: Option<Worker<R>>) {
    if let Some(worker) = worker {
        worker.run().await;
    }
}
