//! Logs: records on a shelf, selected by stream and text, read in order of time.

mod block;
mod columns;
mod lines;
mod read;
mod rows;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use console_model::{Labels, LogBatch, Text, TraceId};
use hashbrown::{HashMap, HashSet};

pub use block::LogBlock;
pub use lines::{LogLine, LogLines};
pub use read::{Direction, LogBlocks, LogScan, WholeBlock};

use crate::disk::Disk;
use crate::error::IngestError;
use crate::facts::{Facts, Signal};
use crate::hash;
use crate::matcher::{Matcher, select};
use crate::options::Options;
use crate::shelf::{Left, OTHER_SERVICES, SERVICE_BYTES_MAX, Shelf, clamp};
use rows::OpenLogs;

/// Which lines are wanted: those that fulfil all of it.
#[derive(Debug, Clone)]
pub struct LogQuery {
    /// On the labels of the stream.
    pub matchers: Vec<Matcher>,
    /// The earliest, nanoseconds since the Unix epoch.
    pub from_ns: u64,
    /// The latest, nanoseconds since the Unix epoch.
    pub to_ns: u64,
    /// Texts that a line has to contain, each of them.
    pub contains: Vec<Text>,
    /// The trace that a record has to belong to.
    pub trace_id: Option<TraceId>,
    /// Whether nobody will look at lines, nor at records: then only what is needed to select is read. Who looks all
    /// the same is shown what is there, later.
    pub skips_text: bool,
}

impl Default for LogQuery {
    /// Everything.
    fn default() -> Self {
        Self {
            matchers: Vec::new(),
            from_ns: 0,
            to_ns: u64::MAX,
            contains: Vec::new(),
            trace_id: None,
            skips_text: false,
        }
    }
}

pub(crate) struct Logs {
    pub(crate) shelf: Arc<Shelf<OpenLogs>>,
    streams_max: usize,
    services_max: usize,
    /// Streams that are told apart, by service; those of services beyond the bound are counted together.
    streams: Mutex<HashMap<Text, HashSet<u64>>>,
}

/// What was not taken as it came.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) left: Left,
    pub(crate) merged: u64,
}

impl Logs {
    pub(crate) fn open(
        root: &Path,
        options: &Options,
        disk: &Arc<Disk>,
        facts: &Arc<Facts>,
        now_ms: i64,
    ) -> io::Result<Self> {
        let folder = root.join(Signal::Logs.name());
        let shelf = Shelf::open(folder, Signal::Logs, options, disk.clone(), facts.clone(), now_ms)?;
        Ok(Self {
            shelf: Arc::new(shelf),
            // A segment names as many streams, with room for the one that the rest goes to.
            streams_max: options.streams_per_service_max.min(4_000),
            services_max: options.services_max,
            streams: Mutex::new(HashMap::new()),
        })
    }

    pub(crate) fn ingest(&self, batch: &LogBatch, now_ms: i64, cutoff_ms: Option<i64>) -> Result<Taken, IngestError> {
        let cutoff_ns = cutoff_ms.and_then(|cutoff| u64::try_from(cutoff).ok()).map_or(0, |cutoff| cutoff * 1_000_000);
        let mut taken = Taken::default();
        let mut parts = Vec::with_capacity(batch.groups.len());
        for group in batch.groups.iter().filter(|group| !group.records.is_empty()) {
            let service = group.service();
            let stream = if self.admit(service, &group.stream) {
                group.stream.clone()
            } else {
                taken.merged += group.records.len() as u64;
                Labels::from_pairs([("service_name", service)])
            };
            parts.push((service, (group, stream, 0)));
        }
        self.shelf.ingest(now_ms, parts, |open, (group, stream, from)| {
            *from = open.add(group, stream, *from, cutoff_ns, &mut taken.left);
            *from < group.records.len()
        })?;
        Ok(taken)
    }

    /// Whether a stream is told apart from the others of its service.
    fn admit(&self, service: &str, stream: &Labels) -> bool {
        let key = hash::bytes(stream.packed().as_bytes());
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = streams.len() < self.services_max && service.len() <= SERVICE_BYTES_MAX;
        let is_known = has_room || streams.contains_key(service);
        let service = if is_known { service } else { OTHER_SERVICES };
        let known = match streams.get_mut(service) {
            Some(known) => known,
            None => {
                let kept = self.shelf.words(service).iter().map(|word| hash::bytes(word.as_bytes())).collect();
                streams.entry(service.into()).or_insert(kept)
            }
        };
        if known.len() < self.streams_max {
            known.insert(key);
        }
        known.contains(&key)
    }

    /// How many services are told apart.
    #[cfg(test)]
    pub(crate) fn known_services(&self) -> usize {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Forgets which streams of a service are known, so that those that have been removed make room.
    pub(crate) fn forget_streams(&self, service: &str) {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).remove(service);
    }

    /// The streams that have lines in a time, as far as segments tell.
    pub(crate) fn streams(&self, matchers: &[Matcher], from_ns: u64, to_ns: u64) -> Vec<Labels> {
        let mut found = BTreeSet::new();
        let (from, to) = (clamp(from_ns), clamp(to_ns));
        for view in self.shelf.view(|_| true) {
            let segments = view.segments.iter().filter(|segment| segment.extent().meets(from, to));
            let words = segments.flat_map(|segment| segment.words());
            let open = view.open.iter().filter(|open| open.extent.meets(from, to)).flat_map(|open| &open.words);
            found.extend(words.chain(open).filter_map(|word| Labels::from_packed(word)));
        }
        found.retain(|labels| select(matchers, labels));
        found.into_iter().collect()
    }
}
