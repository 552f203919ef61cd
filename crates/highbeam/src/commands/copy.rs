//! `highbeam copy`: opens two event stores, has one copied into the other, and tells how far it is. How it
//! is copied, resumed and verified is the copier's.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use copier::{Options, Phase, Progress};
use eventsourcing::clock::System;
use eventsourcing::{EventStore, with_causes};

use super::{Error, say};
use crate::cli::Copy;
use crate::settings::Engine;
use crate::settings::engine::Port;

/// How often it tells how far it is.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Copies, and tells what was done.
pub async fn run(arguments: &Copy) -> Result<(), Error> {
    let (from, to) = (engine("--from", &arguments.from)?, engine("--to", &arguments.to)?);
    if from == to || is_same_file(&from, &to) {
        return Err(Error::Failed("--from and --to name the same event store".to_owned()));
    }
    if let Engine::Sqlite(Some(path)) = &from
        && !path.exists()
    {
        return Err(Error::Failed(format!("--from: there is no file {}", path.display())));
    }
    let (source, target) = (open("--from", &from)?, open("--to", &to)?);
    let concurrency = usize::from(arguments.concurrency);
    let options = Options { prefix: arguments.prefix.clone(), concurrency, ..Options::default() };
    let mut teller = Teller::default();
    let report = copier::copy(&source, &target, &options, |progress| teller.hear(progress)).await;
    let report = report.map_err(|error| Error::Failed(with_causes(&error)))?;
    say(&format!(
        "{} events are in the target, {} of them were there before; read back, both have the digest\n{}",
        report.events, report.held, report.digest
    ))?;
    if report.timeless > 0 {
        say(&format!(
            "{} events have the time of the copy alone: their metadata is no JSON object, which would take the first",
            report.timeless
        ))?;
    }
    Ok(())
}

/// An engine that keeps what is copied, each named in full: what a setting stands for here may be another's.
fn engine(flag: &str, url: &str) -> Result<Engine, Error> {
    match Engine::parse(url, Port::Events) {
        Ok(Engine::Memory) => {
            Err(Error::Failed(format!("{flag}: memory: is gone with the process, so nothing can be copied there")))
        }
        Ok(Engine::Sqlite(None)) => Err(Error::Failed(format!("{flag} needs a file, as sqlite:data/events.db"))),
        Ok(engine) => Ok(engine),
        Err(detail) => Err(Error::Failed(format!("{flag} {detail}"))),
    }
}

fn is_same_file(from: &Engine, to: &Engine) -> bool {
    let place = |engine: &Engine| engine.file(Path::new(""), "").and_then(|path| path.canonicalize().ok());
    place(from).is_some_and(|from| place(to) == Some(from))
}

fn open(flag: &str, engine: &Engine) -> Result<Arc<dyn EventStore>, Error> {
    let failed = |error: &dyn std::error::Error| Error::Failed(format!("{flag}: {}", with_causes(error)));
    match engine {
        Engine::Sqlite(path) => {
            let path = path.as_deref().unwrap_or(Path::new("events.db"));
            Ok(Arc::new(sqlite::EventStore::open(path, Arc::new(System)).map_err(|error| failed(&error))?))
        }
        Engine::KurrentDb(settings) => {
            Ok(Arc::new(kurrentdb::EventStore::open((**settings).clone()).map_err(|error| failed(&error))?))
        }
        _ => Err(Error::Failed(format!("{flag} names an engine that keeps no events"))),
    }
}

/// Tells the person at the terminal, now and then.
#[derive(Default)]
struct Teller {
    phase: Option<Phase>,
    told: Option<Instant>,
}

impl Teller {
    fn hear(&mut self, progress: Progress) {
        let now = Instant::now();
        let is_new = self.phase != Some(progress.phase);
        if !is_new && self.told.is_some_and(|told| now.duration_since(told) < TELL_EVERY) {
            return;
        }
        (self.phase, self.told) = (Some(progress.phase), Some(now));
        // A copy that nobody watches is a copy all the same.
        let _ = say(&line(progress));
    }
}

fn line(progress: Progress) -> String {
    let doing = match progress.phase {
        Phase::Comparing => "comparing with what the target holds",
        Phase::Copying => "copying",
        Phase::Verifying => "reading the target back",
    };
    // Positions grow with what is stored, so their share is that of the work, more or less.
    let share = u128::from(progress.position.0) * 100 / u128::from(progress.end.0.max(1));
    format!("{doing}: {} events, {} %", progress.events, share.min(100))
}

#[cfg(test)]
mod tests {
    use eventsourcing::Position;

    use super::*;

    #[test]
    fn progress_is_a_line() {
        let progress = |position, end| Progress {
            phase: Phase::Copying,
            events: 7,
            position: Position(position),
            end: Position(end),
        };
        assert_eq!(line(progress(1, 3)), "copying: 7 events, 33 %");
        assert_eq!(line(progress(0, 0)), "copying: 7 events, 0 %");
        assert_eq!(line(progress(u64::MAX, u64::MAX)), "copying: 7 events, 100 %");
    }

    #[test]
    fn what_cannot_be_copied_is_said_before_anything_is_opened() {
        for (url, told) in [
            ("memory:", "gone with the process"),
            ("sqlite:", "needs a file"),
            ("mongodb://admin:s3cret@host", "scheme"),
            ("esdb://admin:s3cret@host?tsl=true", "not known, tsl"),
        ] {
            let error = engine("--to", url).unwrap_err().to_string();
            assert!(error.starts_with("--to") && error.contains(told) && !error.contains("s3cret"), "{error}");
        }
    }
}
