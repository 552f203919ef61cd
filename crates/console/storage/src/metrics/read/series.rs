//! A series that was selected, and its samples in order of time: floats, native histograms, or both.

use console_model::{CounterReset, HistogramSample, Labels, Sample};
use std::sync::Arc;

use crate::metrics::chunk::ChunkReader;
use crate::metrics::histogram_chunk::HistogramReader;
use crate::metrics::rows::{Chunk, ChunkKind};

/// A series with its samples of a time, still packed.
#[derive(Debug, Clone)]
pub struct SelectedSeries {
    /// Its labels.
    pub labels: Labels,
    pub(super) floats: Vec<Chunk>,
    pub(super) histograms: Vec<Chunk>,
    /// The only sample, where no more was wanted; there are no chunks then.
    pub(super) newest: Option<Sample>,
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
}

impl SelectedSeries {
    pub(super) const fn new(labels: Labels, from_ms: i64, to_ms: i64) -> Self {
        Self { labels, floats: Vec::new(), histograms: Vec::new(), newest: None, from_ms, to_ms }
    }

    pub(super) fn add(&mut self, chunk: Chunk) {
        match chunk.kind {
            ChunkKind::Floats => self.floats.push(chunk),
            ChunkKind::Histograms => self.histograms.push(chunk),
        }
    }

    /// How many chunks of each kind there are.
    pub(super) const fn chunks(&self) -> [usize; 2] {
        [self.floats.len(), self.histograms.len()]
    }

    /// Puts the first so many chunks of each kind behind the others.
    pub(super) fn rotate(&mut self, [floats, histograms]: [usize; 2]) {
        self.floats.rotate_left(floats);
        self.histograms.rotate_left(histograms);
    }

    /// Its float samples in order of time, each time once.
    pub fn samples(&self) -> Samples<'_> {
        let inner = if let Some(newest) = self.newest {
            Inner::One(Some(newest))
        } else if in_order(&self.floats) {
            Inner::Chunks { rest: self.floats.iter(), open: None }
        } else {
            Inner::Merged(merged(&self.floats, Chunk::samples, |sample| sample.time_ms).into_iter())
        };
        Samples { inner, from_ms: self.from_ms, to_ms: self.to_ms }
    }

    /// Its native histograms in order of time, each time once. A hint that there was no counter reset is of
    /// the histogram before in this order.
    pub fn histograms(&self) -> Histograms<'_> {
        let inner = if in_order(&self.histograms) {
            Inner::Chunks { rest: self.histograms.iter(), open: None }
        } else {
            let mut all = merged(&self.histograms, Chunk::histograms, |sample| sample.time_ms);
            all.iter_mut().for_each(forget_hint);
            Inner::Merged(all.into_iter())
        };
        Histograms { inner, from_ms: self.from_ms, to_ms: self.to_ms, is_first: true }
    }

    /// Whether there is a sample in the time.
    pub(super) fn has_any(&self) -> bool {
        // A chunk has samples at its ends; only one that begins before the time and ends after it has to be unpacked.
        let ends =
            |chunk: &Chunk| [chunk.min_ms, chunk.max_ms].iter().any(|at| (self.from_ms..=self.to_ms).contains(at));
        self.newest.is_some()
            || self.floats.iter().chain(&self.histograms).any(ends)
            || self.samples().next().is_some()
            || self.histograms().next().is_some()
    }

    /// Whether it may have native histograms; else [`SelectedSeries::samples`] is all there is.
    pub fn has_histograms(&self) -> bool {
        !self.histograms.is_empty()
    }

    /// Both kinds in order of time, each time once.
    pub fn points(&self) -> Points<'_> {
        Points { samples: self.samples().peekable(), histograms: self.histograms().peekable() }
    }

    /// No fewer than there are samples of both kinds; a bound to decide by before unpacking them.
    pub fn samples_max(&self) -> usize {
        let packed: usize = self.floats.iter().chain(&self.histograms).map(|chunk| usize::from(chunk.count)).sum();
        packed + usize::from(self.newest.is_some())
    }
}

fn in_order(chunks: &[Chunk]) -> bool {
    chunks.is_sorted_by(|before, after| before.max_ms < after.min_ms)
}

/// Of those of one time the first stays: in time before late, earlier taken before later.
fn merged<'a, I: Iterator>(
    chunks: &'a [Chunk],
    read: impl Fn(&'a Chunk) -> I,
    time_ms: impl Fn(&I::Item) -> i64,
) -> Vec<I::Item> {
    let (late, in_time): (Vec<&Chunk>, Vec<&Chunk>) = chunks.iter().partition(|chunk| chunk.is_late);
    let mut all: Vec<I::Item> = in_time.into_iter().chain(late).flat_map(read).collect();
    all.sort_by_key(&time_ms);
    all.dedup_by_key(|sample| time_ms(sample));
    all
}

/// What was known of the sample before is not known of the one that is now before.
fn forget_hint(sample: &mut HistogramSample) {
    if sample.histogram.counter_reset == CounterReset::NotReset {
        Arc::make_mut(&mut sample.histogram).counter_reset = CounterReset::Unknown;
    }
}

/// Samples of chunks one after another, or of chunks that overlap.
enum Inner<'a, R: Iterator> {
    Chunks { rest: std::slice::Iter<'a, Chunk>, open: Option<R> },
    Merged(std::vec::IntoIter<R::Item>),
    One(Option<R::Item>),
}

impl<'a, R: Iterator> Inner<'a, R> {
    fn next(&mut self, read: impl Fn(&'a Chunk) -> R) -> Option<R::Item> {
        match self {
            Self::Merged(samples) => samples.next(),
            Self::One(sample) => sample.take(),
            Self::Chunks { rest, open } => loop {
                if let Some(sample) = open.as_mut().and_then(Iterator::next) {
                    return Some(sample);
                }
                *open = Some(read(rest.next()?));
            },
        }
    }
}

/// The float samples of one series. See [`SelectedSeries::samples`].
pub struct Samples<'a> {
    inner: Inner<'a, ChunkReader<'a>>,
    from_ms: i64,
    to_ms: i64,
}

impl Iterator for Samples<'_> {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        loop {
            let sample = self.inner.next(Chunk::samples)?;
            if sample.time_ms > self.to_ms {
                return None;
            }
            if sample.time_ms >= self.from_ms {
                return Some(sample);
            }
        }
    }
}

/// The native histograms of one series. See [`SelectedSeries::histograms`].
pub struct Histograms<'a> {
    inner: Inner<'a, HistogramReader<'a>>,
    from_ms: i64,
    to_ms: i64,
    is_first: bool,
}

impl Iterator for Histograms<'_> {
    type Item = HistogramSample;

    fn next(&mut self) -> Option<HistogramSample> {
        loop {
            let mut sample = self.inner.next(Chunk::histograms)?;
            if sample.time_ms > self.to_ms {
                return None;
            }
            if sample.time_ms >= self.from_ms {
                if std::mem::take(&mut self.is_first) {
                    forget_hint(&mut sample);
                }
                return Some(sample);
            }
        }
    }
}

/// A sample of either kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Point {
    /// A float.
    Float(Sample),
    /// A native histogram.
    Histogram(HistogramSample),
}

impl Point {
    /// When, milliseconds since the Unix epoch.
    pub const fn time_ms(&self) -> i64 {
        match self {
            Self::Float(sample) => sample.time_ms,
            Self::Histogram(sample) => sample.time_ms,
        }
    }
}

/// The samples of one series, of both kinds. See [`SelectedSeries::points`].
pub struct Points<'a> {
    samples: std::iter::Peekable<Samples<'a>>,
    histograms: std::iter::Peekable<Histograms<'a>>,
}

impl Iterator for Points<'_> {
    type Item = Point;

    fn next(&mut self) -> Option<Point> {
        let Some(histogram) = self.histograms.peek() else { return self.samples.next().map(Point::Float) };
        let Some(sample) = self.samples.next_if(|sample| sample.time_ms <= histogram.time_ms) else {
            return self.histograms.next().map(Point::Histogram);
        };
        // Both at one time can only be where one of them was late.
        self.histograms.next_if(|histogram| histogram.time_ms == sample.time_ms);
        Some(Point::Float(sample))
    }
}
