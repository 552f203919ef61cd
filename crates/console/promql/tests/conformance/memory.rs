//! A storage in memory, as scripts fill it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use console_model::{CounterReset, FloatHistogram, Labels, is_stale};
use console_promql::{Points, Selection, Series, Storage, StorageError};

use crate::notation::Value;
use crate::script::Load;

#[derive(Debug, Default)]
pub(crate) struct Memory {
    series: BTreeMap<Labels, BTreeMap<i64, Value>>,
}

impl Memory {
    pub(crate) fn load(&mut self, load: &Load) {
        for (labels, values) in &load.series {
            let series = self.series.entry(labels.clone()).or_default();
            let mut time_ms = 0;
            for value in values {
                if !matches!(value, Value::Nothing) {
                    series.insert(time_ms, value.clone());
                }
                time_ms += load.step_ms;
            }
        }
        if load.with_nhcb {
            self.add_custom_histograms(load);
        }
        self.series.values_mut().for_each(hint);
    }

    pub(crate) fn histogram_names(&self) -> BTreeSet<String> {
        let native = |values: &BTreeMap<i64, Value>| values.values().any(|value| matches!(value, Value::Histogram(_)));
        let named = self.series.iter().filter(|(_, values)| native(values));
        named.map(|(labels, _)| labels.get("__name__").unwrap_or_default().to_owned()).collect()
    }

    /// Native histograms with custom buckets for classic ones.
    fn add_custom_histograms(&mut self, load: &Load) {
        type Parts = (Vec<(f64, f64)>, Option<f64>, Option<f64>);
        let mut found: BTreeMap<Labels, BTreeMap<i64, Parts>> = BTreeMap::new();
        for (labels, values) in &load.series {
            let name = labels.get("__name__").unwrap_or_default();
            let Some((base, ending)) = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|ending| name.strip_suffix(ending).map(|base| (base, *ending)))
            else {
                continue;
            };
            let bound = labels.get("le").and_then(|bound| bound.parse::<f64>().ok());
            if ending == "_bucket" && bound.is_none_or(f64::is_nan) {
                continue;
            }
            let rest = labels.iter().filter(|(name, _)| *name != "__name__" && *name != "le");
            let labels = Labels::from_pairs(rest.chain([("__name__", base)]));
            let by_time = found.entry(labels).or_default();
            for (step, value) in values.iter().enumerate() {
                let Value::Float(value) = value else { continue };
                if is_stale(*value) {
                    continue;
                }
                let parts = by_time.entry(step as i64 * load.step_ms).or_default();
                match (ending, bound) {
                    ("_bucket", Some(bound)) => parts.0.push((bound, *value)),
                    ("_sum", _) => parts.2 = Some(*value),
                    _ => parts.1 = Some(*value),
                }
            }
        }
        for (labels, by_time) in found {
            for (time_ms, (buckets, count, sum)) in by_time {
                if let Ok(histogram) = FloatHistogram::from_classic(buckets, count, sum) {
                    let value = Value::Histogram(histogram.into());
                    self.series.entry(labels.clone()).or_default().insert(time_ms, value);
                }
            }
        }
    }
}

/// Sets the hints of counter resets as a store does that reads them from its chunks.
fn hint(series: &mut BTreeMap<i64, Value>) {
    let mut before: Option<Arc<FloatHistogram>> = None;
    for value in series.values_mut() {
        let Value::Histogram(histogram) = value else {
            before = None;
            continue;
        };
        if histogram.is_stale() {
            before = None;
            continue;
        }
        let mut hinted = (**histogram).clone();
        if hinted.counter_reset != CounterReset::Gauge {
            hinted.counter_reset = match &before {
                _ if hinted.counter_reset == CounterReset::Reset => CounterReset::Reset,
                None => CounterReset::Unknown,
                Some(before) if before.counter_reset == CounterReset::Gauge => CounterReset::Unknown,
                Some(before) => {
                    hinted.counter_reset = CounterReset::Unknown;
                    if hinted.is_reset_since(before) { CounterReset::Unknown } else { CounterReset::NotReset }
                }
            };
        }
        *histogram = Arc::new(hinted);
        before = Some(Arc::clone(histogram));
    }
}

struct Found<'m> {
    labels: &'m Labels,
    values: &'m BTreeMap<i64, Value>,
    from_ms: i64,
    to_ms: i64,
}

impl Series for Found<'_> {
    fn labels(&self) -> &Labels {
        self.labels
    }

    fn read(&self, into: &mut Points) -> Result<(), StorageError> {
        for (time_ms, value) in self.values.range(self.from_ms..=self.to_ms) {
            match value {
                Value::Float(value) => into.push_float(*time_ms, *value),
                Value::Histogram(histogram) => into.push_histogram(*time_ms, Arc::clone(histogram)),
                Value::Nothing => {}
            }
        }
        Ok(())
    }
}

impl Storage for Memory {
    fn select<'s>(&'s self, selection: &Selection<'_>) -> Result<Vec<Box<dyn Series + 's>>, StorageError> {
        let (from_ms, to_ms) = (selection.from_ms, selection.to_ms);
        if from_ms > to_ms {
            return Ok(Vec::new());
        }
        let matches = |labels: &Labels| {
            let mut all = selection.matchers.iter();
            all.all(|matcher| matcher.matches(labels.get(matcher.name()).unwrap_or_default()))
        };
        let found = self.series.iter().filter(|(labels, _)| matches(labels));
        Ok(found
            .map(|(labels, values)| Box::new(Found { labels, values, from_ms, to_ms }) as Box<dyn Series>)
            .collect())
    }
}
