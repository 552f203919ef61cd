//! Series that an export of the console wrote: taken as they were, names and labels and all. How they are
//! written: [`crate::export::samples_json`].

use std::borrow::Cow;

use console_model::{Exemplar, Labels, MetricKind, MetricMetadata, Sample, SeriesSamples, stale_marker};

use super::emit::{Emitter, Reason, milliseconds};
use super::{Data, Metric, NumberPoint, PointExemplar};
use crate::error::Rejects;
use crate::export::{LABEL_PREFIX, NO_SAMPLE, PREFIX, TIME_MS, VALUE_BITS};

/// Adds what these metrics hold.
pub(super) fn take(metrics: &[Metric<'_>], emitter: &mut Emitter<'_>, rejects: &mut Rejects) {
    for metric in metrics {
        let Data::Gauge(points) = &metric.data else {
            rejects.add(metric.data.len() as u64, || "exported samples are in gauges only".into());
            continue;
        };
        if !metric.prometheus_type.is_empty() {
            emitter.batch.metadata.push(MetricMetadata {
                name: metric.name.as_ref().into(),
                kind: kind(&metric.prometheus_type),
                unit: metric.unit.as_ref().into(),
                help: metric.description.as_ref().into(),
            });
        }
        let mut last: Option<Labels> = None;
        for point in points {
            match take_point(&metric.name, point, last.as_ref(), emitter) {
                Ok(labels) => last = Some(labels),
                Err(reason) => rejects.add(1, || reason.into_owned()),
            }
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
    let mut exemplars = Vec::new();
    for exemplar in &point.common.exemplars {
        exemplars.push(take_exemplar(exemplar, emitter)?);
    }
    match emitter.batch.series.last_mut().filter(|_| last == Some(&labels)) {
        Some(series) => {
            series.samples.extend(sample);
            series.exemplars.append(&mut exemplars);
        }
        None => emitter.push(labels.clone(), sample.into_iter().collect(), exemplars),
    }
    Ok(labels)
}

fn take_exemplar(exemplar: &PointExemplar<'_>, emitter: &mut Emitter<'_>) -> Result<Exemplar, Reason> {
    let (labels, marks) = labels("", &exemplar.attributes, emitter)?;
    let time_ms = marks.time_ms.unwrap_or_else(|| milliseconds(exemplar.time_ns));
    let sample = Sample { time_ms, value: marks.value.unwrap_or(exemplar.value) };
    Ok(Exemplar { sample, trace_id: exemplar.trace_id, span_id: exemplar.span_id, labels })
}
