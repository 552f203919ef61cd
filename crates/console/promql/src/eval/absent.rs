//! `absent` and `absent_over_time`: one where there is nothing.

use console_model::Labels;

use super::block::{Block, NAME, Row, is_absent};
use super::call::argument;
use super::{Evaluation, Grid};
use crate::ast::{Call, Expr, Node};
use crate::function::Id;
use crate::{Error, MatchOp};

impl Evaluation<'_> {
    pub(super) fn absent(&self, call: &Call, grid: Grid) -> Result<Block<'_>, Error> {
        let expr = argument(call, 0)?;
        let mut present = vec![false; grid.steps];
        if call.function.id == Id::AbsentOverTime {
            self.check_extended(call, expr)?;
            self.ranges(expr, grid, Some(call.function.name), &mut |_, _, _, windows| {
                present.iter_mut().zip(windows).for_each(|(present, window)| *present |= !window.is_empty());
                Ok(())
            })?;
        } else {
            self.stream(expr, grid, &mut |row| {
                present.iter_mut().zip(row.cells).for_each(|(present, cell)| *present |= !is_absent(*cell));
                self.tick(row.cells.len())
            })?;
        }
        let mut block = Block::new(grid.steps, &self.meter);
        if present.contains(&false) {
            let cells = block.push_empty(Row::new(labels_of(expr), false))?;
            let missing = cells.iter_mut().zip(present).filter(|(_, present)| !present);
            missing.for_each(|(cell, _)| *cell = 1.0);
        }
        Ok(block)
    }
}

/// The labels that what is missing would have: those that its selector asks for once and exactly.
fn labels_of(expr: &Expr) -> Labels {
    let Node::Selector(selector) = &expr.unwrapped().node else {
        return Labels::default();
    };
    let once = |name: &str| selector.matchers.iter().filter(|matcher| matcher.name() == name).count() == 1;
    let exact = selector
        .matchers
        .iter()
        .filter(|matcher| matcher.op() == MatchOp::Equal && matcher.name() != NAME && once(matcher.name()));
    Labels::from_pairs(exact.map(|matcher| (matcher.name(), matcher.value())))
}
