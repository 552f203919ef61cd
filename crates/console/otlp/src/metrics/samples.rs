//! Series that an export of the console wrote: taken as they were, names and labels and all. How they are
//! written: [`crate::export::samples_json`].

use std::borrow::Cow;

use console_model::{Exemplar, Labels, MetricKind, MetricMetadata, Sample, SeriesSamples, stale_marker};

use super::emit::{Emitter, Reason, cut_help, milliseconds};
use super::{Common, Data, Metric, NumberPoint, PointExemplar, Temporality};
use crate::error::Rejects;
use crate::export::{COUNTER_RESET, HISTOGRAM, LABEL_PREFIX, NO_SAMPLE, PREFIX, TIME_MS, VALUE_BITS};

mod histograms;

/// Adds what these metrics hold.
pub(super) fn take(metrics: &[Metric<'_>], emitter: &mut Emitter<'_>, rejects: &mut Rejects) {
    for metric in metrics {
        let name = metric.name.as_ref();
        let points = match &metric.data {
            Data::Gauge(points) => points,
            Data::Exponential(points, Temporality::Cumulative) => {
                each(points, rejects, |point, last| {
                    let read = || histograms::exponential(point);
                    histograms::take(name, &point.common, last, emitter, read)
                });
                continue;
            }
            Data::Histogram(points, Temporality::Cumulative) => {
                each(points, rejects, |point, last| {
                    histograms::take(name, &point.common, last, emitter, || histograms::explicit(point))
                });
                continue;
            }
            other => {
                let told = "exported samples are in gauges and in cumulative histograms only";
                rejects.add(other.len() as u64, || told.into());
                continue;
            }
        };
        if !metric.prometheus_type.is_empty() {
            emitter.batch.metadata.push(MetricMetadata {
                name: metric.name.as_ref().into(),
                kind: kind(&metric.prometheus_type),
                unit: metric.unit.as_ref().into(),
                help: cut_help(&metric.description).into(),
            });
        }
        each(points, rejects, |point, last| take_point(name, point, last, emitter));
    }
}

/// Takes points one by one; each gets the labels of the one before.
fn each<P>(points: &[P], rejects: &mut Rejects, mut take: impl FnMut(&P, Option<&Labels>) -> Result<Labels, Reason>) {
    let mut last: Option<Labels> = None;
    for point in points {
        match take(point, last.as_ref()) {
            Ok(labels) => last = Some(labels),
            Err(reason) => rejects.add(1, || reason.into_owned()),
        }
    }
}

fn kind(name: &str) -> MetricKind {
    let all = (0..=7).map(MetricKind::from_number);
    all.into_iter().find(|kind| kind.name() == name).unwrap_or_default()
}

/// What is written beside the labels.
#[derive(Default)]
struct Marks {
    time_ms: Option<i64>,
    value: Option<f64>,
    no_sample: bool,
    counter_reset: Option<u8>,
    histogram: Option<String>,
}

/// Labels and marks of these attributes.
fn labels(
    name: &str,
    attributes: &[(Cow<'_, str>, Cow<'_, str>)],
    emitter: &mut Emitter<'_>,
) -> Result<(Labels, Marks), Reason> {
    let mut marks = Marks::default();
    for (key, value) in attributes {
        match key.as_ref() {
            TIME_MS => marks.time_ms = value.parse().ok(),
            VALUE_BITS => marks.value = value.parse().ok().map(|bits: i64| f64::from_bits(bits.cast_unsigned())),
            NO_SAMPLE => marks.no_sample = true,
            COUNTER_RESET => marks.counter_reset = value.parse().ok(),
            HISTOGRAM => marks.histogram = Some(value.as_ref().to_owned()),
            label => match label.strip_prefix(LABEL_PREFIX) {
                Some(label) => emitter.builder.push(label, value),
                None if label.starts_with(PREFIX) => {}
                None => emitter.builder.push(label, value),
            },
        }
    }
    if !name.is_empty() {
        emitter.builder.push("__name__", name);
    }
    let labels = emitter.builder.finish();
    emitter.charge(labels.packed().len() + size_of::<SeriesSamples>() + size_of::<Sample>())?;
    Ok((labels, marks))
}

fn take_point(
    name: &str,
    point: &NumberPoint<'_>,
    last: Option<&Labels>,
    emitter: &mut Emitter<'_>,
) -> Result<Labels, Reason> {
    let (labels, marks) = labels(name, &point.common.attributes, emitter)?;
    let value = if point.common.stale { Some(stale_marker()) } else { marks.value.or(point.value) };
    let mut sample = None;
    if !marks.no_sample {
        let time_ms = marks.time_ms.unwrap_or_else(|| milliseconds(point.common.time_ns));
        sample = Some(Sample { time_ms, value: value.ok_or("a point without a value")? });
    }
    let mut exemplars = take_exemplars(&point.common, emitter)?;
    match emitter.batch.series.last_mut().filter(|_| last == Some(&labels)) {
        Some(series) => {
            series.samples.extend(sample);
            series.exemplars.append(&mut exemplars);
        }
        None => emitter.push(labels.clone(), sample.into_iter().collect(), exemplars),
    }
    Ok(labels)
}

fn take_exemplars(common: &Common<'_>, emitter: &mut Emitter<'_>) -> Result<Vec<Exemplar>, Reason> {
    common.exemplars.iter().map(|exemplar| take_exemplar(exemplar, emitter)).collect()
}

fn take_exemplar(exemplar: &PointExemplar<'_>, emitter: &mut Emitter<'_>) -> Result<Exemplar, Reason> {
    let (labels, marks) = labels("", &exemplar.attributes, emitter)?;
    let time_ms = marks.time_ms.unwrap_or_else(|| milliseconds(exemplar.time_ns));
    let sample = Sample { time_ms, value: marks.value.unwrap_or(exemplar.value) };
    Ok(Exemplar { sample, trace_id: exemplar.trace_id, span_id: exemplar.span_id, labels })
}
