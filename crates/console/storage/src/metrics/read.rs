//! Reading series: selected by matchers, their chunks gathered in one pass over the blocks of the time.

use std::io;

use bytes::Bytes;
use console_model::{Exemplar, Labels, MetricMetadata, order_of};
use hashbrown::HashMap;

use super::rows::{self, Chunk, ChunkKind, ns};
use super::{Metrics, chunk, head};
use crate::error::ReadError;
use crate::matcher::Matcher;
use crate::shelf::Segment;

mod series;

pub use series::{Histograms, Point, Points, Samples, SelectedSeries};

/// With no more than this many series, blocks are looked up; with more, all blocks of the time are read.
const FEW_SERIES: usize = 32;
/// Bytes of blocks that one selection holds.
const BYTES_MAX: usize = 256 << 20;

/// The bounds of one selection.
#[derive(Clone, Copy)]
pub struct SelectLimits<'a> {
    /// Series that matchers may select.
    pub series_max: usize,
    /// Bytes that are held for their samples, packed.
    pub bytes_max: usize,
    /// Whether to go on; asked before anything is read, and for every block.
    pub goes_on: &'a dyn Fn() -> bool,
}

impl SelectLimits<'static> {
    /// So many series, as many bytes as one answer can have use of, to the end.
    pub const fn series(series_max: usize) -> Self {
        Self { series_max, bytes_max: BYTES_MAX, goes_on: &|| true }
    }
}

/// How much of each series somebody wants to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    All,
    /// The newest sample is enough; there may be more.
    Newest,
}

impl Metrics {
    /// The series that matchers select and that have samples in `from_ms..=to_ms`, sorted by labels.
    pub(crate) fn select(
        &self,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
        depth: Depth,
        limits: &SelectLimits<'_>,
    ) -> Result<Vec<SelectedSeries>, ReadError> {
        if !(limits.goes_on)() {
            return Err(ReadError::Stopped);
        }
        let (mut selected, places) = self.take_from_head(matchers, from_ms, to_ms, depth, limits.series_max)?;
        let mut bytes = 0_usize;
        let of_head: Vec<_> = selected.iter().map(SelectedSeries::chunks).collect();
        // The head was read first: a chunk that went to the shelf since is seen twice and counted once.
        let views = if places.is_empty() { Vec::new() } else { self.shelf.view(|_| true) };
        for view in views {
            // A chunk holds the block that it is of.
            let mut take = |body: &Bytes| {
                let mut is_held = false;
                let read = rows::read(
                    body,
                    |series| places.contains_key(&series),
                    |chunk| {
                        let place = places.get(&chunk.series).and_then(|place| selected.get_mut(*place));
                        if let Some(series) = place.filter(|_| chunk.meets(from_ms, to_ms)) {
                            is_held = true;
                            series.add(chunk);
                        }
                    },
                );
                bytes = bytes.saturating_add(if is_held { body.len() } else { 0 });
                read.map(|()| bytes <= limits.bytes_max)
            };
            let too_many = || ReadError::TooMany { what: "bytes of samples", limit: limits.bytes_max };
            for segment in view.segments.iter().filter(|it| it.extent().meets(ns(from_ms), ns(to_ms))) {
                let failed = |source: io::Error| ReadError::Io { path: segment.path().to_owned(), source };
                let numbers = self.blocks_of(segment, &places).map_err(failed)?;
                let Some(reader) = self.shelf.read(segment).map_err(failed)? else { continue };
                for meta in numbers.into_iter().filter_map(|number| segment.blocks().get(number)) {
                    if !meta.extent.meets(ns(from_ms), ns(to_ms)) {
                        continue;
                    }
                    if !(limits.goes_on)() {
                        return Err(ReadError::Stopped);
                    }
                    let Some(frame) = reader.frame(meta).map_err(failed)? else { continue };
                    let frame = Bytes::from(frame);
                    match take(&frame.slice_ref(meta.body(&frame))) {
                        Ok(true) => {}
                        Ok(false) => return Err(too_many()),
                        Err(_) => reader.tell_damage(meta),
                    }
                }
            }
            if let Some(open) = view.open.filter(|open| open.extent.meets(ns(from_ms), ns(to_ms))) {
                // Written a moment ago by this process: it is what it was written as.
                if let Ok(false) = take(&Bytes::copy_from_slice(&open.body)) {
                    return Err(too_many());
                }
            }
        }
        for (series, of_head) in selected.iter_mut().zip(of_head) {
            // In the order in which they were taken.
            series.rotate(of_head);
        }
        selected.retain(SelectedSeries::has_any);
        let order = order_of(selected.iter().map(|series| &series.labels));
        let mut unsorted: Vec<Option<SelectedSeries>> = selected.into_iter().map(Some).collect();
        Ok(order.into_iter().filter_map(|at| unsorted.get_mut(at).and_then(Option::take)).collect())
    }

    /// Selected series with what the head has of them, and where each is in the list that is not whole with that.
    fn take_from_head(
        &self,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
        depth: Depth,
        series_max: usize,
    ) -> Result<(Vec<SelectedSeries>, HashMap<u32, usize>), ReadError> {
        let head = self.head();
        let numbers = head.index.select(matchers);
        if numbers.len() > series_max {
            return Err(ReadError::TooMany { what: "series", limit: series_max });
        }
        let mut full: HashMap<u32, Vec<Chunk>> = HashMap::new();
        for (_, chunk) in head.full.iter().filter(|(_, chunk)| chunk.meets(from_ms, to_ms)) {
            full.entry(chunk.series).or_default().push(chunk.clone());
        }
        let mut selected = Vec::with_capacity(numbers.len());
        let mut places = HashMap::new();
        for number in numbers {
            let Some(series) = head.series.get(&number) else { continue };
            let mut found = SelectedSeries::new(series.labels.clone(), from_ms, to_ms);
            // What the newest sample of a series is, is known without unpacking anything.
            let newest = series.last.filter(|last| !series.last_is_histogram && last.time_ms <= to_ms);
            if let Some(newest) = newest.filter(|_| depth == Depth::Newest) {
                if newest.time_ms >= from_ms {
                    found.newest = Some(newest);
                    selected.push(found);
                }
                continue;
            }
            full.remove(&number).unwrap_or_default().into_iter().for_each(|chunk| found.add(chunk));
            open_chunks(number, series, from_ms, to_ms).for_each(|chunk| found.add(chunk));
            places.insert(number, selected.len());
            selected.push(found);
        }
        Ok((selected, places))
    }

    fn blocks_of(&self, segment: &Segment, places: &HashMap<u32, usize>) -> io::Result<Vec<usize>> {
        if places.len() > FEW_SERIES {
            return Ok((0..segment.blocks().len()).collect());
        }
        let keys: Vec<u64> = places.keys().map(|series| rows::key(*series)).collect();
        self.shelf.find(segment, &keys)
    }

    /// The labels of the series that one of the selections selects and that may have samples in the time.
    pub(crate) fn series_labels(&self, matchers: &[Matcher], from_ms: i64, to_ms: i64) -> Vec<Labels> {
        let head = self.head();
        let numbers = head.index.select(matchers).into_iter();
        let series = numbers.filter_map(|number| head.series.get(&number));
        let lives = |series: &&super::head::Series| {
            series.last.is_some_and(|last| last.time_ms >= from_ms && series.first_ms <= to_ms)
        };
        let mut labels: Vec<Labels> = series.filter(lives).map(|series| series.labels.clone()).collect();
        drop(head);
        labels.sort_unstable();
        labels
    }

    /// Exemplars of the selected series, by series, oldest first.
    pub(crate) fn exemplars(&self, matchers: &[Matcher], from_ms: i64, to_ms: i64) -> Vec<(Labels, Vec<Exemplar>)> {
        let head = self.head();
        let numbers = head.index.select(matchers);
        let mut found: HashMap<u32, Vec<Exemplar>> = HashMap::new();
        for (number, exemplar) in &head.exemplars {
            let fits = (from_ms..=to_ms).contains(&exemplar.sample.time_ms);
            if fits && numbers.binary_search(number).is_ok() {
                found.entry(*number).or_default().push(exemplar.clone());
            }
        }
        let labels = |number: u32| head.series.get(&number).map(|series| series.labels.clone());
        let mut all: Vec<(Labels, Vec<Exemplar>)> =
            found.into_iter().filter_map(|(number, exemplars)| Some((labels(number)?, exemplars))).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    /// What is known of metrics, by name.
    pub(crate) fn metadata(&self) -> Vec<MetricMetadata> {
        let mut all: Vec<MetricMetadata> = self.head().metadata.values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

/// What the head has of a series in a time, beside its full chunks.
fn open_chunks(number: u32, series: &head::Series, from_ms: i64, to_ms: i64) -> impl Iterator<Item = Chunk> + '_ {
    let meets = move |count: u16, first_ms: i64, last_ms: i64| count > 0 && first_ms <= to_ms && from_ms <= last_ms;
    let writer = &series.chunk;
    let is_wanted = meets(writer.count(), writer.first_ms(), writer.last_ms());
    let floats = is_wanted.then(|| open_chunk(number, writer));
    let late = Chunk::of_late(number, &series.late);
    let histograms = series.histograms.iter().flat_map(move |it| {
        let is_wanted = meets(it.chunk.count(), it.chunk.first_ms(), it.chunk.last_ms());
        let in_time = is_wanted.then(|| Chunk::of_histograms(number, &it.chunk));
        in_time.into_iter().chain(Chunk::of_late_histograms(number, &it.late))
    });
    floats.into_iter().chain(late).chain(histograms).filter(move |chunk| chunk.meets(from_ms, to_ms))
}

fn open_chunk(series: u32, writer: &chunk::ChunkWriter) -> Chunk {
    Chunk {
        series,
        count: writer.count(),
        min_ms: writer.first_ms(),
        max_ms: writer.last_ms(),
        kind: ChunkKind::Floats,
        is_late: false,
        bits: writer.finished().into(),
    }
}
