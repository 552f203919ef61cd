//! Metric queries: numbers by series, at one time or at many. Each part of a query is evaluated for all times at
//! once, from the inside out; lines are read once for each range of the query.

mod binary;
mod gather;
mod grouping;
mod range;
mod tiles;
mod vector;
mod window;

use console_model::{LabelSetBuilder, Labels};
use hashbrown::HashSet;

use crate::Stop;
use crate::ast::{LabelReplace, MetricExpr, RangeOp, VectorAggregation, VectorOp};
use crate::error::QueryError;
use crate::regexp;
use crate::source::{Scan, Source};

pub(crate) use binary::literal;

/// When a query is evaluated.
#[derive(Debug, Clone, Copy)]
pub struct MetricRequest {
    /// The first time, nanoseconds since the Unix epoch.
    pub start_ns: i64,
    /// The last.
    pub end_ns: i64,
    /// From one to the next, nanoseconds; `None` for one time only.
    pub step_ns: Option<i64>,
    /// What time it is, nanoseconds since the Unix epoch.
    pub now_ns: u64,
}

/// Bytes of the labels of all series that one part of a query holds.
const LABEL_BYTES_MAX: usize = 64 << 20;
/// Bytes of a label's value that `label_replace` makes; one that grows from call to call has no end otherwise.
const VALUE_BYTES_MAX: usize = 64 * 1024;

/// How much a query may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Series of the answer.
    pub series: usize,
    /// Series that are aggregated.
    pub inner_series: usize,
    /// Times at which it is evaluated.
    pub steps: usize,
    /// Numbers that are held at the same time.
    pub samples: usize,
    /// Threads on which lines are read at the same time.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { series: 500, inner_series: 100_000, steps: 11_000, samples: 5_000_000, threads: 1 }
    }
}

/// Numbers of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Which.
    pub labels: Labels,
    /// The number of the step, and the value there; in order.
    pub points: Vec<(u32, f64)>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// One number, without a series.
    Scalar(f64),
    /// Series, each once, sorted by labels unless the query sorts them by value.
    Series(Vec<Series>),
}

/// The times of a query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steps {
    pub(crate) start_ns: i64,
    pub(crate) step_ns: i64,
    pub(crate) count: usize,
}

/// What is at hand while a query is evaluated.
pub(crate) struct Context<'a> {
    pub(crate) steps: Steps,
    pub(crate) now_ns: u64,
    pub(crate) limits: Limits,
    pub(crate) source: &'a dyn Source,
    pub(crate) stop: Stop<'a>,
    pub(crate) scan: Scan,
}

pub(crate) enum Value {
    Scalar(f64),
    Series(Vec<Series>),
}

/// Evaluates a metric query.
pub fn metric(
    expr: &MetricExpr,
    request: &MetricRequest,
    source: &dyn Source,
    limits: Limits,
    stop: Stop<'_>,
) -> Result<(Answer, Scan), QueryError> {
    let steps = steps(request, limits)?;
    let mut context = Context { steps, now_ns: request.now_ns, limits, source, stop, scan: Scan::default() };
    let value = context.evaluate(expr)?;
    let answer = match value {
        Value::Scalar(number) if request.step_ns.is_none() => Answer::Scalar(number),
        Value::Scalar(number) => Answer::Series(vec![context.constant(number)]),
        Value::Series(mut series) => {
            series.retain(|series| !series.points.is_empty());
            if series.len() > limits.series {
                let told = format!(
                    "maximum number of series ({}) reached for a single query; consider reducing query cardinality by \
                     adding more specific stream selectors, reducing the time range, or aggregating results with \
                     functions like sum(), count() or topk()",
                    limits.series
                );
                return Err(QueryError::Limit(told));
            }
            if request.step_ns.is_some() || !sorts(expr) {
                series.sort_by(|a, b| a.labels.cmp(&b.labels));
            }
            Answer::Series(series)
        }
    };
    Ok((answer, context.scan))
}

/// Whether the query itself says in which order its series come.
fn sorts(expr: &MetricExpr) -> bool {
    match expr {
        MetricExpr::Vector(vector) => matches!(
            vector.op,
            VectorOp::Sort | VectorOp::SortDesc | VectorOp::Topk | VectorOp::Bottomk | VectorOp::ApproxTopk
        ),
        _ => false,
    }
}

fn steps(request: &MetricRequest, limits: Limits) -> Result<Steps, QueryError> {
    let Some(step_ns) = request.step_ns else {
        return Ok(Steps { start_ns: request.end_ns, step_ns: 1, count: 1 });
    };
    if step_ns <= 0 {
        return Err(QueryError::asked(
            "zero or negative query resolution step widths are not accepted. Try a positive integer",
        ));
    }
    let span = i128::from(request.end_ns) - i128::from(request.start_ns);
    if span < 0 {
        return Err(QueryError::asked("invalid query: end timestamp must not be before start time"));
    }
    let count = usize::try_from(span / i128::from(step_ns) + 1).unwrap_or(usize::MAX);
    if count > limits.steps {
        let told = format!(
            "exceeded maximum resolution of {} points per time series. Try increasing the value of the step parameter",
            limits.steps
        );
        return Err(QueryError::asked(told));
    }
    Ok(Steps { start_ns: request.start_ns, step_ns, count })
}

/// Adds what one more series has to the bytes of labels that there are, which is within the limit.
fn count_labels(bytes: &mut usize, more: usize) -> Result<(), QueryError> {
    *bytes = bytes.saturating_add(more);
    if *bytes > LABEL_BYTES_MAX {
        let told = format!(
            "the labels of the query's series have more than {LABEL_BYTES_MAX} bytes; aggregate by fewer labels, as \
             in sum by (level) (…)"
        );
        return Err(QueryError::Limit(told));
    }
    Ok(())
}

impl Context<'_> {
    pub(crate) fn check_stop(&self) -> Result<(), QueryError> {
        if (self.stop)() { Err(QueryError::Stopped) } else { Ok(()) }
    }

    /// Numbers are held in many places; each is within the limit.
    pub(crate) fn check_samples(&self, samples: usize) -> Result<(), QueryError> {
        if samples > self.limits.samples {
            let told = format!(
                "the query needs more than {} samples at the same time; narrow the time, or let the step be longer",
                self.limits.samples
            );
            return Err(QueryError::limit(told));
        }
        Ok(())
    }

    fn constant(&self, number: f64) -> Series {
        let points = (0..self.steps.count).map(|step| (step as u32, number)).collect();
        Series { labels: Labels::default(), points }
    }

    fn evaluate(&mut self, expr: &MetricExpr) -> Result<Value, QueryError> {
        self.check_stop()?;
        Ok(match expr {
            MetricExpr::Literal(number) => Value::Scalar(*number),
            MetricExpr::VectorOf(number) => Value::Series(vec![self.constant(*number)]),
            MetricExpr::Range(range) => Value::Series(self.range(range, None)?),
            MetricExpr::Vector(vector) => Value::Series(self.vector(vector)?),
            MetricExpr::Binary(binary) => {
                let left = self.evaluate(&binary.left)?;
                let right = self.evaluate(&binary.right)?;
                self.binary(binary, left, right)?
            }
            MetricExpr::LabelReplace(replace) => Value::Series(self.label_replace(replace)?),
        })
    }

    fn vector(&mut self, vector: &VectorAggregation) -> Result<Vec<Series>, QueryError> {
        // A sum of what adds up is counted by its own groups from the beginning.
        let adds_up = |op| {
            matches!(
                op,
                RangeOp::Rate
                    | RangeOp::CountOverTime
                    | RangeOp::BytesRate
                    | RangeOp::BytesOverTime
                    | RangeOp::SumOverTime
            )
        };
        if let (VectorOp::Sum, MetricExpr::Range(range)) = (vector.op, &vector.inner)
            && adds_up(range.op)
        {
            return self.range(range, Some(&vector.grouping.clone().unwrap_or_default()));
        }
        let series = match self.evaluate(&vector.inner)? {
            Value::Series(series) => series,
            Value::Scalar(_) => {
                let told = format!("expected type instant vector in aggregation expression {}", vector.op.name());
                return Err(QueryError::Asked(told));
            }
        };
        self.aggregate(vector, series)
    }

    fn label_replace(&mut self, replace: &LabelReplace) -> Result<Vec<Series>, QueryError> {
        let Value::Series(mut series) = self.evaluate(&replace.inner)? else {
            return Err(QueryError::asked("expected type instant vector in label_replace"));
        };
        let regex = regexp::whole(&replace.pattern).map_err(QueryError::Asked)?;
        let mut known = HashSet::new();
        let mut label_bytes = 0;
        for one in &mut series {
            let source = one.labels.get(&replace.source).unwrap_or_default().to_owned();
            if let Some(captures) = regex.captures(&source) {
                let mut value = String::new();
                regexp::expand(&captures, &replace.replacement, &mut value, VALUE_BYTES_MAX)
                    .map_err(QueryError::Limit)?;
                count_labels(&mut label_bytes, value.len())?;
                let mut builder = LabelSetBuilder::new();
                one.labels
                    .iter()
                    .filter(|(name, _)| *name != replace.destination)
                    .for_each(|(name, value)| builder.push(name, value));
                builder.push(&replace.destination, &value);
                one.labels = builder.finish();
            }
            if !known.insert(one.labels.clone()) {
                return Err(QueryError::asked("vector cannot contain metrics with the same labelset"));
            }
        }
        Ok(series)
    }
}
