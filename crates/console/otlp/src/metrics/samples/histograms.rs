//! Native histograms that an export of the console wrote, taken as they were.

use std::sync::Arc;

use console_model::{Buckets, CounterReset, FloatHistogram, HistogramSample, Labels};

use super::{Marks, labels, take_exemplars};
use crate::exact;
use crate::metrics::emit::{Emitter, Reason, milliseconds};
use crate::metrics::{self, Common, ExponentialPoint, HistogramPoint};

/// Takes a point whose histogram, unless it is written exactly beside it, is what `read` gives.
pub(super) fn take(
    name: &str,
    common: &Common<'_>,
    last: Option<&Labels>,
    emitter: &mut Emitter<'_>,
    read: impl FnOnce() -> Result<FloatHistogram, Reason>,
) -> Result<Labels, Reason> {
    let (labels, marks) = labels(name, &common.attributes, emitter)?;
    let time_ms = marks.time_ms.unwrap_or_else(|| milliseconds(common.time_ns));
    let histogram = histogram(common, &marks, read)?;
    histogram.check().map_err(|invalid| invalid.to_string())?;
    emitter.charge(histogram.bytes())?;
    let sample = HistogramSample { time_ms, histogram: Arc::new(histogram) };
    let mut exemplars = take_exemplars(common, emitter)?;
    let series = match emitter.batch.series.last_mut().filter(|_| last == Some(&labels)) {
        Some(series) => series,
        None => {
            emitter.push(labels.clone(), Vec::new(), Vec::new());
            emitter.batch.series.last_mut().ok_or("a series that is not there")?
        }
    };
    series.histograms.push(sample);
    series.exemplars.append(&mut exemplars);
    Ok(labels)
}

fn histogram(
    common: &Common<'_>,
    marks: &Marks,
    read: impl FnOnce() -> Result<FloatHistogram, Reason>,
) -> Result<FloatHistogram, Reason> {
    let histogram = match &marks.histogram {
        _ if common.stale => FloatHistogram::stale(),
        Some(text) => exact::read(text).ok_or("highbeam.histogram is no histogram")?,
        None => read()?,
    };
    let counter_reset = marks.counter_reset.and_then(CounterReset::from_number).unwrap_or_default();
    Ok(FloatHistogram { counter_reset, ..histogram })
}

pub(super) fn exponential(point: &ExponentialPoint<'_>) -> Result<FloatHistogram, Reason> {
    Ok(FloatHistogram {
        zero_threshold: point.zero_threshold,
        zero_count: point.zero_count as f64,
        count: point.count as f64,
        sum: point.sum.unwrap_or(f64::NAN),
        positive: buckets(&point.positive)?,
        negative: buckets(&point.negative)?,
        ..FloatHistogram::exponential(i8::try_from(point.scale).map_err(|_| "a scale that no schema has")?)
    })
}

/// OTLP's index is of a bucket's lower bound.
fn buckets(given: &metrics::Buckets) -> Result<Buckets, Reason> {
    let mut buckets = Buckets::new();
    for (index, count) in (given.offset.saturating_add(1)..).zip(&given.counts) {
        if *count > 0 {
            buckets.push(i32::try_from(index).map_err(|_| "a bucket's index beyond 32 bits")?, *count as f64);
        }
    }
    Ok(buckets)
}

pub(super) fn explicit(point: &HistogramPoint<'_>) -> Result<FloatHistogram, Reason> {
    let counts = (0..).zip(&point.counts).filter(|(_, count)| **count > 0);
    Ok(FloatHistogram {
        count: point.count as f64,
        sum: point.sum.unwrap_or(f64::NAN),
        positive: Buckets::from_counts(counts.map(|(index, count)| (index, *count as f64))),
        ..FloatHistogram::custom(point.bounds.as_slice())
    })
}
