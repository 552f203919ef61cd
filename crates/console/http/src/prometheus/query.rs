//! `query` and `query_range`: the evaluator is asked, its answer is written down. What a query means is the
//! evaluator's business.

use std::sync::Arc;
use std::time::Duration;

use console_model::FloatHistogram;
use console_promql::{Answer, Engine, Error, Features, Limits, Point, Stop, Value};
use tokio::time::Instant;

use super::answer::{self, Refusal, TRUNCATED};
use super::json::{Comma, Json};
use super::storage::Stored;
use super::{Call, SAMPLES_MAX, parameters};

/// How far back a sample is looked for, unless the request says otherwise.
const LOOKBACK_MS: i64 = 5 * 60 * 1_000;
/// Steps between the first and the last of a range.
const STEPS_MAX: usize = 11_000;
/// Series that one selector may touch.
const SERIES_MAX: usize = 200_000;
/// Warnings of a kind in one answer; how many more there are is told.
const NOTES_MAX: usize = 10;
/// Points between two looks whether there is room for more.
const POINTS_BETWEEN_CHECKS: usize = 4_096;

/// `query`: at one time.
pub(super) fn instant(call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let limit = call.parameters.limit()?;
    let time_ms = call.parameters.time_ms_or("time", call.now_ms())?;
    let engine = engine(call)?;
    evaluate(call, limit, |stored, text, stop| engine.instant(stored, text, time_ms, stop))
}

/// `query_range`: at steps from a first to a last time.
pub(super) fn range(call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let parameters = call.parameters;
    let limit = parameters.limit()?;
    let start_ms = parameters.time_ms("start")?;
    let end_ms = parameters.time_ms("end")?;
    if end_ms < start_ms {
        return Err(Refusal::parameter("end", "end timestamp must not be before start time".to_owned()));
    }
    let step_ms = parameters::duration_ms(parameters.first("step")).map_err(|told| Refusal::parameter("step", told))?;
    #[expect(clippy::cast_possible_truncation, reason = "a cast of floats saturates")]
    let step_ms = step_ms as i64;
    if step_ms <= 0 {
        let told = "zero or negative query resolution step widths are not accepted. Try a positive integer";
        return Err(Refusal::parameter("step", told.to_owned()));
    }
    if end_ms.saturating_sub(start_ms) / step_ms > STEPS_MAX as i64 {
        let told = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)";
        return Err(Refusal::bad_data(told.to_owned()));
    }
    let engine = engine(call)?;
    evaluate(call, limit, |stored, text, stop| engine.range(stored, text, start_ms, end_ms, step_ms, stop))
}

/// The evaluator, within the bounds of this server and with what the request says of it.
fn engine(call: &Call<'_>) -> Result<Engine, Refusal> {
    let told = call.parameters.duration_ms("lookback_delta");
    let told = told.map_err(|told| Refusal::bad_data(format!("error parsing lookback delta duration: {told}")))?;
    #[expect(clippy::cast_possible_truncation, reason = "a cast of floats saturates")]
    let lookback_ms = told.map(|ms| ms as i64).filter(|ms| *ms > 0).unwrap_or(LOOKBACK_MS);
    Ok(Engine::new(Limits {
        samples_max: SAMPLES_MAX,
        series_max: SERIES_MAX,
        steps_max: STEPS_MAX,
        lookback_ms,
        ..Limits::default()
    })
    .with_features(Features::ADDITIONS))
}

/// Ends a query when nobody waits for it, or when its time is up.
struct Until<'a, 'c>(&'a Call<'c>);

impl Stop for Until<'_, '_> {
    fn check(&self) -> Result<(), Error> {
        // Its time is up a moment before nobody waits any more, so that the one who asked is told.
        if Instant::now() >= self.0.deadline {
            return Err(Error::Timeout);
        }
        if self.0.stop.is_set() { Err(Error::Canceled) } else { Ok(()) }
    }
}

fn evaluate(
    call: &Call<'_>,
    limit: Option<usize>,
    ask: impl FnOnce(&Stored, &str, &Until<'_, '_>) -> Result<Answer, Error>,
) -> Result<Vec<u8>, Refusal> {
    let (stop, deadline) = (call.stop.clone(), call.deadline);
    let stored = Stored::new(call.store().clone()).while_it(move || !stop.is_set() && Instant::now() < deadline);
    let begun = Instant::now();
    if begun >= call.deadline {
        return Err(Refusal { kind: answer::Kind::Timeout, text: "query timed out in query execution".to_owned() });
    }
    let mut answer = ask(&stored, call.parameters.first("query"), &Until(call))?;
    let took = begun.elapsed();
    let is_cut = cut(&mut answer.value, limit);
    let mut json = answer::begin();
    write_value(&mut json, &answer.value)?;
    if !call.parameters.first("stats").is_empty() {
        write_statistics(&mut json, &answer, call.waited, took);
    }
    json.raw("}");
    let mut warnings = few(answer.warnings, "warning");
    warnings.extend(is_cut.then(|| TRUNCATED.to_owned()));
    Ok(answer::end(json, &warnings, &few(answer.infos, "info")))
}

/// Leaves the results beyond a limit out; says whether there were any.
fn cut(value: &mut Value, limit: Option<usize>) -> bool {
    let Some(limit) = limit else { return false };
    let length = match value {
        Value::Vector(samples) => {
            let length = samples.len();
            samples.truncate(limit);
            length
        }
        Value::Matrix(series) => {
            let length = series.len();
            series.truncate(limit);
            length
        }
        Value::Scalar { .. } | Value::String { .. } => 0,
    };
    length > limit
}

/// As many notes as anybody reads.
fn few(mut notes: Vec<String>, kind: &str) -> Vec<String> {
    let more = notes.len().saturating_sub(NOTES_MAX);
    if more > 0 {
        notes.truncate(NOTES_MAX);
        notes.push(format!("{more} more {kind} annotations omitted"));
    }
    notes
}

/// Writes a result, but for the brace at its end.
fn write_value(json: &mut Json, value: &Value) -> Result<(), Refusal> {
    match value {
        Value::Scalar { time_ms, value } => {
            json.raw(r#"{"resultType":"scalar","result":"#);
            write_point(json, *time_ms, |json| json.value(*value));
        }
        Value::String { time_ms, value } => {
            json.raw(r#"{"resultType":"string","result":"#);
            write_point(json, *time_ms, |json| json.text(value));
        }
        Value::Vector(samples) => {
            json.raw(r#"{"resultType":"vector","result":["#);
            let mut comma = Comma::default();
            for sample in samples {
                comma.between(json);
                json.raw(r#"{"metric":"#);
                json.labels(&sample.labels);
                match &sample.value {
                    Point::Float(value) => {
                        json.raw(r#","value":"#);
                        write_point(json, sample.time_ms, |json| json.value(*value));
                    }
                    Point::Histogram(histogram) => {
                        json.raw(r#","histogram":"#);
                        write_point(json, sample.time_ms, |json| write_histogram(json, histogram));
                    }
                }
                json.raw("}");
                json.check()?;
            }
            json.raw("]");
        }
        Value::Matrix(all) => {
            json.raw(r#"{"resultType":"matrix","result":["#);
            let mut comma = Comma::default();
            for series in all {
                comma.between(json);
                json.raw(r#"{"metric":"#);
                json.labels(&series.labels);
                write_points(json, r#","values":["#, &series.floats, |json, value| json.value(*value))?;
                write_points(json, r#","histograms":["#, &series.histograms, write_histogram)?;
                json.raw("}");
                json.check()?;
            }
            json.raw("]");
        }
    }
    Ok(())
}

fn write_points<T>(json: &mut Json, key: &str, points: &[(i64, T)], write: fn(&mut Json, &T)) -> Result<(), Refusal> {
    if points.is_empty() {
        return Ok(());
    }
    json.raw(key);
    let mut comma = Comma::default();
    for some in points.chunks(POINTS_BETWEEN_CHECKS) {
        json.check()?;
        for (time_ms, value) in some {
            comma.between(json);
            write_point(json, *time_ms, |json| write(json, value));
        }
    }
    json.raw("]");
    Ok(())
}

/// Writes a native histogram: its buckets that have something in them, each with what is said of its bounds.
fn write_histogram(json: &mut Json, histogram: &Arc<FloatHistogram>) {
    json.raw(r#"{"count":"#);
    json.value(histogram.count);
    json.raw(r#","sum":"#);
    json.value(histogram.sum);
    let mut comma = Comma::default();
    let mut has_buckets = false;
    for bucket in histogram.populated_buckets() {
        json.raw(if has_buckets { "" } else { r#","buckets":["# });
        has_buckets = true;
        comma.between(json);
        json.raw("[");
        json.integer(bucket.boundary_rule().into());
        for number in [bucket.lower, bucket.upper, bucket.count] {
            json.raw(",");
            json.value(number);
        }
        json.raw("]");
    }
    json.raw(if has_buckets { "]}" } else { "}" });
}

fn write_point(json: &mut Json, time_ms: i64, write: impl FnOnce(&mut Json)) {
    json.raw("[");
    json.time(time_ms);
    json.raw(",");
    write(json);
    json.raw("]");
}

/// Writes how long a query took, seconds, and what it touched.
fn write_statistics(json: &mut Json, answer: &Answer, waited: Duration, took: Duration) {
    json.raw(r#","stats":{"timings":{"#);
    let mut comma = Comma::default();
    for (name, time) in [
        ("evalTotalTime", took),
        ("resultSortTime", Duration::ZERO),
        ("queryPreparationTime", Duration::ZERO),
        ("innerEvalTime", took),
        ("execQueueTime", waited),
        ("execTotalTime", waited.saturating_add(took)),
    ] {
        comma.between(json);
        json.key(name);
        json.float(time.as_secs_f64());
    }
    json.raw(r#"},"samples":{"totalQueryableSamples":"#);
    json.integer(i64::try_from(answer.samples_read).unwrap_or(i64::MAX));
    json.raw(r#","peakSamples":"#);
    json.count(answer.samples_peak);
    json.raw("}}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_notes_are_told_and_how_many_more_there_are() {
        let notes: Vec<String> = (0..12).map(|number| number.to_string()).collect();
        let told = few(notes, "info");
        assert_eq!((told.len(), told.last().map(String::as_str)), (11, Some("2 more info annotations omitted")));
        assert_eq!(few(vec!["a".to_owned()], "info"), ["a"]);
    }
}
