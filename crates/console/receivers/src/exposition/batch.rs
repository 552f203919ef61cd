//! From entries to the console's values: series with their labels, and what is said of metrics. What a
//! target adds to a series is not known here.

use std::borrow::Cow;

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
            histograms: Vec::new(),
            exemplars: sample.exemplar.iter().filter_map(|one| one.build(&mut exemplars, time_ms)).collect(),
        });
    }
    Ok(SampleBatch { series, metadata: metadata.finish() })
}

impl Sample<'_, '_> {
    /// The labels, with the bounds of buckets and quantiles written in one way: `1`, as the text format has
    /// it, is `1.0` in OpenMetrics, and would be another series. Prometheus, from 3.0 on, does the same.
    pub fn pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let bound = match self.kind {
            MetricKind::Histogram => "le",
            MetricKind::Summary => "quantile",
            _ => "",
        };
        self.labels.iter().map(move |(name, value)| {
            let (name, value) = (name.text(), value.text());
            if bound.is_empty() || name != bound {
                return (name, value);
            }
            let number = value.parse().ok();
            (name, number.map_or(value, |number| Cow::Owned(bound_text(number))))
        })
    }

    /// Adds the name, as `__name__`, and the labels.
    pub fn write_labels(&self, builder: &mut LabelSetBuilder) {
        for (name, value) in self.pairs() {
            builder.push(&name, &value);
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

/// A number as OpenMetrics writes bounds, with at least one digit behind the point or an exponent. The
/// exponent begins where Go's does, for this is what other tools compare with.
fn bound_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if number == 0.0 {
        "0.0".to_owned()
    } else if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{digits}e{sign}{:02}", exponent.abs())
    } else {
        // Debug has the point where there is no fraction.
        format!("{number:?}")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_written_as_prometheus_does() {
        for (number, text) in [
            (1.0, "1.0"),
            (-0.0, "0.0"),
            (0.005, "0.005"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (100_000.0, "100000.0"),
            (1_000_000.0, "1e+06"),
            (1_234_567.5, "1.2345675e+06"),
            (-2.5, "-2.5"),
            (1e300, "1e+300"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(bound_text(number), text);
        }
    }
}
