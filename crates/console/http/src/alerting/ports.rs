//! The console's store and its query language as rules need them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use console_alerting::query::{Appender, Evaluated, Left, Ports, Querier, QueryError};
use console_model::{Labels, Sample, SampleBatch};
use console_promql::{Engine, Error, Limits, Point, Value};
use console_storage::{Matcher, Store};

use crate::prometheus::Stored;

/// How long the query of a rule may take.
const TIME_MAX: Duration = Duration::from_secs(30);
/// Samples of one query in memory at once: rules run beside everything else.
const SAMPLES_MAX: usize = 5_000_000;
/// Series of one selector.
const SERIES_MAX: usize = 100_000;

/// What rules are given of a store.
pub fn of_store(store: &Arc<Store>) -> Ports {
    let limits = Limits { samples_max: SAMPLES_MAX, series_max: SERIES_MAX, ..Limits::default() };
    let stored = Stored::new(Arc::clone(store));
    let querier = Arc::new(Queries { engine: Engine::new(limits), stored, store: Arc::clone(store) });
    Ports { querier, appender: Arc::new(Records(Arc::clone(store))) }
}

struct Queries {
    engine: Engine,
    stored: Stored,
    store: Arc<Store>,
}

impl Querier for Queries {
    fn check(&self, query: &str) -> Result<String, QueryError> {
        let parsed = self.engine.parse(query).map_err(|error| QueryError(error.to_string()))?;
        Ok(parsed.to_string())
    }

    fn instant(&self, query: &str, time_ms: i64) -> Result<Vec<Evaluated>, QueryError> {
        let began = Instant::now();
        let stop = move || if began.elapsed() > TIME_MAX { Err(Error::Timeout) } else { Ok(()) };
        let answer = self.engine.instant(&self.stored, query, time_ms, &stop);
        elements(answer.map_err(|error| QueryError(told(&error)))?.value)
    }

    fn last(&self, labels: &[(&str, &str)], from_ms: i64, to_ms: i64) -> Result<Vec<(Labels, Sample)>, QueryError> {
        let matchers: Vec<Matcher> = labels.iter().map(|(name, value)| Matcher::equal(*name, *value)).collect();
        let selected = self.store.select_series(&matchers, from_ms, to_ms, SERIES_MAX);
        let selected = selected.map_err(|error| QueryError(error.to_string()))?;
        let last = |series: &console_storage::SelectedSeries| {
            series.samples().filter(|sample| (from_ms..=to_ms).contains(&sample.time_ms)).last()
        };
        Ok(selected.iter().filter_map(|series| Some((series.labels.clone(), last(series)?))).collect())
    }
}

/// An error with its cause, which is what a person has to know of a store that cannot be read.
fn told(error: &Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

/// The elements of what a query gave.
///
/// # Errors
/// When it is text or ranges, which rules have no use for.
pub fn elements(value: Value) -> Result<Vec<Evaluated>, QueryError> {
    match value {
        Value::Scalar { value, .. } => Ok(vec![Evaluated { labels: Labels::default(), value }]),
        Value::Vector(samples) => samples
            .into_iter()
            .map(|sample| match sample.value {
                Point::Float(value) => Ok(Evaluated { labels: sample.labels, value }),
                Point::Histogram(_) => Err(QueryError(
                    "rule result has a native histogram; take a number of it, as in histogram_quantile(0.99, …)"
                        .to_owned(),
                )),
            })
            .collect(),
        Value::String { .. } | Value::Matrix(_) => Err(QueryError("rule result is not a vector or scalar".to_owned())),
    }
}

struct Records(Arc<Store>);

impl Appender for Records {
    fn append(&self, batch: SampleBatch) -> Result<Left, QueryError> {
        let outcome = self.0.ingest_samples(&batch).map_err(|error| QueryError(error.to_string()))?;
        Ok(Left {
            out_of_order: outcome.out_of_order,
            too_old: outcome.too_old,
            duplicate: outcome.duplicate,
            over_series_limit: outcome.over_series_limit,
        })
    }
}
