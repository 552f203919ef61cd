//! What is kept of a group at each step, and what comes of it.

use console_model::{HistogramMean, HistogramSum, Reconciled};

use crate::ast::AggregateOp;
use crate::eval::block::{Histograms, RowRef, absent, histogram_at, is_absent, is_histogram};
use crate::eval::sum::{Mean, Sum};
use crate::storage::HISTOGRAM;

/// One group over all steps.
pub(super) struct Accumulator {
    op: AggregateOp,
    state: State,
    /// Of sums and means: which kinds were added at each step.
    kinds: Vec<u8>,
    histograms: Vec<Option<Total>>,
    mixed_schemas: bool,
}

const FLOAT: u8 = 1;
const NATIVE: u8 = 2;
const BROKEN: u8 = 4;

enum State {
    Sums(Vec<Sum>),
    Means(Vec<Mean>),
    Counts(Vec<f64>),
    /// Counts, means and sums of squared distances.
    Spreads(Vec<[f64; 3]>),
    /// The least or the greatest, or 1 for a group that is there.
    Values(Vec<f64>),
}

enum Total {
    Sum(HistogramSum),
    Mean(HistogramMean),
}

/// What came of a group, and what is to be said of it.
pub(super) struct Finished {
    pub(super) cells: Vec<f64>,
    pub(super) histograms: Histograms,
    pub(super) mixed: bool,
    pub(super) mixed_schemas: bool,
    pub(super) reconciled: Reconciled,
}

impl Accumulator {
    pub(super) fn new(op: AggregateOp, steps: usize) -> Self {
        let (state, kinds) = match op {
            AggregateOp::Sum => (State::Sums(vec![Sum::default(); steps]), steps),
            AggregateOp::Avg => (State::Means(vec![Mean::default(); steps]), steps),
            AggregateOp::Count => (State::Counts(vec![0.0; steps]), 0),
            AggregateOp::Stddev | AggregateOp::Stdvar => (State::Spreads(vec![[0.0; 3]; steps]), 0),
            _ => (State::Values(vec![absent(); steps]), 0),
        };
        Self { op, state, kinds: vec![0; kinds], histograms: Vec::new(), mixed_schemas: false }
    }

    /// Adds a row. Says whether it has histograms that the aggregation makes nothing of.
    pub(super) fn add(&mut self, row: RowRef<'_>) -> bool {
        let native = !row.histograms.is_empty();
        let floats = || row.cells.iter().enumerate().filter(|(_, cell)| !is_absent(**cell) && !is_histogram(**cell));
        match &mut self.state {
            State::Sums(sums) => {
                for ((sum, kind), cell) in sums.iter_mut().zip(&mut self.kinds).zip(row.cells) {
                    if !is_absent(*cell) && !is_histogram(*cell) {
                        if *kind & FLOAT == 0 {
                            *sum = Sum::of(*cell)
                        } else {
                            sum.add(*cell)
                        }
                        *kind |= FLOAT;
                    }
                }
            }
            State::Means(means) => {
                for ((mean, kind), cell) in means.iter_mut().zip(&mut self.kinds).zip(row.cells) {
                    if !is_absent(*cell) && !is_histogram(*cell) {
                        if *kind & FLOAT == 0 {
                            *mean = Mean::of(*cell)
                        } else {
                            mean.add(*cell)
                        }
                        *kind |= FLOAT;
                    }
                }
            }
            State::Counts(counts) => {
                counts
                    .iter_mut()
                    .zip(row.cells)
                    .for_each(|(count, cell)| *count += f64::from(u8::from(!is_absent(*cell))));
                return false;
            }
            State::Spreads(spreads) => {
                floats().for_each(|(step, value)| spreads.get_mut(step).into_iter().for_each(|s| spread(s, *value)));
                return native;
            }
            State::Values(values) if self.op == AggregateOp::Group => {
                let present = values.iter_mut().zip(row.cells).filter(|(_, cell)| !is_absent(**cell));
                present.for_each(|(value, _)| *value = 1.0);
                return false;
            }
            State::Values(values) => {
                let least = self.op == AggregateOp::Min;
                for (step, cell) in floats() {
                    let Some(value) = values.get_mut(step) else { continue };
                    let beyond = if least { *cell < *value } else { *cell > *value };
                    // Nothing is a NaN too.
                    if beyond || value.is_nan() {
                        *value = *cell;
                    }
                }
                return native;
            }
        }
        if native {
            self.add_histograms(row);
        }
        false
    }

    fn add_histograms(&mut self, row: RowRef<'_>) {
        let steps = self.kinds.len();
        self.histograms.resize_with(steps, || None);
        for (step, kind) in self.kinds.iter_mut().enumerate() {
            let (Some(histogram), Some(total)) = (histogram_at(row.histograms, step), self.histograms.get_mut(step))
            else {
                continue;
            };
            if *kind & BROKEN != 0 {
                continue;
            }
            let added = match total {
                None => {
                    let first = match self.op {
                        AggregateOp::Sum => Total::Sum(HistogramSum::new(histogram)),
                        _ => Total::Mean(HistogramMean::new(histogram)),
                    };
                    *total = Some(first);
                    Ok(())
                }
                Some(Total::Sum(sum)) => sum.add(histogram),
                Some(Total::Mean(mean)) => mean.add(histogram),
            };
            *kind |= NATIVE;
            if added.is_err() {
                *kind |= BROKEN;
                self.mixed_schemas = true;
            }
        }
    }

    pub(super) fn finish(self) -> Finished {
        let Self { op, state, kinds, histograms, mixed_schemas } = self;
        let mut reconciled = Reconciled::default();
        let mixed = kinds.iter().any(|kind| *kind & (FLOAT | NATIVE) == FLOAT | NATIVE);
        let mut cells = match state {
            State::Sums(sums) => sums.into_iter().map(Sum::value).collect(),
            State::Means(means) => means.into_iter().map(Mean::value).collect(),
            State::Counts(counts) => {
                counts.into_iter().map(|count| if count > 0.0 { count } else { absent() }).collect()
            }
            State::Spreads(spreads) => spreads.into_iter().map(|spread| spread_value(op, spread)).collect(),
            State::Values(values) => values,
        };
        cells.iter_mut().zip(&kinds).filter(|(_, kind)| **kind != FLOAT).for_each(|(cell, _)| *cell = absent());
        let mut totals = Histograms::new();
        for (step, total) in histograms.into_iter().enumerate() {
            let (Some(total), Some(cell)) = (total, cells.get_mut(step)) else { continue };
            if kinds.get(step) != Some(&NATIVE) {
                continue;
            }
            let (histogram, more) = match total {
                Total::Sum(sum) => {
                    let more = sum.reconciled();
                    (sum.finish(), more)
                }
                Total::Mean(mean) => {
                    let more = mean.reconciled();
                    (mean.finish(), more)
                }
            };
            reconciled.bounds |= more.bounds;
            reconciled.conflicting_resets |= more.conflicting_resets;
            *cell = f64::from_bits(HISTOGRAM);
            totals.push((step, histogram.into()));
        }
        Finished { cells, histograms: totals, mixed, mixed_schemas, reconciled }
    }
}

/// Adds a value to a count, a mean and a sum of squared distances (Welford's method).
fn spread(state: &mut [f64; 3], value: f64) {
    let [count, mean, squares] = state;
    *count += 1.0;
    if *count == 1.0 {
        *mean = value;
        *squares = if value.is_finite() { 0.0 } else { f64::NAN };
        return;
    }
    let delta = value - *mean;
    *mean += delta / *count;
    *squares += delta * (value - *mean);
}

fn spread_value(op: AggregateOp, [count, _, squares]: [f64; 3]) -> f64 {
    if count == 0.0 {
        return absent();
    }
    let variance = squares / count;
    if op == AggregateOp::Stddev { variance.sqrt() } else { variance }
}
