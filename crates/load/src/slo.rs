//! Service level objectives as `--slo` takes them: `p99<300ms`, `create.p99<50ms`, `errors<0.1%`,
//! `rate>=100`.
//!
//! Grammar: `[operation.]metric comparator value`. Metrics: `pN` (a percentile of the latency from
//! the intended start), `mean`, `max` with a duration; `errors` with a percentage of the requests
//! sent, `dropped` of those that were due; `rate` with answered requests a second.
//!
//! Evaluating is pure. An objective about nothing measured is not met: silence is no proof.

use std::{str::FromStr, time::Duration};

use serde::Serialize;

use crate::{duration, operation::Operation, recorder::Measurements};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Metric {
    /// From 0 (exclusive) to 1.
    Quantile(f64),
    Mean,
    Max,
    Errors,
    Dropped,
    Rate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparator {
    /// The longer signs first, since the shorter ones begin them.
    const SIGNS: [(&'static str, Self); 4] =
        [("<=", Self::LessOrEqual), (">=", Self::GreaterOrEqual), ("<", Self::Less), (">", Self::Greater)];

    fn holds(self, measured: f64, bound: f64) -> bool {
        match self {
            Self::Less => measured < bound,
            Self::LessOrEqual => measured <= bound,
            Self::Greater => measured > bound,
            Self::GreaterOrEqual => measured >= bound,
        }
    }
}

/// One objective.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    text: String,
    operation: Option<Operation>,
    metric: Metric,
    comparator: Comparator,
    /// Milliseconds, percent, or per second.
    bound: f64,
}

/// Why a text is no [`Objective`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not an objective: {fault}; right would be: {example}")]
pub struct Error {
    text: String,
    fault: String,
    example: &'static str,
}

const EXAMPLE: &str = "p99<300ms, create.p99<50ms, errors<0.1% or rate>=100";

impl FromStr for Objective {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |fault: String, example| Error { text: text.to_owned(), fault, example };
        let at = text.find(['<', '>']).ok_or_else(|| wrong("it has none of < <= > >=".to_owned(), EXAMPLE))?;
        let (subject, rest) = text.split_at(at);
        let (comparator, value) = Comparator::SIGNS
            .into_iter()
            .find_map(|(sign, comparator)| Some((comparator, rest.strip_prefix(sign)?)))
            .ok_or_else(|| wrong("it has none of < <= > >=".to_owned(), EXAMPLE))?;
        let (operation, metric) = parse_subject(subject.trim()).map_err(|fault| wrong(fault, EXAMPLE))?;
        let value = value.trim();
        let bound = match metric {
            Metric::Quantile(_) | Metric::Mean | Metric::Max => duration::parse(value)
                .map(|bound| bound.as_secs_f64() * 1_000.0)
                .map_err(|_| wrong(format!("'{value}' is not a duration"), "p99<300ms"))?,
            Metric::Errors | Metric::Dropped => parse_percent(value)
                .ok_or_else(|| wrong(format!("'{value}' is not a percentage from 0% to 100%"), "errors<0.1%"))?,
            Metric::Rate => parse_number(value.strip_suffix("/s").unwrap_or(value))
                .ok_or_else(|| wrong(format!("'{value}' is not a number of requests a second"), "rate>=100"))?,
        };
        Ok(Self { text: text.trim().to_owned(), operation, metric, comparator, bound })
    }
}

fn parse_subject(subject: &str) -> Result<(Option<Operation>, Metric), String> {
    // `p99.9` has a point too: only what stands before a metric's first letter is an operation.
    let split =
        subject.split_once('.').filter(|(operation, _)| Operation::ALL.iter().any(|known| known.name() == *operation));
    let (operation, metric) = match split {
        Some((name, metric)) => (Operation::ALL.into_iter().find(|known| known.name() == name), metric.trim()),
        None => (None, subject),
    };
    let metric = match metric {
        "mean" => Metric::Mean,
        "max" => Metric::Max,
        "errors" => Metric::Errors,
        "dropped" => Metric::Dropped,
        "rate" => Metric::Rate,
        _ => match metric.strip_prefix('p').and_then(parse_number) {
            Some(percent) if percent > 0.0 && percent <= 100.0 => Metric::Quantile(percent / 100.0),
            _ => {
                return Err(format!(
                    "'{subject}' is neither a metric (p50, p99.9, mean, max, errors, dropped, rate) nor one of an \
                     operation ({})",
                    Operation::ALL.map(Operation::name).join(", ")
                ));
            }
        },
    };
    Ok((operation, metric))
}

/// Digits and at most one point: what `f64` reads beyond that (`inf`, `1e9`, `-0`) is no objective.
fn parse_number(text: &str) -> Option<f64> {
    let plain = text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    plain.then(|| text.parse().ok()).flatten().filter(|number: &f64| number.is_finite())
}

fn parse_percent(text: &str) -> Option<f64> {
    // Zero is zero in any unit.
    if text == "0" {
        return Some(0.0);
    }
    parse_number(text.strip_suffix('%')?.trim_end()).filter(|percent| *percent <= 100.0)
}

impl std::fmt::Display for Objective {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// How an objective fared.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The objective as it was given.
    pub expression: String,
    /// Whether it holds.
    pub met: bool,
    /// What was measured, in `unit`; `None` where nothing was, or where so many requests never came
    /// back that the percentile is beyond any number.
    pub measured: Option<f64>,
    /// `ms`, `percent` or `perSecond`.
    pub unit: &'static str,
    /// What one must know to understand `measured`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Objective {
    /// The operation that the objective is about; all if `None`.
    pub(crate) fn operation(&self) -> Option<Operation> {
        self.operation
    }

    /// Holds the objective against what was measured during `elapsed`.
    pub(crate) fn judge(&self, measurements: &Measurements, elapsed: Duration) -> Verdict {
        let due = measurements.sent + measurements.dropped;
        let percent = |part: u64, all: u64| (all > 0).then(|| 100.0 * part as f64 / all as f64);
        let missing = measurements.missing();
        let latency = &measurements.latency_us;
        let whole = missing == 0 && !latency.is_empty();
        let missing_note = (missing > 0)
            .then(|| format!("{missing} of {due} requests never came back; they count as slower than any"));
        let (measured, unit, note) = match self.metric {
            Metric::Quantile(quantile) => {
                let quantile_us = measurements.honest_quantile_us(quantile);
                (quantile_us.map(|us| us as f64 / 1_000.0), "ms", missing_note)
            }
            // With one request slower than any, both are beyond any number.
            Metric::Mean => (whole.then(|| latency.mean() / 1_000.0), "ms", missing_note),
            Metric::Max => (whole.then(|| latency.max() as f64 / 1_000.0), "ms", missing_note),
            Metric::Errors => (percent(measurements.failed, measurements.sent), "percent", None),
            Metric::Dropped => (percent(measurements.dropped, due), "percent", None),
            Metric::Rate => {
                let seconds = elapsed.as_secs_f64();
                let rate = (seconds > 0.0).then(|| measurements.answered as f64 / seconds);
                (rate, "perSecond", None)
            }
        };
        let nothing = (measured.is_none() && due == 0).then(|| "nothing was measured".to_owned());
        Verdict {
            expression: self.text.clone(),
            met: measured.is_some_and(|measured| self.comparator.holds(measured, self.bound)),
            measured,
            unit,
            note: note.or(nothing),
        }
    }
}

#[cfg(test)]
mod tests;
