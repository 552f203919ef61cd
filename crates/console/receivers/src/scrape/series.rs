//! From the text of a scrape to samples: labels of the target, limits, and which series have ended. Neither
//! time nor network here, so that all of it is tested by calling it.

use console_model::{LabelSetBuilder, Labels, Sample, SampleBatch, SeriesSamples, stale_marker};
use hashbrown::{HashMap, HashSet};

use super::Limits;
use crate::exemplar;
use crate::exposition::{self, Entry, Format, Parser};

/// The series of a target, from scrape to scrape.
#[derive(Debug)]
pub(super) struct Cache {
    target: Labels,
    report: [Labels; 5],
    /// By name and labels as the target writes them, which saves taking these apart each time.
    known: HashMap<Box<str>, Known>,
    round: u64,
    builder: LabelSetBuilder,
    exemplars: exemplar::Builder,
}

#[derive(Debug)]
struct Known {
    labels: Labels,
    added: u64,
    seen: u64,
    /// Whether it has to be marked when it is gone: its last sample had the time of the scrape.
    is_live: bool,
    is_untimed: bool,
}

/// What a scrape gave.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) batch: SampleBatch,
    pub(super) samples: u64,
    pub(super) series_added: u64,
}

/// What a scrape is reported with.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Report {
    pub(super) is_up: bool,
    pub(super) duration_seconds: f64,
    pub(super) samples: u64,
    pub(super) series_added: u64,
}

/// Why a text was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Malformed(#[from] exposition::Error),
    #[error("sample limit exceeded: more than {0} samples")]
    Samples(usize),
    #[error("label_limit exceeded (metric: {metric:?}, number of labels: {found}, limit: {limit})")]
    Labels { metric: String, found: usize, limit: usize },
    #[error("label_name_length_limit exceeded (metric: {metric:?}, label name: {name:?}, limit: {limit} bytes)")]
    LabelName { metric: String, name: String, limit: usize },
    #[error("label_value_length_limit exceeded (metric: {metric:?}, label name: {name:?}, limit: {limit} bytes)")]
    LabelValue { metric: String, name: String, limit: usize },
}

impl Cache {
    pub(super) fn new(target: &Labels) -> Self {
        let named = |name| Labels::from_pairs(target.iter().chain([("__name__", name)]));
        Self {
            target: target.clone(),
            report: [
                "up",
                "scrape_duration_seconds",
                "scrape_samples_scraped",
                "scrape_samples_post_metric_relabeling",
                "scrape_series_added",
            ]
            .map(named),
            known: HashMap::new(),
            round: 0,
            builder: LabelSetBuilder::new(),
            exemplars: exemplar::Builder::default(),
        }
    }

    /// Takes what a target exposed at this time, and marks what it no longer exposes. After an error,
    /// [`Cache::fail`] is what has to follow.
    pub(super) fn take(&mut self, text: &str, format: Format, time_ms: i64, limits: &Limits) -> Result<Taken, Fault> {
        self.round += 1;
        let mut parser = Parser::new(text, format);
        let mut metadata = exposition::Metadata::new(format);
        let mut series = Vec::with_capacity(self.known.len());
        let mut series_added = 0;
        while let Some(entry) = parser.next_entry()? {
            let Entry::Sample(sample) = entry else {
                metadata.add(&entry);
                continue;
            };
            if series.len() >= limits.samples_max {
                return Err(Fault::Samples(limits.samples_max));
            }
            if !self.known.contains_key(sample.series) {
                let labels = self.label(&sample, limits)?;
                series_added += 1;
                let (added, seen) = (self.round, 0);
                let known = Known { labels, added, seen, is_live: false, is_untimed: false };
                self.known.insert(sample.series.into(), known);
            }
            let Some(known) = self.known.get_mut(sample.series) else { continue };
            known.is_untimed = sample.time_ms.is_none() || (known.seen == self.round && known.is_untimed);
            known.seen = self.round;
            let time_ms = sample.time_ms.unwrap_or(time_ms);
            series.push(SeriesSamples {
                labels: known.labels.clone(),
                samples: vec![Sample { time_ms, value: sample.value }],
                histograms: Vec::new(),
                exemplars: sample.exemplar.iter().filter_map(|one| one.build(&mut self.exemplars, time_ms)).collect(),
            });
        }
        let samples = series.len() as u64;
        self.sweep(time_ms, &mut series);
        Ok(Taken { batch: SampleBatch { series, metadata: metadata.finish() }, samples, series_added })
    }

    /// Marks and forgets what was not seen in this round.
    fn sweep(&mut self, time_ms: i64, series: &mut Vec<SeriesSamples>) {
        let round = self.round;
        let is_gone = |known: &Known| known.is_live && known.seen != round;
        if self.known.values().any(is_gone) {
            // A target may write the same labels in another order, which is another key but no other series.
            let seen: HashSet<&Labels> =
                self.known.values().filter(|known| known.seen == round).map(|known| &known.labels).collect();
            let gone = self.known.values().filter(|known| is_gone(known) && !seen.contains(&known.labels));
            series.extend(gone.map(|known| mark(&known.labels, time_ms)));
        }
        self.known.retain(|_, known| {
            known.is_live = known.is_untimed;
            known.seen == round
        });
    }

    /// Marks all that was there before a scrape that failed, or before there will be none any more.
    pub(super) fn fail(&mut self, time_ms: i64) -> SampleBatch {
        let live = self.known.values().filter(|known| known.is_live);
        let series = live.map(|known| mark(&known.labels, time_ms)).collect();
        let round = self.round;
        self.known.retain(|_, known| {
            known.is_live = false;
            // What a failed scrape added does not stay, or a target that always fails would fill the memory.
            known.added < round || known.seen < round
        });
        SampleBatch { series, metadata: Vec::new() }
    }

    /// How many series are known.
    #[cfg(test)]
    pub(super) fn known_series(&self) -> usize {
        self.known.len()
    }

    /// Adds the series about the scrape itself.
    pub(super) fn report(&self, report: Report, time_ms: i64, batch: &mut SampleBatch) {
        let samples = report.samples as f64;
        let values = [
            if report.is_up { 1.0 } else { 0.0 },
            report.duration_seconds,
            samples,
            samples,
            report.series_added as f64,
        ];
        let series = self.report.iter().zip(values).map(|(labels, value)| one(labels, time_ms, value));
        batch.series.extend(series);
    }

    /// Marks everything: there will be no scrape any more.
    pub(super) fn end(&mut self, time_ms: i64) -> SampleBatch {
        let mut batch = self.fail(time_ms);
        batch.series.extend(self.report.iter().map(|labels| mark(labels, time_ms)));
        self.known.clear();
        batch
    }

    /// The labels of a series: its own, those of the target, and own ones that the target has as well under
    /// another name, as Prometheus has it where labels are not honoured.
    fn label(&mut self, sample: &exposition::Sample<'_, '_>, limits: &Limits) -> Result<Labels, Fault> {
        let is_there =
            |name: &str| self.target.get(name).is_some() || sample.labels.iter().any(|(own, _)| own.text() == name);
        let mut exported: Vec<String> = Vec::new();
        let builder = &mut self.builder;
        for (name, value) in sample.pairs() {
            if value.is_empty() || self.target.get(&name).is_none() {
                builder.push(&name, &value);
                continue;
            }
            let mut new_name = format!("exported_{name}");
            while is_there(&new_name) || exported.contains(&new_name) {
                new_name.insert_str(0, "exported_");
            }
            builder.push(&new_name, &value);
            exported.push(new_name);
        }
        self.target.iter().for_each(|(name, value)| builder.push(name, value));
        builder.push("__name__", &sample.name.text());
        let labels = builder.finish();
        check(&labels, limits)?;
        Ok(labels)
    }
}

fn check(labels: &Labels, limits: &Limits) -> Result<(), Fault> {
    let cut = |text: &str| text.get(..text.floor_char_boundary(50)).unwrap_or_default().to_owned();
    let metric = || cut(labels.get("__name__").unwrap_or_default());
    let mut found = 0;
    for (name, value) in labels.iter() {
        found += 1;
        if name.len() > limits.label_name_bytes_max {
            return Err(Fault::LabelName { metric: metric(), name: cut(name), limit: limits.label_name_bytes_max });
        }
        if value.len() > limits.label_value_bytes_max {
            return Err(Fault::LabelValue { metric: metric(), name: cut(name), limit: limits.label_value_bytes_max });
        }
    }
    if found > limits.labels_max {
        return Err(Fault::Labels { metric: metric(), found, limit: limits.labels_max });
    }
    Ok(())
}

fn one(labels: &Labels, time_ms: i64, value: f64) -> SeriesSamples {
    SeriesSamples {
        labels: labels.clone(),
        samples: vec![Sample { time_ms, value }],
        histograms: Vec::new(),
        exemplars: Vec::new(),
    }
}

fn mark(labels: &Labels, time_ms: i64) -> SeriesSamples {
    one(labels, time_ms, stale_marker())
}
