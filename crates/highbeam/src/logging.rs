//! Sets up the log of this process from its settings.

use std::io::{IsTerminal, stderr};

use telemetry::logging::{Encoder, Guard, Options, init};

use crate::commands::Error;
use crate::roles::Role;
use crate::settings::Settings;

/// Starts logging to standard error; standard output is for what a person asked to see.
pub(crate) fn start(settings: &Settings, role: Role) -> Result<Guard, Error> {
    let terminal = stderr().is_terminal();
    let options = Options {
        filter: settings.logger.filter.clone(),
        encoder: settings.logger.encoder.unwrap_or(if terminal { Encoder::Console } else { Encoder::Json }),
        ansi: terminal && std::env::var_os("NO_COLOR").is_none(),
        service_name: settings.service_name.clone().unwrap_or_else(|| role.service_name().to_owned()),
    };
    let guard = init(&options, stderr()).map_err(|error| Error::Failed(format!("cannot start logging: {error}")))?;
    if !settings.ignored.is_empty() {
        tracing::warn!(settings = settings.ignored.join(", "), "settings without effect in this version");
    }
    Ok(guard)
}
