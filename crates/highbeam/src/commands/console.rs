//! `highbeam console`: the console alone, for any source of OTLP.

use super::{Error, say, settings};
use crate::cli::Console;
use crate::observability::Observability;
use crate::ready::{Ready, base_url};
use crate::roles::Part;
use crate::{console, shutdown};

/// Serves until it is told to stop.
pub async fn run(arguments: &Console) -> Result<(), Error> {
    let mut settings = settings(&arguments.settings)?;
    // The console is where telemetry ends: it sends none of its own anywhere.
    settings.observability.spans = None;
    settings.observability.logs = None;
    settings.host_metrics.get_or_insert(cfg!(target_os = "linux"));
    let opened = console::open(&settings, false)?;
    let observability = Observability::start(&settings, vec![Part::Console], Some(opened.counts()))?;
    for path in &arguments.import {
        let imported = opened.import(path)?;
        let rest = match imported.rejected {
            0 => String::new(),
            rejected => format!(", but for {rejected}: {}", imported.message),
        };
        say(&format!("imported {}{rest}", path.display()))?;
    }
    let stop = shutdown::requested()?;
    let mut running = opened.start(&settings.console, &observability, false)?;
    running.scrape(Part::Console, console::Own::Here, &settings.console)?;
    running.tail(arguments.tail.clone());
    let addresses = running.addresses();
    if let Some(path) = &arguments.ready.path {
        let written = Ready::new(None, Some(addresses)).write(path);
        written.map_err(|error| Error::Failed(format!("cannot write the ready file {}: {error}", path.display())))?;
    }
    say(&format!(
        "the console is up\n  \
         pages      {console}/\n  \
         OTLP/gRPC  {grpc}\n  \
         OTLP/HTTP  {http}\n  \
         Jaeger     {console}/jaeger\n  \
         kept in    {folder}\n\
         Ctrl-C stops",
        console = base_url(addresses.console),
        grpc = base_url(addresses.otlp_grpc),
        http = base_url(addresses.otlp_http),
        folder = console::folder(&settings).display(),
    ))?;
    let mut stopped = stop;
    // Without anybody left to ask, the process is ending as well.
    let _ = stopped.wait_for(|stop| *stop).await;
    let finished = running.finish().await;
    observability.finish().await;
    finished
}
