//! How fast something grows: `rate`, `increase`, `delta`, `irate`, `idelta`, `changes`, `resets`.

use console_model::{CounterReset, FloatHistogram, Reconciled};

use super::{Outcome, Window};
use crate::ast::Span;
use crate::eval::Evaluation;
use crate::eval::block::is_histogram;
use crate::print::quoted;

impl Evaluation<'_> {
    /// The difference of a range's ends, stretched to the whole range but not far beyond its samples.
    pub(super) fn extrapolated(&self, window: &Window<'_>, counter: bool, per_second: bool) -> Option<Outcome> {
        let histograms = window.histogram_count();
        if histograms > 0 && histograms < window.len() {
            self.warn_mixed(window);
            return None;
        }
        let (times, values) = (window.times(), window.values());
        let (first_ms, last_ms) = (*times.first()?, *times.last()?);
        if times.len() < 2 {
            return None;
        }
        if histograms > 0 {
            let mut increase = self.histogram_increase(window, counter)?;
            let start = window.histograms().next()?.count;
            let factor = stretch(window, first_ms, last_ms, counter.then_some((start, increase.count)), per_second);
            increase.mul(factor);
            return Some(Outcome::Histogram(increase.into()));
        }
        let (first, last) = (*values.first()?, *values.last()?);
        let mut increase = last - first;
        if counter {
            let from = window.falls.partition_point(|at| *at <= window.range.start);
            let falls = window.falls.get(from..).unwrap_or_default();
            for at in falls.iter().take_while(|at| **at < window.range.end) {
                increase += at.checked_sub(1).and_then(|at| window.points.values.get(at)).copied().unwrap_or(0.0);
            }
        }
        let factor = stretch(window, first_ms, last_ms, counter.then_some((first, increase)), per_second);
        Some(Outcome::Float(increase * factor))
    }

    fn histogram_increase(&self, window: &Window<'_>, counter: bool) -> Option<FloatHistogram> {
        let all: Vec<_> = window.histograms().collect();
        let (first, second, last) = (*all.first()?, *all.get(1)?, *all.last()?);
        let gauges = all.iter().filter(|histogram| histogram.counter_reset == CounterReset::Gauge).count();
        if counter && gauges > 0 {
            self.warn_kind(window, "counter");
        }
        // A first sample before a reset counts for nothing, whatever its buckets.
        let empty = FloatHistogram {
            schema: second.schema,
            custom_values: second.custom_values.clone(),
            ..FloatHistogram::default()
        };
        let reset_at_once = counter && second.is_reset_since(first);
        let base = if reset_at_once { &empty } else { first };
        if all.iter().skip(1).any(|histogram| histogram.is_custom() != base.is_custom()) {
            self.warn_mixed_schemas(window);
            return None;
        }
        let mut increase = (**last).clone();
        let reconciled = increase.sub(base).ok()?;
        self.tell_reconciled(reconciled, "subtraction", window.span);
        if counter {
            let mut before: &FloatHistogram = base;
            for now in all.iter().skip(1) {
                if now.is_reset_since(before) {
                    let reconciled = increase.add(before).ok()?;
                    self.tell_reconciled(reconciled, "addition", window.span);
                }
                before = now;
            }
        } else if first.counter_reset != CounterReset::Gauge || last.counter_reset != CounterReset::Gauge {
            self.warn_kind(window, "gauge");
        }
        increase.counter_reset = CounterReset::Gauge;
        increase.compact();
        Some(increase)
    }

    /// The warning of histograms that are not what a function is for.
    fn warn_kind(&self, window: &Window<'_>, kind: &str) {
        let text = format!("this native histogram metric is not a {kind}: {}", quoted(window.name));
        self.notes.warn(&text, window.span);
    }

    pub(in crate::eval) fn tell_reconciled(&self, reconciled: Reconciled, operation: &str, span: Span) {
        if reconciled.bounds {
            self.notes.info(&format!("mismatched custom buckets were reconciled during {operation}"), span);
        }
    }

    /// The difference of the last two samples; of counters for each second between them.
    pub(super) fn last_two(&self, window: &Window<'_>, counter: bool) -> Option<Outcome> {
        let (times, values) = (window.times(), window.values());
        let (after, before) = (times.len().checked_sub(1)?, times.len().checked_sub(2)?);
        let interval = (times.get(after)? - times.get(before)?) as f64 / 1000.0;
        let (now, then) = (*values.get(after)?, *values.get(before)?);
        let at = window.range.start;
        match (window.histogram(at + after), window.histogram(at + before)) {
            (None, None) => {
                let change = if counter && now < then { now } else { now - then };
                Some(Outcome::Float(if counter { change / interval } else { change }))
            }
            (Some(now), Some(then)) => {
                let gauges = [now, then].map(|histogram| histogram.counter_reset == CounterReset::Gauge);
                if counter && gauges.contains(&true) {
                    self.warn_kind(window, "counter");
                }
                if !counter && gauges.contains(&false) {
                    self.warn_kind(window, "gauge");
                }
                let mut change = (**now).clone();
                if !(counter && now.is_reset_since(then)) {
                    match change.sub(then) {
                        Ok(reconciled) => self.tell_reconciled(reconciled, "subtraction", window.span),
                        Err(_) => {
                            self.warn_mixed_schemas(window);
                            return None;
                        }
                    }
                }
                change.counter_reset = CounterReset::Gauge;
                change.compact();
                if counter {
                    change.div(interval);
                }
                Some(Outcome::Histogram(change.into()))
            }
            _ => {
                self.warn_mixed(window);
                None
            }
        }
    }
}

/// By how much the difference of a range's ends is stretched.
///
/// `from_zero`: of a counter its first value and its increase: it is not taken to have been below zero.
fn stretch(window: &Window<'_>, first_ms: i64, last_ms: i64, from_zero: Option<(f64, f64)>, per_second: bool) -> f64 {
    let seconds = |ms: i64| ms as f64 / 1000.0;
    if window.extended {
        return if per_second { 1.0 / seconds(window.range_ms) } else { 1.0 };
    }
    let start_ms = window.end_ms.saturating_sub(window.range_ms);
    let sampled = seconds(last_ms - first_ms);
    let between = sampled / (window.len().saturating_sub(1)) as f64;
    // A gap of little more than the usual distance is taken to be a sample that came late.
    let near = between * 1.1;
    let mut before = seconds(first_ms - start_ms);
    let mut after = seconds(window.end_ms - last_ms);
    if before >= near {
        before = between / 2.0;
    }
    if let Some((first, increase)) = from_zero
        && increase > 0.0
        && first >= 0.0
    {
        before = before.min(sampled * (first / increase));
    }
    if after >= near {
        after = between / 2.0;
    }
    let factor = (sampled + before + after) / sampled;
    if per_second { factor / seconds(window.range_ms) } else { factor }
}

/// How often the value changes.
pub(super) fn changes(window: &Window<'_>) -> f64 {
    count_pairs(
        window,
        |before, after| after != before && !(after.is_nan() && before.is_nan()),
        |before, after| before != after,
    )
}

/// How often a counter begins anew.
pub(super) fn resets(window: &Window<'_>) -> f64 {
    count_pairs(window, |before, after| after < before, |before, after| after.is_reset_since(before))
}

fn count_pairs(
    window: &Window<'_>,
    floats: impl Fn(f64, f64) -> bool,
    histograms: impl Fn(&FloatHistogram, &FloatHistogram) -> bool,
) -> f64 {
    let mut count = 0_usize;
    for (at, pair) in window.values().windows(2).enumerate() {
        let [before, after] = pair else { continue };
        let counts = match (is_histogram(*before), is_histogram(*after)) {
            (false, false) => floats(*before, *after),
            (true, true) => {
                let at = window.range.start + at;
                match (window.histogram(at), window.histogram(at + 1)) {
                    (Some(before), Some(after)) => histograms(before, after),
                    _ => false,
                }
            }
            _ => true,
        };
        count += usize::from(counts);
    }
    count as f64
}
