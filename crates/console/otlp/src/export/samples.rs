//! Samples as an `ExportMetricsServiceRequest` in JSON.

use console_model::{Exemplar, Labels, MetricMetadata, Sample, SampleBatch, SeriesSamples, is_stale};

use super::histograms;
use super::json::{Object, object};

/// The name of the scope by which an export of samples is known.
pub(crate) const SCOPE: &str = "highbeam.samples";
/// What names of attributes begin with that are not labels.
pub(crate) const PREFIX: &str = "highbeam.";
/// What stands before the names of labels that begin likewise.
pub(crate) const LABEL_PREFIX: &str = "highbeam.label.";
/// The time in milliseconds, where OTLP's nanoseconds from 1 on cannot say it.
pub(crate) const TIME_MS: &str = "highbeam.time_ms";
/// The bits of a value, where it is a NaN other than JSON's.
pub(crate) const VALUE_BITS: &str = "highbeam.value_bits";
/// The number of a native histogram's counter reset hint, where it is known.
pub(crate) const COUNTER_RESET: &str = "highbeam.counter_reset";
/// A native histogram as text, where OTLP's counts cannot hold it.
pub(crate) const HISTOGRAM: &str = "highbeam.histogram";
/// Says that a point only carries exemplars.
pub(crate) const NO_SAMPLE: &str = "highbeam.no_sample";

/// The samples as JSON: one gauge per series, of the series' name, with a data point per sample that has the
/// labels as attributes; exemplars are on the first point. All are in a scope named `highbeam.samples`, by
/// which [`crate::Translator`] knows that names and labels are to be taken as they are: without endings,
/// without `job`, `instance` and `target_info`. Other readers get plain gauges.
///
/// Native histograms are exponential histograms, those with custom buckets explicit ones, of the series' name
/// likewise. Their counts are whole there; where they are not, rounded ones are.
///
/// What OTLP cannot say is in attributes that begin with `highbeam.`, integers all but one: `highbeam.time_ms`
/// for times before 1970 or at its very beginning, `highbeam.value_bits` for uncommon NaNs,
/// `highbeam.counter_reset` for what is known of the histogram before, `highbeam.histogram` for one that OTLP
/// cannot hold, as text, `highbeam.no_sample` for a series that has none; a label that begins so itself has `highbeam.label.` before
/// its name. The mark of a series' end is OTLP's flag for "no recorded value". Metadata follows as metrics
/// without points, with the type in `prometheus.type`.
pub fn samples_json(batch: &SampleBatch) -> String {
    let mut out = String::new();
    object(&mut out, |request| {
        request.list("resourceMetrics", [batch], |resource, batch| {
            resource.list("scopeMetrics", [batch], |scope, batch| {
                scope.object("scope", |object| object.text("name", SCOPE));
                let series = batch.series.iter().flat_map(items);
                let items = series.chain(batch.metadata.iter().map(Item::Metadata));
                scope.list("metrics", items, |metric, item| match item {
                    Item::Series(series) => write_series(metric, series),
                    Item::Histograms { series, custom, with_exemplars } => {
                        histograms::write(metric, series, custom, with_exemplars);
                    }
                    Item::Metadata(metadata) => write_metadata(metric, metadata),
                });
            });
        });
    });
    out
}

enum Item<'a> {
    Series(&'a SeriesSamples),
    Histograms { series: &'a SeriesSamples, custom: bool, with_exemplars: bool },
    Metadata(&'a MetricMetadata),
}

/// The metrics that a series becomes: one for each kind of sample, exemplars with the first.
fn items(series: &SeriesSamples) -> impl Iterator<Item = Item<'_>> {
    let has = |custom: bool| series.histograms.iter().any(|sample| histograms::is_of(series, sample, custom));
    let (exponential, custom) = (has(false), has(true));
    let is_plain = !series.samples.is_empty() || !(exponential || custom);
    let histograms = move |is_there: bool, custom: bool, with_exemplars: bool| {
        is_there.then_some(Item::Histograms { series, custom, with_exemplars })
    };
    let plain = is_plain.then_some(Item::Series(series)).into_iter();
    plain.chain(histograms(exponential, false, !is_plain)).chain(histograms(custom, true, !is_plain && !exponential))
}

/// What is written beside labels.
pub(super) enum Mark {
    Integer(i64),
    Text(String),
}

fn write_metadata(metric: &mut Object<'_>, metadata: &MetricMetadata) {
    metric.text("name", &metadata.name);
    metric.text_if("description", &metadata.help);
    metric.text_if("unit", &metadata.unit);
    metric.list("metadata", [metadata.kind.name()], |pair, kind| {
        pair.text("key", "prometheus.type");
        pair.object("value", |value| value.text("stringValue", kind));
    });
    metric.object("gauge", |_| {});
}

fn write_series(metric: &mut Object<'_>, series: &SeriesSamples) {
    metric.text("name", series.labels.get("__name__").unwrap_or_default());
    metric.object("gauge", |gauge| {
        let points = series.samples.iter().map(Some);
        // A series without samples still has labels, and perhaps exemplars.
        let bare = series.samples.is_empty().then_some(None);
        gauge.list("dataPoints", points.chain(bare).enumerate(), |point, (position, sample)| {
            let mut marks = Vec::new();
            match sample {
                Some(sample) => write_sample(point, *sample, &mut marks),
                None => marks.push((NO_SAMPLE, Mark::Integer(1))),
            }
            write_pairs(point, "attributes", &series.labels, &marks);
            if position == 0 && !series.exemplars.is_empty() {
                point.list("exemplars", &series.exemplars, write_exemplar);
            }
        });
    });
}

pub(super) fn write_exemplar(object: &mut Object<'_>, exemplar: &Exemplar) {
    let mut marks = Vec::new();
    write_sample(object, exemplar.sample, &mut marks);
    if let Some(trace_id) = exemplar.trace_id {
        object.text("traceId", &trace_id.to_string());
    }
    if let Some(span_id) = exemplar.span_id {
        object.text("spanId", &span_id.to_string());
    }
    write_pairs(object, "filteredAttributes", &exemplar.labels, &marks);
}

/// Time and value; what is left to say goes to the marks.
fn write_sample(object: &mut Object<'_>, sample: Sample, marks: &mut Vec<(&'static str, Mark)>) {
    write_time(object, sample.time_ms, marks);
    if sample.value.is_nan() && sample.value.to_bits() != f64::NAN.to_bits() {
        marks.push((VALUE_BITS, Mark::Integer(sample.value.to_bits().cast_signed())));
    }
    if is_stale(sample.value) {
        object.number("flags", 1);
    }
    object.double("asDouble", sample.value);
}

pub(super) fn write_time(object: &mut Object<'_>, time_ms: i64, marks: &mut Vec<(&'static str, Mark)>) {
    let ns = u64::try_from(time_ms).ok().and_then(|ms| ms.checked_mul(1_000_000)).filter(|ns| *ns > 0);
    match ns {
        Some(ns) => object.integer("timeUnixNano", ns),
        None => marks.push((TIME_MS, Mark::Integer(time_ms))),
    }
}

pub(super) fn write_pairs(object: &mut Object<'_>, name: &str, labels: &Labels, marks: &[(&'static str, Mark)]) {
    let written = |key: &str| match key {
        "__name__" if name == "attributes" => None,
        key if key.starts_with(PREFIX) => Some(format!("{LABEL_PREFIX}{key}")),
        key => Some(key.to_owned()),
    };
    let labels = labels.iter().filter_map(|(key, value)| Some((written(key)?, Ok(value))));
    let marks = marks.iter().map(|(key, mark)| match mark {
        Mark::Integer(number) => ((*key).to_owned(), Err(*number)),
        Mark::Text(text) => ((*key).to_owned(), Ok(text.as_str())),
    });
    object.list(name, labels.chain(marks), |pair, (key, value)| {
        pair.text("key", &key);
        pair.object("value", |object| match value {
            Ok(text) => object.text("stringValue", text),
            Err(number) => object.integer("intValue", number),
        });
    });
}
