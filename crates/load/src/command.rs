//! `highbeam load` from arguments to exit code: runs, shows progress, writes report and table.
//!
//! The program's `main` only wires: writers, clock, signals.

use std::{
    fs::{File, OpenOptions},
    future::Future,
    io::{self, Write},
    path::Path,
};

use crate::{
    arguments::Arguments,
    journey::WallClock,
    report::Report,
    run::{self, run},
    terminal::{Progress, write_table},
};

/// Where a command writes.
pub struct Outputs {
    /// The results: standard output, as a rule.
    pub results: Box<dyn Write + Send>,
    /// Errors: standard error, as a rule.
    pub messages: Box<dyn Write + Send>,
    /// Progress: standard error as well. A handle of its own, since a bar keeps drawing on it.
    pub progress: Box<dyn Write + Send>,
    /// How many columns the terminal behind `progress` has; `None` where there is no terminal.
    pub columns: Option<u16>,
}

impl std::fmt::Debug for Outputs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Outputs").field("columns", &self.columns).finish_non_exhaustive()
    }
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every objective is met, or none was given.
    Met,
    /// At least one objective is violated.
    Violated,
    /// Wrong usage, nobody answers, or the report cannot be written.
    Unusable,
}

impl Outcome {
    /// The process's exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Met => 0,
            Self::Violated => 1,
            Self::Unusable => 2,
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Run(#[from] run::Error),
    #[error("the report {path} cannot be written ({source})")]
    Report { path: String, source: io::Error },
    #[error("the results cannot be written ({0})")]
    Results(#[from] io::Error),
    #[error("the report cannot be put into JSON ({0})")]
    Json(#[from] serde_json::Error),
}

/// Runs `highbeam load`. Ends about a second after `cancel` completes, with a report of what was
/// measured until then.
pub async fn execute(
    arguments: &Arguments,
    clock: WallClock,
    mut outputs: Outputs,
    cancel: impl Future<Output = ()> + Send,
) -> Outcome {
    let progress = match outputs.columns {
        _ if arguments.quiet => Progress::nothing(),
        Some(columns) => Progress::bar(outputs.progress, columns),
        None => Progress::lines(outputs.progress),
    };
    match perform(arguments, clock, progress, &mut outputs.results, &mut outputs.messages, cancel).await {
        Ok(report) if !report.met => Outcome::Violated,
        Ok(report) if report.total.answered == 0 => {
            let _ = writeln!(outputs.messages, "error: not one request was answered");
            Outcome::Unusable
        }
        Ok(_) => Outcome::Met,
        Err(error) => {
            // Where even standard error is gone, the exit code has to do.
            let _ = writeln!(outputs.messages, "error: {error}");
            Outcome::Unusable
        }
    }
}

async fn perform(
    arguments: &Arguments,
    clock: WallClock,
    mut progress: Progress,
    results: &mut Box<dyn Write + Send>,
    messages: &mut Box<dyn Write + Send>,
    cancel: impl Future<Output = ()> + Send,
) -> Result<Report, Error> {
    let to_results = arguments.report.as_deref() == Some(Path::new("-"));
    // Opened first: to learn after an hour's run that the report has no place would be a pity.
    let mut file = match &arguments.report {
        Some(path) if !to_results => Some((path, open(path)?)),
        _ => None,
    };
    let options = arguments.options(clock);
    let ran = run(&options, |snapshot: &_| crate::Observer::observe(&mut progress, snapshot), cancel).await;
    progress.clear();
    let report = ran?;
    if let Some((path, file)) = &mut file {
        let json = report.to_json()?;
        replace(file, &json).map_err(|source| unwritable(path, source))?;
    }
    if to_results {
        results.write_all(report.to_json()?.as_bytes())?;
        results.flush()?;
        write_table(&report, messages)?;
    } else {
        write_table(&report, results)?;
    }
    Ok(report)
}

/// Creates the file where there is none, and leaves a former report alone until there is a new one.
fn open(path: &Path) -> Result<File, Error> {
    OpenOptions::new().create(true).write(true).truncate(false).open(path).map_err(|source| unwritable(path, source))
}

fn unwritable(path: &Path, source: io::Error) -> Error {
    Error::Report { path: path.display().to_string(), source }
}

fn replace(file: &mut File, text: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all(text.as_bytes())?;
    file.flush()
}
