//! Where log lines go and how they look: JSON lines for machines, a compact form for a terminal, and
//! records for a collector. What is logged is the business of whoever logs it.

mod console;
mod json;
mod records;

use std::io::Write;
use std::sync::Arc;

use tracing::Subscriber;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use crate::record::Service;
use crate::scope;
use crate::trace::{SpanId, TraceId};
use crate::tracer::Sink;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoder {
    /// One JSON object a line.
    Json,
    /// For eyes.
    Console,
}

/// What to log, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// A level (`info`) or `tracing` directives (`info,sqlite=debug`).
    pub filter: String,
    /// How a line looks.
    pub encoder: Encoder,
    /// Colours in the console form.
    pub ansi: bool,
    /// `service.name` of each service that the process is; lines that nobody in particular asked for
    /// are the first one's.
    pub services: Vec<String>,
}

/// Lines that wait for the writer at most; beyond that, lines are dropped and counted, so that a
/// stuck terminal or pipe never holds up the service.
const QUEUED_LINES: usize = 16 * 1024;

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter cannot be read.
    #[error("the log filter cannot be read; an example of right: info,sqlite=debug")]
    Filter(#[from] ParseError),
    /// Something has set up logging in this process before.
    #[error("logging has been set up already")]
    AlreadySet(#[from] tracing_subscriber::util::TryInitError),
}

/// Keeps the writer alive; waiting lines are written when it is dropped.
pub struct Guard {
    _worker: WorkerGuard,
    dropped: ErrorCounter,
    filter: Filter,
}

impl Guard {
    /// Counts the lines dropped because the writer could not keep up.
    #[must_use]
    pub fn dropped(&self) -> Dropped {
        Dropped(self.dropped.clone())
    }

    /// What is logged, to be changed while the process runs.
    #[must_use]
    pub fn filter(&self) -> Filter {
        self.filter.clone()
    }
}

/// Lines that were dropped before they were written. Cheap to clone.
#[derive(Clone)]
pub struct Dropped(ErrorCounter);

impl Dropped {
    /// So far.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.0.dropped_lines().try_into().unwrap_or(u64::MAX)
    }
}

/// The filter in force. Cheap to clone.
#[derive(Clone)]
pub struct Filter(reload::Handle<EnvFilter, Registry>);

impl Filter {
    /// As directives: `info,sqlite=debug`.
    #[must_use]
    pub fn get(&self) -> String {
        self.0.with_current(ToString::to_string).unwrap_or_default()
    }

    /// Replaces it, for every line from now on.
    ///
    /// # Errors
    /// When the directives cannot be read; nothing is changed then.
    pub fn set(&self, directives: &str) -> Result<(), Error> {
        let filter = EnvFilter::try_new(directives)?;
        // Fails only when logging itself is gone, with the process.
        let _ = self.0.reload(filter);
        Ok(())
    }
}

/// Sends this process's log to `output`, from a thread of its own, and to `sink`.
///
/// # Errors
/// When the filter cannot be read, or logging has been set up before.
pub fn init(
    options: &Options,
    output: impl Write + Send + 'static,
    sink: Option<Arc<dyn Sink>>,
) -> Result<Guard, Error> {
    let (filter, handle) = reload::Layer::new(EnvFilter::try_new(&options.filter)?);
    let (writer, worker) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(QUEUED_LINES)
        .thread_name("log-writer")
        .finish(output);
    let dropped = writer.error_counter();
    let records = sink.map(records::Records::new);
    tracing_subscriber::registry().with(filter).with(records).with(lines(options, writer)).try_init()?;
    Ok(Guard { _worker: worker, dropped, filter: Filter(handle) })
}

/// Writes JSON lines to whatever `writer` makes, in the calling thread; for those who set up logging
/// themselves.
pub fn json<S, W>(services: Vec<String>, writer: W) -> impl Layer<S>
where
    S: Subscriber,
    W: for<'a> MakeWriter<'a> + 'static,
{
    json::Lines::new(services, writer)
}

fn lines<S: Subscriber>(options: &Options, writer: NonBlocking) -> Box<dyn Layer<S> + Send + Sync> {
    match options.encoder {
        Encoder::Json => json::Lines::new(options.services.clone(), writer).boxed(),
        Encoder::Console => console::Lines::new(options.services.clone(), options.ansi, writer).boxed(),
    }
}

/// A log line's time is part of no decision, and `tracing` has no place to hand a clock through.
#[expect(clippy::disallowed_methods, reason = "log lines carry the machine's time")]
fn wall_clock() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// On whose behalf a line is logged.
struct Origin {
    service: Service,
    span: Option<(TraceId, SpanId, bool)>,
}

fn origin() -> Origin {
    let found = scope::with_current(|scope| {
        let span = scope.parents.only().map(|span| (span.trace_id(), span.span_id(), span.is_sampled()));
        Some(Origin { service: scope.service, span })
    });
    found.unwrap_or(Origin { service: Service(0), span: None })
}

/// The name of a service; the first one's for what is not there.
fn name(services: &[String], service: Service) -> &str {
    services.get(usize::from(service.0)).or_else(|| services.first()).map_or("", String::as_str)
}
