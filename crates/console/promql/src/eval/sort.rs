//! `sort` and its sisters. The series of a range, and of a subquery, are always sorted by labels, so they matter for
//! instants only.

use std::cmp::Ordering;

use console_model::Labels;

use super::block::{Block, absent, is_float};
use super::call::argument;
use super::{Evaluation, Grid};
use crate::Error;
use crate::ast::{Call, Span};
use crate::function::Id;

impl Evaluation<'_> {
    pub(super) fn sort(&self, call: &Call, span: Span, grid: Grid) -> Result<Block<'_>, Error> {
        let mut block = self.vector(argument(call, 0)?, grid)?;
        let id = call.function.id;
        if self.step_ms > 0 {
            let text = "sort is ineffective for range queries since results are always ordered by labels";
            self.notes.warn(text, span);
        }
        if self.step_ms > 0 || grid.steps != 1 {
            if matches!(id, Id::Sort | Id::SortDesc) {
                // What cannot be ordered is left out, as in an instant.
                for (row, cells) in block.iter_mut() {
                    row.histograms.clear();
                    cells.iter_mut().filter(|cell| !is_float(**cell)).for_each(|cell| *cell = absent());
                }
            }
            return Ok(block);
        }
        let mut order: Vec<usize> = (0..block.rows.len()).collect();
        if matches!(id, Id::Sort | Id::SortDesc) {
            order.retain(|row| is_float(block.cell(*row, 0)));
            order.sort_by(|a, b| {
                let (a, b) = (block.cell(*a, 0), block.cell(*b, 0));
                by_value(a, b, id == Id::SortDesc)
            });
        } else {
            let names: Vec<String> = call.arguments.iter().skip(1).map(|expr| self.text(expr)).collect();
            order.sort_by(|a, b| match (block.rows.get(*a), block.rows.get(*b)) {
                (Some(a), Some(b)) => by_labels(&names, &a.labels, &b.labels, id == Id::SortByLabelDesc),
                _ => Ordering::Equal,
            });
        }
        let mut sorted = Block::new(grid.steps, &self.meter);
        order.into_iter().filter_map(|row| block.row(row)).try_for_each(|row| sorted.push(row))?;
        Ok(sorted)
    }
}

/// NaN is last whichever way it goes.
pub(super) fn by_value(a: f64, b: f64, falling: bool) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) if falling => b.total_cmp(&a),
        (false, false) => a.total_cmp(&b),
        (a, b) => a.cmp(&b),
    }
}

fn by_labels(names: &[String], a: &Labels, b: &Labels, falling: bool) -> Ordering {
    let value = |labels: &Labels, name: &str| labels.get(name).unwrap_or_default().to_owned();
    let by_names = names.iter().map(|name| natural(&value(a, name), &value(b, name)));
    let order = by_names.into_iter().find(|order| order.is_ne()).unwrap_or_else(|| a.cmp(b));
    if falling { order.reverse() } else { order }
}

/// Numbers within texts are compared as numbers: `a2` before `a10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let ((part_a, rest_a), (part_b, rest_b)) = (chunk(a), chunk(b));
        if part_a.is_empty() || part_b.is_empty() {
            return part_a.is_empty().cmp(&part_b.is_empty()).reverse();
        }
        let digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let order = if digits(part_a) && digits(part_b) {
            let (a, b) = (part_a.trim_start_matches('0'), part_b.trim_start_matches('0'));
            a.len().cmp(&b.len()).then_with(|| a.cmp(b)).then_with(|| part_a.len().cmp(&part_b.len()))
        } else {
            part_a.cmp(part_b)
        };
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

/// The first run of digits, or of anything else.
fn chunk(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let length = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    text.split_at_checked(length).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_labels_are_sorted_as_numbers() {
        let mut texts = ["a10", "a2", "b", "a", "4m1000", "4m5", "1.11.3", "1.2.3"];
        texts.sort_by(|a, b| natural(a, b));
        assert_eq!(texts, ["1.2.3", "1.11.3", "4m5", "4m1000", "a", "a2", "a10", "b"]);
    }
}
