//! Figures of all samples in a range: `sum_over_time` and its sisters.

use console_model::{HistogramMean, HistogramSum, Incompatible, Reconciled};

use super::{Outcome, Window};
use crate::ast::Span;
use crate::eval::Evaluation;
use crate::eval::block::is_histogram;
use crate::eval::sum::{Mean, Sum, quantile, variance};
use crate::function::Id;
use crate::print::number_text;

impl Evaluation<'_> {
    pub(super) fn over_time(&self, id: Id, window: &Window<'_>, scalar_span: Span) -> Option<Outcome> {
        let seconds = |ms: i64| ms as f64 / 1000.0;
        let value = match id {
            Id::CountOverTime => window.len() as f64,
            Id::PresentOverTime => 1.0,
            Id::TsOfFirstOverTime => seconds(*window.times().first()?),
            Id::TsOfLastOverTime => seconds(*window.times().last()?),
            Id::FirstOverTime => return sample(window, 0),
            Id::LastOverTime => return sample(window, window.len().checked_sub(1)?),
            Id::SumOverTime | Id::AvgOverTime => return self.sum_over_time(id, window),
            _ => {
                window.floats().next()?;
                self.tell_ignored(window);
                self.of_floats(id, window, scalar_span)
            }
        };
        Some(Outcome::Float(value))
    }

    fn of_floats(&self, id: Id, window: &Window<'_>, scalar_span: Span) -> f64 {
        let values = || window.floats().map(|(_, value)| value);
        let seconds = |ms: i64| ms as f64 / 1000.0;
        match id {
            Id::MaxOverTime => extreme(window, |value, most| value > most).1,
            Id::MinOverTime => extreme(window, |value, least| value < least).1,
            Id::TsOfMaxOverTime => seconds(extreme(window, |value, most| value >= most).0),
            Id::TsOfMinOverTime => seconds(extreme(window, |value, least| value <= least).0),
            Id::Integral => self.integral(window, scalar_span),
            Id::StdvarOverTime => variance(values()),
            Id::StddevOverTime => variance(values()).sqrt(),
            Id::MadOverTime => {
                let mut all: Vec<f64> = values().collect();
                let median = quantile(0.5, &mut all);
                all.iter_mut().for_each(|value| *value = (*value - median).abs());
                if all.iter().any(|value| value.is_nan()) { f64::NAN } else { quantile(0.5, &mut all) }
            }
            _ => {
                let q = window.scalar(0);
                self.doubt_quantile(q, scalar_span);
                quantile(q, &mut values().collect::<Vec<_>>())
            }
        }
    }

    /// The area below the samples, in seconds times their unit. NaN counts for nothing.
    fn integral(&self, window: &Window<'_>, strategy_span: Span) -> f64 {
        let strategy = window.scalars.first().copied().unwrap_or(2.0);
        // Which share of the time between two samples the first and the second of them stand for.
        let shares = match strategy {
            0.0 => (1.0, 0.0),
            1.0 => (0.0, 1.0),
            2.0 => (0.5, 0.5),
            _ => {
                let told = format!("integral strategy should be 0, 1 or 2, got {}", number_text(strategy));
                self.notes.warn(&told, strategy_span);
                (0.5, 0.5)
            }
        };
        let mut area = Sum::default();
        let floats = window.floats();
        for ((from_ms, from), (to_ms, to)) in floats.clone().zip(floats.skip(1)) {
            let seconds = (to_ms - from_ms) as f64 / 1000.0;
            // One after the other: a small one would be lost beside a large one, and two large ones be too much.
            for (value, share) in [(from, shares.0), (to, shares.1)] {
                if !value.is_nan() && share > 0.0 {
                    area.add(value * share * seconds);
                }
            }
        }
        area.value()
    }

    /// The warning of a quantile that is none.
    pub(in crate::eval) fn doubt_quantile(&self, q: f64, span: Span) {
        if !(0.0..=1.0).contains(&q) {
            self.notes.warn(&format!("quantile value should be between 0 and 1, got {}", number_text(q)), span);
        }
    }

    fn sum_over_time(&self, id: Id, window: &Window<'_>) -> Option<Outcome> {
        let histograms = window.histogram_count();
        if histograms == 0 {
            let mut values = window.floats().map(|(_, value)| value);
            let first = values.next()?;
            return Some(Outcome::Float(if id == Id::SumOverTime {
                let mut sum = Sum::of(first);
                values.for_each(|value| sum.add(value));
                sum.value()
            } else {
                let mut mean = Mean::of(first);
                values.for_each(|value| mean.add(value));
                mean.value()
            }));
        }
        if histograms < window.len() {
            self.warn_mixed(window);
            return None;
        }
        let mut all = window.histograms();
        let first = all.next()?;
        let result = if id == Id::SumOverTime {
            let mut sum = HistogramSum::new(first);
            let added = all.try_for_each(|histogram| sum.add(histogram));
            self.told(added, sum.reconciled(), window)?;
            sum.finish()
        } else {
            let mut mean = HistogramMean::new(first);
            let added = all.try_for_each(|histogram| mean.add(histogram));
            self.told(added, mean.reconciled(), window)?;
            mean.finish()
        };
        Some(Outcome::Histogram(result.into()))
    }

    fn told(&self, added: Result<(), Incompatible>, reconciled: Reconciled, window: &Window<'_>) -> Option<()> {
        if added.is_err() {
            self.warn_mixed_schemas(window);
            return None;
        }
        self.tell_aggregated(reconciled, window.span);
        Some(())
    }

    /// What had to be done about histograms that were added up.
    pub(in crate::eval) fn tell_aggregated(&self, reconciled: Reconciled, span: Span) {
        if reconciled.conflicting_resets {
            self.notes.warn("conflicting counter resets during histogram aggregation", span);
        }
        self.tell_reconciled(reconciled, "aggregation", span);
    }
}

fn sample(window: &Window<'_>, position: usize) -> Option<Outcome> {
    let value = *window.values().get(position)?;
    if !is_histogram(value) {
        return Some(Outcome::Float(value));
    }
    window.histogram(window.range.start + position).cloned().map(Outcome::Histogram)
}

/// Time and value of the one that is beyond all others. NaN only where there is nothing else.
fn extreme(window: &Window<'_>, beyond: impl Fn(f64, f64) -> bool) -> (i64, f64) {
    let mut floats = window.floats();
    let mut found = floats.next().unwrap_or((0, f64::NAN));
    for (time_ms, value) in floats {
        if beyond(value, found.1) || found.1.is_nan() {
            found = (time_ms, value);
        }
    }
    found
}
