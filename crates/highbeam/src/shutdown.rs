//! When to stop: SIGTERM or Ctrl-C once asks, twice insists.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Turns true when the process is asked to stop. The second signal ends it on the spot with status 130.
pub(crate) fn requested() -> std::io::Result<watch::Receiver<bool>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            }
        };
        let name = next().await;
        tracing::info!(process.signal = name, "shutdown requested");
        // Nobody listening any more means that the process is on its way out already.
        let _ = sender.send(true);
        next().await;
        std::process::exit(130);
    });
    Ok(receiver)
}
