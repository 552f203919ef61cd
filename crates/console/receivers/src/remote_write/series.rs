//! What both versions have in common: labels that are checked as Prometheus checks them, samples, metadata.
//! Which field of which message holds them is the versions' business.

use console_model::{
    HistogramSample, LabelSetBuilder, Labels, MetricKind, MetricMetadata, Sample, SampleBatch, SeriesSamples, Text,
};
use console_wire::{Fields, Malformed};
use hashbrown::HashSet;

use super::{
    Decoded, EXEMPLARS_MAX, HELP_BYTES_MAX, HISTOGRAM_BYTES_MAX, LABEL_BYTES_MAX, LABELS_MAX, METADATA_BYTES_MAX,
    METRICS_MAX, REQUEST_LABEL_BYTES_MAX, SAMPLES_MAX, SERIES_MAX, histogram,
};
use crate::exemplar;

/// Collects series after series into a request.
#[derive(Debug, Default)]
pub(super) struct Request<'a> {
    decoded: Decoded,
    builder: LabelSetBuilder,
    exemplars: exemplar::Builder,
    label_bytes: usize,
    histogram_bytes: usize,
    metadata_bytes: usize,
    described: HashSet<&'a str>,
}

/// One series while it is read. Its buffers serve the next one too.
#[derive(Debug, Default)]
pub(super) struct Series<'a> {
    pub(super) labels: Vec<(&'a str, &'a str)>,
    pub(super) samples: Vec<Sample>,
    exemplars: Vec<Fields<'a>>,
    exemplars_over_limit: u64,
    histograms: Vec<Fields<'a>>,
    /// What is wrong with the labels beyond what their texts tell.
    pub(super) fault: Option<&'static str>,
}

impl<'a> Series<'a> {
    /// Adds a label, up to one more than there may be: enough to be refused.
    pub(super) fn label(&mut self, name: &'a str, value: &'a str) {
        if self.labels.len() <= LABELS_MAX {
            self.labels.push((name, value));
        }
    }

    /// Adds a sample, up to one more than there may be.
    pub(super) fn sample(&mut self, sample: Sample) {
        if self.samples.len() as u64 <= SAMPLES_MAX {
            self.samples.push(sample);
        }
    }

    /// Adds a native histogram, up to one more than there may be.
    pub(super) fn histogram(&mut self, fields: Fields<'a>) {
        if self.histograms.len() as u64 <= SAMPLES_MAX {
            self.histograms.push(fields);
        }
    }

    /// Adds an exemplar, or counts it where there are too many.
    pub(super) fn exemplar(&mut self, fields: Fields<'a>) {
        if self.exemplars.len() < EXEMPLARS_MAX {
            self.exemplars.push(fields);
        } else {
            self.exemplars_over_limit += 1;
        }
    }

    pub(super) fn clear(&mut self) {
        self.labels.clear();
        self.samples.clear();
        self.exemplars.clear();
        self.exemplars_over_limit = 0;
        self.histograms.clear();
        self.fault = None;
    }
}

impl<'a> Request<'a> {
    /// Takes the series, or notes why not. Gives its name if it was taken.
    ///
    /// `write_exemplar` reads an exemplar: it adds the labels and gives the sample.
    pub(super) fn take(
        &mut self,
        series: &mut Series<'a>,
        mut write_exemplar: impl FnMut(Fields<'a>, &mut exemplar::Builder) -> Result<Sample, Malformed>,
    ) -> Result<Option<&'a str>, Malformed> {
        let (count, histograms) = (series.samples.len() as u64, series.histograms.len() as u64);
        self.decoded.exemplars_rejected += series.exemplars_over_limit;
        let (labels, name) = match self.labels(series, count + histograms) {
            Ok(taken) => taken,
            Err(reason) => {
                self.decoded.rejects.add(count + histograms, || reason);
                self.decoded.histograms_rejected += histograms;
                self.decoded.exemplars_rejected += series.exemplars.len() as u64;
                return Ok(None);
            }
        };
        let histograms = self.histograms(series)?;
        let mut exemplars = Vec::new();
        let exemplars_left = EXEMPLARS_MAX.saturating_sub(self.decoded.written.exemplars as usize);
        for fields in series.exemplars.drain(..) {
            if exemplars.len() >= exemplars_left {
                self.decoded.exemplars_rejected += 1;
                continue;
            }
            let sample = write_exemplar(fields, &mut self.exemplars)?;
            match self.exemplars.finish(sample) {
                Some(exemplar) => exemplars.push(exemplar),
                None => self.decoded.exemplars_rejected += 1,
            }
        }
        self.decoded.written.samples += count;
        self.decoded.written.histograms += histograms.len() as u64;
        self.decoded.written.exemplars += exemplars.len() as u64;
        if count > 0 || !histograms.is_empty() || !exemplars.is_empty() {
            let samples = series.samples.as_slice().to_vec();
            self.decoded.batch.series.push(SeriesSamples { labels, samples, histograms, exemplars });
        }
        Ok(Some(name))
    }

    /// The native histograms of a series. One that is none is left out and told of.
    fn histograms(&mut self, series: &mut Series<'a>) -> Result<Vec<HistogramSample>, Malformed> {
        let mut taken = Vec::new();
        for fields in series.histograms.drain(..) {
            let reason = match histogram::histogram(fields)? {
                Ok(sample) => {
                    self.histogram_bytes = self.histogram_bytes.saturating_add(sample.histogram.bytes());
                    if self.histogram_bytes <= HISTOGRAM_BYTES_MAX {
                        taken.push(sample);
                        continue;
                    }
                    format!("more than {HISTOGRAM_BYTES_MAX} bytes of histograms in one request: send fewer at a time")
                }
                Err(invalid) => format!("{invalid} for series {}", written(&series.labels)),
            };
            self.decoded.rejects.add(1, || reason);
            self.decoded.histograms_rejected += 1;
        }
        Ok(taken)
    }

    /// The labels, checked in the words of Prometheus.
    fn labels(&mut self, series: &mut Series<'a>, samples: u64) -> Result<(Labels, &'a str), String> {
        let bytes = series.labels.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let so_far = &self.decoded.written;
        if self.decoded.batch.series.len() >= SERIES_MAX {
            return Err(format!("more than {SERIES_MAX} series in one request: send fewer at a time"));
        }
        if so_far.samples.saturating_add(so_far.histograms).saturating_add(samples) > SAMPLES_MAX {
            return Err(format!("more than {SAMPLES_MAX} samples in one request: send fewer at a time"));
        }
        if series.labels.len() > LABELS_MAX || bytes > LABEL_BYTES_MAX {
            return Err(format!(
                "a series with {} labels of {bytes} bytes, but there may be {LABELS_MAX} of {LABEL_BYTES_MAX} bytes",
                series.labels.len()
            ));
        }
        self.label_bytes = self.label_bytes.saturating_add(bytes);
        if self.label_bytes > REQUEST_LABEL_BYTES_MAX {
            return Err(format!(
                "more than {REQUEST_LABEL_BYTES_MAX} bytes of labels in one request: send fewer at a time"
            ));
        }
        if let Some(fault) = series.fault {
            return Err(format!("{fault}, got {}", written(&series.labels)));
        }
        // Senders have to sort; Prometheus sorts for those that do not, and so do we.
        if !series.labels.is_sorted_by(|a, b| a.0 < b.0) {
            series.labels.sort_by(|a, b| a.0.cmp(b.0));
            if let Some(pair) = series.labels.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                return Err(format!(
                    "invalid labels for series, labels {}, duplicated label {}",
                    written(&series.labels),
                    pair[0].0
                ));
            }
        }
        let name = series.labels.iter().find(|(name, _)| *name == "__name__").map(|(_, value)| *value);
        let is_named = series.labels.first().is_none_or(|(name, _)| !name.is_empty());
        let Some(name) = name.filter(|name| is_named && !name.is_empty()) else {
            return Err(format!("invalid metric name or labels, got {}", written(&series.labels)));
        };
        series.labels.iter().for_each(|(name, value)| self.builder.push(name, value));
        Ok((self.builder.finish(), name))
    }

    /// Takes what is said of a metric, once for each name.
    pub(super) fn describe(&mut self, name: &'a str, kind: MetricKind, unit: &str, help: &str) {
        let is_said = kind != MetricKind::Unknown || !unit.is_empty() || !help.is_empty();
        let is_full = self.metadata_bytes > METADATA_BYTES_MAX;
        if !is_said || is_full || name.len() > LABEL_BYTES_MAX || self.described.len() >= METRICS_MAX {
            return;
        }
        if self.described.insert(name) {
            let cut = |text: &str| Text::from(text.get(..text.floor_char_boundary(HELP_BYTES_MAX)).unwrap_or_default());
            let metadata = MetricMetadata { name: name.into(), kind, unit: cut(unit), help: cut(help) };
            self.metadata_bytes += metadata.name.len() + metadata.unit.len() + metadata.help.len();
            self.decoded.batch.metadata.push(metadata);
        }
    }

    pub(super) fn finish(self) -> Decoded {
        self.decoded
    }

    /// Makes room for so many series.
    pub(super) fn reserve(&mut self, series: usize) {
        let SampleBatch { series: taken, .. } = &mut self.decoded.batch;
        taken.reserve(series.min(SERIES_MAX));
    }
}

/// Labels as Prometheus writes them into its errors, cut where they are long.
fn written(labels: &[(&str, &str)]) -> String {
    let mut text = String::from("{");
    for (position, (name, value)) in labels.iter().enumerate() {
        let value = value.get(..value.floor_char_boundary(128)).unwrap_or_default();
        let name = name.get(..name.floor_char_boundary(128)).unwrap_or_default();
        text.push_str(if position > 0 { ", " } else { "" });
        text.push_str(&format!("{name}={value:?}"));
        if text.len() > 400 {
            text.push_str(", …");
            break;
        }
    }
    text.push('}');
    text
}

/// `Sample`, the same message in both versions.
pub(super) fn sample(fields: Fields<'_>) -> Result<Sample, Malformed> {
    let mut sample = Sample { time_ms: 0, value: 0.0 };
    for field in fields {
        let field = field?;
        match field.number {
            1 => sample.value = field.double()?,
            2 => sample.time_ms = field.int64()?,
            _ => {}
        }
    }
    Ok(sample)
}

/// The type by its number, the same in both versions.
pub(super) fn kind(number: i32) -> MetricKind {
    u8::try_from(number).map_or(MetricKind::Unknown, MetricKind::from_number)
}
