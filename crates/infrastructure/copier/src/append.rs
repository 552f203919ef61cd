//! Writing a page: what belongs to one stream goes there in its order, streams go side by side.

use std::sync::Arc;

use eventsourcing::store;
use eventsourcing::{EventStore, ExpectedRevision, NewEvent, Revision, StreamId};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::feed::patiently;
use crate::written::Written;
use crate::{Error, Options};

/// What goes in one append: well below what engines take at once, a mebibyte, unless one event alone is
/// larger.
const APPEND_BYTES_MAX: usize = 256 << 10;

pub(crate) struct Writer<'a> {
    pub(crate) target: &'a Arc<dyn EventStore>,
    pub(crate) options: &'a Options,
}

/// Events of one stream that follow each other.
struct Run {
    stream: StreamId,
    first: Revision,
    next: Revision,
    bytes: usize,
    events: Vec<NewEvent>,
}

impl Writer<'_> {
    /// Writes events that stand in their order.
    pub(crate) async fn write(&self, events: Vec<Written>) -> Result<(), Error> {
        let concurrency = self.options.concurrency.max(1);
        let runs = runs(events, concurrency == 1);
        let written = stream::iter(runs).map(|runs| async move {
            for run in runs {
                self.append(run).await?;
            }
            Ok(())
        });
        written.buffer_unordered(concurrency).try_collect().await
    }

    async fn append(&self, run: Run) -> Result<(), Error> {
        let expected = ExpectedRevision::after(run.first.0.checked_sub(1).map(Revision));
        let append = || self.target.append(&run.stream, expected, run.events.clone());
        match patiently(self.options.patience, append).await {
            Ok(_) => Ok(()),
            // All that came before in the source has been written.
            Err(store::Error::Conflict { current: None, .. }) => {
                Err(Error::Beheaded { stream: run.stream, revision: run.first })
            }
            Err(store::Error::Conflict { .. }) => Err(Error::Foreign { stream: run.stream, revision: run.first }),
            Err(error) => Err(Error::Target(error)),
        }
    }
}

/// The runs of a page, those of one stream together, in the order in which the streams come first. To keep
/// the order of all, a run ends where an event of another stream comes.
fn runs(events: Vec<Written>, in_order: bool) -> Vec<Vec<Run>> {
    let mut streams: Vec<Vec<Run>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for event in events {
        let length = event.len();
        let place = if in_order {
            let last = streams.last().and_then(|runs| runs.last());
            last.filter(|run| run.stream == event.stream).map(|_| streams.len() - 1)
        } else {
            places.get(&event.stream).copied()
        };
        let place = place.unwrap_or_else(|| {
            places.insert(event.stream.clone(), streams.len());
            streams.push(Vec::new());
            streams.len() - 1
        });
        let runs = &mut streams[place];
        match runs.last_mut().filter(|run| run.next == event.revision && run.bytes + length <= APPEND_BYTES_MAX) {
            Some(run) => {
                run.bytes += length;
                run.next = event.revision.next();
                run.events.push(event.event);
            }
            None => runs.push(Run {
                stream: event.stream,
                first: event.revision,
                next: event.revision.next(),
                bytes: length,
                events: vec![event.event],
            }),
        }
    }
    streams
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use eventsourcing::{EventId, Position};

    use super::*;

    fn event(stream: &str, revision: u64, bytes: usize) -> Written {
        Written {
            stream: StreamId::new(stream),
            revision: Revision(revision),
            position: Position(1),
            event: NewEvent {
                id: EventId(uuid::Uuid::from_u128(1)),
                event_type: "A".into(),
                data: Bytes::from(vec![b'x'; bytes]),
                metadata: Bytes::new(),
            },
            has_time: true,
        }
    }

    fn shape(events: Vec<Written>, in_order: bool) -> Vec<Vec<(String, u64, usize)>> {
        let shape = |run: &Run| (run.stream.to_string(), run.first.0, run.events.len());
        runs(events, in_order).iter().map(|runs| runs.iter().map(shape).collect()).collect()
    }

    #[test]
    fn events_of_a_stream_go_together_unless_the_order_of_all_is_to_stay() {
        let events = || vec![event("a", 0, 1), event("a", 1, 1), event("b", 0, 1), event("a", 2, 1)];
        let (a, b) = ("a".to_owned(), "b".to_owned());
        assert_eq!(shape(events(), false), [vec![(a.clone(), 0, 3)], vec![(b.clone(), 0, 1)]]);
        assert_eq!(shape(events(), true), [vec![(a.clone(), 0, 2)], vec![(b, 0, 1)], vec![(a, 2, 1)]]);
    }

    #[test]
    fn an_append_is_no_larger_than_engines_take() {
        let events = (0..5).map(|revision| event("a", revision, APPEND_BYTES_MAX / 2 - 100)).collect();
        let a = || "a".to_owned();
        assert_eq!(shape(events, false), [vec![(a(), 0, 2), (a(), 2, 2), (a(), 4, 1)]]);
    }

    #[test]
    fn what_is_missing_in_between_ends_an_append() {
        let a = || "a".to_owned();
        assert_eq!(shape(vec![event("a", 0, 1), event("a", 2, 1)], false), [vec![(a(), 0, 1), (a(), 2, 1)]]);
    }
}
