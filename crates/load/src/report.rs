//! The result of a run, in the stable shape of `--report`.
//!
//! Shape: see [`Report`]; additions keep [`SCHEMA`], any other change raises it. Latencies are
//! milliseconds with microsecond resolution, rates are per second, durations seconds. What a person
//! sees on the terminal is [`crate::terminal`]'s.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::{
    operation::Operation,
    options::{Mode, Options},
    record::Counts,
    recorder::{Errors, Fates, Measurements, Recording},
    scenario::{Mix, Scenario},
    slo::Verdict,
    target::Target,
    traffic::Tally,
};

/// Names the shape of the JSON report.
pub const SCHEMA: &str = "highbeam.load.report/1";

/// What a run was, did and measured.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// When the run began, RFC 3339, by the clock that was given.
    pub started_at: String,
    /// Whether it was stopped before its time.
    pub cancelled: bool,
    /// What was asked for.
    pub options: OptionsView,
    /// What rates are over: the measured time, plus what a slow service took to finish.
    pub elapsed_seconds: f64,
    /// The customers.
    pub customers: Customers,
    /// The requests of all operations together.
    pub total: OperationView,
    /// Intended against achieved.
    pub rate: Rate,
    /// What went before measuring.
    pub warm_up: WarmUp,
    /// By operation; those that never came are absent.
    pub operations: BTreeMap<&'static str, OperationView>,
    /// By scenario; those that never came are absent.
    pub scenarios: BTreeMap<&'static str, ScenarioView>,
    /// By kind, the most frequent first.
    pub errors: Vec<ErrorView>,
    /// The objectives, in the order given.
    pub slo: Vec<Verdict>,
    /// Whether every objective is met; with none given, true.
    pub met: bool,
}

/// The options that shaped the run.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OptionsView {
    /// Where the service is.
    pub target: Target,
    /// `open` or `closed`.
    pub mode: &'static str,
    /// Open only: requests a second.
    pub rate_per_second: Option<f64>,
    /// Open only: customers under way at once, at most.
    pub in_flight_max: Option<usize>,
    /// Open only: how long a customer waits for his turn.
    pub lateness_max_seconds: Option<f64>,
    /// Closed only: customers at once.
    pub concurrency: Option<usize>,
    /// How long was to be measured.
    pub duration_seconds: f64,
    /// How long was to be warmed up.
    pub warm_up_seconds: f64,
    /// How long a customer waits for an answer.
    pub request_timeout_seconds: f64,
    /// Weights by scenario.
    pub mix: Mix,
    /// Brings the same customers again. Text, since a JSON number would lose digits in many readers.
    #[serde(serialize_with = "as_text")]
    pub seed: u64,
}

fn as_text<S: serde::Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

/// How the customers fared with the generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Customers {
    /// Were to come.
    pub intended: u64,
    /// Came.
    pub started: u64,
    /// Came more than 10 ms later than intended; their latency counts from the intended time.
    pub late: u64,
    /// Never came, since too many were under way for too long.
    pub dropped: u64,
    /// Were still under way when the generator gave up waiting.
    pub unfinished: u64,
}

/// Requests a second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Rate {
    /// Open only: what was asked for.
    pub intended: Option<f64>,
    /// Answered, right or wrong.
    pub achieved: f64,
    /// The requests of all customers who were to come.
    pub requests_intended: u64,
}

/// The unmeasured requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WarmUp {
    /// Sent.
    pub requests: u64,
    /// Of these, failed.
    pub failed: u64,
}

/// Measurements of one operation, or of all.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OperationView {
    /// Requests sent.
    pub sent: u64,
    /// A whole answer came, right or wrong.
    pub answered: u64,
    /// Anything but the expected answer.
    pub failed: u64,
    /// Never sent, since their customer was dropped.
    pub dropped: u64,
    /// Answered a second.
    pub rate_per_second: f64,
    /// From the intended start; answered and timed-out requests.
    pub latency_ms: Percentiles,
    /// From the actual send; the same requests.
    pub service_time_ms: Percentiles,
}

/// Of one histogram, in milliseconds; all absent where it is empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Percentiles {
    /// Requests in the histogram.
    pub count: u64,
    /// The median.
    pub p50: Option<f64>,
    /// 90 % were faster.
    pub p90: Option<f64>,
    /// 99 % were faster.
    pub p99: Option<f64>,
    /// 99.9 % were faster.
    pub p999: Option<f64>,
    /// The slowest.
    pub max: Option<f64>,
    /// The average.
    pub mean: Option<f64>,
}

/// How the customers of a scenario fared with the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ScenarioView {
    /// Came.
    pub started: u64,
    /// Got all they wanted.
    pub completed: u64,
    /// Had to break off at a failed request.
    pub failed: u64,
}

/// A kind of error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ErrorView {
    /// `connect`, `timeout`, `connection_lost`, `body_too_large`, `unexpected_status_<status>`,
    /// `malformed_body`, or `contract_<clause>`.
    pub kind: String,
    /// How often.
    pub count: u64,
    /// The first one.
    pub first: Example,
}

/// One error, to look it up in logs and traces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Example {
    /// What was asked.
    pub operation: Operation,
    /// What was wrong.
    pub detail: String,
    /// The W3C trace id that the request carried.
    pub trace_id: String,
    /// The `X-Request-ID` that it carried.
    pub request_id: String,
}

impl Report {
    pub(crate) fn new(
        options: &Options,
        started_at: String,
        tally: &Tally,
        recording: &Recording,
        warm_up: &Counts,
    ) -> Self {
        let view = |measurements| OperationView::new(measurements, tally.elapsed);
        let slo: Vec<Verdict> = options
            .objectives
            .iter()
            .map(|objective| {
                let measurements =
                    objective.operation().map_or(&recording.all, |operation| recording.operation(operation));
                objective.judge(measurements, tally.elapsed)
            })
            .collect();
        let total = view(&recording.all);
        Self {
            schema: SCHEMA,
            started_at,
            cancelled: tally.cancelled,
            options: OptionsView::new(options),
            elapsed_seconds: rounded(tally.elapsed.as_secs_f64()),
            customers: Customers {
                intended: tally.intended,
                started: tally.started,
                late: tally.late,
                dropped: tally.dropped,
                unfinished: tally.unfinished,
            },
            rate: Rate {
                intended: match options.mode {
                    Mode::Open { rate_per_second, .. } => Some(rate_per_second),
                    Mode::Closed { .. } => None,
                },
                achieved: total.rate_per_second,
                requests_intended: tally.requests_intended,
            },
            total,
            warm_up: WarmUp { requests: warm_up.sent(), failed: warm_up.failed() },
            operations: Operation::ALL
                .into_iter()
                .map(|operation| (operation.name(), recording.operation(operation)))
                .filter(|(_, measurements)| measurements.sent + measurements.dropped > 0)
                .map(|(name, measurements)| (name, view(measurements)))
                .collect(),
            scenarios: recording.scenarios.iter().map(ScenarioView::named).collect(),
            errors: ErrorView::all(recording),
            met: slo.iter().all(|verdict| verdict.met),
            slo,
        }
    }

    /// The report as JSON, indented, with a line feed at its end.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|json| json + "\n")
    }
}

impl OptionsView {
    fn new(options: &Options) -> Self {
        let (mode, rate_per_second, in_flight_max, lateness_max, concurrency) = match options.mode {
            Mode::Open { rate_per_second, in_flight_max, lateness_max } => {
                ("open", Some(rate_per_second), Some(in_flight_max), Some(lateness_max), None)
            }
            Mode::Closed { concurrency } => ("closed", None, None, None, Some(concurrency)),
        };
        Self {
            target: options.target.clone(),
            mode,
            rate_per_second,
            in_flight_max,
            lateness_max_seconds: lateness_max.map(|lateness| lateness.as_secs_f64()),
            concurrency,
            duration_seconds: options.duration.as_secs_f64(),
            warm_up_seconds: options.warm_up.as_secs_f64(),
            request_timeout_seconds: options.request_timeout.as_secs_f64(),
            mix: options.mix.clone(),
            seed: options.seed,
        }
    }
}

impl OperationView {
    fn new(measurements: &Measurements, elapsed: Duration) -> Self {
        let seconds = elapsed.as_secs_f64();
        Self {
            sent: measurements.sent,
            answered: measurements.answered,
            failed: measurements.failed,
            dropped: measurements.dropped,
            rate_per_second: if seconds > 0.0 { rounded(measurements.answered as f64 / seconds) } else { 0.0 },
            latency_ms: Percentiles::of(&measurements.latency_us),
            service_time_ms: Percentiles::of(&measurements.service_time_us),
        }
    }
}

impl Percentiles {
    fn of(histogram_us: &Histogram<u64>) -> Self {
        if histogram_us.is_empty() {
            return Self::default();
        }
        let ms = |us: f64| Some(rounded(us / 1_000.0));
        let quantile = |quantile| ms(histogram_us.value_at_quantile(quantile) as f64);
        Self {
            count: histogram_us.len(),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
            max: ms(histogram_us.max() as f64),
            mean: ms(histogram_us.mean()),
        }
    }
}

impl ScenarioView {
    fn named((scenario, fates): (&Scenario, &Fates)) -> (&'static str, Self) {
        let view = Self { started: fates.started, completed: fates.completed, failed: fates.failed };
        (scenario.name(), view)
    }
}

impl ErrorView {
    fn all(recording: &Recording) -> Vec<Self> {
        let mut errors: Vec<Self> =
            recording.errors.iter().map(|(kind, errors)| Self::new(kind.to_string(), errors)).collect();
        errors.sort_by_key(|error| std::cmp::Reverse(error.count));
        errors
    }

    fn new(kind: String, errors: &Errors) -> Self {
        Self {
            kind,
            count: errors.count,
            first: Example {
                operation: errors.operation,
                detail: errors.detail.clone(),
                trace_id: errors.trace_id.clone(),
                request_id: errors.request_id.clone(),
            },
        }
    }
}

/// To three decimals: more would pretend a precision that is not measured.
fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
pub(crate) mod tests;
