//! Metrics: series of floats and of native histograms. A head in memory where each series fills a chunk, a log of what is in the head, a
//! list of the series, and a shelf for the chunks that are full.
//!
//! The log has every sample since it was last rotated, so a chunk that filled up since can be made again: on
//! opening it is, unless the shelf has it.

mod chunk;
mod head;
mod histogram_chunk;
mod index;
mod log;
mod read;
mod rows;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use console_model::{SampleBatch, TraceId};
use hashbrown::{HashMap, HashSet};

pub use head::SampleOutcome;
pub(crate) use read::Depth;
pub use read::{Histograms, Point, Points, Samples, SelectLimits, SelectedSeries};

use crate::disk::{Disk, sync_file};
use crate::error::IngestError;
use crate::facts::{Fact, Facts, Signal};
use crate::frame;
use crate::options::Options;
use crate::shelf::{OTHER_SERVICES, Segment, Shelf, Wal};
use head::{Head, Limits};
use rows::{Chunk, OpenChunks};

/// A series that takes nothing for this long gives its chunk to the shelf.
const IDLE_MS: i64 = 2 * 60 * 60 * 1_000;
/// The same where there is little room for new series: more than two of OTLP's usual intervals.
const IDLE_PRESSED_MS: i64 = 150 * 1_000;

const SETTLED_TOGETHER: usize = 256;

pub(crate) struct Metrics {
    pub(crate) shelf: Shelf<OpenChunks>,
    head: Mutex<Head>,
    /// Held while writing; taken before the head.
    log: Mutex<Wal>,
    series_path: PathBuf,
    disk: Arc<Disk>,
    options: Options,
}

impl Metrics {
    pub(crate) fn open(
        root: &Path,
        options: &Options,
        disk: &Arc<Disk>,
        facts: &Arc<Facts>,
        now_ms: i64,
    ) -> io::Result<Self> {
        let folder = root.join(Signal::Metrics.name());
        let shelf = Shelf::open(folder, Signal::Metrics, options, disk.clone(), facts.clone(), now_ms)?;
        let head_folder = root.join("head");
        fs::create_dir_all(&head_folder)?;
        let series_path = head_folder.join("series.list");
        let mut head = Head::default();
        let mut damaged = read_series(&mut head, &series_path)?;
        let (log, bytes, cut) = Wal::open(&head_folder, options.log_growth_max())?;
        damaged += cut;
        for (_, payload) in frame::Frames::new(&bytes) {
            if log::replay(&mut head, payload).is_err() {
                damaged += payload.len() as u64;
            }
        }
        head.new_services.drain(..).for_each(|service| shelf.reserve(&service));
        recover_chunks(&mut head, &shelf, now_ms)?;
        head.series.values_mut().for_each(|series| series.touched_ms = now_ms);
        while head.exemplars.len() > options.exemplars_max {
            head.exemplars.pop_front();
        }
        if damaged > 0 {
            let detail = "the head's log or list of series was not whole";
            facts.add(Fact::repaired(Signal::Metrics, "", damaged, now_ms, detail));
        }
        let (head, log) = (Mutex::new(head), Mutex::new(log));
        Ok(Self { shelf, head, log, series_path, disk: disk.clone(), options: options.clone() })
    }

    fn head(&self) -> MutexGuard<'_, Head> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn ingest(&self, batch: &SampleBatch, now_ms: i64) -> Result<SampleOutcome, IngestError> {
        let mut head = self.head();
        self.shelve(&mut head, now_ms)?;
        if head.unwritten.len() > self.options.open_bytes_max {
            let reason = self.shelf.failing().unwrap_or_else(|| "the log is behind".to_owned());
            return Err(IngestError::Unavailable { signal: Signal::Metrics, reason });
        }
        let outcome = head.ingest(batch, &Limits::new(&self.options, now_ms));
        head.new_services.drain(..).for_each(|service| self.shelf.reserve(&service));
        // What the shelf does not take now stays in the head, and the next batch waits for it.
        let _ = self.shelve(&mut head, now_ms);
        let is_behind = head.unwritten.len() > self.options.open_bytes();
        drop(head);
        if is_behind {
            // Whoever sends more than is written meanwhile writes it. What goes wrong the next flush will tell.
            let _ = self.write(now_ms);
        }
        Ok(outcome)
    }

    /// Puts full chunks on the shelf.
    fn shelve(&self, head: &mut Head, now_ms: i64) -> Result<(), IngestError> {
        if head.full.is_empty() {
            return Ok(());
        }
        let parts = head.full.iter().map(|(service, chunk)| (service.as_ref(), chunk));
        self.shelf.ingest(now_ms, parts, add)?;
        head.full.clear();
        Ok(())
    }

    /// Writes everything that was taken, so that it outlives this process.
    pub(crate) fn write(&self, now_ms: i64) -> io::Result<()> {
        let mut log = self.log();
        let (records, series, state, prepared) = {
            let mut head = self.head();
            let (mut state, mut prepared) = (None, Ok(()));
            // Chunks that are in neither the shelf nor a record must not be forgotten by a rotation.
            if log.is_long() && head.full.is_empty() {
                match log.prepare(&self.disk, |put| log::put_state(&head, put)) {
                    Ok(length) => state = Some(length),
                    // The log goes on as it is, if there is room for that.
                    Err(error) => prepared = Err(error),
                }
            }
            (std::mem::take(&mut head.unwritten), std::mem::take(&mut head.new_series), state, prepared)
        };
        let written = self.write_records(&mut log, &records, &series, state, now_ms);
        if written.is_err() {
            let mut head = self.head();
            let later = std::mem::replace(&mut head.unwritten, records);
            head.unwritten.extend_from_slice(&later);
            let later = std::mem::replace(&mut head.new_series, series);
            head.new_series.extend_from_slice(&later);
            log.discard();
        }
        written.and(prepared)
    }

    /// Series come before samples of them, and chunks before a log that has them no more.
    fn write_records(
        &self,
        log: &mut Wal,
        records: &[u8],
        series: &[u8],
        state: Option<u64>,
        now_ms: i64,
    ) -> io::Result<()> {
        self.shelf.write(now_ms)?;
        if !series.is_empty() {
            self.disk.append(&self.series_path, series)?;
        }
        if let Some(length) = state {
            return log.take_up(&self.disk, length, self.options.log_growth_max());
        }
        if records.is_empty() { Ok(()) } else { log.append(&self.disk, records) }
    }

    /// Brings everything that was written to the disk, so that it outlives the machine.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let unsynced = self.log().unsynced();
        self.shelf.sync()?;
        sync_file(&self.series_path)?;
        unsynced.sync()?;
        self.log().settle(&unsynced)
    }

    fn log(&self) -> MutexGuard<'_, Wal> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that the next flush writes at once because the log is to be rotated, roughly.
    pub(crate) fn rotation_bytes(&self) -> u64 {
        if !self.log().is_long() {
            return 0;
        }
        let head = self.head();
        let floats: u64 = head.series.values().map(|series| series.chunk.bytes() as u64 + 64).sum();
        floats + head.histogram_bytes as u64
    }

    /// Bytes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        let log = self.log().bytes();
        self.shelf.bytes() + log + fs::metadata(&self.series_path).map_or(0, |metadata| metadata.len())
    }

    /// Bytes of each service's samples that are in no block yet, as they are in memory.
    pub(crate) fn open_usage(&self) -> Vec<(Arc<str>, u64)> {
        let mut usage: HashMap<Arc<str>, u64> = self.shelf.open_usage().into_iter().collect();
        let head = self.head();
        for series in head.series.values() {
            let bytes = series.chunk.bytes() + size_of_val(series.late.as_slice());
            match usage.get_mut(&series.service) {
                Some(of_service) => *of_service += bytes as u64,
                None => drop(usage.insert(series.service.clone(), bytes as u64)),
            }
        }
        usage.into_iter().collect()
    }

    /// The oldest sample's time, nanoseconds since the Unix epoch; `None` without samples.
    pub(crate) fn oldest_ns(&self) -> Option<i64> {
        let in_head = {
            let head = self.head();
            let waiting = head.full.iter().map(|(_, chunk)| chunk.min_ms);
            waiting.chain(head.series.values().filter_map(head::Series::oldest_ms)).min()
        };
        in_head.map(rows::ns).into_iter().chain(self.shelf.oldest_ns()).min()
    }

    pub(crate) fn series_count(&self) -> usize {
        self.head().index.len()
    }

    /// The traces that exemplars refer to.
    pub(crate) fn pins(&self) -> HashSet<TraceId> {
        self.head().exemplars.iter().filter_map(|(_, exemplar)| exemplar.trace_id).collect()
    }

    pub(crate) fn evict(&self, segment: &Segment) -> io::Result<()> {
        self.shelf.remove(segment, None)
    }

    /// Gives idle series' chunks to the shelf.
    pub(crate) fn settle(&self, now_ms: i64) {
        let mut head = self.head();
        let pressed = self.pressed(&head);
        let is_idle = |series: &head::Series| {
            let idle_ms = if pressed.contains(&series.service) { IDLE_PRESSED_MS } else { IDLE_MS };
            !series.is_idle() && now_ms.saturating_sub(series.touched_ms) > idle_ms
        };
        let idle: Vec<u32> =
            head.series.iter().filter(|(_, series)| is_idle(series)).map(|(number, _)| *number).collect();
        // A few at a time: thousands end at once when a scrape's target does, and their chunks need not all be
        // in memory twice.
        for some in idle.chunks(SETTLED_TOGETHER) {
            for number in some {
                head.settle(*number);
            }
            if self.shelve(&mut head, now_ms).is_err() {
                return;
            }
        }
    }

    /// Services that have little room for new series.
    fn pressed(&self, head: &Head) -> HashSet<Arc<str>> {
        let is_pressed = |count: usize, bound: usize| count > bound - bound / 8;
        let all = is_pressed(head.counted, self.options.series_max);
        let services = head.services.iter();
        let pressed = services.filter(|(_, count)| all || is_pressed(**count, self.options.series_per_service_max));
        pressed.map(|(service, _)| service.clone()).collect()
    }

    /// The service whose oldest samples should go because series that are no more leave no room for new ones.
    /// Where it is series that still take samples, removing would give no room.
    pub(crate) fn crowded(&self) -> Option<Arc<str>> {
        let head = self.head();
        let pressed = self.pressed(&head);
        if pressed.is_empty() {
            return None;
        }
        // As the shelf has them: what services beyond the bound sent lies together.
        let known: HashSet<Arc<str>> = self.shelf.services().into_iter().collect();
        let mut ended: HashMap<&str, usize> = HashMap::new();
        for series in head.series.values().filter(|it| it.is_idle() && pressed.contains(&it.service)) {
            let service = if known.contains(&series.service) { &*series.service } else { OTHER_SERVICES };
            *ended.entry(service).or_insert(0) += 1;
        }
        let (service, count) = ended.into_iter().max_by_key(|(_, count)| *count)?;
        let bound = self.options.series_per_service_max.min(self.options.series_max);
        (count > bound / 16).then(|| service.into())
    }

    /// Forgets series of which nothing is kept any more. The list is written anew, and the log with it, so
    /// that neither speaks of a number that is given again.
    pub(crate) fn forget_series(&self, now_ms: i64) -> io::Result<()> {
        self.write(now_ms)?;
        let mut log = self.log();
        let mut head = self.head();
        let mut kept: HashSet<u64> = HashSet::new();
        for view in self.shelf.view(|_| true) {
            for segment in &view.segments {
                kept.extend(self.shelf.keys(segment)?.into_iter().map(|(key, _)| key));
            }
            if let Some(open) = view.open {
                let body = bytes::Bytes::copy_from_slice(&open.body);
                let _ = rows::read(
                    &body,
                    |_| true,
                    |chunk| {
                        kept.insert(rows::key(chunk.series));
                    },
                );
            }
        }
        let before = head.series.len();
        let is_kept = |number: u32, series: &head::Series| !series.is_idle() || kept.contains(&rows::key(number));
        if !head.full.is_empty() || head.series.iter().all(|(number, series)| is_kept(*number, series)) {
            return Ok(());
        }
        head.retain(is_kept);
        self.shelf.release(|service| head.services.contains_key(service));
        debug_assert!(head.series.len() < before, "something was to be forgotten");
        let mut list = Vec::new();
        log::put_next(&mut list, head.next_series);
        let mut numbers: Vec<u32> = head.series.keys().copied().collect();
        numbers.sort_unstable();
        for number in numbers {
            if let Some(series) = head.series.get(&number) {
                log::put_series(&mut list, number, &series.labels);
            }
        }
        let length = log.prepare(&self.disk, |put| log::put_state(&head, put))?;
        log.take_up(&self.disk, length, self.options.log_growth_max())?;
        self.shelf.sync()?;
        let unsynced = log.unsynced();
        unsynced.sync()?;
        log.settle(&unsynced)?;
        self.disk.replace(&self.series_path, &list)?;
        head.unwritten.clear();
        head.new_series.clear();
        Ok(())
    }
}

/// A chunk is a row, and leaves nothing.
fn add(open: &mut OpenChunks, chunk: &mut &Chunk) -> bool {
    open.add(chunk.clone());
    false
}

/// Puts on the shelf the chunks that filled up while the log was replayed and that are not there. It looks
/// for them where their times are.
fn recover_chunks(head: &mut Head, shelf: &Shelf<OpenChunks>, now_ms: i64) -> io::Result<()> {
    let identity = |chunk: &Chunk| (chunk.series, chunk.kind, chunk.min_ms, chunk.max_ms);
    let full = std::mem::take(&mut head.full);
    let (Some(from), Some(to)) =
        (full.iter().map(|(_, chunk)| chunk.min_ms).min(), full.iter().map(|(_, chunk)| chunk.max_ms).max())
    else {
        return Ok(());
    };
    let mut missing: HashSet<_> = full.iter().map(|(_, chunk)| identity(chunk)).collect();
    for view in shelf.view(|_| true) {
        for segment in &view.segments {
            let Some(reader) = shelf.read(segment)? else { continue };
            for meta in segment.blocks().iter().filter(|meta| meta.extent.meets(rows::ns(from), rows::ns(to))) {
                let Some(frame) = reader.frame(meta)?.map(bytes::Bytes::from) else { continue };
                let body = frame.slice_ref(meta.body(&frame));
                let found = rows::read(
                    &body,
                    |_| true,
                    |chunk| {
                        missing.remove(&identity(&chunk));
                    },
                );
                if found.is_err() {
                    reader.tell_damage(meta);
                }
            }
        }
        if let Some(open) = view.open {
            let body = bytes::Bytes::copy_from_slice(&open.body);
            let found = rows::read(
                &body,
                |_| true,
                |chunk| {
                    missing.remove(&identity(&chunk));
                },
            );
            debug_assert!(found.is_ok(), "rows that were just written are whole");
        }
    }
    let lost = full.iter().filter(|(_, chunk)| missing.contains(&identity(chunk)));
    shelf.ingest(now_ms, lost.map(|(service, chunk)| (service.as_ref(), chunk)), add).map_err(io::Error::other)
}

/// Reads the list of series. Gives the bytes that were cut off or could not be read.
fn read_series(head: &mut Head, path: &Path) -> io::Result<u64> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        other => other?,
    };
    let mut frames = frame::Frames::new(&bytes);
    let mut damaged = 0;
    for (_, payload) in frames.by_ref() {
        if log::replay_series(head, payload).is_err() {
            damaged += payload.len() as u64;
        }
    }
    let cut = (bytes.len() - frames.whole()) as u64;
    if cut > 0 {
        let file = fs::OpenOptions::new().write(true).open(path)?;
        file.set_len(frames.whole() as u64)?;
        file.sync_data()?;
    }
    Ok(damaged + cut)
}
