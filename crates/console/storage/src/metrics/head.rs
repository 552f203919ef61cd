//! The head: every series with the chunk that it fills, as Prometheus judges what comes in: a sample not
//! newer than the last of its series is a duplicate, out of order, or late by no more than is allowed.

use std::collections::VecDeque;
use std::sync::Arc;

use console_model::{Exemplar, Labels, MetricMetadata, Sample, SampleBatch, SeriesSamples, Text};
use hashbrown::HashMap;

use super::chunk::ChunkWriter;
use super::index::Index;
use super::log;
use super::rows::{Chunk, ChunkKind};
use crate::options::Options;

mod histograms;

pub(crate) use histograms::Histograms;

/// Samples in a full chunk. An hour at a scrape every 15 seconds.
const CHUNK_SAMPLES: u16 = 240;
/// A chunk of values without any pattern is full sooner.
const CHUNK_BYTES: usize = 2_048;
/// Late samples of a series that wait to become a chunk of their own.
const LATE_MAX: usize = 32;
const METADATA_MAX: usize = 20_000;
/// What is known of a metric is not kept if it takes more bytes than this.
const METADATA_BYTES_MAX: usize = 16 << 10;
/// A series with more bytes of labels is not taken: the head keeps them all in memory.
const LABEL_BYTES_MAX: usize = 64 << 10;
/// For each so many bytes of labels, a series counts as one more: bounds on series are bounds on memory.
const LABEL_BYTES_OF_ONE: usize = 512;

/// What became of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SampleOutcome {
    /// Taken.
    pub accepted: u64,
    /// The same time and value again: left out, and no fault.
    pub repeated: u64,
    /// Another value for a time that has one: refused.
    pub duplicate: u64,
    /// Older than the newest of the series, by more than is allowed: refused.
    pub out_of_order: u64,
    /// Older than the store keeps: refused.
    pub too_old: u64,
    /// Of a series beyond the bound on series, or with more than 64 KiB of labels: refused.
    pub over_series_limit: u64,
    /// Native histograms that are none, see [`console_model::FloatHistogram::check`]: refused.
    pub invalid: u64,
}

pub(crate) struct Series {
    pub(crate) labels: Labels,
    pub(crate) service: Arc<str>,
    pub(crate) chunk: ChunkWriter,
    /// The newest sample; `None` before the first.
    pub(crate) last: Option<Sample>,
    pub(crate) first_ms: i64,
    pub(crate) late: Vec<Sample>,
    /// `None` for a series that has no native histograms.
    pub(crate) histograms: Option<Box<Histograms>>,
    /// Whether the newest sample is one, whose sum then is its value.
    pub(crate) last_is_histogram: bool,
    pub(crate) touched_ms: i64,
    pub(crate) last_exemplar: Option<Sample>,
}

impl Series {
    pub(crate) fn new(labels: Labels, service: Arc<str>) -> Self {
        Self {
            labels,
            service,
            chunk: ChunkWriter::default(),
            last: None,
            first_ms: i64::MAX,
            late: Vec::new(),
            histograms: None,
            last_is_histogram: false,
            touched_ms: 0,
            last_exemplar: None,
        }
    }

    /// The oldest sample that is in no chunk of the shelf's; `None` if all are.
    pub(crate) fn oldest_ms(&self) -> Option<i64> {
        let in_chunk = (self.chunk.count() > 0).then(|| self.chunk.first_ms());
        let late = self.late.first().map(|late| late.time_ms);
        let histograms = self.histograms.iter().flat_map(|it| {
            let in_chunk = (it.chunk.count() > 0).then(|| it.chunk.first_ms());
            in_chunk.into_iter().chain(it.late.first().map(|late| late.time_ms))
        });
        in_chunk.into_iter().chain(late).chain(histograms).min()
    }

    pub(crate) fn is_idle(&self) -> bool {
        let has_histograms = self.histograms.as_ref().is_some_and(|it| it.chunk.count() > 0 || !it.late.is_empty());
        self.chunk.count() == 0 && self.late.is_empty() && !has_histograms
    }
}

/// See the module.
#[derive(Default)]
pub(crate) struct Head {
    pub(crate) index: Index,
    pub(crate) series: HashMap<u32, Series>,
    pub(crate) next_series: u32,
    /// How many series there are of each service, and of all: those with long labels count as several.
    pub(crate) services: HashMap<Arc<str>, usize>,
    pub(crate) counted: usize,
    pub(crate) exemplars: VecDeque<(u32, Exemplar)>,
    pub(crate) metadata: HashMap<Text, MetricMetadata>,
    /// Records for the log that are not written yet.
    pub(crate) unwritten: Vec<u8>,
    /// Records of new series that are not written yet.
    pub(crate) new_series: Vec<u8>,
    /// Services that had no series before.
    pub(crate) new_services: Vec<Arc<str>>,
    /// Chunks that are full, with their services.
    pub(crate) full: Vec<(Arc<str>, Chunk)>,
    /// Memory that native histograms take, roughly.
    pub(crate) histogram_bytes: usize,
}

/// As how many series one counts.
fn counts_as(labels: &Labels) -> usize {
    1 + labels.packed().len() / LABEL_BYTES_OF_ONE
}

/// Bounds of the head.
pub(crate) struct Limits {
    pub(crate) now_ms: i64,
    pub(crate) cutoff_ms: Option<i64>,
    pub(crate) late_ms: i64,
    pub(crate) series_max: usize,
    pub(crate) series_per_service_max: usize,
    pub(crate) exemplars_max: usize,
    pub(crate) histogram_bytes_max: usize,
}

impl Limits {
    fn is_too_old(&self, time_ms: i64) -> bool {
        self.cutoff_ms.is_some_and(|cutoff| time_ms < cutoff)
    }

    pub(crate) fn new(options: &Options, now_ms: i64) -> Self {
        Self {
            now_ms,
            cutoff_ms: options.cutoff_ms(now_ms),
            late_ms: options.out_of_order_window_ms,
            series_max: options.series_max,
            series_per_service_max: options.series_per_service_max,
            exemplars_max: options.exemplars_max,
            histogram_bytes_max: options.histogram_bytes_max(),
        }
    }
}

impl Head {
    pub(crate) fn ingest(&mut self, batch: &SampleBatch, limits: &Limits) -> SampleOutcome {
        let mut outcome = SampleOutcome::default();
        let mut accepted = Vec::new();
        let mut record = log::SamplesRecord::default();
        for part in &batch.series {
            let Some(number) = self.number(&part.labels, limits) else {
                outcome.over_series_limit += (part.samples.len() + part.histograms.len()) as u64;
                continue;
            };
            if part.histograms.is_empty() {
                accepted.clear();
                for sample in &part.samples {
                    self.push(number, *sample, limits, &mut outcome, &mut accepted);
                }
                record.add(&mut self.unwritten, number, &accepted);
            } else {
                self.push_mixed(number, part, limits, &mut outcome, &mut record);
            }
            self.add_exemplars(number, part, limits);
        }
        record.finish(&mut self.unwritten);
        for number in self.crowded_by_histograms(limits) {
            self.settle(number);
        }
        for metadata in &batch.metadata {
            let known = self.metadata.get(&metadata.name);
            let bytes = metadata.name.len() + metadata.unit.len() + metadata.help.len();
            let has_room = bytes <= METADATA_BYTES_MAX && (known.is_some() || self.metadata.len() < METADATA_MAX);
            if known != Some(metadata) && has_room {
                log::put_metadata(&mut self.unwritten, metadata);
                self.metadata.insert(metadata.name.clone(), metadata.clone());
            }
        }
        outcome
    }

    /// The number of a series, given to it if it is new and there is room.
    fn number(&mut self, labels: &Labels, limits: &Limits) -> Option<u32> {
        if let Some(number) = self.index.find(labels) {
            return Some(number);
        }
        let service = labels.service();
        let of_service = self.services.get(service).copied().unwrap_or(0);
        if self.counted >= limits.series_max
            || of_service >= limits.series_per_service_max
            || labels.packed().len() > LABEL_BYTES_MAX
        {
            return None;
        }
        let number = self.next_series;
        self.next_series = number.checked_add(1)?;
        self.add_series(number, labels);
        log::put_series(&mut self.new_series, number, labels);
        Some(number)
    }

    pub(crate) fn add_series(&mut self, number: u32, labels: &Labels) {
        let service = match self.services.get_key_value(labels.service()) {
            Some((service, _)) => service.clone(),
            None => {
                let service: Arc<str> = labels.service().into();
                self.new_services.push(service.clone());
                service
            }
        };
        let counts_as = counts_as(labels);
        *self.services.entry(service.clone()).or_insert(0) += counts_as;
        self.counted += counts_as;
        self.index.insert(labels, number);
        self.series.insert(number, Series::new(labels.clone(), service));
        self.next_series = self.next_series.max(number.saturating_add(1));
    }

    fn push(
        &mut self,
        number: u32,
        sample: Sample,
        limits: &Limits,
        outcome: &mut SampleOutcome,
        accepted: &mut Vec<Sample>,
    ) {
        if limits.is_too_old(sample.time_ms) {
            outcome.too_old += 1;
            return;
        }
        let Some(series) = self.series.get_mut(&number) else { return };
        series.touched_ms = limits.now_ms;
        match series.last {
            Some(last) if sample.time_ms < last.time_ms => {
                if sample.time_ms < last.time_ms.saturating_sub(limits.late_ms) {
                    outcome.out_of_order += 1;
                    return;
                }
                match series.late.binary_search_by_key(&sample.time_ms, |late| late.time_ms) {
                    Ok(at) if series.late.get(at) == Some(&sample) => outcome.repeated += 1,
                    Ok(_) => outcome.duplicate += 1,
                    Err(_) if series.has_late_histogram(sample.time_ms) => outcome.duplicate += 1,
                    Err(_) => {
                        self.append(number, sample);
                        outcome.accepted += 1;
                        accepted.push(sample);
                    }
                }
            }
            Some(last) if sample.time_ms == last.time_ms => {
                if sample == last && !series.last_is_histogram {
                    outcome.repeated += 1;
                } else {
                    outcome.duplicate += 1;
                }
            }
            _ => {
                self.append(number, sample);
                outcome.accepted += 1;
                accepted.push(sample);
            }
        }
    }

    /// Adds a sample that was judged; what is full becomes a chunk of the shelf's. Replaying the log comes
    /// here too, so that it ends where it was.
    pub(crate) fn append(&mut self, number: u32, sample: Sample) {
        let Some(series) = self.series.get_mut(&number) else { return };
        series.first_ms = series.first_ms.min(sample.time_ms);
        if series.last.is_some_and(|last| sample.time_ms < last.time_ms) {
            let at = series.late.partition_point(|late| late.time_ms < sample.time_ms);
            series.late.insert(at, sample);
            if series.late.len() >= LATE_MAX {
                self.cut_late(number);
            }
            return;
        }
        series.chunk.push(sample);
        series.last = Some(sample);
        series.last_is_histogram = false;
        if series.chunk.count() >= CHUNK_SAMPLES || series.chunk.bytes() >= CHUNK_BYTES {
            self.cut(number);
        }
    }

    /// Makes the open chunk of a series one of the shelf's.
    pub(crate) fn cut(&mut self, number: u32) {
        let Some(series) = self.series.get_mut(&number).filter(|series| series.chunk.count() > 0) else { return };
        let writer = std::mem::take(&mut series.chunk);
        let chunk = Chunk {
            series: number,
            count: writer.count(),
            min_ms: writer.first_ms(),
            max_ms: writer.last_ms(),
            kind: ChunkKind::Floats,
            is_late: false,
            bits: writer.finished().into(),
        };
        self.full.push((series.service.clone(), chunk));
    }

    /// Gives all that the head has of a series to the shelf, and says so in the log.
    pub(crate) fn settle(&mut self, number: u32) {
        self.cut_all(number);
        log::put_cut(&mut self.unwritten, number);
    }

    /// Makes all that the head has of a series chunks of the shelf's.
    pub(crate) fn cut_all(&mut self, number: u32) {
        self.cut(number);
        self.cut_late(number);
        self.cut_histograms(number);
        self.cut_late_histograms(number);
        self.forget_histograms(number);
    }

    /// The same for its late samples.
    pub(crate) fn cut_late(&mut self, number: u32) {
        let Some(series) = self.series.get_mut(&number) else { return };
        let late = std::mem::take(&mut series.late);
        if let Some(chunk) = Chunk::of_late(number, &late) {
            self.full.push((series.service.clone(), chunk));
        }
    }

    fn add_exemplars(&mut self, number: u32, part: &SeriesSamples, limits: &Limits) {
        for exemplar in &part.exemplars {
            let Some(series) = self.series.get_mut(&number) else { return };
            // A scrape shows the same exemplar until there is a new one.
            let is_new = series.last_exemplar.is_none_or(|last| last.time_ms < exemplar.sample.time_ms);
            if is_new && limits.exemplars_max > 0 {
                series.last_exemplar = Some(exemplar.sample);
                log::put_exemplar(&mut self.unwritten, number, exemplar);
                self.exemplars.push_back((number, exemplar.clone()));
            }
        }
        while self.exemplars.len() > limits.exemplars_max {
            self.exemplars.pop_front();
        }
    }

    /// Forgets the series that are not to be kept.
    pub(crate) fn retain(&mut self, keep: impl Fn(u32, &Series) -> bool) {
        let (services, counted) = (&mut self.services, &mut self.counted);
        self.series.retain(|number, series| {
            let kept = keep(*number, series);
            if !kept && let Some(count) = services.get_mut(&series.service) {
                let counted_as = counts_as(&series.labels);
                *count = count.saturating_sub(counted_as);
                *counted = counted.saturating_sub(counted_as);
            }
            kept
        });
        services.retain(|_, count| *count > 0);
        self.histogram_bytes =
            self.series.values().filter_map(|series| series.histograms.as_ref()).map(|it| it.bytes()).sum();
        let series = &self.series;
        self.index.retain(|number| series.contains_key(&number));
        self.exemplars.retain(|(number, _)| series.contains_key(number));
    }
}
