//! Moves what the log holds into the database file, beside the writer instead of in its way: a commit
//! that had to do it itself would keep everyone waiting for tens of milliseconds.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::watch;

/// How often the log is looked after while there are commits.
const EVERY: Duration = Duration::from_millis(100);
/// Pages of 4 KiB in the log from which on the writer has to help: under constant load it alone can
/// find a moment in which the log is wholly moved, so that it begins anew. 64 MiB.
const HELP_ABOVE: i64 = 16_384;

/// Tells the writer to move the rest of the log itself, between two groups.
#[derive(Clone, Default)]
pub(super) struct Help(Arc<AtomicBool>);

impl Help {
    pub(super) fn is_wanted(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// Starts the thread. It ends when the writer has, and moves the rest of the log before.
pub(super) fn start(connection: Connection, path: &Path, commits: watch::Receiver<u64>) -> std::io::Result<Help> {
    let help = Help::default();
    let (wanted, path) = (help.clone(), path.display().to_string());
    std::thread::Builder::new()
        .name("sqlite-log".to_owned())
        .spawn(move || run(&connection, &path, commits, &wanted))?;
    Ok(help)
}

fn run(connection: &Connection, path: &str, mut commits: watch::Receiver<u64>, help: &Help) {
    let mut complaint = None;
    loop {
        std::thread::sleep(EVERY);
        let has_ended = match commits.has_changed() {
            Ok(false) => continue,
            Ok(true) => false,
            Err(_) => true,
        };
        commits.mark_unchanged();
        match pass(connection) {
            Ok(pages) => {
                complaint = None;
                help.0.store(pages > HELP_ABOVE, Ordering::Relaxed);
            }
            // The log goes on to grow until this works again; told once, not ten times a second.
            Err(error) if complaint.is_none() => {
                tracing::warn!(path, error.cause = %error, "log could not be moved into the database");
                complaint = Some(());
            }
            Err(_) => {}
        }
        if has_ended {
            return;
        }
    }
}

/// Moves as much as can be moved without waiting for anybody; returns the pages that the log has.
pub(super) fn pass(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))
}
