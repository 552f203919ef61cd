//! Whether an answer is what a script expects.

use std::collections::BTreeMap;

use console_model::{CounterReset, FloatHistogram, Labels};
use console_promql::{Answer, Engine, MatrixSeries, Point, Value as Answered};

use crate::memory::Memory;
use crate::notation::Value;
use crate::script::{Eval, Text, When};

/// Runs an eval; an instant one as the middle of a range too.
pub(crate) fn check(engine: &Engine, storage: &Memory, eval: &Eval) -> Result<(), String> {
    match eval.when {
        When::Range(start, end, step) => {
            let answer = engine.range(storage, &eval.query, start, end, step, &());
            let Some(answer) = outcome(eval, answer)? else { return Ok(()) };
            let Answered::Matrix(series) = answer.value else { return Err("is no matrix".to_owned()) };
            let scalar = eval.scalar.map(|value| (Labels::default(), vec![Value::Float(value)]));
            let expected: Vec<_> = eval.series.iter().cloned().chain(scalar).collect();
            matrix(&expected, &series, start, step)
        }
        When::Instant(at) => {
            let answer = engine.instant(storage, &eval.query, at, &());
            let Some(answer) = outcome(eval, answer)? else { return Ok(()) };
            instant(eval, &answer)?;
            let ranged = engine.parse(&eval.query).is_ok_and(|expr| {
                matches!(expr.value_type(), console_promql::ValueType::Vector | console_promql::ValueType::Scalar)
            });
            if !ranged || eval.ordered || depends_on_range(&eval.query) {
                return Ok(());
            }
            let answer = engine
                .range(storage, &eval.query, at - 60_000, at + 60_000, 60_000, &())
                .map_err(|error| format!("as a range: {error}"))?;
            middle(&answer, at, eval).map_err(|fault| format!("as a range: {fault}"))
        }
    }
}

fn depends_on_range(query: &str) -> bool {
    ["range()", "step()", "start()", "end()"].iter().any(|word| query.contains(word))
}

/// The answer, if it is one that there should be.
fn outcome(eval: &Eval, answer: Result<Answer, console_promql::Error>) -> Result<Option<Answer>, String> {
    let answer = match answer {
        Err(error) if eval.fails.is_empty() => return Err(format!("failed: {error}")),
        Err(error) => {
            let text = error.to_string();
            let fits = eval.fails.iter().all(|expected| expected.fits(&text));
            return if fits { Ok(None) } else { Err(format!("failed, but with: {text}")) };
        }
        Ok(_) if !eval.fails.is_empty() => return Err("should have failed".to_owned()),
        Ok(answer) => answer,
    };
    notes("warning", &eval.warns, eval.no_warn, &answer.warnings)?;
    notes("info", &eval.infos, eval.no_info, &answer.infos)?;
    Ok(Some(answer))
}

fn notes(kind: &str, expected: &[Text], none: bool, found: &[String]) -> Result<(), String> {
    if none && !found.is_empty() {
        return Err(format!("unexpected {kind}: {found:?}"));
    }
    if let Some(missing) = expected.iter().find(|text| !found.iter().any(|message| text.fits(message))) {
        return Err(format!("no {kind} {missing:?}, but {found:?}"));
    }
    let surplus = |message: &&String| !expected.is_empty() && !expected.iter().any(|text| text.fits(message));
    match found.iter().find(surplus) {
        Some(surplus) => Err(format!("unexpected {kind}: {surplus}")),
        None => Ok(()),
    }
}

fn instant(eval: &Eval, answer: &Answer) -> Result<(), String> {
    match &answer.value {
        Answered::Scalar { value, .. } => match eval.scalar {
            Some(expected) if almost_equal(expected, *value) => Ok(()),
            expected => Err(format!("is {value}, should be {expected:?}")),
        },
        Answered::String { value, .. } => match &eval.string {
            Some(expected) if expected == value => Ok(()),
            expected => Err(format!("is {value:?}, should be {expected:?}")),
        },
        Answered::Matrix(series) => {
            let Some((start, _, step)) = eval.matrix else { return Err("is a range vector".to_owned()) };
            matrix(&eval.series, series, start, step)
        }
        Answered::Vector(samples) => {
            let mut left: BTreeMap<&Labels, &Value> = BTreeMap::new();
            for (labels, values) in &eval.series {
                left.extend(values.first().map(|value| (labels, value)));
            }
            let order: Vec<&Labels> = eval.series.iter().map(|(labels, _)| labels).collect();
            for (at, sample) in samples.iter().enumerate() {
                if eval.ordered && order.get(at) != Some(&&sample.labels) {
                    return Err(format!("{} is at place {at}", sample.labels));
                }
                match left.remove(&sample.labels) {
                    Some(expected) => point(expected, &sample.value).map_err(|f| format!("{}: {f}", sample.labels))?,
                    None => return Err(format!("unexpected {} {:?}", sample.labels, sample.value)),
                }
            }
            match left.keys().next() {
                Some(missing) => Err(format!("no {missing}")),
                None => Ok(()),
            }
        }
    }
}

/// A range around an instant must be the same in its middle.
fn middle(answer: &Answer, at: i64, eval: &Eval) -> Result<(), String> {
    let Answered::Matrix(series) = &answer.value else { return Err("is no matrix".to_owned()) };
    let mut expected: BTreeMap<&Labels, &Value> = BTreeMap::new();
    for (labels, values) in &eval.series {
        expected.extend(values.first().map(|value| (labels, value)));
    }
    let scalar = eval.scalar.map(Value::Float);
    let none = Labels::default();
    expected.extend(scalar.as_ref().map(|value| (&none, value)));
    for series in series {
        let float = series.floats.iter().find(|(time, _)| *time == at).map(|(_, value)| Point::Float(*value));
        let native = series.histograms.iter().find(|(time, _)| *time == at);
        let native = native.map(|(_, histogram)| Point::Histogram(histogram.clone()));
        let Some(found) = float.or(native) else { continue };
        match expected.remove(&series.labels) {
            Some(expected) => point(expected, &found).map_err(|fault| format!("{}: {fault}", series.labels))?,
            None => return Err(format!("unexpected {}", series.labels)),
        }
    }
    match expected.keys().next() {
        Some(missing) => Err(format!("no {missing}")),
        None => Ok(()),
    }
}

fn matrix(expected: &[(Labels, Vec<Value>)], found: &[MatrixSeries], start: i64, step: i64) -> Result<(), String> {
    let mut left: BTreeMap<&Labels, &Vec<Value>> = expected.iter().map(|(labels, values)| (labels, values)).collect();
    for series in found {
        let Some(values) = left.remove(&series.labels) else { return Err(format!("unexpected {}", series.labels)) };
        let mut points: BTreeMap<i64, Point> =
            series.floats.iter().map(|(time, value)| (*time, Point::Float(*value))).collect();
        points.extend(series.histograms.iter().map(|(time, histogram)| (*time, Point::Histogram(histogram.clone()))));
        for (at, value) in values.iter().enumerate() {
            let time = start + step * at as i64;
            match (value, points.remove(&time)) {
                (Value::Nothing, None) => {}
                (Value::Nothing, Some(found)) => {
                    return Err(format!("{} at {time}: unexpected {found:?}", series.labels));
                }
                (_, None) => return Err(format!("{} at {time}: nothing", series.labels)),
                (value, Some(found)) => {
                    point(value, &found).map_err(|fault| format!("{} at {time}: {fault}", series.labels))?;
                }
            }
        }
        if let Some((time, found)) = points.iter().next() {
            return Err(format!("{} at {time}: unexpected {found:?}", series.labels));
        }
    }
    let missing = left.iter().find(|(_, values)| values.iter().any(|value| !matches!(value, Value::Nothing)));
    match missing {
        Some((missing, _)) => Err(format!("no {missing}")),
        None => Ok(()),
    }
}

fn point(expected: &Value, found: &Point) -> Result<(), String> {
    let fits = match (expected, found) {
        (Value::Float(expected), Point::Float(found)) => almost_equal(*expected, *found),
        (Value::Histogram(expected), Point::Histogram(found)) => histograms_equal(expected, found),
        _ => false,
    };
    let shown = |histogram: &FloatHistogram| {
        format!("{histogram} of schema {}, {:?}", histogram.schema, histogram.counter_reset)
    };
    let found = match found {
        Point::Float(value) => format!("{value}"),
        Point::Histogram(histogram) => shown(histogram),
    };
    let expected = match expected {
        Value::Histogram(histogram) => shown(histogram),
        other => format!("{other:?}"),
    };
    if fits { Ok(()) } else { Err(format!("is {found}, should be {expected}")) }
}

fn almost_equal(a: f64, b: f64) -> bool {
    if a.is_nan() || b.is_nan() {
        return a.is_nan() && b.is_nan();
    }
    if a == b {
        return true;
    }
    let (total, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || total < f64::MIN_POSITIVE {
        return difference < 1e-6 * f64::MIN_POSITIVE;
    }
    difference / total.min(f64::MAX) < 1e-6
}

fn histograms_equal(expected: &FloatHistogram, found: &FloatHistogram) -> bool {
    let (mut expected, mut found) = (expected.clone(), found.clone());
    expected.compact();
    found.compact();
    let numbers = |histogram: &FloatHistogram| {
        vec![histogram.count, histogram.sum, histogram.zero_count, histogram.zero_threshold]
    };
    let near = |a: Vec<f64>, b: Vec<f64>| a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| almost_equal(*a, *b));
    let side = |side: &console_model::Buckets| -> (Vec<i32>, Vec<f64>) { side.iter().unzip() };
    let sides = [(&expected.positive, &found.positive), (&expected.negative, &found.negative)];
    expected.schema == found.schema
        && near(numbers(&expected), numbers(&found))
        && near(expected.custom_values.to_vec(), found.custom_values.to_vec())
        && sides.iter().all(|(a, b)| side(a).0 == side(b).0 && near(side(a).1, side(b).1))
        && (expected.counter_reset == CounterReset::Unknown || expected.counter_reset == found.counter_reset)
}
