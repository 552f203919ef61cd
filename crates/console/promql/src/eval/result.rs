//! What was evaluated as an answer: names that were dropped are left out, series that cannot be told apart
//! are an error, order is what Prometheus gives.

use console_model::{FloatHistogram, Labels};
use std::sync::Arc;

use super::block::{Block, NAME, Row, filtered, is_absent, is_histogram};
use super::{Evaluation, Frame, Grid};
use crate::ast::{Expr, ValueType};
use crate::{Answer, Error, MatrixSeries, Point, Value, VectorSample};

impl Evaluation<'_> {
    pub(crate) fn instant(self, expr: &Expr) -> Result<Answer, Error> {
        self.stop.check()?;
        let grid = Grid { start_ms: self.start_ms, step_ms: 1, steps: 1 };
        if expr.value_type() == ValueType::Matrix {
            let value = Value::Matrix(self.matrix(expr, grid)?);
            return Ok(self.answer(value));
        }
        let time_ms = self.start_ms;
        let value = match self.eval(expr, grid)? {
            Frame::Scalar(values) => Value::Scalar { time_ms, value: values.first().copied().unwrap_or(f64::NAN) },
            Frame::Text(value) => Value::String { time_ms, value: crate::parser::shown(&value) },
            Frame::Vector(block) => Value::Vector(self.samples(self.finished(block)?)),
        };
        Ok(self.answer(value))
    }

    pub(crate) fn range(self, expr: &Expr) -> Result<Answer, Error> {
        self.stop.check()?;
        let steps = (self.end_ms - self.start_ms) / self.step_ms.max(1) + 1;
        let steps = usize::try_from(steps).map_err(|_| Error::TooManySamples)?;
        let grid = Grid { start_ms: self.start_ms, step_ms: self.step_ms, steps };
        let mut series = match self.eval(expr, grid)? {
            Frame::Scalar(values) => {
                let floats = values.into_iter().enumerate().map(|(step, value)| (grid.time(step), value)).collect();
                vec![MatrixSeries { labels: Labels::default(), floats, histograms: Vec::new() }]
            }
            Frame::Vector(block) => matrix_series(self.finished(block)?, grid),
            Frame::Text(_) => return Err(Error::Invalid("a text has no range of values".to_owned())),
        };
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(self.answer(Value::Matrix(series)))
    }

    fn answer(self, value: Value) -> Answer {
        let (samples_read, samples_peak) = (self.samples_read.get(), self.meter.peak());
        let (warnings, infos) = self.notes.into_parts();
        Answer { value, warnings, infos, samples_read, samples_peak }
    }

    /// A table whose labels are what they say.
    fn finished<'m>(&self, mut block: Block<'m>) -> Result<Block<'m>, Error> {
        block.compact();
        if block.rows.iter().any(|row| row.nameless) {
            let differ = block.names_differ();
            for row in &mut block.rows {
                settle(row);
            }
            if differ {
                block.merge(true)?;
            }
        }
        Ok(block)
    }

    fn samples(&self, block: Block<'_>) -> Vec<VectorSample> {
        let time_ms = self.start_ms;
        let Block { rows, cells, .. } = &block;
        rows.iter()
            .zip(cells)
            .filter_map(|(row, cell)| {
                let value = match row.histogram(0) {
                    Some(histogram) if is_histogram(*cell) => Point::Histogram(Arc::clone(histogram)),
                    _ => Point::Float(*cell),
                };
                (!is_absent(*cell)).then(|| VectorSample { labels: row.labels.clone(), time_ms, value })
            })
            .collect()
    }

    /// A range vector as it is, for an instant.
    fn matrix(&self, expr: &Expr, grid: Grid) -> Result<Vec<MatrixSeries>, Error> {
        let mut all: Vec<MatrixSeries> = Vec::new();
        let mut charge = super::Charge::none(&self.meter);
        self.ranges(expr, grid, None, &mut |labels, nameless, points, windows| {
            let Some(window) = windows.first() else { return Ok(()) };
            let mut row = Row::new(labels.clone(), nameless);
            settle(&mut row);
            let mut series = MatrixSeries { labels: row.labels, ..MatrixSeries::default() };
            charge.add(window.end - window.start)?;
            for at in window.clone() {
                let (Some(time_ms), Some(value)) = (points.times_ms.get(at), points.values.get(at)) else { continue };
                match points.histogram(at) {
                    Some(histogram) if is_histogram(*value) => {
                        series.histograms.push((*time_ms, Arc::clone(histogram)));
                    }
                    _ => series.floats.push((*time_ms, *value)),
                }
            }
            if !series.floats.is_empty() || !series.histograms.is_empty() {
                all.push(series);
            }
            Ok(())
        })?;
        all.sort_by(|a, b| a.labels.cmp(&b.labels));
        if all.windows(2).any(|pair| matches!(pair, [a, b] if a.labels == b.labels)) {
            return Err(super::block::same_labels());
        }
        Ok(all)
    }
}

fn settle(row: &mut Row) {
    if row.nameless && row.labels.get(NAME).is_some() {
        row.labels = filtered(&row.labels, |name| name != NAME);
    }
}

fn matrix_series(block: Block<'_>, grid: Grid) -> Vec<MatrixSeries> {
    let mut all = Vec::with_capacity(block.rows.len());
    for row in block.iter() {
        let mut floats = Vec::with_capacity(row.cells.len() - row.histograms.len().min(row.cells.len()));
        for (step, cell) in row.cells.iter().enumerate() {
            if super::block::is_float(*cell) {
                floats.push((grid.time(step), *cell));
            }
        }
        let at = |(step, histogram): &(usize, Arc<FloatHistogram>)| (grid.time(*step), Arc::clone(histogram));
        let histograms = row.histograms.iter().map(at).collect();
        all.push(MatrixSeries { labels: row.labels.clone(), floats, histograms });
    }
    all
}
