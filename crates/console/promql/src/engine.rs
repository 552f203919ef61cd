//! Queries in, answers out: limits, the range of times, and the form of the result. What expressions mean is
//! in `eval`.

use crate::ast::{Expr, ValueType};
use crate::eval::Evaluation;
use crate::parser::{DEPTH_MAX, parse_with};
use crate::{Answer, Error, Features, Stop, Storage};

/// What a query may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How many samples may be in memory at once.
    pub samples_max: usize,
    /// How many steps a range query may have.
    pub steps_max: usize,
    /// How many series one selector may find.
    pub series_max: usize,
    /// How many expressions may be nested, at most 160.
    pub depth_max: usize,
    /// How long a sample stands for its series, milliseconds.
    pub lookback_ms: i64,
    /// The step of a subquery that names none, milliseconds.
    pub subquery_step_ms: i64,
}

impl Default for Limits {
    /// Those of Prometheus, where it has them.
    fn default() -> Self {
        Self {
            samples_max: 50_000_000,
            steps_max: 11_000,
            series_max: 1_000_000,
            depth_max: DEPTH_MAX,
            lookback_ms: 300_000,
            subquery_step_ms: 60_000,
        }
    }
}

/// Answers queries. Holds nothing of them, so one serves all.
#[derive(Debug, Clone, Default)]
pub struct Engine {
    limits: Limits,
    features: Features,
}

/// Times beyond this are refused, so that none can overflow: 292 million years.
const TIME_MS_MAX: i64 = i64::MAX / 1000;

impl Engine {
    /// One that keeps to these limits, without what Prometheus has behind flags.
    pub fn new(limits: Limits) -> Self {
        Self { limits, features: Features::default() }
    }

    /// The same with these features.
    #[must_use]
    pub fn with_features(mut self, features: Features) -> Self {
        self.features = features;
        self
    }

    /// The limits.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The tree of a query, as this engine would evaluate it.
    ///
    /// # Errors
    /// [`Error::Parse`].
    pub fn parse(&self, query: &str) -> Result<Expr, Error> {
        parse_with(query, self.features, self.limits.depth_max)
    }

    /// What a query is at a time, milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn instant(&self, storage: &dyn Storage, query: &str, time_ms: i64, stop: &dyn Stop) -> Result<Answer, Error> {
        check_time("time", time_ms)?;
        let expr = self.parse(query)?;
        let evaluation = Evaluation::new(storage, stop, &self.limits, self.features, query, (time_ms, time_ms, 0));
        evaluation.instant(&expr)
    }

    /// What a query is from a first time to a last one, both included, each `step_ms` after the other.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn range(
        &self,
        storage: &dyn Storage,
        query: &str,
        start_ms: i64,
        end_ms: i64,
        step_ms: i64,
        stop: &dyn Stop,
    ) -> Result<Answer, Error> {
        check_time("start", start_ms)?;
        check_time("end", end_ms)?;
        if end_ms < start_ms {
            return Err(Error::Invalid(
                "invalid parameter \"end\": end timestamp must not be before start time".into(),
            ));
        }
        if step_ms <= 0 {
            let text = "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. \
                        Try a positive integer";
            return Err(Error::Invalid(text.to_owned()));
        }
        let steps = (end_ms - start_ms) / step_ms;
        if usize::try_from(steps).is_ok_and(|steps| steps > self.limits.steps_max) {
            let text = format!(
                "exceeded maximum resolution of {} points per timeseries. Try decreasing the query resolution \
                 (?step=XX)",
                grouped(self.limits.steps_max)
            );
            return Err(Error::Invalid(text));
        }
        let expr = self.parse(query)?;
        if !matches!(expr.value_type(), ValueType::Scalar | ValueType::Vector) {
            let found = expr.value_type().described();
            let text = format!("invalid expression type {found:?} for range query, must be Scalar or instant Vector");
            return Err(Error::Invalid(text));
        }
        let times = (start_ms, end_ms, step_ms);
        Evaluation::new(storage, stop, &self.limits, self.features, query, times).range(&expr)
    }
}

fn check_time(name: &str, time_ms: i64) -> Result<(), Error> {
    if (-TIME_MS_MAX..=TIME_MS_MAX).contains(&time_ms) {
        return Ok(());
    }
    Err(Error::Invalid(format!("invalid parameter {name:?}: cannot be that far from 1970")))
}

/// A number with commas: `11,000`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
