//! `highbeam up`: everything in one process, for a laptop.

use super::{Error, say, settings};
use crate::cli::Up;
use crate::observability::Observability;
use crate::roles::Role;
use crate::{process, shutdown};

/// Runs everything and prints where it is.
pub async fn run(arguments: &Up) -> Result<(), Error> {
    let mut settings = settings(&arguments.settings)?;
    // Nobody has a node exporter on a laptop. Its metrics are Linux' own.
    settings.host_metrics.get_or_insert(cfg!(target_os = "linux"));
    let base_path = settings.base_path.clone();
    let observability = Observability::start(&settings, Role::All)?;
    let stop = shutdown::requested()?;
    let mut running = process::start(settings, Role::All, &observability, stop.clone()).await?;
    running.tell_ready(arguments.ready.path.as_deref()).await?;
    let url = running.url();
    say(&format!(
        "highbeam is up\n  \
         Swagger UI  {url}/swagger/index.html\n  \
         orders      {url}{base_path}/orders\n  \
         search      {url}{base_path}/orders/search?search=\n  \
         metrics     {url}/metrics\n  \
         readiness   {url}/readyz\n  \
         projections {url}/admin/projections"
    ))?;
    if arguments.no_traffic {
        say("no demo traffic; Ctrl-C stops")?;
    } else {
        say("demo traffic is running (--no-traffic leaves it out); Ctrl-C stops")?;
        running.send_demo_traffic(arguments.traffic_rate, stop)?;
    }
    let finished = running.finish().await;
    observability.finish().await;
    finished
}
