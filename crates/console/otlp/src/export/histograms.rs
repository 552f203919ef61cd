//! Native histograms as OTLP has them: exponential ones as exponential histograms, those with listed bounds as
//! explicit ones. What OTLP's counts cannot hold is written beside them, see [`crate::exact`].

use console_model::{Buckets, CounterReset, FloatHistogram, HistogramSample, SeriesSamples};

use super::json::Object;
use super::samples::{self, COUNTER_RESET, HISTOGRAM, Mark};
use crate::exact::{self, DENSE_MAX};

/// OTLP's number for sums since the beginning.
const CUMULATIVE: u32 = 2;

/// Whether a histogram has this kind of buckets. The mark of a series' end has that of the others.
pub(super) fn is_of(series: &SeriesSamples, sample: &HistogramSample, custom: bool) -> bool {
    let is_custom = |sample: &HistogramSample| sample.histogram.is_custom();
    if sample.histogram.is_stale() {
        return series.histograms.iter().find(|other| !other.histogram.is_stale()).is_some_and(is_custom) == custom;
    }
    is_custom(sample) == custom
}

/// Writes the histograms of a series that have this kind of buckets as the data of one metric.
pub(super) fn write(metric: &mut Object<'_>, series: &SeriesSamples, custom: bool, with_exemplars: bool) {
    metric.text("name", series.labels.get("__name__").unwrap_or_default());
    let name = if custom { "histogram" } else { "exponentialHistogram" };
    metric.object(name, |data| {
        data.number("aggregationTemporality", CUMULATIVE);
        let points = series.histograms.iter().filter(|sample| is_of(series, sample, custom));
        data.list("dataPoints", points.enumerate(), |point, (position, sample)| {
            let mut marks = Vec::new();
            write_point(point, sample, &mut marks);
            samples::write_pairs(point, "attributes", &series.labels, &marks);
            if position == 0 && with_exemplars && !series.exemplars.is_empty() {
                point.list("exemplars", &series.exemplars, samples::write_exemplar);
            }
        });
    });
}

fn write_point(point: &mut Object<'_>, sample: &HistogramSample, marks: &mut Vec<(&'static str, Mark)>) {
    let histogram = &sample.histogram;
    samples::write_time(point, sample.time_ms, marks);
    if histogram.counter_reset != CounterReset::Unknown {
        marks.push((COUNTER_RESET, Mark::Integer(i64::from(histogram.counter_reset.number()))));
    }
    if histogram.is_stale() {
        return point.number("flags", 1);
    }
    if !exact::is_plain(histogram) {
        marks.push((HISTOGRAM, Mark::Text(exact::write(histogram))));
    }
    point.integer("count", rounded(histogram.count));
    point.double("sum", histogram.sum);
    if histogram.is_custom() {
        write_explicit(point, histogram);
    } else {
        point.number("scale", histogram.schema);
        point.integer("zeroCount", rounded(histogram.zero_count));
        point.double("zeroThreshold", histogram.zero_threshold);
        write_buckets(point, "positive", &histogram.positive);
        write_buckets(point, "negative", &histogram.negative);
    }
}

/// OTLP's counts are whole.
fn rounded(count: f64) -> u64 {
    count.round() as u64
}

/// Side by side from the first to the last, by OTLP's index, which is of the lower bound. Nothing where that
/// would be more than there may be.
fn write_buckets(point: &mut Object<'_>, name: &str, buckets: &Buckets) {
    let Some((first, counts)) = exact::side_by_side(buckets, DENSE_MAX) else { return };
    point.object(name, |object| {
        object.number("offset", i64::from(first) - 1);
        object.integers("bucketCounts", counts.into_iter().map(rounded));
    });
}

fn write_explicit(point: &mut Object<'_>, histogram: &FloatHistogram) {
    let mut counts = vec![0_u64; histogram.custom_values.len() + 1];
    for (index, count) in histogram.positive.iter() {
        if let Some(place) = usize::try_from(index).ok().and_then(|index| counts.get_mut(index)) {
            *place = rounded(count);
        }
    }
    point.doubles("explicitBounds", histogram.custom_values.iter().copied());
    point.integers("bucketCounts", counts.into_iter());
}
