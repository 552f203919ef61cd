//! Following the store: read what is there, then wait for a commit and read again.

use std::time::Duration;

use async_trait::async_trait;
use eventsourcing::store::{Error, Page};
use eventsourcing::{Position, Subscription};
use tokio::sync::watch;
use tokio::time::timeout;

use super::EventStore;

/// Commits of other processes wake nobody here: how often they are looked for.
const POLL: Duration = Duration::from_millis(50);

pub(super) struct Follower {
    store: EventStore,
    after: Position,
    prefix: String,
    commits: watch::Receiver<u64>,
}

impl Follower {
    pub(super) fn new(store: EventStore, after: Position, prefix: &str, commits: watch::Receiver<u64>) -> Self {
        Self { store, after, prefix: prefix.to_owned(), commits }
    }
}

#[async_trait]
impl Subscription for Follower {
    async fn next(&mut self, max: usize) -> Result<Page, Error> {
        if max == 0 {
            return Err(Error::Invalid("a page needs room for at least one event".to_owned()));
        }
        loop {
            // Seen before the read: a commit that comes between read and wait ends the wait at once.
            self.commits.mark_unchanged();
            let page = self.store.page(self.after, max, &self.prefix).await?;
            // From here to the return nothing waits, so a dropped future has either moved on and
            // returned, or done neither.
            let has_moved = page.next > self.after;
            self.after = page.next;
            if !page.events.is_empty() {
                return Ok(page);
            }
            if has_moved {
                continue;
            }
            // A closed channel cannot be while the store is held; the poll goes on either way.
            drop(timeout(POLL, self.commits.changed()).await);
        }
    }
}
