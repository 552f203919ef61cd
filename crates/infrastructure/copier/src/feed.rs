//! Reading a store from its start to where it ended when that began, page by page, while counting and
//! digesting what comes. A store that is unavailable for a while is asked again.

use std::sync::Arc;
use std::time::Duration;

use eventsourcing::store::Error;
use eventsourcing::{EventStore, Position};
use tokio::time::Instant;

use crate::written::{self, Written};
use crate::{Digest, Options, PAGE};

const BACKOFF_FIRST: Duration = Duration::from_millis(50);
const BACKOFF_LONGEST: Duration = Duration::from_secs(2);

/// A store that is read.
pub(crate) struct Feed<'a> {
    store: &'a Arc<dyn EventStore>,
    options: &'a Options,
    position: Position,
    end: Position,
    events: u64,
    timeless: u64,
    digest: Digest,
}

impl<'a> Feed<'a> {
    pub(crate) async fn open(store: &'a Arc<dyn EventStore>, options: &'a Options) -> Result<Self, Error> {
        let end = patiently(options.patience, || store.head()).await?;
        let (position, digest) = (Position::START, Digest::default());
        Ok(Self { store, options, position, end, events: 0, timeless: 0, digest })
    }

    /// The next events, each as a copy of it is to be; `None` behind the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Written>>, Error> {
        while self.position < self.end {
            let read = || self.store.read_all(self.position, PAGE, &self.options.prefix);
            let page = patiently(self.options.patience, read).await?;
            // What does not lead further has no more: not to ask for ever is what matters.
            let next = if page.next > self.position { page.next } else { self.end };
            self.position = next.min(self.end);
            let events = page.events.into_iter().filter(|event| event.position <= self.end);
            let events: Vec<_> = events.map(written::written).collect();
            for event in &events {
                self.digest.add(event);
                self.timeless += u64::from(!event.has_time);
            }
            self.events += u64::try_from(events.len()).unwrap_or(u64::MAX);
            if !events.is_empty() {
                return Ok(Some(events));
            }
        }
        Ok(None)
    }

    /// Up to where it has been read.
    pub(crate) const fn position(&self) -> Position {
        self.position
    }

    pub(crate) const fn end(&self) -> Position {
        self.end
    }

    /// How many came.
    pub(crate) const fn events(&self) -> u64 {
        self.events
    }

    pub(crate) const fn timeless(&self) -> u64 {
        self.timeless
    }

    pub(crate) const fn digest(&self) -> Digest {
        self.digest
    }
}

/// Makes a call until the store is available, for so long.
pub(crate) async fn patiently<T, F>(patience: Duration, call: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let end = Instant::now() + patience;
    let mut wait = BACKOFF_FIRST;
    loop {
        match call().await {
            Err(Error::Unavailable { .. }) if Instant::now() + wait < end => {
                tokio::time::sleep(wait).await;
                wait = BACKOFF_LONGEST.min(wait * 2);
            }
            answer => return answer,
        }
    }
}
