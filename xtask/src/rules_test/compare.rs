//! What a test expects, beside what there is.

use std::sync::Arc;

use console_alerting::rules::Texts;
use console_model::{FloatHistogram, Labels};
use console_promql::{Answer, Point, Value};

use super::file::{AlertTest, QueryTest};
use super::notation;
use crate::Findings;

/// Labels and annotations.
pub type Alert = (Texts, Texts);

/// What is wrong with the alerts that fire.
pub fn alerts(test: &AlertTest, found: &[Alert]) -> Findings {
    let expected = test.exp_alerts.iter().map(|alert| {
        let mut labels = alert.exp_labels.clone();
        labels.retain(|_, value| !value.is_empty());
        labels.insert("alertname".to_owned(), test.alertname.clone());
        (labels, alert.exp_annotations.clone())
    });
    let (mut expected, mut found): (Vec<Alert>, Vec<Alert>) = (expected.collect(), found.to_vec());
    expected.sort();
    found.sort();
    if expected == found {
        return Findings::new();
    }
    let told = |alerts: &[Alert]| match alerts {
        [] => "    nothing".to_owned(),
        alerts => {
            let lines = alerts
                .iter()
                .map(|(labels, annotations)| format!("    labels {labels:?}\n    annotations {annotations:?}"));
            lines.collect::<Vec<_>>().join("\n")
        }
    };
    let (name, time) = (&test.alertname, test.eval_time);
    vec![format!("alertname: {name}, time: {time},\n  exp:\n{}\n  got:\n{}", told(&expected), told(&found))]
}

#[derive(Debug, Clone)]
enum Sample {
    Float(f64),
    Histogram(Arc<FloatHistogram>),
}

/// What is wrong with what a query gives.
pub fn samples(test: &QueryTest, found: Result<Answer, String>, is_fuzzy: bool) -> Findings {
    let place = format!("expr: {:?}, time: {}", test.expr, test.eval_time);
    let expected = match expected(test) {
        Ok(expected) => expected,
        Err(error) => return vec![format!("{place}, err: {error}")],
    };
    let mut found = match found.and_then(|answer| elements(answer.value)) {
        Ok(found) => found,
        Err(error) => return vec![format!("{place}, err: {error}")],
    };
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let is_same = expected.len() == found.len()
        && expected.iter().zip(&found).all(|(a, b)| a.0 == b.0 && is_equal(&a.1, &b.1, is_fuzzy));
    if is_same {
        return Findings::new();
    }
    let told = |samples: &[(Labels, Sample)]| match samples {
        [] => "nothing".to_owned(),
        samples => samples.iter().map(|(labels, value)| format!("{labels} {value:?}")).collect::<Vec<_>>().join(", "),
    };
    vec![format!("{place},\n  exp: {}\n  got: {}", told(&expected), told(&found))]
}

fn expected(test: &QueryTest) -> Result<Vec<(Labels, Sample)>, String> {
    let mut expected = Vec::new();
    for sample in &test.exp_samples {
        let (labels, _) = notation::series(&sample.labels)?;
        let value = if sample.histogram.is_empty() {
            Sample::Float(sample.value)
        } else {
            match notation::values(&sample.histogram)?.into_iter().next() {
                Some(notation::Value::Histogram(histogram)) => Sample::Histogram(histogram),
                _ => return Err(format!("{:?} is no histogram", sample.histogram)),
            }
        };
        expected.push((labels, value));
    }
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(expected)
}

fn elements(value: Value) -> Result<Vec<(Labels, Sample)>, String> {
    match value {
        Value::Scalar { value, .. } => Ok(vec![(Labels::default(), Sample::Float(value))]),
        Value::Vector(samples) => Ok(samples
            .into_iter()
            .map(|sample| match sample.value {
                Point::Float(value) => (sample.labels, Sample::Float(value)),
                Point::Histogram(histogram) => (sample.labels, Sample::Histogram(histogram)),
            })
            .collect()),
        Value::String { .. } | Value::Matrix(_) => Err("the result is neither a vector nor a scalar".to_owned()),
    }
}

fn is_equal(a: &Sample, b: &Sample, is_fuzzy: bool) -> bool {
    match (a, b) {
        (Sample::Float(a), Sample::Float(b)) => {
            let same = a == b || (a.is_nan() && b.is_nan());
            same || (is_fuzzy && a.to_bits().abs_diff(b.to_bits()) <= 1)
        }
        (Sample::Histogram(a), Sample::Histogram(b)) => {
            let compact = |histogram: &FloatHistogram| {
                let mut compact = histogram.clone();
                compact.compact();
                compact.counter_reset = console_model::CounterReset::Unknown;
                compact
            };
            compact(a) == compact(b)
        }
        _ => false,
    }
}
