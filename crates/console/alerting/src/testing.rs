//! What tests of rules have in place of a query language and a store: answers that are told beforehand, and
//! samples in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use console_model::{Labels, Sample, SampleBatch};

use crate::query::{Appender, Evaluated, Left, Ports, Querier, QueryError};

type Answer = Box<dyn Fn(i64) -> Result<Vec<Evaluated>, QueryError> + Send>;

/// See the module.
#[derive(Default)]
pub(crate) struct Memory {
    answers: Mutex<HashMap<String, Answer>>,
    series: Mutex<BTreeMap<Labels, Vec<Sample>>>,
}

pub(crate) fn element(labels: &[(&str, &str)], value: f64) -> Evaluated {
    Evaluated { labels: Labels::from_pairs(labels.iter().copied()), value }
}

impl Memory {
    pub(crate) fn ports(self: &Arc<Self>) -> Ports {
        Ports { querier: Arc::clone(self) as _, appender: Arc::clone(self) as _ }
    }

    /// What a query gives from now on, by time.
    pub(crate) fn answer(
        &self,
        query: &str,
        answer: impl Fn(i64) -> Result<Vec<Evaluated>, QueryError> + Send + 'static,
    ) {
        self.answers.lock().unwrap().insert(query.to_owned(), Box::new(answer));
    }

    /// The samples of a series, in the order they came; times in seconds.
    pub(crate) fn samples(&self, labels: &[(&str, &str)]) -> Vec<(i64, f64)> {
        let labels = Labels::from_pairs(labels.iter().copied());
        let series = self.series.lock().unwrap();
        let samples = series.get(&labels).into_iter().flatten();
        samples.map(|sample| (sample.time_ms / 1_000, sample.value)).collect()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.series.lock().unwrap().keys().map(Labels::to_string).collect()
    }
}

impl Querier for Memory {
    fn check(&self, query: &str) -> Result<String, QueryError> {
        if query == "((" { Err(QueryError("1:1: parse error".to_owned())) } else { Ok(query.trim().to_owned()) }
    }

    fn instant(&self, query: &str, time_ms: i64) -> Result<Vec<Evaluated>, QueryError> {
        self.answers.lock().unwrap().get(query).map_or_else(|| Ok(Vec::new()), |answer| answer(time_ms))
    }

    fn last(&self, labels: &[(&str, &str)], from_ms: i64, to_ms: i64) -> Result<Vec<(Labels, Sample)>, QueryError> {
        let series = self.series.lock().unwrap();
        let selected =
            series.iter().filter(|(found, _)| labels.iter().all(|(name, value)| found.get(name) == Some(value)));
        let last =
            |samples: &Vec<Sample>| samples.iter().copied().rfind(|sample| (from_ms..=to_ms).contains(&sample.time_ms));
        Ok(selected.filter_map(|(labels, samples)| Some((labels.clone(), last(samples)?))).collect())
    }
}

impl Appender for Memory {
    fn append(&self, batch: SampleBatch) -> Result<Left, QueryError> {
        let mut series = self.series.lock().unwrap();
        let mut left = Left::default();
        for one in batch.series {
            let known = series.entry(one.labels).or_default();
            for sample in one.samples {
                match known.last() {
                    Some(last) if last.time_ms > sample.time_ms => left.out_of_order += 1,
                    _ => known.push(sample),
                }
            }
        }
        Ok(left)
    }
}
