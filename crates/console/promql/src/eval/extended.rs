//! `anchored` and `smoothed`: what stands at the ends of a range, or at a time, is taken or interpolated from
//! the samples around it instead of being estimated.

use std::ops::Range;
use std::sync::Arc;

use console_model::{CounterReset, FloatHistogram, Labels};

use super::block::{Histograms, NAME, RowRef, absent, is_absent, is_histogram};
use super::notes::about;
use super::select::{RangeSink, References};
use super::{Evaluation, Grid};
use crate::Error;
use crate::ast::{Call, Expr, Node, Selector, Span};
use crate::function::Id;
use crate::storage::{HISTOGRAM, Hints, Points};

/// The ranges of one series one after the other, each with its ends.
#[derive(Default)]
struct Ranges {
    points: Points,
    windows: Vec<Range<usize>>,
}

/// One sample, or what stands for one.
#[derive(Clone)]
enum Sample {
    Float(f64),
    Histogram(Arc<FloatHistogram>),
}

/// Why two samples cannot be interpolated between.
enum Apart {
    Kinds,
    Schemas,
}

impl Ranges {
    fn push(&mut self, time_ms: i64, sample: &Sample) {
        let place = self.points.values.len();
        self.points.times_ms.push(time_ms);
        match sample {
            Sample::Float(value) => self.points.values.push(*value),
            Sample::Histogram(histogram) => {
                self.points.values.push(f64::from_bits(HISTOGRAM));
                self.points.histograms.push((place, Arc::clone(histogram)));
            }
        }
    }
}

impl Evaluation<'_> {
    /// Refuses functions that the ends of such a range mean nothing to.
    pub(super) fn check_extended(&self, call: &Call, range: &Expr) -> Result<(), Error> {
        let Node::Selector(selector) = &range.unwrapped().node else { return Ok(()) };
        let fits = |ids: &[Id]| ids.contains(&call.function.id);
        let smooth = [Id::Delta, Id::Increase, Id::Rate];
        let (word, functions, fits) = if selector.anchored {
            let fits = fits(&smooth) || fits(&[Id::Changes, Id::Resets]);
            ("anchored", "changes, delta, increase, rate, resets", fits)
        } else if selector.smoothed {
            ("smoothed", "delta, increase, rate", fits(&smooth))
        } else {
            return Ok(());
        };
        if fits {
            return Ok(());
        }
        let name = call.function.name;
        Err(Error::Execution(format!("{word} modifier can only be used with: {functions} - not with {name}")))
    }

    /// Each series with its ranges and their ends.
    pub(super) fn extended_ranges(
        &self,
        (selector, span): (&Selector, Span),
        references: &References,
        range_ms: i64,
        function: Option<&str>,
        sink: &mut RangeSink<'_>,
    ) -> Result<(), Error> {
        let lookback_ms = self.limits.lookback_ms;
        let (first_ms, last_ms) = references.bounds();
        let from_ms = first_ms.saturating_sub(range_ms).saturating_sub(lookback_ms).saturating_add(1);
        let to_ms = if selector.smoothed { last_ms.saturating_add(lookback_ms) } else { last_ms };
        let hints = Hints { function, step_ms: self.step_ms, range_ms, ..Hints::default() };
        let counter = matches!(function, Some("rate" | "increase"));
        let differences = counter || function == Some("delta");
        let mut points = Points::default();
        let mut ranges = Ranges::default();
        for series in self.select(&selector.matchers, from_ms, to_ms, hints)? {
            let _charge = self.read(series.as_ref(), &mut points)?;
            points.drop_stale();
            ranges.points.clear();
            ranges.windows.clear();
            let mut charge = super::Charge::none(&self.meter);
            for step in 0..references.steps() {
                let end_ms = references.time(step);
                let times = (end_ms.saturating_sub(range_ms), end_ms);
                let begin = ranges.points.len();
                let built = if selector.anchored {
                    self.anchored(&points, times, differences, &mut ranges);
                    Ok(())
                } else {
                    self.smoothed(&points, times, counter, &mut ranges)
                };
                if let Err(apart) = built {
                    self.warn_apart(&apart, series.labels(), span);
                    ranges.points.truncate(begin);
                }
                charge.add(ranges.points.len() - begin)?;
                ranges.windows.push(begin..ranges.points.len());
                self.tick(ranges.points.len() - begin + 1)?;
            }
            sink(series.labels(), false, &ranges.points, &ranges.windows)?;
        }
        Ok(())
    }

    /// The last sample before a range, if it is not too old, and those in it.
    fn anchored(&self, points: &Points, (start_ms, end_ms): (i64, i64), differences: bool, ranges: &mut Ranges) {
        let inside = points.times_ms.partition_point(|time| *time <= start_ms);
        let end = points.times_ms.partition_point(|time| *time <= end_ms);
        if inside >= end {
            return;
        }
        let oldest_ms = start_ms.saturating_sub(self.limits.lookback_ms);
        let fresh = |at: &usize| points.times_ms.get(*at).is_some_and(|time| *time > oldest_ms);
        if let Some(sample) = inside.checked_sub(1).filter(fresh).and_then(|at| sample(points, at)) {
            ranges.push(start_ms, &sample);
        }
        let begin = ranges.points.len();
        for at in inside..end {
            if let (Some(time_ms), Some(sample)) = (points.times_ms.get(at), sample(points, at)) {
                ranges.push(*time_ms, &sample);
            }
        }
        let alone =
            end - inside == 1 && ranges.points.len() == begin + 1 && inside.checked_sub(1).filter(fresh).is_none();
        if differences && alone {
            // Of one sample the difference from itself is nothing.
            if let Some(sample) = sample(points, inside) {
                ranges.push(end_ms, &without_hint(sample));
            }
        }
    }

    /// What is interpolated at both ends of a range, and the samples between.
    fn smoothed(
        &self,
        points: &Points,
        (start_ms, end_ms): (i64, i64),
        counter: bool,
        ranges: &mut Ranges,
    ) -> Result<(), Apart> {
        let lookback_ms = self.limits.lookback_ms;
        let (oldest_ms, newest_ms) = (start_ms.saturating_sub(lookback_ms), end_ms.saturating_add(lookback_ms));
        let first = points.times_ms.partition_point(|time| *time <= oldest_ms);
        let last = points.times_ms.partition_point(|time| *time <= newest_ms);
        let inside = points.times_ms.partition_point(|time| *time <= start_ms);
        let after = points.times_ms.partition_point(|time| *time <= end_ms);
        if first >= after || inside >= last {
            return Ok(());
        }
        let time = |at: usize| points.times_ms.get(at).copied().unwrap_or(0);
        let before = inside.checked_sub(1).filter(|at| *at >= first);
        let exact = before.is_some_and(|at| time(at) == start_ms);
        let between = |at: usize, time_ms: i64| interpolated(points, at, time_ms, counter);
        let left = match before {
            Some(at) if exact => sample(points, at),
            Some(at) => Some(between(at, start_ms)?),
            None => None,
        };
        let interpolated_left = left.is_some() && !exact;
        left.iter().for_each(|sample| ranges.push(start_ms, sample));
        let begin = ranges.points.len();
        for at in inside..after {
            let Some(sample) = sample(points, at) else { continue };
            let first_inside = ranges.points.len() == begin;
            let sample = if interpolated_left && first_inside { without_hint(sample) } else { sample };
            ranges.push(time(at), &sample);
        }
        let previous = after.checked_sub(1);
        let right = match previous {
            Some(at) if time(at) == end_ms && at >= inside => None,
            Some(at) if after < last => Some(between(at, end_ms)?),
            Some(at) => sample(points, at).map(without_hint),
            None => None,
        };
        if let Some(right) = right {
            let nothing_between = ranges.points.len() == begin;
            let right = if interpolated_left && nothing_between { without_hint(right) } else { right };
            ranges.push(end_ms, &right);
        } else if ranges.points.len() - begin + usize::from(left.is_some()) == 1
            && let Some(sample) = previous.and_then(|at| sample(points, at))
        {
            ranges.push(end_ms, &without_hint(sample));
        }
        Ok(())
    }

    /// Each series with what is interpolated at each step.
    pub(super) fn stream_smoothed(
        &self,
        (selector, span): (&Selector, Span),
        grid: Grid,
        sink: &mut super::Sink<'_>,
    ) -> Result<(), Error> {
        let references = self.references(selector.at, selector.offset.as_ref(), grid)?;
        let lookback_ms = self.limits.lookback_ms;
        let (first_ms, last_ms) = references.bounds();
        let from_ms = first_ms.saturating_sub(lookback_ms).saturating_add(1);
        let hints = Hints { step_ms: self.step_ms, ..Hints::default() };
        let mut points = Points::default();
        for series in self.select(&selector.matchers, from_ms, last_ms.saturating_add(lookback_ms), hints)? {
            let _charge = self.read(series.as_ref(), &mut points)?;
            let mut cells = vec![absent(); grid.steps];
            let mut histograms = Histograms::new();
            for (step, cell) in cells.iter_mut().enumerate() {
                match self.at_time(&points, references.time(step)) {
                    Ok(None) => {}
                    Ok(Some(Sample::Float(value))) => *cell = value,
                    Ok(Some(Sample::Histogram(histogram))) => {
                        *cell = f64::from_bits(HISTOGRAM);
                        histograms.push((step, histogram));
                    }
                    Err(apart) => self.warn_apart(&apart, series.labels(), span),
                }
            }
            self.tick(grid.steps)?;
            if cells.iter().any(|cell| !is_absent(*cell)) {
                let labels = series.labels();
                sink(RowRef { labels, nameless: false, cells: &cells, histograms: &histograms })?;
            }
        }
        Ok(())
    }

    fn at_time(&self, points: &Points, time_ms: i64) -> Result<Option<Sample>, Apart> {
        let lookback_ms = self.limits.lookback_ms;
        let after = points.times_ms.partition_point(|time| *time <= time_ms);
        let Some(before) = after.checked_sub(1) else { return Ok(None) };
        let time = |at: usize| points.times_ms.get(at).copied();
        let fresh = time(before).is_some_and(|time| time > time_ms.saturating_sub(lookback_ms));
        if !fresh || points.is_stale(before) {
            return Ok(None);
        }
        let near = time(after).is_some_and(|time| time <= time_ms.saturating_add(lookback_ms));
        if time(before) == Some(time_ms) || !near || points.is_stale(after) {
            return Ok(sample(points, before));
        }
        let counter = points.histogram(before).is_some_and(|h| h.counter_reset != CounterReset::Gauge);
        interpolated(points, before, time_ms, counter).map(Some)
    }

    fn warn_apart(&self, apart: &Apart, labels: &Labels, span: Span) {
        let text = match apart {
            Apart::Kinds => "encountered a mix of histograms and floats",
            Apart::Schemas => "vector contains a mix of histograms with exponential and custom buckets schemas",
        };
        self.notes.warn(&about(text, labels.get(NAME).unwrap_or_default()), span);
    }
}

fn sample(points: &Points, at: usize) -> Option<Sample> {
    let value = *points.values.get(at)?;
    if is_histogram(value) { points.histogram(at).cloned().map(Sample::Histogram) } else { Some(Sample::Float(value)) }
}

/// A sample of which nothing is known about the one before.
fn without_hint(sample: Sample) -> Sample {
    match sample {
        Sample::Histogram(histogram)
            if !matches!(histogram.counter_reset, CounterReset::Unknown | CounterReset::Gauge) =>
        {
            let counter_reset = CounterReset::Unknown;
            Sample::Histogram(Arc::new(FloatHistogram { counter_reset, ..(*histogram).clone() }))
        }
        other => other,
    }
}

/// What is on the line between a sample and the next one. A counter that fell is taken to have begun at zero.
fn interpolated(points: &Points, at: usize, time_ms: i64, counter: bool) -> Result<Sample, Apart> {
    let time = |at: usize| points.times_ms.get(at).copied().unwrap_or(time_ms);
    let share = (time_ms.saturating_sub(time(at))) as f64 / (time(at + 1).saturating_sub(time(at))).max(1) as f64;
    match (sample(points, at), sample(points, at + 1)) {
        (Some(Sample::Float(before)), Some(Sample::Float(after))) => {
            let value = if counter && after < before { after * share } else { before + (after - before) * share };
            Ok(Sample::Float(value))
        }
        (Some(Sample::Histogram(before)), Some(Sample::Histogram(after))) => {
            if before.is_custom() != after.is_custom() {
                return Err(Apart::Schemas);
            }
            let mut value = (*after).clone();
            if counter && after.is_reset_since(&before) {
                value.mul(share);
                value.counter_reset = CounterReset::Reset;
                return Ok(Sample::Histogram(value.into()));
            }
            value.sub(&before).map_err(|_| Apart::Schemas)?;
            value.mul(share);
            value.add(&before).map_err(|_| Apart::Schemas)?;
            value.counter_reset = before.counter_reset;
            if value.counter_reset == CounterReset::Reset {
                value.counter_reset = CounterReset::Unknown;
            }
            Ok(Sample::Histogram(value.into()))
        }
        (Some(only), None) => Ok(only),
        _ => Err(Apart::Kinds),
    }
}
