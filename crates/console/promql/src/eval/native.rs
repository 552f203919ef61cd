//! Figures of native histograms by themselves: count, sum, mean, deviation. Floats are left out.

use super::block::{Block, absent, is_histogram};
use super::call::argument;
use super::{Evaluation, Grid};
use crate::Error;
use crate::ast::Call;
use crate::function::Id;

impl Evaluation<'_> {
    pub(super) fn of_native(&self, call: &Call, grid: Grid) -> Result<Block<'_>, Error> {
        let only_statistics = matches!(call.function.id, Id::HistogramCount | Id::HistogramSum | Id::HistogramAvg);
        let expr = argument(call, 0)?;
        let mut block = self.with_statistics(only_statistics, || self.vector(expr, grid))?;
        for (row, cells) in block.iter_mut() {
            cells.iter_mut().filter(|cell| !is_histogram(**cell)).for_each(|cell| *cell = absent());
            for (step, histogram) in std::mem::take(&mut row.histograms) {
                let Some(cell) = cells.get_mut(step) else { continue };
                *cell = match call.function.id {
                    Id::HistogramCount => histogram.count,
                    Id::HistogramSum => histogram.sum,
                    Id::HistogramStdvar => histogram.variance(),
                    Id::HistogramStddev => histogram.standard_deviation(),
                    _ => histogram.sum / histogram.count,
                };
            }
            self.tick(cells.len())?;
        }
        block.compact();
        self.drop_names(block)
    }
}
