//! `highbeam serve`: one production role until it is told to stop.

use super::{Error, settings};
use crate::cli::Serve;
use crate::observability::Observability;
use crate::{process, shutdown};

/// Runs the role.
pub async fn run(arguments: &Serve) -> Result<(), Error> {
    let settings = settings(&arguments.settings)?;
    let observability = Observability::start(&settings, arguments.role.parts(), None)?;
    let stop = shutdown::requested()?;
    let running = process::start(settings, arguments.role, &observability, stop).await?;
    running.tell_ready(arguments.ready.path.as_deref(), None).await?;
    let finished = running.finish().await;
    observability.finish().await;
    finished
}
