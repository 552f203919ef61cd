//! What the target holds already. It has to be the beginning of the source: every event of which an
//! earlier copy was told that it is there, and some of the page that it was at. So the two are read side
//! by side, and an event of the target is looked for among those of the source that are next.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use eventsourcing::{EventStore, Position, Revision, StreamId};

use crate::feed::Feed;
use crate::written::Written;
use crate::{Error, Options, PAGE, Phase, Progress};

/// Events of the source that the target may lack and still hold later ones. One page is what a copy may
/// leave unfinished, and that of a source that did not stand where a page of it stands now makes two.
const AHEAD_MAX: usize = 4 * PAGE;

/// What was found.
pub(crate) struct Compared {
    /// How many events of the source the target holds.
    pub(crate) held: u64,
    /// Those that were read from the source and that it does not hold, in their order.
    pub(crate) missing: Vec<Written>,
}

pub(crate) async fn with_source(
    source: &mut Feed<'_>,
    target: &Arc<dyn EventStore>,
    options: &Options,
    tell: &mut impl FnMut(Progress),
) -> Result<Compared, Error> {
    let mut target = Feed::open(target, options).await.map_err(Error::Target)?;
    let (mut ahead, mut held) = (Ahead::default(), 0);
    while let Some(page) = target.next().await.map_err(Error::Target)? {
        for event in page {
            let is_there = loop {
                match ahead.take(&event) {
                    Some(of_source) => break of_source.is_copy_of(&event),
                    None if ahead.events.len() >= AHEAD_MAX => break false,
                    None => match source.next().await.map_err(Error::Source)? {
                        Some(page) => ahead.extend(page),
                        None => break false,
                    },
                }
            };
            if !is_there {
                return Err(Error::Foreign { stream: event.stream, revision: event.revision });
            }
            held += 1;
        }
        tell(Progress { phase: Phase::Comparing, events: held, position: target.position(), end: target.end() });
    }
    Ok(Compared { held, missing: ahead.events.into_values().collect() })
}

/// Events of the source that were not met in the target yet.
#[derive(Default)]
struct Ahead {
    events: BTreeMap<Position, Written>,
    places: HashMap<(StreamId, Revision), Position>,
}

impl Ahead {
    fn extend(&mut self, page: Vec<Written>) {
        for event in page {
            self.places.insert((event.stream.clone(), event.revision), event.position);
            self.events.insert(event.position, event);
        }
    }

    /// The event at the place of `event`.
    fn take(&mut self, event: &Written) -> Option<Written> {
        let position = self.places.remove(&(event.stream.clone(), event.revision))?;
        self.events.remove(&position)
    }
}
