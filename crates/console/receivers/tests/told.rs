//! What the receivers tell the log when something stands in their way: each message with what it promises.
//! What they do about it is tested beside their code.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use console_model::{LogBatch, SampleBatch};
use console_receivers::scrape::{Configuration, Job, Limits, Scraper, Source};
use console_receivers::tail::{Options, Tailer};
use console_receivers::{Refused, Sink};
use eventsourcing::clock;
use tracing_subscriber::fmt::MakeWriter;

/// A log that is read by the test.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    /// How many lines have all these words.
    fn lines(&self, words: &[&str]) -> usize {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
    }

    fn subscriber(&self) -> impl tracing::Subscriber + use<> {
        tracing_subscriber::fmt().json().with_writer(self.clone()).finish()
    }
}

/// A file that nobody may read, not even root.
const UNREADABLE: &str = "/proc/sys/vm/compact_memory";

/// Takes nothing.
struct Full;

impl Sink for Full {
    fn samples(&self, _: SampleBatch) -> Result<(), Refused> {
        Err(Refused::new("the disk is full"))
    }

    fn logs(&self, _: LogBatch) -> Result<(), Refused> {
        Err(Refused::new("the disk is full"))
    }
}

#[test]
fn following_log_files_tells_what_it_cannot_do_and_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("positions"), "no positions").unwrap();
    std::fs::write(at("app.log"), "a line\n").unwrap();
    let log = Log::default();
    tracing::subscriber::with_default(log.subscriber(), || {
        let paths = vec![at("app.log").display().to_string(), UNREADABLE.to_owned()];
        let options = Options { from_start: true, positions: Some(at("positions")), ..Options::new(paths) };
        let mut tailer = Tailer::new(options, Arc::new(Full), Arc::new(clock::System));
        for _ in 0..3 {
            tailer.poll();
        }
        // Nobody can write where a file stands in the way of a folder.
        let positions = Some(at("app.log").join("positions"));
        let paths = vec![at("app.log").display().to_string()];
        let options = Options { positions, ..Options::new(paths) };
        let mut tailer = Tailer::new(options, Arc::new(Full), Arc::new(clock::System));
        tailer.poll();
        tailer.save();
        tailer.save();
    });
    assert!(log.lines(&["WARN", "positions of log files could not be read", "error.cause"]) >= 1);
    assert_eq!(log.lines(&["WARN", "positions of log files could not be written", "error.cause"]), 1);
    assert_eq!(log.lines(&["WARN", "log file could not be read", "file.path", UNREADABLE, "error.cause"]), 1);
    assert_eq!(log.lines(&["WARN", "log lines were refused", "the disk is full"]), 1);
}

#[test]
fn a_file_of_targets_that_is_wrong_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("targets.json");
    std::fs::write(&path, "[half a fi").unwrap();
    let log = Log::default();
    tracing::subscriber::with_default(log.subscriber(), || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let jobs = vec![Job::new("file", Source::File(path))];
            let limits = Limits { reload_interval: Duration::from_secs(1), ..Limits::default() };
            let sink = Arc::new(Full);
            let scraper = Scraper::start(Configuration { jobs, limits }, sink, Arc::new(clock::System)).unwrap();
            for _ in 0..1_000 {
                if log.lines(&["WARN", "scrape targets could not all be read", "error.cause"]) > 0 {
                    break;
                }
                // Time is paused: this lets it pass, and waits for nothing.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            scraper.shutdown().await;
        });
    });
    assert!(log.lines(&["scrape targets could not all be read", "targets.json"]) > 0);
}
