//! Where log lines go and how they look: JSON lines for machines, a compact form for a terminal.
//! What is logged is the business of whoever logs it.

mod json;

use std::io::Write;

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

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
    /// `service.name` of every JSON line.
    pub service_name: String,
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
}

impl Guard {
    /// Lines dropped so far because the writer could not keep up.
    #[must_use]
    pub fn dropped_lines(&self) -> u64 {
        self.dropped.dropped_lines().try_into().unwrap_or(u64::MAX)
    }
}

/// Sends this process's log to `output`, from a thread of its own.
pub fn init(options: &Options, output: impl Write + Send + 'static) -> Result<Guard, Error> {
    let filter = EnvFilter::try_new(&options.filter)?;
    let (writer, worker) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(QUEUED_LINES)
        .thread_name("log-writer")
        .finish(output);
    let dropped = writer.error_counter();
    let layer = match options.encoder {
        Encoder::Json => json::Lines::new(&options.service_name, writer).boxed(),
        Encoder::Console => {
            tracing_subscriber::fmt::layer().compact().with_ansi(options.ansi).with_writer(writer).boxed()
        }
    };
    tracing_subscriber::registry().with(layer.with_filter(filter)).try_init()?;
    Ok(Guard { _worker: worker, dropped })
}
