//! Writing to the log: expectations, and how a repeated write is known.

use bytes::Bytes;
use uuid::Uuid;

use super::{Log, STATISTICS, State, Stream};

/// An event to be written.
#[derive(Debug, Clone)]
pub(crate) struct Proposed {
    pub(crate) id: Uuid,
    pub(crate) event_type: String,
    pub(crate) content_type: String,
    pub(crate) data: Bytes,
    pub(crate) metadata: Bytes,
}

/// What the writer expects of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Any,
    NoStream,
    Exists,
    Revision(u64),
}

/// The receipt: of nothing, when nothing was to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub(crate) revision: Option<u64>,
    pub(crate) position: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The stream's last revision is another.
    WrongVersion(Option<u64>),
    Tombstoned,
}

enum Check {
    Write,
    /// All of it is there, from this revision on.
    Repeated(u64),
}

impl Log {
    pub(crate) fn append(&self, stream: &str, expected: Expected, events: Vec<Proposed>) -> Result<Written, Refused> {
        let ticks = self.ticks();
        let mut state = self.state();
        match state.check(stream, expected, &events)? {
            Check::Repeated(first) => {
                let last = first + u64::try_from(events.len()).unwrap_or(u64::MAX) - 1;
                let position = state.position(stream, last);
                return Ok(Written { revision: Some(last), position });
            }
            Check::Write if events.is_empty() => {
                let revision = state.streams.get(stream).and_then(Stream::last_revision);
                return Ok(Written { revision, position: None });
            }
            Check::Write => {}
        }
        // After a delete a stream goes on behind what it had.
        let mut position = None;
        for event in events {
            position = Some(state.push(stream, event, ticks));
        }
        let revision = state.streams.get(stream).and_then(Stream::last_revision);
        let count = state.records.len();
        drop(state);
        self.0.length.send_replace(count);
        if self.0.has_statistics && !stream.starts_with('$') {
            self.system(STATISTICS, "$statsCollected");
        }
        Ok(Written { revision, position })
    }

    /// Deletes what the stream has; it may be written to again, unless `for_good`.
    pub(crate) fn delete(&self, stream: &str, expected: Expected, for_good: bool) -> Result<Option<u64>, Refused> {
        let ticks = self.ticks();
        let mut state = self.state();
        let current = state.streams.get(stream).and_then(Stream::last_revision);
        let as_expected = match expected {
            Expected::Any => true,
            Expected::Exists => current.is_some(),
            Expected::NoStream => current.is_none(),
            Expected::Revision(revision) => current == Some(revision),
        };
        if state.streams.get(stream).is_some_and(|stream| stream.is_tombstoned) {
            return Err(Refused::Tombstoned);
        }
        if !as_expected {
            return Err(Refused::WrongVersion(current));
        }
        let event = Proposed {
            id: Uuid::new_v4(),
            event_type: if for_good { "$streamDeleted" } else { "$metadata" }.to_owned(),
            content_type: kurrentdb::protocol::metadata::JSON.to_owned(),
            data: Bytes::from_static(if for_good { b"" } else { b"{\"$tb\":9223372036854775807}" }),
            metadata: Bytes::new(),
        };
        let position =
            if for_good { state.push(stream, event, ticks) } else { state.push(&format!("$${stream}"), event, ticks) };
        let deleted = state.streams.entry(stream.into()).or_default();
        deleted.first = deleted.last_revision().map_or(0, |last| last + 1);
        deleted.is_tombstoned = for_good;
        let count = state.records.len();
        drop(state);
        self.0.length.send_replace(count);
        Ok(Some(position))
    }
}

impl State {
    /// The rules of the genuine server: an exact expectation behind the stream's end is a repeat if the
    /// same ids stand there one for one; without an exact one, ids are looked for anywhere in the stream.
    fn check(&self, name: &str, expected: Expected, events: &[Proposed]) -> Result<Check, Refused> {
        let stream = self.streams.get(name);
        if stream.is_some_and(|stream| stream.is_tombstoned) {
            return Err(Refused::Tombstoned);
        }
        let current = stream.and_then(Stream::last_revision);
        let is_deleted = stream.is_some_and(Stream::is_empty);
        let wrong = Err(Refused::WrongVersion(current));
        let next = current.map_or(0, |current| current + 1);
        match expected {
            Expected::Exists if current.is_none() || is_deleted => wrong,
            Expected::Any | Expected::Exists => match self.find(name, events.first().map(|event| event.id)) {
                Some(first) if self.stands_at(name, first, events) => Ok(Check::Repeated(first)),
                Some(_) => wrong,
                None => Ok(Check::Write),
            },
            // A deleted stream is none, to one who expects none.
            Expected::NoStream if is_deleted => Ok(Check::Write),
            Expected::NoStream | Expected::Revision(_) => {
                let first = match expected {
                    Expected::Revision(revision) => revision.saturating_add(1),
                    _ => 0,
                };
                match first.cmp(&next) {
                    std::cmp::Ordering::Equal => Ok(Check::Write),
                    std::cmp::Ordering::Less if self.stands_at(name, first, events) => Ok(Check::Repeated(first)),
                    _ => wrong,
                }
            }
        }
    }

    fn id_at(&self, name: &str, revision: u64) -> Option<Uuid> {
        let index = *self.streams.get(name)?.records.get(usize::try_from(revision).ok()?)?;
        self.records.get(index).map(|record| record.id)
    }

    fn position(&self, name: &str, revision: u64) -> Option<u64> {
        let index = *self.streams.get(name)?.records.get(usize::try_from(revision).ok()?)?;
        self.records.get(index).map(|record| record.position)
    }

    /// The revision of the last event with an id.
    fn find(&self, name: &str, id: Option<Uuid>) -> Option<u64> {
        let (id, last) = (id?, self.streams.get(name)?.last_revision()?);
        (0..=last).rev().find(|revision| self.id_at(name, *revision) == Some(id))
    }

    fn stands_at(&self, name: &str, first: u64, events: &[Proposed]) -> bool {
        !events.is_empty()
            && events.iter().zip(first..).all(|(event, revision)| self.id_at(name, revision) == Some(event.id))
    }
}
