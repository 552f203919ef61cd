//! A store in memory: what a test says of series, and what rules record.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use console_alerting::query::{Appender, Evaluated, Left, Ports, Querier, QueryError};
use console_model::{Labels, Sample, SampleBatch};
use console_promql::{Answer, Engine, Point, Points, Selection, Series, Storage, StorageError, Value as Found};

use super::notation::{self, Value};

type Samples = Arc<BTreeMap<i64, Value>>;

/// See the module.
#[derive(Default)]
pub struct Memory {
    engine: Engine,
    series: RwLock<BTreeMap<Labels, Samples>>,
}

impl Memory {
    /// Takes a series as a test writes it.
    pub fn load(&self, series: &str, values: &str, step_ms: i64) -> Result<(), String> {
        let (labels, values) = notation::series(&format!("{series} {values}"))?;
        let mut all = self.series.write().unwrap_or_else(PoisonError::into_inner);
        let known = Arc::make_mut(all.entry(labels).or_default());
        for (step, value) in (0_i64..).zip(values) {
            if !matches!(value, Value::Nothing) {
                known.insert(step.saturating_mul(step_ms), value);
            }
        }
        Ok(())
    }

    pub fn ports(self: &Arc<Self>) -> Ports {
        Ports { querier: Arc::clone(self) as _, appender: Arc::clone(self) as _ }
    }

    /// What a query gives at a time.
    pub fn query(&self, query: &str, time_ms: i64) -> Result<Answer, String> {
        self.engine.instant(&Selected(self), query, time_ms, &()).map_err(|error| error.to_string())
    }

    fn all(&self) -> RwLockReadGuard<'_, BTreeMap<Labels, Samples>> {
        self.series.read().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Selected<'m>(&'m Memory);

struct One {
    labels: Labels,
    samples: Samples,
    times: std::ops::RangeInclusive<i64>,
}

impl Series for One {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn read(&self, into: &mut Points) -> Result<(), StorageError> {
        for (time_ms, value) in self.samples.range(self.times.clone()) {
            match value {
                Value::Float(value) => into.push_float(*time_ms, *value),
                Value::Histogram(histogram) => into.push_histogram(*time_ms, Arc::clone(histogram)),
                Value::Nothing => {}
            }
        }
        Ok(())
    }
}

impl Storage for Selected<'_> {
    fn select<'s>(&'s self, selection: &Selection<'_>) -> Result<Vec<Box<dyn Series + 's>>, StorageError> {
        if selection.from_ms > selection.to_ms {
            return Ok(Vec::new());
        }
        let times = selection.from_ms..=selection.to_ms;
        let is_match = |labels: &Labels| {
            let mut matchers = selection.matchers.iter();
            matchers.all(|matcher| matcher.matches(labels.get(matcher.name()).unwrap_or_default()))
        };
        let all = self.0.all();
        let found = all.iter().filter(|(labels, _)| is_match(labels));
        let found = found.map(|(labels, samples)| One {
            labels: labels.clone(),
            samples: Arc::clone(samples),
            times: times.clone(),
        });
        Ok(found.map(|one| Box::new(one) as Box<dyn Series>).collect())
    }
}

impl Querier for Memory {
    fn check(&self, query: &str) -> Result<String, QueryError> {
        let parsed = self.engine.parse(query).map_err(|error| QueryError(error.to_string()))?;
        Ok(parsed.to_string())
    }

    fn instant(&self, query: &str, time_ms: i64) -> Result<Vec<Evaluated>, QueryError> {
        match self.query(query, time_ms).map_err(QueryError)?.value {
            Found::Scalar { value, .. } => Ok(vec![Evaluated { labels: Labels::default(), value }]),
            Found::Vector(samples) => samples
                .into_iter()
                .map(|sample| match sample.value {
                    Point::Float(value) => Ok(Evaluated { labels: sample.labels, value }),
                    Point::Histogram(_) => Err(QueryError("rule result has a native histogram".to_owned())),
                })
                .collect(),
            Found::String { .. } | Found::Matrix(_) => {
                Err(QueryError("rule result is not a vector or scalar".to_owned()))
            }
        }
    }

    fn last(&self, labels: &[(&str, &str)], from_ms: i64, to_ms: i64) -> Result<Vec<(Labels, Sample)>, QueryError> {
        let all = self.all();
        let found = all.iter().filter(|(found, _)| labels.iter().all(|(name, value)| found.get(name) == Some(value)));
        let last = |samples: &Samples| match samples.range(from_ms..=to_ms).next_back()? {
            (time_ms, Value::Float(value)) => Some(Sample { time_ms: *time_ms, value: *value }),
            _ => None,
        };
        Ok(found.filter_map(|(labels, samples)| Some((labels.clone(), last(samples)?))).collect())
    }
}

impl Appender for Memory {
    fn append(&self, batch: SampleBatch) -> Result<Left, QueryError> {
        let mut all = self.series.write().unwrap_or_else(PoisonError::into_inner);
        for series in batch.series {
            let known = Arc::make_mut(all.entry(series.labels).or_default());
            known.extend(series.samples.iter().map(|sample| (sample.time_ms, Value::Float(sample.value))));
        }
        Ok(Left::default())
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("series", &self.all().len()).finish_non_exhaustive()
    }
}
