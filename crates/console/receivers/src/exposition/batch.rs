//! From entries to the console's values: series with their labels, and what is said of metrics. What a
//! target adds to a series is not known here.

use console_model::{
    LabelSetBuilder, MetricKind, MetricMetadata, Sample as ModelSample, SampleBatch, SeriesSamples, Text,
};
use hashbrown::HashMap;

use super::{Entry, Error, Exemplar, Format, Parser, Part, Sample};
use crate::exemplar;

/// Bytes of a description that are kept.
const HELP_BYTES_MAX: usize = 4_096;
/// Metrics of which something is kept, of one text.
const METRICS_MAX: usize = 100_000;

/// Reads a whole text. What has no time of its own gets this one, milliseconds since the Unix epoch. A
/// series may be there more than once.
pub fn read(text: &str, format: Format, time_ms: i64) -> Result<SampleBatch, Error> {
    let mut parser = Parser::new(text, format);
    let mut metadata = Metadata::new(format);
    let mut labels = LabelSetBuilder::new();
    let mut exemplars = exemplar::Builder::default();
    let mut series = Vec::new();
    while let Some(entry) = parser.next_entry()? {
        let Entry::Sample(sample) = entry else {
            metadata.add(&entry);
            continue;
        };
        sample.write_labels(&mut labels);
        let time_ms = sample.time_ms.unwrap_or(time_ms);
        series.push(SeriesSamples {
            labels: labels.finish(),
            samples: vec![ModelSample { time_ms, value: sample.value }],
            exemplars: sample.exemplar.iter().filter_map(|one| one.build(&mut exemplars, time_ms)).collect(),
        });
    }
    Ok(SampleBatch { series, metadata: metadata.finish() })
}

impl Sample<'_, '_> {
    /// Adds the name, as `__name__`, and the labels.
    pub fn write_labels(&self, builder: &mut LabelSetBuilder) {
        for (name, value) in self.labels {
            builder.push(&name.text(), &value.text());
        }
        // Last, so that it holds where a target has a label of this name as well.
        builder.push("__name__", &self.name.text());
    }
}

impl Exemplar<'_, '_> {
    /// The exemplar as a value; `None` if it is longer than exemplars may be.
    pub(crate) fn build(&self, builder: &mut exemplar::Builder, time_ms: i64) -> Option<console_model::Exemplar> {
        for (name, value) in self.labels {
            builder.push(&name.text(), &value.text());
        }
        builder.finish(ModelSample { time_ms: self.time_ms.unwrap_or(time_ms), value: self.value })
    }
}

/// Collects what is said of metrics.
#[derive(Debug)]
pub(crate) struct Metadata {
    format: Format,
    metrics: Vec<MetricMetadata>,
    by_family: HashMap<Text, usize>,
}

impl Metadata {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, metrics: Vec::new(), by_family: HashMap::new() }
    }

    pub(crate) fn add(&mut self, entry: &Entry<'_, '_>) {
        match entry {
            Entry::Kind { family, kind } => self.change(*family, |metric| metric.kind = *kind),
            Entry::Help { family, help } => {
                let mut help = Text::from(help.text());
                help.truncate(help.floor_char_boundary(HELP_BYTES_MAX));
                self.change(*family, |metric| metric.help = help);
            }
            Entry::Unit { family, unit } => self.change(*family, |metric| metric.unit = (*unit).into()),
            Entry::Sample(_) => {}
        }
    }

    fn change(&mut self, family: Part<'_>, change: impl FnOnce(&mut MetricMetadata)) {
        let family = family.text();
        let position = match self.by_family.get(family.as_ref()) {
            Some(position) => *position,
            None if self.metrics.len() >= METRICS_MAX => return,
            None => {
                let name = Text::from(family);
                self.by_family.insert(name.clone(), self.metrics.len());
                let empty = Text::const_new("");
                self.metrics.push(MetricMetadata { name, kind: MetricKind::Unknown, unit: empty.clone(), help: empty });
                self.metrics.len() - 1
            }
        };
        if let Some(metric) = self.metrics.get_mut(position) {
            change(metric);
        }
    }

    /// What was said. OpenMetrics names counters and infos without the ending that their series have; here
    /// they are named as the series are.
    pub(crate) fn finish(mut self) -> Vec<MetricMetadata> {
        if self.format == Format::OpenMetrics {
            for metric in &mut self.metrics {
                let ending = match metric.kind {
                    MetricKind::Counter => "_total",
                    MetricKind::Info => "_info",
                    _ => continue,
                };
                if !metric.name.ends_with(ending) {
                    metric.name.push_str(ending);
                }
            }
        }
        self.metrics
    }
}
