//! Native histograms in the head: judged as floats are, with chunks of their own. A series that has none
//! pays a pointer for them.

use std::sync::Arc;

use console_model::{CounterReset, HistogramSample, Sample, SeriesSamples};

use super::{Head, LATE_MAX, Limits, SampleOutcome, Series};
use crate::metrics::histogram_chunk::HistogramWriter;
use crate::metrics::log::SamplesRecord;
use crate::metrics::rows::Chunk;

/// Histograms in a full chunk. Half an hour at a scrape every 15 seconds.
const CHUNK_HISTOGRAMS: u16 = 120;
/// A chunk of histograms with many buckets is full sooner.
const CHUNK_BYTES: usize = 8_192;

/// What a series has of histograms.
#[derive(Default)]
pub(crate) struct Histograms {
    pub(crate) chunk: HistogramWriter,
    /// The newest, if it was a moment ago; it is forgotten when memory is short.
    pub(crate) last: Option<HistogramSample>,
    pub(crate) late: Vec<HistogramSample>,
}

impl Histograms {
    /// Bytes in memory, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let of = |sample: &HistogramSample| sample.histogram.bytes();
        size_of::<Self>()
            + self.chunk.bytes()
            + self.last.as_ref().map_or(0, of)
            + self.late.iter().map(of).sum::<usize>()
    }

    fn late_at(&self, time_ms: i64) -> Result<usize, usize> {
        self.late.binary_search_by_key(&time_ms, |late| late.time_ms)
    }
}

/// A sample of either kind.
pub(crate) enum Either<'a> {
    Float(Sample),
    Histogram(&'a HistogramSample),
}

impl Either<'_> {
    const fn time_ms(&self) -> i64 {
        match self {
            Self::Float(sample) => sample.time_ms,
            Self::Histogram(sample) => sample.time_ms,
        }
    }
}

/// Both kinds in one order: a message has first all of one and then all of the other, though they alternate.
struct InOrder<'a> {
    floats: &'a [Sample],
    histograms: &'a [HistogramSample],
}

impl<'a> Iterator for InOrder<'a> {
    type Item = Either<'a>;

    fn next(&mut self) -> Option<Either<'a>> {
        let histogram_first = match (self.floats.first(), self.histograms.first()) {
            (Some(float), Some(histogram)) => histogram.time_ms < float.time_ms,
            (float, _) => float.is_none(),
        };
        if histogram_first {
            let (first, rest) = self.histograms.split_first()?;
            self.histograms = rest;
            Some(Either::Histogram(first))
        } else {
            let (first, rest) = self.floats.split_first()?;
            self.floats = rest;
            Some(Either::Float(*first))
        }
    }
}

impl Head {
    /// Takes the samples of a series that has histograms, in order of time where a sender keeps one.
    pub(super) fn push_mixed(
        &mut self,
        number: u32,
        part: &SeriesSamples,
        limits: &Limits,
        outcome: &mut SampleOutcome,
        record: &mut SamplesRecord,
    ) {
        let mut accepted = Vec::new();
        for sample in (InOrder { floats: &part.samples, histograms: &part.histograms }) {
            if limits.is_too_old(sample.time_ms()) {
                outcome.too_old += 1;
                continue;
            }
            match sample {
                Either::Float(sample) => {
                    self.push(number, sample, limits, outcome, &mut accepted);
                    record.add(&mut self.unwritten, number, &accepted);
                    accepted.clear();
                }
                Either::Histogram(sample) if sample.histogram.check().is_err() => outcome.invalid += 1,
                Either::Histogram(sample) => self.push_histogram(number, sample, limits, outcome, record),
            }
        }
    }

    fn push_histogram(
        &mut self,
        number: u32,
        sample: &HistogramSample,
        limits: &Limits,
        outcome: &mut SampleOutcome,
        record: &mut SamplesRecord,
    ) {
        let Some(series) = self.series.get_mut(&number) else { return };
        series.touched_ms = limits.now_ms;
        if !series.takes_histogram(sample, limits, outcome) {
            return;
        }
        let sample = series.verified(sample);
        outcome.accepted += 1;
        record.add_histogram(&mut self.unwritten, number, &sample);
        self.append_histogram(number, sample);
    }

    /// Adds a histogram that was judged, as [`Head::append`] adds a float.
    pub(crate) fn append_histogram(&mut self, number: u32, sample: HistogramSample) {
        let Some(series) = self.series.get_mut(&number) else { return };
        series.first_ms = series.first_ms.min(sample.time_ms);
        let histograms = series.histograms.get_or_insert_default();
        let before = histograms.bytes();
        let is_late = series.last.is_some_and(|last| sample.time_ms < last.time_ms);
        if is_late {
            let at = histograms.late.partition_point(|late| late.time_ms < sample.time_ms);
            histograms.late.insert(at, sample);
        } else {
            histograms.chunk.push(&sample);
            series.last = Some(Sample { time_ms: sample.time_ms, value: sample.histogram.sum });
            series.last_is_histogram = true;
            histograms.last = Some(sample);
        }
        let is_full = histograms.chunk.count() >= CHUNK_HISTOGRAMS || histograms.chunk.bytes() >= CHUNK_BYTES;
        let is_full_of_late = histograms.late.len() >= LATE_MAX;
        self.histogram_bytes = (self.histogram_bytes + histograms.bytes()).saturating_sub(before);
        if is_full {
            self.cut_histograms(number);
        }
        if is_full_of_late {
            self.cut_late_histograms(number);
        }
    }

    /// Makes the open chunk of histograms one of the shelf's.
    pub(super) fn cut_histograms(&mut self, number: u32) {
        let Some(series) = self.series.get_mut(&number) else { return };
        let Some(histograms) = series.histograms.as_mut().filter(|it| it.chunk.count() > 0) else { return };
        let writer = std::mem::take(&mut histograms.chunk);
        self.histogram_bytes = self.histogram_bytes.saturating_sub(writer.bytes());
        self.full.push((series.service.clone(), Chunk::of_histograms(number, &writer)));
    }

    /// The same for the late ones.
    pub(super) fn cut_late_histograms(&mut self, number: u32) {
        let Some(series) = self.series.get_mut(&number) else { return };
        let Some(histograms) = series.histograms.as_mut() else { return };
        let late = std::mem::take(&mut histograms.late);
        let bytes: usize = late.iter().map(|sample| sample.histogram.bytes()).sum();
        self.histogram_bytes = self.histogram_bytes.saturating_sub(bytes);
        if let Some(chunk) = Chunk::of_late_histograms(number, &late) {
            self.full.push((series.service.clone(), chunk));
        }
    }

    /// Forgets the newest histogram of a series and what there was room for, once its chunks are cut.
    pub(crate) fn forget_histograms(&mut self, number: u32) {
        let Some(series) = self.series.get_mut(&number) else { return };
        if let Some(histograms) = series.histograms.take() {
            self.histogram_bytes = self.histogram_bytes.saturating_sub(histograms.bytes());
        }
    }

    /// The series to be cut because histograms take more memory than they may: all that have some, as the
    /// largest are not known.
    pub(super) fn crowded_by_histograms(&self, limits: &Limits) -> Vec<u32> {
        if self.histogram_bytes <= limits.histogram_bytes_max {
            return Vec::new();
        }
        let with = self.series.iter().filter(|(_, series)| series.histograms.is_some());
        with.map(|(number, _)| *number).collect()
    }
}

impl Series {
    /// Whether a histogram is to be taken; else it is counted why not.
    fn takes_histogram(&self, sample: &HistogramSample, limits: &Limits, outcome: &mut SampleOutcome) -> bool {
        let histograms = self.histograms.as_ref();
        match self.last {
            Some(last) if sample.time_ms < last.time_ms => {
                if sample.time_ms < last.time_ms.saturating_sub(limits.late_ms) {
                    outcome.out_of_order += 1;
                    return false;
                }
                if self.late.binary_search_by_key(&sample.time_ms, |late| late.time_ms).is_ok() {
                    outcome.duplicate += 1;
                    return false;
                }
                let same = histograms.and_then(|it| it.late_at(sample.time_ms).ok().and_then(|at| it.late.get(at)));
                same.is_none_or(|same| refuse_second(Some(same), sample, outcome))
            }
            Some(last) if sample.time_ms == last.time_ms => {
                if self.last_is_histogram {
                    // Once it is forgotten, nothing speaks against its being the same.
                    refuse_second(histograms.and_then(|it| it.last.as_ref()), sample, outcome)
                } else {
                    outcome.duplicate += 1;
                    false
                }
            }
            _ => true,
        }
    }

    /// The histogram with a hint that is so. What a sender says of the sample before need not be so of the one
    /// that was taken before, unless it says that there was a reset, or that there are none.
    fn verified(&self, sample: &HistogramSample) -> HistogramSample {
        if sample.histogram.counter_reset != CounterReset::NotReset {
            return sample.clone();
        }
        let mut histogram = sample.histogram.as_ref().clone();
        histogram.counter_reset = CounterReset::Unknown;
        let last = self.histograms.as_ref().and_then(|it| it.last.as_ref());
        let follows = last.is_some_and(|last| {
            last.time_ms < sample.time_ms && self.last_is_histogram && !histogram.is_reset_since(&last.histogram)
        });
        if follows {
            return sample.clone();
        }
        HistogramSample { time_ms: sample.time_ms, histogram: Arc::new(histogram) }
    }

    /// Whether a late float contradicts a late histogram.
    pub(super) fn has_late_histogram(&self, time_ms: i64) -> bool {
        self.histograms.as_ref().is_some_and(|it| it.late_at(time_ms).is_ok())
    }
}

/// Counts a second histogram of a time as the same or as another one.
fn refuse_second(first: Option<&HistogramSample>, second: &HistogramSample, outcome: &mut SampleOutcome) -> bool {
    if first.is_none_or(|first| first == second) {
        outcome.repeated += 1;
    } else {
        outcome.duplicate += 1;
    }
    false
}
