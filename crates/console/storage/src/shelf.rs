//! A shelf keeps the rows of one signal: a partition for each service, each with open rows in memory and
//! immutable blocks in segment files, and one write-ahead log for what is not yet in a block.
//!
//! What a row is, a shelf does not know: see [`Rows`]. Retention decides elsewhere what goes; a shelf tells
//! what it has and removes what it is told to.

mod block;
mod open;
mod segment;
mod table;
mod view;
mod wal;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use console_model::Text;
use hashbrown::HashMap;

pub(crate) use block::{BlockMeta, Encoded, Extent, Form, clamp};
pub(crate) use segment::{Segment, index_holds};
pub(crate) use view::{OpenView, PartitionView, SegmentReader};

use crate::codec::Damaged;
use crate::disk::{Disk, sync_file, sync_folder};
use crate::error::IngestError;
use crate::facts::{Facts, Signal};
use crate::options::Options;
pub(crate) use wal::Wal;

/// Rows that are open: they take more at the end and can be written down.
pub(crate) trait Rows: Default + Send + 'static {
    /// How many rows there are.
    fn len(&self) -> usize;
    /// How much memory they take, roughly, bytes.
    fn bytes(&self) -> usize;
    /// Whether it is time to make a block of them.
    fn is_full(&self) -> bool;
    /// The newest time among them, from which they age, nanoseconds since the Unix epoch.
    fn newest_ns(&self) -> i64;
    /// The same of rows that reach over this; later, where that is all that can be told.
    fn newest_of(extent: &Extent) -> i64 {
        extent.max
    }
    /// The oldest time among them, the same; `None` without rows.
    fn oldest_ns(&self) -> Option<i64>;
    /// Writes down the rows from `from` on.
    fn encode(&self, from: usize, form: Form) -> Encoded;
    /// Adds the rows of a body that [`Rows::encode`] wrote; on damage none of them.
    fn absorb(&mut self, body: &[u8]) -> Result<(), Damaged>;
}

/// A row that takes more is not taken: a block has to stay well below what a frame can hold.
pub(crate) const ROW_BYTES_MAX: usize = 32 << 20;

/// What was not taken of a batch that was.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Older than the store keeps.
    pub too_old: u64,
    /// Larger than 32 MiB.
    pub too_large: u64,
}

/// A service with a longer name has no place of its own: names are kept in memory for as long as anything of theirs.
pub(crate) const SERVICE_BYTES_MAX: usize = 1 << 10;
/// What services beyond the bound share.
pub(crate) const OTHER_SERVICES: &str = "(other services)";

/// See the module.
pub(crate) struct Shelf<R> {
    signal: Signal,
    folder: PathBuf,
    disk: Arc<Disk>,
    facts: Arc<Facts>,
    segment_bytes: u64,
    open_bytes_max: usize,
    services_max: usize,
    log_growth_max: u64,
    state: Mutex<State<R>>,
}

struct State<R> {
    partitions: Vec<Partition<R>>,
    by_service: HashMap<Arc<str>, usize>,
    wal: Wal,
    /// Files with bytes that are not synced yet.
    dirty: BTreeSet<PathBuf>,
    /// What the system said when something could last not be written.
    failing: Option<String>,
    open_bytes: usize,
    next_segment: u64,
}

struct Partition<R> {
    service: Arc<str>,
    open: R,
    /// Number of the first open row, counted from the partition's beginning.
    first_seq: u64,
    /// How many of the open rows are in the log.
    logged: usize,
    /// When the first of the open rows came, milliseconds since the Unix epoch.
    opened_ms: i64,
    /// Oldest first. Only the last may still grow.
    segments: Vec<Arc<Segment>>,
    /// What readers were last shown of the open rows.
    shown: Option<Arc<view::OpenView>>,
    /// Whether it stays its service's though it is empty.
    is_reserved: bool,
}

impl<R: Rows> Partition<R> {
    fn new(service: Arc<str>) -> Self {
        Self {
            service,
            open: R::default(),
            first_seq: 0,
            logged: 0,
            opened_ms: 0,
            segments: Vec::new(),
            shown: None,
            is_reserved: false,
        }
    }

    fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes()).sum()
    }

    fn clear_open(&mut self) {
        self.first_seq += self.open.len() as u64;
        self.open = R::default();
        self.logged = 0;
        self.shown = None;
    }
}

impl<R: Rows> Shelf<R> {
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        // A panic elsewhere must not take the telemetry with it; rows are whole between statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes rows: `add` is given the open rows of each service named, one after the other, and says whether
    /// it left something for when they are a block.
    pub(crate) fn ingest<'a, I>(
        &self,
        now_ms: i64,
        parts: impl IntoIterator<Item = (&'a str, I)>,
        mut add: impl FnMut(&mut R, &mut I) -> bool,
    ) -> Result<(), IngestError> {
        let mut state = self.lock();
        if let Some(reason) = state.failing.clone().filter(|_| state.open_bytes >= self.open_bytes_max) {
            return Err(IngestError::Unavailable { signal: self.signal, reason });
        }
        for (service, mut part) in parts {
            let index = state.partition(service, self.services_max);
            let mut is_left = true;
            while is_left {
                let Some(partition) = state.partitions.get_mut(index) else { break };
                if partition.open.len() == 0 {
                    partition.opened_ms = now_ms;
                }
                let before = partition.open.bytes();
                is_left = add(&mut partition.open, &mut part);
                let grown = partition.open.bytes().saturating_sub(before);
                let full = partition.open.is_full();
                state.open_bytes += grown;
                if full && state.failing.is_none() {
                    self.seal(&mut state, index, now_ms);
                }
            }
        }
        if state.open_bytes > self.open_bytes_max && state.failing.is_none() {
            self.seal_largest(&mut state, now_ms);
        }
        Ok(())
    }

    /// Makes a block of the open rows. What cannot be written stays open.
    fn seal(&self, state: &mut State<R>, index: usize, now_ms: i64) {
        let Some(partition) = state.partitions.get_mut(index).filter(|partition| partition.open.len() > 0) else {
            return;
        };
        let encoded = partition.open.encode(0, Form::Packed);
        let rows = partition.open.len();
        let bytes = partition.open.bytes();
        let full = partition.segments.last().is_none_or(|last| last.is_closed() || last.bytes() >= self.segment_bytes);
        let written = if full {
            if let Some(last) = partition.segments.last_mut() {
                self.finish(last, &mut state.dirty);
            }
            let id = state.next_segment;
            Segment::create(&self.folder, id, self.signal, &partition.service, now_ms)
                .append(&self.disk, partition.first_seq, rows, &encoded)
                .map(|segment| {
                    state.next_segment += 1;
                    partition.segments.push(Arc::new(segment));
                })
        } else {
            partition.segments.last_mut().map_or_else(
                || Err(io::ErrorKind::NotFound.into()),
                |last| {
                    let grown = Segment::clone(last).append(&self.disk, partition.first_seq, rows, &encoded)?;
                    *last = Arc::new(grown);
                    Ok(())
                },
            )
        };
        match written {
            Ok(()) => {
                state.dirty.extend(partition.segments.last().map(|last| last.path().to_owned()));
                partition.clear_open();
                state.open_bytes = state.open_bytes.saturating_sub(bytes);
            }
            Err(error) => state.failing = Some(error.to_string()),
        }
    }

    /// Gives a segment its index; from now on it does not grow. A missing index is made again when the
    /// shelf is next opened, so failing to write it loses nothing.
    fn finish(&self, segment: &mut Arc<Segment>, dirty: &mut BTreeSet<PathBuf>) {
        if segment.is_closed() {
            return;
        }
        match segment.seal(&self.disk) {
            Ok(sealed) => {
                dirty.insert(segment::index_path(sealed.path()));
                *segment = Arc::new(sealed);
            }
            Err(_) => *segment = Arc::new(segment.close()),
        }
    }

    fn seal_largest(&self, state: &mut State<R>, now_ms: i64) {
        while state.open_bytes > self.open_bytes_max / 2 && state.failing.is_none() {
            let largest = state.partitions.iter().enumerate().max_by_key(|(_, partition)| partition.open.bytes());
            let Some(index) = largest.filter(|(_, partition)| partition.open.len() > 0).map(|(index, _)| index) else {
                return;
            };
            self.seal(state, index, now_ms);
        }
    }

    /// Writes everything that was taken, so that it outlives this process.
    pub(crate) fn write(&self, now_ms: i64) -> io::Result<()> {
        let mut state = self.lock();
        state.failing = None;
        // What is full goes to a block; to the log too only if it cannot.
        for index in 0..state.partitions.len() {
            if state.failing.is_none() && state.partitions.get(index).is_some_and(|it| it.open.is_full()) {
                self.seal(&mut state, index, now_ms);
            }
        }
        // After a start with smaller bounds, or after a time without room, there are more than there may be.
        if state.open_bytes > self.open_bytes_max {
            self.seal_largest(&mut state, now_ms);
        }
        if let Err(error) = self.log_open_rows(&mut state) {
            state.failing = Some(error.to_string());
        }
        state.failing.clone().map_or(Ok(()), |reason| Err(io::Error::other(reason)))
    }

    /// Brings everything that was written to the disk, so that it outlives the machine.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let (dirty, log) = {
            let mut state = self.lock();
            (std::mem::take(&mut state.dirty), state.wal.unsynced())
        };
        let folder = if dirty.is_empty() { Ok(()) } else { sync_folder(&self.folder) };
        let synced = folder.and_then(|()| dirty.iter().try_for_each(|path| sync_file(path))).and_then(|()| log.sync());
        let mut state = self.lock();
        if synced.is_err() {
            state.dirty.extend(dirty);
            return synced;
        }
        state.wal.settle(&log)
    }

    fn log_open_rows(&self, state: &mut State<R>) -> io::Result<()> {
        let mut frames = Vec::new();
        for partition in &state.partitions {
            if partition.logged < partition.open.len() {
                wal::put(&mut frames, partition, partition.logged);
            }
        }
        if !frames.is_empty() {
            state.wal.append(&self.disk, &frames)?;
            state.partitions.iter_mut().for_each(|partition| partition.logged = partition.open.len());
        }
        if state.wal.is_long() {
            let mut frames = Vec::new();
            for partition in state.partitions.iter().filter(|partition| partition.open.len() > 0) {
                wal::put(&mut frames, partition, 0);
            }
            // Blocks take over what the old log had: it goes after they are on disk.
            state.wal.rotate(&self.disk, &frames, self.log_growth_max)?;
        }
        Ok(())
    }

    /// What cannot be written at the moment, and why.
    pub(crate) fn failing(&self) -> Option<String> {
        self.lock().failing.clone()
    }

    /// Bytes on disk, with those of the log.
    pub(crate) fn bytes(&self) -> u64 {
        let state = self.lock();
        state.wal.bytes() + state.partitions.iter().map(Partition::bytes).sum::<u64>()
    }

    /// Bytes on disk of each service.
    pub(crate) fn usage(&self) -> Vec<(Arc<str>, u64)> {
        self.lock().partitions.iter().map(|partition| (partition.service.clone(), partition.bytes())).collect()
    }

    /// Bytes of each service's rows that are in no block yet: as they are in memory, for the log has them for all
    /// services together.
    pub(crate) fn open_usage(&self) -> Vec<(Arc<str>, u64)> {
        let state = self.lock();
        let open = state.partitions.iter().filter(|partition| partition.open.len() > 0);
        open.map(|partition| (partition.service.clone(), partition.open.bytes() as u64)).collect()
    }

    /// The oldest segment of a service, which then grows no more. Rows that are still open stay.
    pub(crate) fn oldest(&self, service: &str) -> Option<Arc<Segment>> {
        let mut state = self.lock();
        let index = *state.by_service.get(service)?;
        let State { partitions, dirty, .. } = &mut *state;
        let segment = partitions.get_mut(index)?.segments.first_mut()?;
        self.finish(segment, dirty);
        Some(segment.clone())
    }

    /// Gives a service its partition, if there is one to be had, before it has rows. Who comes first is served
    /// first, however long it takes to fill a row.
    pub(crate) fn reserve(&self, service: &str) {
        let mut state = self.lock();
        let index = state.partition(service, self.services_max);
        if let Some(partition) = state.partitions.get_mut(index) {
            partition.is_reserved = true;
        }
    }

    /// Lets go of reservations of services that are not to be kept.
    pub(crate) fn release(&self, is_kept: impl Fn(&str) -> bool) {
        self.lock().partitions.iter_mut().for_each(|partition| partition.is_reserved &= is_kept(&partition.service));
    }

    /// Makes a block of a service's open rows, so that they can go.
    pub(crate) fn seal_open(&self, service: &str, now_ms: i64) {
        let mut state = self.lock();
        if let Some(index) = state.by_service.get(service).copied() {
            self.seal(&mut state, index, now_ms);
        }
    }

    /// Segments in which everything is older than `cutoff_ms`. Open rows that are get dropped; what has
    /// been growing for longer than `grow_ms` grows no more, so that it can become old as a whole.
    pub(crate) fn expire(&self, now_ms: i64, cutoff_ms: i64, grow_ms: i64) -> Vec<Arc<Segment>> {
        let mut state = self.lock();
        let mut expired = Vec::new();
        for index in 0..state.partitions.len() {
            let Some(partition) = state.partitions.get_mut(index) else { continue };
            if partition.open.len() > 0 && partition.open.newest_ns() / 1_000_000 < cutoff_ms {
                let bytes = partition.open.bytes();
                partition.clear_open();
                state.open_bytes = state.open_bytes.saturating_sub(bytes);
            } else if partition.open.len() > 0 && now_ms.saturating_sub(partition.opened_ms) > grow_ms {
                self.seal(&mut state, index, now_ms);
            }
            let State { partitions, dirty, .. } = &mut *state;
            let Some(partition) = partitions.get_mut(index) else { continue };
            if let Some(last) = partition.segments.last_mut()
                && now_ms.saturating_sub(last.created_ms()) > grow_ms
            {
                self.finish(last, dirty);
            }
            let is_old = |segment: &&Arc<Segment>| {
                // A sender's clock may be years ahead; what it sent ages from when it came.
                let newest_ms = R::newest_of(&segment.extent()) / 1_000_000;
                segment.is_closed() && newest_ms.min(segment.created_ms().saturating_add(grow_ms)) < cutoff_ms
            };
            expired.extend(partition.segments.iter().filter(is_old).cloned());
        }
        expired
    }

    /// Removes a segment and its files. `keep_index` leaves the index behind, renamed to that.
    pub(crate) fn remove(&self, segment: &Segment, keep_index: Option<&Path>) -> io::Result<()> {
        {
            let mut state = self.lock();
            let Some(index) = state.by_service.get(segment.service()).copied() else { return Ok(()) };
            if let Some(partition) = state.partitions.get_mut(index) {
                partition.segments.retain(|kept| kept.id() != segment.id());
            }
        }
        segment.delete(keep_index)
    }

    /// The oldest time of all rows, nanoseconds since the Unix epoch; `None` without rows.
    pub(crate) fn oldest_ns(&self) -> Option<i64> {
        let state = self.lock();
        let segments = state.partitions.iter().flat_map(|it| &it.segments).map(|segment| segment.extent().min);
        segments.chain(state.partitions.iter().filter_map(|partition| partition.open.oldest_ns())).min()
    }

    /// The names of services that have rows.
    pub(crate) fn services(&self) -> Vec<Arc<str>> {
        let state = self.lock();
        let with_rows = state.partitions.iter().filter(|it| it.open.len() > 0 || !it.segments.is_empty());
        with_rows.map(|partition| partition.service.clone()).collect()
    }

    /// The words of a service's rows: whatever the signal counts as such.
    pub(crate) fn words(&self, service: &str) -> Vec<Text> {
        let views = self.view(|name| name == service);
        let mut words: Vec<Text> = views.iter().flat_map(PartitionView::words).collect();
        words.sort_unstable();
        words.dedup();
        words
    }
}

impl<R: Rows> State<R> {
    fn partition(&mut self, service: &str, services_max: usize) -> usize {
        if let Some(index) = self.by_service.get(service) {
            return *index;
        }
        let own = self.partitions.len() - usize::from(self.by_service.contains_key(OTHER_SERVICES));
        if service.len() > SERVICE_BYTES_MAX {
            return self.partition(OTHER_SERVICES, services_max);
        }
        if own >= services_max && service != OTHER_SERVICES {
            // An idle partition gives its place to a new one, so that names that are gone do not fill it.
            return self.reuse(service).unwrap_or_else(|| self.partition(OTHER_SERVICES, services_max));
        }
        let service: Arc<str> = service.into();
        self.partitions.push(Partition::new(service.clone()));
        self.by_service.insert(service, self.partitions.len() - 1);
        self.partitions.len() - 1
    }

    fn reuse(&mut self, service: &str) -> Option<usize> {
        let idle = |partition: &Partition<R>| {
            partition.open.len() == 0 && partition.segments.is_empty() && !partition.is_reserved
        };
        let index = self.partitions.iter().position(idle)?;
        let partition = self.partitions.get_mut(index)?;
        self.by_service.remove(&partition.service);
        let service: Arc<str> = service.into();
        *partition = Partition::new(service.clone());
        self.by_service.insert(service, index);
        Some(index)
    }
}
