//! The log: every event in the order of its position, and which of them are in a stream. Positions grow
//! by the size of a record, as the genuine server's do, so that nobody takes them for numbers in a row.

mod write;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use eventsourcing::Clock;
use tokio::sync::watch;
use uuid::Uuid;

pub(crate) use write::{Expected, Proposed, Refused, Written};

/// Where the engine's own statistics are.
const STATISTICS: &str = "$stats-127.0.0.1:2113";

#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) position: u64,
    pub(crate) stream: Arc<str>,
    pub(crate) revision: u64,
    pub(crate) id: Uuid,
    pub(crate) event_type: String,
    pub(crate) content_type: String,
    pub(crate) data: Bytes,
    pub(crate) metadata: Bytes,
    /// Of 100 ns since 1970.
    pub(crate) created_ticks: i64,
}

/// A log that nodes share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Log(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// How many records there are.
    length: watch::Sender<usize>,
    clock: Arc<dyn Clock>,
    /// Whether the engine writes events of its own between those of its users.
    has_statistics: bool,
}

#[derive(Default)]
struct State {
    records: Vec<Arc<Record>>,
    streams: HashMap<Arc<str>, Stream>,
    end: u64,
}

#[derive(Default)]
struct Stream {
    /// Places in the records, by revision.
    records: Vec<usize>,
    /// Revisions before it are deleted.
    first: u64,
    /// For good.
    is_tombstoned: bool,
}

impl Stream {
    fn last_revision(&self) -> Option<u64> {
        u64::try_from(self.records.len()).ok()?.checked_sub(1)
    }

    /// Whether a delete left nothing to read.
    fn is_empty(&self) -> bool {
        self.last_revision().is_none_or(|last| self.first > last)
    }
}

/// What a stream has for a reader.
pub(crate) enum Found {
    Events(Vec<Arc<Record>>),
    Nothing,
    Tombstoned,
}

/// Where to read a stream from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    Start,
    End,
    At(u64),
}

impl Log {
    pub(crate) fn new(clock: Arc<dyn Clock>, has_statistics: bool) -> Self {
        let shared = Shared { state: Mutex::default(), length: watch::Sender::new(0), clock, has_statistics };
        let log = Self(Arc::new(shared));
        // What a new server writes first: no user's event is ever at position 0.
        log.system("$epoch-information", "$epoch-information");
        log
    }

    /// Is told when the log grows.
    pub(crate) fn growth(&self) -> watch::Receiver<usize> {
        self.0.length.subscribe()
    }

    /// A stream's events from a revision on, at most `count`.
    pub(crate) fn stream(&self, name: &str, from: Place, forwards: bool, count: u64) -> Found {
        let state = self.state();
        let Some(stream) = state.streams.get(name) else { return Found::Nothing };
        if stream.is_tombstoned {
            return Found::Tombstoned;
        }
        let Some(last) = stream.last_revision().filter(|_| !stream.is_empty()) else { return Found::Nothing };
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let at = |revision: u64| {
            let place = stream.records.get(usize::try_from(revision).ok()?)?;
            state.records.get(*place).cloned()
        };
        let events = if forwards {
            let from = match from {
                Place::Start => stream.first,
                Place::End => last + 1,
                Place::At(revision) => revision.max(stream.first),
            };
            (from..=last).map_while(at).take(count).collect()
        } else {
            let from = match from {
                Place::Start => stream.first,
                Place::End => last,
                Place::At(revision) => revision.min(last),
            };
            (stream.first..=from).rev().map_while(at).take(count).collect()
        };
        Found::Events(events)
    }

    /// The records from the one at `index` on, at most `count`.
    pub(crate) fn records(&self, index: usize, count: usize) -> Vec<Arc<Record>> {
        let state = self.state();
        state.records.iter().skip(index).take(count).cloned().collect()
    }

    /// The records before the one at `index`, the latest first, as far as they are wanted.
    pub(crate) fn backwards(
        &self,
        index: usize,
        mut is_wanted: impl FnMut(&Record) -> bool,
        count: u64,
    ) -> Vec<Arc<Record>> {
        let state = self.state();
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let before = state.records.iter().take(index).rev();
        before.filter(|record| is_wanted(record)).take(count).cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.state().records.len()
    }

    /// The index of the record at a position, and whether one begins there.
    pub(crate) fn index(&self, position: u64) -> Result<usize, usize> {
        self.state().records.binary_search_by_key(&position, |record| record.position)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn ticks(&self) -> i64 {
        i64::try_from(self.0.clock.now().as_nanosecond() / 100).unwrap_or_default()
    }

    /// Writes an event of the engine's own.
    fn system(&self, stream: &str, event_type: &str) {
        let ticks = self.ticks();
        let mut state = self.state();
        let event = Proposed {
            id: Uuid::new_v4(),
            event_type: event_type.to_owned(),
            content_type: kurrentdb::protocol::metadata::JSON.to_owned(),
            data: Bytes::from_static(b"{}"),
            metadata: Bytes::new(),
        };
        state.push(stream, event, ticks);
        self.0.length.send_replace(state.records.len());
    }
}

impl State {
    /// Adds an event to the end of its stream; its position.
    fn push(&mut self, stream: &str, event: Proposed, created_ticks: i64) -> u64 {
        let name = match self.streams.get_key_value(stream) {
            Some((name, _)) => Arc::clone(name),
            None => Arc::from(stream),
        };
        let index = self.records.len();
        let entry = self.streams.entry(Arc::clone(&name)).or_default();
        let revision = u64::try_from(entry.records.len()).unwrap_or(u64::MAX);
        entry.records.push(index);
        let position = self.end;
        let size = 64 + name.len() + event.event_type.len() + event.data.len() + event.metadata.len();
        self.end += u64::try_from(size).unwrap_or(u64::MAX);
        self.records.push(Arc::new(Record {
            position,
            stream: name,
            revision,
            id: event.id,
            event_type: event.event_type,
            content_type: event.content_type,
            data: event.data,
            metadata: event.metadata,
            created_ticks,
        }));
        position
    }
}
