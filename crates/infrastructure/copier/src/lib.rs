//! Copies the events of one event store into another: streams, revisions, ids, payloads and metadata stay,
//! positions are the target's own. What was copied before is found and not copied again, so a copy that
//! was stopped, however it was, goes on when it is started again. In the end the whole target is read and
//! compared by digest.
//!
//! It knows the port of event stores and no engine.

mod append;
mod compare;
mod digest;
mod feed;
mod written;

use std::sync::Arc;
use std::time::Duration;

use eventsourcing::store;
use eventsourcing::{EventStore, Position, Revision, StreamId};

pub use digest::Digest;

use compare::Compared;
use feed::Feed;

/// Events that are read at once, and how far events of different streams may stand from where they stood.
const PAGE: usize = 256;

/// What is copied, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Only streams whose names start with it; empty for all.
    pub prefix: String,
    /// How many streams are written to at once. With 1, the order of all events stays as it is; with more,
    /// events of different streams may change places within a page of 256.
    pub concurrency: usize,
    /// How long a store that is unavailable is waited for.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { prefix: String::new(), concurrency: 64, patience: Duration::from_secs(30) }
    }
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// What the target holds already is compared with the source.
    Comparing,
    /// Events are copied.
    Copying,
    /// The target is read again.
    Verifying,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Events that have been dealt with in this phase.
    pub events: u64,
    /// Up to where the store that is read in this phase has been dealt with.
    pub position: Position,
    /// Where it ends.
    pub end: Position,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Events that the target now holds.
    pub events: u64,
    /// Those of them that it held before.
    pub held: u64,
    /// Those of them whose time could not be taken along, since their metadata is no JSON object.
    pub timeless: u64,
    /// Of all of them.
    pub digest: Digest,
}

/// Why a copy is not there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source cannot be read.
    #[error("the source cannot be read")]
    Source(#[source] store::Error),
    /// The target cannot be read or written to.
    #[error("the target cannot be used")]
    Target(#[source] store::Error),
    /// The target holds what the source does not.
    #[error(
        "the target holds other events than the source, the first at revision {revision} of stream {stream}: \
         a copy takes an empty target, or one that an earlier copy of the same source began"
    )]
    Foreign {
        /// The stream.
        stream: StreamId,
        /// The first revision that the source does not have, or has otherwise.
        revision: Revision,
    },
    /// The source no longer has the beginning of a stream, without which revisions cannot stay.
    #[error(
        "stream {stream} begins at revision {revision} in the source, since what was before was deleted: \
         it cannot be copied with its revisions; leave it out with a prefix"
    )]
    Beheaded {
        /// The stream.
        stream: StreamId,
        /// The first revision that is there.
        revision: Revision,
    },
    /// What the target holds in the end is not what was copied.
    #[error(
        "the target holds {found_events} events with digest {found} where {expected_events} with digest {expected} \
         were copied: the copy is not good"
    )]
    Differs {
        /// Events of the source.
        expected_events: u64,
        /// Their digest.
        expected: Digest,
        /// Events of the target.
        found_events: u64,
        /// Their digest.
        found: Digest,
    },
}

/// Copies what `source` holds at this moment into `target`, and tells how far it is as it goes.
///
/// Both may be in use. What is appended to the source meanwhile is left for the next call; what others
/// append to the target makes it fail.
///
/// # Errors
/// See [`Error`]. Whatever was copied stays, and the next call goes on from there.
pub async fn copy(
    source: &Arc<dyn EventStore>,
    target: &Arc<dyn EventStore>,
    options: &Options,
    mut tell: impl FnMut(Progress),
) -> Result<Report, Error> {
    let mut feed = Feed::open(source, options).await.map_err(Error::Source)?;
    let Compared { held, missing } = compare::with_source(&mut feed, target, options, &mut tell).await?;
    let writer = append::Writer { target, options };
    let (mut copied, mut batch) = (0, missing);
    loop {
        copied += u64::try_from(batch.len()).unwrap_or(u64::MAX);
        writer.write(batch).await?;
        tell(Progress { phase: Phase::Copying, events: copied, position: feed.position(), end: feed.end() });
        match feed.next().await.map_err(Error::Source)? {
            Some(page) => batch = page,
            None => break,
        }
    }
    let (expected_events, expected) = (feed.events(), feed.digest());
    let (found_events, found) = verify(target, options, &mut tell).await?;
    if (expected_events, expected) != (found_events, found) {
        return Err(Error::Differs { expected_events, expected, found_events, found });
    }
    Ok(Report { events: expected_events, held, timeless: feed.timeless(), digest: expected })
}

/// How many events a store holds at this moment, and their digest: what [`copy`] compares in the end. Two
/// stores hold the same streams when they agree in it; times and positions do not matter.
///
/// # Errors
/// When the store cannot be read.
pub async fn digest(store: &Arc<dyn EventStore>, options: &Options) -> Result<(u64, Digest), store::Error> {
    let mut feed = Feed::open(store, options).await?;
    while feed.next().await?.is_some() {}
    Ok((feed.events(), feed.digest()))
}

async fn verify(
    target: &Arc<dyn EventStore>,
    options: &Options,
    tell: &mut impl FnMut(Progress),
) -> Result<(u64, Digest), Error> {
    let mut feed = Feed::open(target, options).await.map_err(Error::Target)?;
    while feed.next().await.map_err(Error::Target)?.is_some() {
        let (events, position, end) = (feed.events(), feed.position(), feed.end());
        tell(Progress { phase: Phase::Verifying, events, position, end });
    }
    Ok((feed.events(), feed.digest()))
}
