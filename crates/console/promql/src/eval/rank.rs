//! Aggregations that choose among rows, and `count_values`, which makes rows of values.

use console_model::Labels;
use hashbrown::HashMap;

use super::aggregate::{Extremes, Groups};
use super::block::{Block, Row, is_absent, is_float, is_histogram, with_label};
use super::sort::by_value;
use super::{Evaluation, Grid};
use crate::Error;
use crate::ast::{Aggregate, AggregateOp};
use crate::print::{number_text, plain_number, quoted};

impl Evaluation<'_> {
    pub(super) fn choose(&self, aggregate: &Aggregate, grid: Grid) -> Result<Block<'_>, Error> {
        let parameters = self.chosen_counts(aggregate, grid)?;
        let mut block = self.vector(&aggregate.expr, grid)?;
        let (_, members) = self.members(aggregate, &block)?;
        let ranked = matches!(aggregate.op, AggregateOp::TopK | AggregateOp::BottomK);
        if ranked && block.rows.iter().any(|row| !row.histograms.is_empty()) {
            self.tell_ignored_in(aggregate.op, aggregate.expr.span);
        }
        let mut kept = vec![false; block.cells.len()];
        let mut order = Vec::new();
        let mut candidates: Vec<(f64, usize)> = Vec::new();
        for members in &members {
            for (step, parameter) in parameters.iter().copied().enumerate() {
                candidates.clear();
                let cells = members.iter().map(|row| (block.cell(*row, step), *row));
                candidates.extend(cells.filter(|(cell, _)| if ranked { is_float(*cell) } else { !is_absent(*cell) }));
                match aggregate.op {
                    AggregateOp::LimitRatio => candidates
                        .retain(|(_, row)| block.rows.get(*row).is_some_and(|row| is_sampled(&row.labels, parameter))),
                    AggregateOp::LimitK => candidates.truncate(count_of(parameter)),
                    _ => best(&mut candidates, count_of(parameter), aggregate.op == AggregateOp::TopK),
                }
                for (_, row) in &candidates {
                    kept.get_mut(row * grid.steps + step).into_iter().for_each(|kept| *kept = true);
                }
                if grid.steps == 1 {
                    order.extend(candidates.iter().map(|(_, row)| *row));
                }
                self.tick(members.len())?;
            }
        }
        block.cells.iter_mut().zip(kept).filter(|(_, kept)| !kept).for_each(|(cell, _)| *cell = super::block::absent());
        if grid.steps != 1 {
            block.compact();
            return Ok(block);
        }
        let mut chosen = Block::new(grid.steps, &self.meter);
        order.into_iter().filter_map(|row| block.row(row)).try_for_each(|row| chosen.push(row))?;
        Ok(chosen)
    }

    /// How many rows, or which share of them, are chosen at each step.
    fn chosen_counts(&self, aggregate: &Aggregate, grid: Grid) -> Result<Vec<f64>, Error> {
        let (mut values, parameter) = self.parameter(aggregate, grid)?;
        let extremes = Extremes::of(&values);
        if aggregate.op == AggregateOp::LimitRatio {
            if extremes.has_nan {
                return Err(Error::Execution("Ratio value is NaN".to_owned()));
            }
            for value in extremes.beyond(-1.0, 1.0) {
                let (value, capped) = (number_text(value), number_text(value.clamp(-1.0, 1.0)));
                let text = format!("ratio value should be between -1 and 1, got {value}, capping to {capped}");
                self.notes.warn(&text, parameter.span);
            }
            values.iter_mut().for_each(|value| *value = value.clamp(-1.0, 1.0));
            return Ok(values);
        }
        let wrong = values.iter().find_map(|value| {
            if value.is_nan() {
                return Some("Parameter value is NaN".to_owned());
            }
            let overflows = *value >= i64::MAX as f64 || *value <= i64::MIN as f64;
            overflows.then(|| format!("Scalar value {} overflows int64", number_text(*value)))
        });
        wrong.map_or(Ok(values), |wrong| Err(Error::Execution(wrong)))
    }

    pub(super) fn count_values(&self, aggregate: &Aggregate, grid: Grid) -> Result<Block<'_>, Error> {
        let label = aggregate.parameter.as_ref().map(|expr| self.text(expr)).unwrap_or_default();
        if !crate::parser::is_label_name(&label) {
            return Err(Error::Execution(format!("invalid label name {}", quoted(&label))));
        }
        let block = self.vector(&aggregate.expr, grid)?;
        let mut groups = Groups::new(aggregate, self.delayed());
        let mut known: HashMap<(Labels, bool), usize> = HashMap::new();
        let mut result = Block::new(grid.steps, &self.meter);
        for (place, row) in block.rows.iter().enumerate() {
            let group = groups.of(&row.labels, row.nameless);
            let Some(base) = groups.rows.get(group) else { continue };
            for (step, cell) in block.cells(place).iter().enumerate() {
                let text = match row.histogram(step) {
                    _ if is_absent(*cell) => continue,
                    Some(histogram) if is_histogram(*cell) => histogram.to_string(),
                    _ => plain_number(*cell),
                };
                let labels = with_label(&base.labels, &label, &text);
                let next = result.rows.len();
                let at = *known.entry((labels.clone(), base.nameless)).or_insert(next);
                if at == next {
                    result.push_empty(Row::new(labels, base.nameless))?.fill(super::block::absent());
                }
                if let Some(count) = result.cells.get_mut(at * grid.steps + step) {
                    *count = if is_absent(*count) { 1.0 } else { *count + 1.0 };
                }
                self.tick(4)?;
            }
        }
        Ok(result)
    }
}

fn count_of(parameter: f64) -> usize {
    if parameter < 1.0 { 0 } else { parameter as usize }
}

/// The best so many, best first; of equal ones those that came first.
fn best(candidates: &mut Vec<(f64, usize)>, count: usize, falling: bool) {
    let order = |a: &(f64, usize), b: &(f64, usize)| by_value(a.0, b.0, falling).then(a.1.cmp(&b.1));
    if count == 0 {
        candidates.clear();
        return;
    }
    if count < candidates.len() {
        candidates.select_nth_unstable_by(count - 1, order);
        candidates.truncate(count);
    }
    candidates.sort_unstable_by(order);
}

/// Whether a series belongs to this share of all series. A negative share is the rest of a positive one.
///
/// The hash is that of Prometheus, so that both choose the same series: xxHash of names and values in turn,
/// each with its length before it.
fn is_sampled(labels: &Labels, ratio: f64) -> bool {
    let mut bytes = Vec::with_capacity(labels.packed().len());
    for (name, value) in labels.iter() {
        for text in [name, value] {
            match u8::try_from(text.len()) {
                Ok(length) if length < u8::MAX => bytes.push(length),
                _ => {
                    bytes.push(u8::MAX);
                    bytes.extend(text.len().to_le_bytes().iter().take(3));
                }
            }
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    let place = xxhash_rust::xxh64::xxh64(&bytes, 0) as f64 / u64::MAX as f64;
    if ratio >= 0.0 { place < ratio } else { place >= 1.0 + ratio }
}
