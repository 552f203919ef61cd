//! Aggregations that keep a few numbers for each group and step: rows are added as they come. Those that
//! choose among rows are in `rank`.

mod accumulate;

use console_model::Labels;
use hashbrown::HashMap;

use super::block::{Block, NAME, Row, RowRef, filtered, visible, write_key};
use super::{Evaluation, Grid};
use crate::Error;
use crate::ast::{Aggregate, AggregateOp, Expr, Span};
use accumulate::Accumulator;

/// How far a parameter goes over all steps. Prometheus tells of these alone, and of NaN before all else.
pub(super) struct Extremes {
    least: f64,
    most: f64,
    pub(super) has_nan: bool,
}

impl Extremes {
    pub(super) fn of(values: &[f64]) -> Self {
        let extremes = Self { least: f64::INFINITY, most: f64::NEG_INFINITY, has_nan: false };
        values.iter().fold(extremes, |extremes, value| Self {
            least: extremes.least.min(*value),
            most: extremes.most.max(*value),
            has_nan: extremes.has_nan || value.is_nan(),
        })
    }

    /// What is to be told of them, if that lies beyond two bounds.
    pub(super) fn beyond(&self, least: f64, most: f64) -> impl Iterator<Item = f64> + use<> {
        let nan = self.has_nan.then_some(f64::NAN);
        let most = Some(self.most).filter(|value| nan.is_none() && *value > most);
        let least = Some(self.least).filter(|value| nan.is_none() && *value < least);
        [nan, most, least].into_iter().flatten()
    }
}

/// Which group a row belongs to: found by its labels, hashed once for each row.
pub(super) struct Groups<'a> {
    aggregate: &'a Aggregate,
    delayed: bool,
    known: HashMap<Vec<u8>, usize>,
    /// The labels of each group.
    pub(super) rows: Vec<Row>,
    key: Vec<u8>,
}

impl<'a> Groups<'a> {
    pub(super) fn new(aggregate: &'a Aggregate, delayed: bool) -> Self {
        Self { aggregate, delayed, known: HashMap::new(), rows: Vec::new(), key: Vec::new() }
    }

    /// The place of the group of a row.
    pub(super) fn of(&mut self, labels: &Labels, nameless: bool) -> usize {
        let Aggregate { without, labels: names, .. } = self.aggregate;
        let hidden = nameless && !self.delayed;
        self.key.clear();
        let counts = |name: &str| {
            if *without { name != NAME && !names.iter().any(|n| n == name) } else { names.iter().any(|n| n == name) }
        };
        if *without || !names.is_empty() {
            write_key(&mut self.key, visible(labels, hidden).filter(|(name, _)| counts(name)));
        }
        let next = self.rows.len();
        let place = *self.known.entry_ref(self.key.as_slice()).or_insert(next);
        if place == next {
            let kept = filtered(labels, |name| counts(name) && !(hidden && name == NAME));
            self.rows.push(Row::new(kept, nameless));
        } else if nameless && let Some(row) = self.rows.get_mut(place) {
            row.nameless = true;
        }
        place
    }
}

impl Evaluation<'_> {
    pub(super) fn aggregate(&self, aggregate: &Aggregate, span: Span, grid: Grid) -> Result<Block<'_>, Error> {
        match aggregate.op {
            AggregateOp::TopK | AggregateOp::BottomK | AggregateOp::LimitK | AggregateOp::LimitRatio => {
                self.choose(aggregate, grid)
            }
            AggregateOp::CountValues => self.count_values(aggregate, grid),
            AggregateOp::Quantile => self.quantile(aggregate, grid),
            _ => self.accumulate(aggregate, span, grid),
        }
    }

    fn accumulate(&self, aggregate: &Aggregate, _span: Span, grid: Grid) -> Result<Block<'_>, Error> {
        let mut groups = Groups::new(aggregate, self.delayed());
        let mut accumulators: Vec<Accumulator> = Vec::new();
        let mut charge = super::Charge::none(&self.meter);
        let mut ignored = false;
        self.stream(&aggregate.expr, grid, &mut |row| {
            let place = groups.of(row.labels, row.nameless);
            if place == accumulators.len() {
                charge.add(grid.steps * 3)?;
                accumulators.push(Accumulator::new(aggregate.op, grid.steps));
            }
            if let Some(accumulator) = accumulators.get_mut(place) {
                ignored |= accumulator.add(row);
            }
            self.tick(row.cells.len())
        })?;
        let inner = aggregate.expr.span;
        if ignored {
            self.tell_ignored_in(aggregate.op, inner);
        }
        let mut block = Block::new(grid.steps, &self.meter);
        for (row, accumulator) in groups.rows.into_iter().zip(accumulators) {
            let (cells, histograms) = self.told_of(accumulator, inner);
            block.push(RowRef {
                labels: &row.labels,
                nameless: row.nameless,
                cells: &cells,
                histograms: &histograms,
            })?;
        }
        block.compact();
        Ok(block)
    }

    /// The info of histograms that an aggregation makes nothing of.
    pub(super) fn tell_ignored_in(&self, op: AggregateOp, span: Span) {
        self.notes.info(&format!("ignored histogram in {} aggregation", op.name()), span);
    }

    fn told_of(&self, accumulator: Accumulator, span: Span) -> (Vec<f64>, super::block::Histograms) {
        let finished = accumulator.finish();
        if finished.mixed {
            self.notes.warn("encountered a mix of histograms and floats for aggregation", span);
        }
        if finished.mixed_schemas {
            let text = "vector contains a mix of histograms with exponential and custom buckets schemas";
            self.notes.warn(text, span);
        }
        self.tell_aggregated(finished.reconciled, span);
        (finished.cells, finished.histograms)
    }

    fn quantile(&self, aggregate: &Aggregate, grid: Grid) -> Result<Block<'_>, Error> {
        let (q, parameter) = self.parameter(aggregate, grid)?;
        for q in Extremes::of(&q).beyond(0.0, 1.0) {
            self.doubt_quantile(q, parameter.span);
        }
        let block = self.vector(&aggregate.expr, grid)?;
        let (groups, members) = self.members(aggregate, &block)?;
        if block.rows.iter().any(|row| !row.histograms.is_empty()) {
            self.tell_ignored_in(aggregate.op, aggregate.expr.span);
        }
        let mut result = Block::new(grid.steps, &self.meter);
        let mut values = Vec::new();
        for (row, members) in groups.rows.into_iter().zip(members) {
            let cells = result.push_empty(row)?;
            for (step, cell) in cells.iter_mut().enumerate() {
                values.clear();
                let floats = members.iter().map(|row| block.cell(*row, step));
                values.extend(floats.filter(|value| super::block::is_float(*value)));
                if !values.is_empty() {
                    *cell = super::sum::quantile(q.get(step).copied().unwrap_or(f64::NAN), &mut values);
                }
                self.tick(members.len())?;
            }
        }
        result.compact();
        Ok(result)
    }

    /// The parameter at each step.
    pub(super) fn parameter<'e>(&self, aggregate: &'e Aggregate, grid: Grid) -> Result<(Vec<f64>, &'e Expr), Error> {
        let Some(parameter) = &aggregate.parameter else {
            return Err(Error::Execution(format!("{} needs a parameter", aggregate.op.name())));
        };
        Ok((self.scalar(parameter, grid)?, parameter))
    }

    /// The groups of a table's rows, and which rows are in each.
    pub(super) fn members<'a>(
        &self,
        aggregate: &'a Aggregate,
        block: &Block<'_>,
    ) -> Result<(Groups<'a>, Vec<Vec<usize>>), Error> {
        let mut groups = Groups::new(aggregate, self.delayed());
        let mut members: Vec<Vec<usize>> = Vec::new();
        for (place, row) in block.rows.iter().enumerate() {
            let group = groups.of(&row.labels, row.nameless);
            if group == members.len() {
                members.push(Vec::new());
            }
            if let Some(members) = members.get_mut(group) {
                members.push(place);
            }
            self.tick(1)?;
        }
        Ok((groups, members))
    }
}
