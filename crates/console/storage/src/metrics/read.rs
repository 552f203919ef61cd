//! Reading series: selected by matchers, their chunks gathered in one pass over the blocks of the time.

use std::io;

use bytes::Bytes;
use console_model::{Exemplar, Labels, MetricMetadata, Sample};
use hashbrown::HashMap;

use super::chunk::ChunkReader;
use super::rows::{self, Chunk, ns};
use super::{Metrics, chunk};
use crate::error::ReadError;
use crate::matcher::Matcher;
use crate::shelf::Segment;

/// With no more than this many series, blocks are looked up; with more, all blocks of the time are read.
const FEW_SERIES: usize = 32;

/// A series with its samples of a time, still packed.
#[derive(Debug, Clone)]
pub struct SelectedSeries {
    /// Its labels.
    pub labels: Labels,
    chunks: Vec<Chunk>,
    from_ms: i64,
    to_ms: i64,
}

impl SelectedSeries {
    /// Its samples in order of time, each time once.
    pub fn samples(&self) -> Samples<'_> {
        let in_order = self.chunks.is_sorted_by(|before, after| before.max_ms < after.min_ms);
        let inner = if in_order {
            Inner::Chunks { rest: self.chunks.iter(), open: None }
        } else {
            let (late, in_time): (Vec<&Chunk>, Vec<&Chunk>) = self.chunks.iter().partition(|chunk| chunk.is_late);
            // Of those of one time the first stays: in time before late, earlier taken before later.
            let mut all: Vec<Sample> = in_time.into_iter().chain(late).flat_map(Chunk::samples).collect();
            all.sort_by_key(|sample| sample.time_ms);
            all.dedup_by_key(|sample| sample.time_ms);
            Inner::Merged(all.into_iter())
        };
        Samples { inner, from_ms: self.from_ms, to_ms: self.to_ms }
    }

    /// No fewer than there are samples; a bound to decide by before unpacking them.
    pub fn samples_max(&self) -> usize {
        self.chunks.iter().map(|chunk| usize::from(chunk.count)).sum()
    }
}

/// The samples of one series. See [`SelectedSeries::samples`].
pub struct Samples<'a> {
    inner: Inner<'a>,
    from_ms: i64,
    to_ms: i64,
}

enum Inner<'a> {
    Chunks { rest: std::slice::Iter<'a, Chunk>, open: Option<ChunkReader<'a>> },
    Merged(std::vec::IntoIter<Sample>),
}

impl Iterator for Inner<'_> {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        match self {
            Self::Merged(samples) => samples.next(),
            Self::Chunks { rest, open } => loop {
                if let Some(sample) = open.as_mut().and_then(Iterator::next) {
                    return Some(sample);
                }
                *open = Some(rest.next()?.samples());
            },
        }
    }
}

impl Iterator for Samples<'_> {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        loop {
            let sample = self.inner.next()?;
            if sample.time_ms > self.to_ms {
                return None;
            }
            if sample.time_ms >= self.from_ms {
                return Some(sample);
            }
        }
    }
}

impl Metrics {
    /// The series that matchers select and that have samples in `from_ms..=to_ms`, sorted by labels.
    pub(crate) fn select(
        &self,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
        series_max: usize,
    ) -> Result<Vec<SelectedSeries>, ReadError> {
        let (mut selected, places) = self.take_from_head(matchers, from_ms, to_ms);
        if selected.len() > series_max {
            return Err(ReadError::TooMany { what: "series", limit: series_max });
        }
        let of_head: Vec<usize> = selected.iter().map(|series| series.chunks.len()).collect();
        // The head was read first: a chunk that went to the shelf since is seen twice and counted once.
        for view in self.shelf.view(|_| true) {
            let mut take = |body: &Bytes| {
                rows::read(
                    body,
                    |series| places.contains_key(&series),
                    |chunk| {
                        let place = places.get(&chunk.series).and_then(|place| selected.get_mut(*place));
                        if let Some(series) = place.filter(|_| chunk.meets(from_ms, to_ms)) {
                            series.chunks.push(chunk);
                        }
                    },
                )
            };
            for segment in view.segments.iter().filter(|it| it.extent().meets(ns(from_ms), ns(to_ms))) {
                let failed = |source: io::Error| ReadError::Io { path: segment.path().to_owned(), source };
                let numbers = self.blocks_of(segment, &places).map_err(failed)?;
                let Some(reader) = self.shelf.read(segment).map_err(failed)? else { continue };
                for meta in numbers.into_iter().filter_map(|number| segment.blocks().get(number)) {
                    if !meta.extent.meets(ns(from_ms), ns(to_ms)) {
                        continue;
                    }
                    let Some(frame) = reader.frame(meta).map_err(failed)? else { continue };
                    let frame = Bytes::from(frame);
                    if take(&frame.slice_ref(meta.body(&frame))).is_err() {
                        reader.tell_damage(meta);
                    }
                }
            }
            if let Some(open) = view.open.filter(|open| open.extent.meets(ns(from_ms), ns(to_ms))) {
                // Written a moment ago by this process: it is what it was written as.
                let _: Result<(), crate::codec::Damaged> = take(&Bytes::copy_from_slice(&open.body));
            }
        }
        for (series, of_head) in selected.iter_mut().zip(of_head) {
            // In the order in which they were taken.
            series.chunks.rotate_left(of_head);
        }
        selected.retain(|series| series.samples().next().is_some());
        selected.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(selected)
    }

    /// Selected series with what the head has of them, and where each is in the list.
    fn take_from_head(
        &self,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
    ) -> (Vec<SelectedSeries>, HashMap<u32, usize>) {
        let head = self.head();
        let numbers = head.index.select(matchers);
        let mut full: HashMap<u32, Vec<Chunk>> = HashMap::new();
        for (_, chunk) in head.full.iter().filter(|(_, chunk)| chunk.meets(from_ms, to_ms)) {
            full.entry(chunk.series).or_default().push(chunk.clone());
        }
        let mut selected = Vec::with_capacity(numbers.len());
        let mut places = HashMap::with_capacity(numbers.len());
        for number in numbers {
            let Some(series) = head.series.get(&number) else { continue };
            let writer = &series.chunk;
            let mut chunks = full.remove(&number).unwrap_or_default();
            if writer.count() > 0 && writer.first_ms() <= to_ms && from_ms <= writer.last_ms() {
                chunks.push(open_chunk(number, writer));
            }
            chunks.extend(Chunk::of_late(number, &series.late).filter(|chunk| chunk.meets(from_ms, to_ms)));
            places.insert(number, selected.len());
            selected.push(SelectedSeries { labels: series.labels.clone(), chunks, from_ms, to_ms });
        }
        (selected, places)
    }

    fn blocks_of(&self, segment: &Segment, places: &HashMap<u32, usize>) -> io::Result<Vec<usize>> {
        if places.len() > FEW_SERIES {
            return Ok((0..segment.blocks().len()).collect());
        }
        let mut numbers = Vec::new();
        for series in places.keys() {
            numbers.extend(self.shelf.find(segment, rows::key(*series))?);
        }
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
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

fn open_chunk(series: u32, writer: &chunk::ChunkWriter) -> Chunk {
    Chunk {
        series,
        count: writer.count(),
        min_ms: writer.first_ms(),
        max_ms: writer.last_ms(),
        is_late: false,
        bits: writer.finished().into(),
    }
}
