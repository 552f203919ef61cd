//! Series of the storage, read once for all steps: by the last sample before each step, or by all samples of
//! each step's range.

use std::ops::Range;
use std::sync::Arc;

use console_model::{CounterReset, FloatHistogram, Labels};

use super::block::{Charge, Histograms, RowRef, absent, histogram_cells, is_absent, is_histogram};
use super::{Evaluation, Grid};
use crate::ast::{At, DurationExpr, Expr, Node, Selector, Span, Subquery};
use crate::storage::{Hints, Points, Selection, Series, StorageError};
use crate::{Error, Matcher};

/// Takes the samples of one series, and for each step which of them are in its range.
pub(super) type RangeSink<'s> = dyn FnMut(&Labels, bool, &Points, &[Range<usize>]) -> Result<(), Error> + 's;

/// Takes the samples of one series, and for each step the place of the last one before it.
pub(super) type LastSink<'s> = dyn FnMut(&Labels, &Points, &[Option<usize>]) -> Result<(), Error> + 's;

/// The times that a selector looks back from, one for each step, or one for all.
#[derive(Debug, Clone, Copy)]
pub(super) struct References {
    grid: Grid,
    /// How many steps look back from the same time, if it is fixed.
    fixed: Option<usize>,
}

impl References {
    /// When the range of a step ends.
    pub(super) fn time(&self, step: usize) -> i64 {
        self.grid.time(if self.fixed.is_some() { 0 } else { step })
    }

    /// The first and the last time.
    pub(super) fn bounds(&self) -> (i64, i64) {
        (self.grid.start_ms, self.grid.end_ms())
    }

    pub(super) fn steps(&self) -> usize {
        self.fixed.unwrap_or(self.grid.steps)
    }
}

impl Evaluation<'_> {
    pub(super) fn references(
        &self,
        at: Option<At>,
        offset: Option<&DurationExpr>,
        grid: Grid,
    ) -> Result<References, Error> {
        let offset_ms = self.offset(offset)?;
        let fixed_ms = match at {
            None => None,
            Some(At::Time(time_ms)) => Some(time_ms),
            Some(At::Start) => Some(self.start_ms),
            Some(At::End) => Some(self.end_ms),
        };
        Ok(match fixed_ms {
            Some(time_ms) => References {
                grid: Grid { start_ms: time_ms.saturating_sub(offset_ms), step_ms: 1, steps: 1 },
                fixed: Some(grid.steps),
            },
            None => {
                References { grid: Grid { start_ms: grid.start_ms.saturating_sub(offset_ms), ..grid }, fixed: None }
            }
        })
    }

    pub(super) fn select<'s>(
        &'s self,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
        hints: Hints<'_>,
    ) -> Result<Vec<Box<dyn Series + 's>>, Error> {
        self.stop.check()?;
        let series_max = self.limits.series_max;
        let selection = Selection { matchers, from_ms, to_ms, series_max, hints };
        let series = self.storage.select(&selection).map_err(storage_error)?;
        if series.len() > series_max { Err(Error::TooManySeries(series_max)) } else { Ok(series) }
    }

    pub(super) fn read(&self, series: &dyn Series, points: &mut Points) -> Result<Charge<'_>, Error> {
        points.clear();
        series.read(points).map_err(storage_error)?;
        if self.only_statistics.get() {
            points.compare_histograms();
        }
        let read = points.len();
        self.samples_read.set(self.samples_read.get().saturating_add(u64::try_from(read).unwrap_or(u64::MAX)));
        self.tick(read)?;
        Charge::of(&self.meter, read + histogram_cells(&points.histograms))
    }

    /// Each series with the last sample before each step.
    pub(super) fn stream_selector(
        &self,
        selector: &Selector,
        grid: Grid,
        sink: &mut super::Sink<'_>,
    ) -> Result<(), Error> {
        let mut cells = Vec::new();
        self.last_samples(selector, grid, &mut |labels, points, found| {
            cells.clear();
            let mut histograms = Histograms::new();
            for (step, at) in found.iter().enumerate() {
                let value = at.and_then(|at| points.values.get(at)).copied().unwrap_or(absent());
                cells.push(value);
                if is_histogram(value) {
                    let histogram = at.and_then(|at| points.histogram(at)).cloned();
                    histograms.extend(histogram.map(|histogram| (step, histogram)));
                }
            }
            if cells.iter().all(|cell| is_absent(*cell)) {
                return Ok(());
            }
            sink(RowRef { labels, nameless: false, cells: &cells, histograms: &histograms })
        })
    }

    /// Each series with the place of the last sample before each step, if it is not too old or stale.
    pub(super) fn last_samples(&self, selector: &Selector, grid: Grid, sink: &mut LastSink<'_>) -> Result<(), Error> {
        let references = self.references(selector.at, selector.offset.as_ref(), grid)?;
        let lookback_ms = self.limits.lookback_ms;
        let from_ms = references.grid.start_ms.saturating_sub(lookback_ms).saturating_add(1);
        let to_ms = references.grid.end_ms();
        let _charge = Charge::of(&self.meter, references.steps())?;
        let hints = Hints { step_ms: self.step_ms, newest_only: references.steps() == 1, ..Hints::default() };
        let mut points = Points::default();
        let mut found = Vec::with_capacity(references.steps());
        for series in self.select(&selector.matchers, from_ms, to_ms, hints)? {
            let _charge = self.read(series.as_ref(), &mut points)?;
            found.clear();
            let mut next = 0;
            for step in 0..references.grid.steps {
                let time_ms = references.grid.time(step);
                while points.times_ms.get(next).is_some_and(|time| *time <= time_ms) {
                    next += 1;
                }
                let oldest_ms = time_ms.saturating_sub(lookback_ms);
                let last = next.checked_sub(1).filter(|at| {
                    points.times_ms.get(*at).is_some_and(|time| *time > oldest_ms) && !points.is_stale(*at)
                });
                found.push(last);
            }
            if references.fixed.is_some() {
                let first = found.first().copied().flatten();
                found.resize(references.steps(), first);
            }
            sink(series.labels(), &points, &found)?;
            self.tick(found.len())?;
        }
        Ok(())
    }

    /// Each series of a range vector with its samples and each step's range of them.
    ///
    /// `function`: a hint for the storage.
    pub(super) fn ranges(
        &self,
        expr: &Expr,
        grid: Grid,
        function: Option<&str>,
        sink: &mut RangeSink<'_>,
    ) -> Result<(), Error> {
        match &expr.unwrapped().node {
            Node::Selector(selector) => self.selector_ranges((selector, expr.span), grid, function, sink),
            Node::Subquery(subquery) => self.subquery_ranges(subquery, grid, sink),
            _ => Err(Error::Execution("expected a range vector".to_owned())),
        }
    }

    /// When the ranges of a range vector end, and how wide they are, milliseconds.
    pub(super) fn range_times(&self, expr: &Expr, grid: Grid) -> Result<(References, i64), Error> {
        match &expr.unwrapped().node {
            Node::Selector(selector) => {
                let range = selector.range.as_ref().map_or(Ok(0), |range| self.positive_duration(range))?;
                Ok((self.references(selector.at, selector.offset.as_ref(), grid)?, range))
            }
            Node::Subquery(subquery) => {
                let range = self.positive_duration(&subquery.range)?;
                Ok((self.references(subquery.at, subquery.offset.as_ref(), grid)?, range))
            }
            _ => Err(Error::Execution("expected a range vector".to_owned())),
        }
    }

    fn selector_ranges(
        &self,
        (selector, span): (&Selector, Span),
        grid: Grid,
        function: Option<&str>,
        sink: &mut RangeSink<'_>,
    ) -> Result<(), Error> {
        let references = self.references(selector.at, selector.offset.as_ref(), grid)?;
        let range_ms = selector.range.as_ref().map_or(Ok(0), |range| self.positive_duration(range))?;
        if selector.anchored || selector.smoothed {
            return self.extended_ranges((selector, span), &references, range_ms, function, sink);
        }
        let from_ms = references.grid.start_ms.saturating_sub(range_ms).saturating_add(1);
        let to_ms = references.grid.end_ms();
        let _charge = Charge::of(&self.meter, references.steps())?;
        let hints = Hints { function, step_ms: self.step_ms, range_ms, ..Hints::default() };
        let mut points = Points::default();
        let mut windows = Vec::with_capacity(references.steps());
        for series in self.select(&selector.matchers, from_ms, to_ms, hints)? {
            let _charge = self.read(series.as_ref(), &mut points)?;
            points.drop_stale();
            windows_of(&points, &references, range_ms, &mut windows);
            sink(series.labels(), false, &points, &windows)?;
            self.tick(windows.len())?;
        }
        Ok(())
    }

    fn subquery_ranges(&self, subquery: &Subquery, grid: Grid, sink: &mut RangeSink<'_>) -> Result<(), Error> {
        let references = self.references(subquery.at, subquery.offset.as_ref(), grid)?;
        let range_ms = self.positive_duration(&subquery.range)?;
        let step_ms = match &subquery.step {
            Some(step) => self.positive_duration(step)?,
            None => self.limits.subquery_step_ms.max(1),
        };
        // Steps are where a multiple of their distance is, whatever the query's own times are.
        let first_ms = references.grid.start_ms.saturating_sub(range_ms);
        let start_ms = first_ms.div_euclid(step_ms).saturating_add(1).saturating_mul(step_ms);
        let end_ms = references.grid.end_ms();
        let mut windows = Vec::with_capacity(references.steps());
        if end_ms < start_ms {
            return Ok(());
        }
        let steps = usize::try_from((end_ms - start_ms) / step_ms + 1).map_err(|_| Error::TooManySamples)?;
        let _charge = Charge::of(&self.meter, steps.saturating_add(references.steps()))?;
        let inner = Grid { start_ms, step_ms, steps };
        let mut points = Points::default();
        self.with_statistics(false, || {
            self.stream(&subquery.expr, inner, &mut |row| {
                points.clear();
                let mut histograms = row.histograms.iter();
                for (step, cell) in row.cells.iter().enumerate() {
                    if is_histogram(*cell) {
                        if let Some((_, histogram)) = histograms.next() {
                            points.push_histogram(inner.time(step), without_hint(histogram));
                        }
                    } else if !is_absent(*cell) {
                        points.push_float(inner.time(step), *cell);
                    }
                }
                windows_of(&points, &references, range_ms, &mut windows);
                sink(row.labels, row.nameless, &points, &windows)?;
                self.tick(steps + windows.len())
            })
        })
    }
}

/// What is known of the sample before holds for the series, not for a subquery's steps through it.
fn without_hint(histogram: &Arc<FloatHistogram>) -> Arc<FloatHistogram> {
    if matches!(histogram.counter_reset, CounterReset::Unknown | CounterReset::Gauge) {
        return Arc::clone(histogram);
    }
    Arc::new(FloatHistogram { counter_reset: CounterReset::Unknown, ..(**histogram).clone() })
}

/// Which samples are in each step's range, which excludes its beginning and includes its end.
fn windows_of(points: &Points, references: &References, range_ms: i64, windows: &mut Vec<Range<usize>>) {
    windows.clear();
    let (mut start, mut end) = (0, 0);
    for step in 0..references.grid.steps {
        let to_ms = references.grid.time(step);
        let from_ms = to_ms.saturating_sub(range_ms);
        while points.times_ms.get(end).is_some_and(|time| *time <= to_ms) {
            end += 1;
        }
        while start < end && points.times_ms.get(start).is_some_and(|time| *time <= from_ms) {
            start += 1;
        }
        windows.push(start..end);
    }
    if references.fixed.is_some() {
        let first = windows.first().cloned().unwrap_or(0..0);
        windows.resize(references.steps(), first);
    }
}

fn storage_error(error: StorageError) -> Error {
    match error {
        StorageError::TooManySeries(max) => Error::TooManySeries(max),
        failed @ StorageError::Failed(_) => Error::Storage(failed),
    }
}
