//! What each command of the command line does, one file a command.

pub mod check;
pub mod console;
pub mod copy;
pub mod health;
pub mod load;
pub mod projections;
pub mod serve;
pub mod up;

use std::collections::HashMap;
use std::io::{self, Write};

use crate::cli::Flags;
use crate::settings::{Settings, Source, file};

/// Why a command ended badly, told to whoever typed it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings are wrong.
    #[error("the settings are wrong:\n{0}")]
    Settings(#[from] crate::settings::Faults),
    /// The settings file is wrong.
    #[error("the settings file .env is wrong: {0}")]
    File(#[from] file::Malformed),
    /// Anything else, with what to do.
    #[error("{0}")]
    Failed(String),
    /// Writing to the terminal failed.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

/// Gathers the settings of this process: flags, environment, `.env` in the working directory.
pub fn settings(flags: &Flags) -> Result<Settings, Error> {
    Ok(Settings::read(&source(flags)?)?)
}

/// Where the settings of this process come from.
pub(crate) fn source(flags: &Flags) -> Result<Source, Error> {
    let file = match std::fs::read_to_string(".env") {
        Ok(text) => file::parse(&text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => HashMap::new(),
        Err(error) => return Err(Error::Failed(format!("cannot read the settings file .env: {error}"))),
    };
    let environment = std::env::vars().collect();
    Ok(Source { flags: flags.0.clone(), environment, file, preferences: HashMap::new() })
}

/// Writes a line for the person at the terminal. Everything else goes to the log.
pub fn say(line: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}
