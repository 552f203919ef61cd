//! Calls of functions: which module answers which.

use super::block::{Block, Row, absent, is_float};
use super::{Evaluation, Frame, Grid, date, math};
use crate::Error;
use crate::ast::{Call, Expr, Node, Span};
use crate::function::Id;
use console_model::Labels;

impl Evaluation<'_> {
    pub(super) fn call(&self, call: &Call, span: Span, grid: Grid) -> Result<Frame<'_>, Error> {
        if let Some(values) = self.scalar_call(call, grid)? {
            return Ok(Frame::Scalar(values));
        }
        if let Some(block) = self.window_call(call, span, grid)? {
            return Ok(Frame::Vector(block));
        }
        let block = match call.function.id {
            Id::Vector_ => self.vector_of(&self.scalar(argument(call, 0)?, grid)?, grid)?,
            Id::Absent | Id::AbsentOverTime => self.absent(call, grid)?,
            Id::Timestamp => self.timestamp(argument(call, 0)?, grid)?,
            Id::LabelReplace => self.label_replace(call, grid)?,
            Id::LabelJoin => self.label_join(call, grid)?,
            Id::Sort | Id::SortDesc | Id::SortByLabel | Id::SortByLabelDesc => self.sort(call, span, grid)?,
            Id::HistogramQuantile | Id::HistogramQuantiles | Id::HistogramFraction => {
                self.classic_or_native(call, grid)?
            }
            Id::HistogramAvg | Id::HistogramCount | Id::HistogramStddev | Id::HistogramStdvar | Id::HistogramSum => {
                self.of_native(call, grid)?
            }
            Id::Info => self.info(call, grid)?,
            _ => self.elementwise(call, grid)?,
        };
        Ok(Frame::Vector(block))
    }

    /// A call that gives a scalar, if it does.
    fn scalar_call(&self, call: &Call, grid: Grid) -> Result<Option<Vec<f64>>, Error> {
        let seconds = |ms: i64| ms as f64 / 1000.0;
        let both = |choose: fn(f64, f64) -> f64| -> Result<Vec<f64>, Error> {
            let (left, right) = (self.scalar(argument(call, 0)?, grid)?, self.scalar(argument(call, 1)?, grid)?);
            Ok(left.into_iter().zip(right).map(|(left, right)| choose(left, right)).collect())
        };
        Ok(Some(match call.function.id {
            Id::Pi => self.constant(std::f64::consts::PI, grid)?,
            Id::Start => self.constant(seconds(self.start_ms), grid)?,
            Id::End => self.constant(seconds(self.end_ms), grid)?,
            Id::Range => self.constant(seconds(self.end_ms - self.start_ms), grid)?,
            Id::Step => self.constant(seconds(self.step_ms), grid)?,
            Id::MinOf => both(math::min)?,
            Id::MaxOf => both(math::max)?,
            Id::Time => {
                let mut values = self.constant(0.0, grid)?;
                values.iter_mut().enumerate().for_each(|(step, value)| *value = seconds(grid.time(step)));
                values
            }
            Id::Scalar_ => self.only_float(argument(call, 0)?, grid)?,
            _ => return Ok(None),
        }))
    }

    /// The one number of a vector at each step; NaN where there is none or more than one.
    fn only_float(&self, expr: &Expr, grid: Grid) -> Result<Vec<f64>, Error> {
        let mut values = self.constant(f64::NAN, grid)?;
        let mut seen = vec![0_u8; grid.steps];
        self.stream(expr, grid, &mut |row| {
            for ((cell, value), seen) in row.cells.iter().zip(&mut values).zip(&mut seen) {
                if is_float(*cell) {
                    *value = if *seen == 0 { *cell } else { f64::NAN };
                    *seen = 1;
                }
            }
            self.tick(row.cells.len())
        })?;
        Ok(values)
    }

    /// A vector of one series without labels.
    pub(super) fn vector_of(&self, values: &[f64], grid: Grid) -> Result<Block<'_>, Error> {
        let mut block = Block::new(grid.steps, &self.meter);
        block.push_empty(Row::new(Labels::default(), false))?.copy_from_slice(values);
        Ok(block)
    }

    /// When each sample was taken, seconds, if a selector is asked; else when it was computed.
    fn timestamp(&self, expr: &Expr, grid: Grid) -> Result<Block<'_>, Error> {
        let seconds = |ms: i64| ms as f64 / 1000.0;
        let block = match &expr.unwrapped().node {
            Node::Selector(selector) => {
                let mut block = Block::new(grid.steps, &self.meter);
                self.last_samples(selector, grid, &mut |labels, points, found| {
                    if found.iter().all(Option::is_none) {
                        return Ok(());
                    }
                    let cells = block.push_empty(Row::new(labels.clone(), false))?;
                    for (cell, at) in cells.iter_mut().zip(found) {
                        *cell = at.and_then(|at| points.times_ms.get(at)).map_or(absent(), |time| seconds(*time));
                    }
                    Ok(())
                })?;
                block
            }
            _ => {
                let mut block = self.vector(expr, grid)?;
                for (row, cells) in block.iter_mut() {
                    row.histograms.clear();
                    let taken = cells.iter_mut().enumerate().filter(|(_, cell)| !super::block::is_absent(**cell));
                    taken.for_each(|(step, cell)| *cell = seconds(grid.time(step)));
                }
                block
            }
        };
        self.drop_names(block)
    }

    /// Functions of each number by itself. Histograms are left out.
    fn elementwise(&self, call: &Call, grid: Grid) -> Result<Block<'_>, Error> {
        let id = call.function.id;
        let mut block = match call.arguments.first() {
            Some(expr) => self.vector(expr, grid)?,
            None => {
                let now: Vec<f64> = (0..grid.steps).map(|step| grid.time(step) as f64 / 1000.0).collect();
                self.vector_of(&now, grid)?
            }
        };
        let scalars =
            call.arguments.iter().skip(1).map(|expr| self.scalar(expr, grid)).collect::<Result<Vec<_>, _>>()?;
        let at = |position: usize, step: usize| scalars.get(position).and_then(|values| values.get(step)).copied();
        let one = math::function(id).or_else(|| date::function(id));
        for (row, cells) in block.iter_mut() {
            row.histograms.clear();
            for (step, cell) in cells.iter_mut().enumerate() {
                if !is_float(*cell) {
                    *cell = absent();
                    continue;
                }
                *cell = match (one, id) {
                    (Some(one), _) => one(*cell),
                    (None, Id::Round) => math::round(*cell, at(0, step).unwrap_or(1.0)),
                    (None, Id::ClampMin) => math::max(at(0, step).unwrap_or(f64::NAN), *cell),
                    (None, Id::ClampMax) => math::min(at(0, step).unwrap_or(f64::NAN), *cell),
                    (None, Id::Clamp) => match (at(0, step), at(1, step)) {
                        (Some(least), Some(most)) if most < least => absent(),
                        (Some(least), Some(most)) => math::max(least, math::min(most, *cell)),
                        _ => absent(),
                    },
                    (None, _) => return Err(Error::Execution(format!("{} has no meaning here", call.function.name))),
                };
            }
            self.tick(cells.len())?;
        }
        block.compact();
        self.drop_names(block)
    }
}

/// An argument that the parser has made sure of.
pub(super) fn argument(call: &Call, position: usize) -> Result<&Expr, Error> {
    call.arguments
        .get(position)
        .ok_or_else(|| Error::Execution(format!("{} needs at least {} arguments", call.function.name, position + 1)))
}
