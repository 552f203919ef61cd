//! How scripts write series, spans of time and native histograms.

use std::collections::BTreeMap;
use std::sync::Arc;

use console_model::{Buckets, CUSTOM_SCHEMA, CounterReset, FloatHistogram, Labels, stale_marker};

/// What is at one step of a series.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Nothing,
    Float(f64),
    Histogram(Arc<FloatHistogram>),
}

/// Milliseconds: `1h30m`, or seconds without a unit.
pub(crate) fn duration_ms(text: &str) -> Result<i64, String> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Ok((seconds * 1000.0).round() as i64);
    }
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let units = [
        ("ms", 1),
        ("s", 1000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
        ("w", 604_800_000),
        ("y", 31_536_000_000),
    ];
    let (mut rest, mut total) = (text, 0_i64);
    while !rest.is_empty() {
        let digits =
            rest.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0).ok_or(format!("no duration: {text}"))?;
        let count: i64 = rest[..digits].parse().map_err(|_| format!("no duration: {text}"))?;
        rest = &rest[digits..];
        let (unit, ms) = units.iter().find(|(unit, _)| rest.starts_with(unit)).ok_or(format!("no duration: {text}"))?;
        total += count * ms;
        rest = &rest[unit.len()..];
    }
    Ok(if negative { -total } else { total })
}

/// `metric{label="value"} 1 2+3x2 _`
pub(crate) fn series(line: &str) -> Result<(Labels, Vec<Value>), String> {
    let (labels, rest) = metric(line)?;
    Ok((labels, values(rest)?))
}

/// The labels at the beginning of a line, and what follows them.
fn metric(line: &str) -> Result<(Labels, &str), String> {
    let line = line.trim();
    let end = line.find(|c: char| c == '{' || c.is_whitespace()).unwrap_or(line.len());
    let (name, mut rest) = line.split_at(end);
    let mut pairs: Vec<(String, String)> = Vec::new();
    if !name.is_empty() {
        pairs.push(("__name__".to_owned(), name.to_owned()));
    }
    if rest.trim_start().starts_with('{') && !rest.trim_start().starts_with("{{") {
        rest = &rest.trim_start()[1..];
        loop {
            rest = rest.trim_start().trim_start_matches(',').trim_start();
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            let label = if rest.starts_with('"') {
                let (label, after) = quoted(rest)?;
                rest = after.trim_start();
                label
            } else {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').ok_or(format!("no label: {rest}"))?;
                let label = rest[..end].to_owned();
                rest = rest[end..].trim_start();
                label
            };
            match rest.strip_prefix('=') {
                Some(after) => {
                    let (value, after) = quoted(after.trim_start())?;
                    rest = after;
                    pairs.push((label, value));
                }
                None => pairs.push(("__name__".to_owned(), label)),
            }
        }
    }
    Ok((Labels::from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))), rest))
}

fn quoted(text: &str) -> Result<(String, &str), String> {
    let quote =
        text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')).ok_or(format!("no quoted text: {text}"))?;
    let (mut out, mut escaped) = (String::new(), false);
    for (at, character) in text[1..].char_indices() {
        if escaped {
            out.push(match character {
                'n' => '\n',
                't' => '\t',
                other => other,
            });
            escaped = false;
        } else if character == '\\' && quote != '`' {
            escaped = true;
        } else if character == quote {
            return Ok((out, &text[at + 2..]));
        } else {
            out.push(character);
        }
    }
    Err(format!("text does not end: {text}"))
}

pub(crate) fn values(text: &str) -> Result<Vec<Value>, String> {
    let mut all = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if rest.starts_with("{{") {
            rest = histograms(rest, &mut all)?.trim_start();
            continue;
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (item, after) = rest.split_at(end);
        rest = after.trim_start();
        floats(item, &mut all)?;
    }
    Ok(all)
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("no number: {text}"))
}

fn floats(item: &str, all: &mut Vec<Value>) -> Result<(), String> {
    if let Some(times) = item.strip_prefix('_') {
        let times = times
            .strip_prefix('x')
            .map_or(Ok(1), |times| times.parse::<usize>().map_err(|_| format!("no count: {item}")))?;
        all.extend(std::iter::repeat_n(Value::Nothing, times));
        return Ok(());
    }
    if item == "stale" {
        all.push(Value::Float(stale_marker()));
        return Ok(());
    }
    let Some((body, times)) = item.rsplit_once('x').filter(|(_, times)| times.parse::<usize>().is_ok()) else {
        all.push(Value::Float(number(item)?));
        return Ok(());
    };
    let times: usize = times.parse().map_err(|_| format!("no count: {item}"))?;
    // The sign of the step is the last one that does not belong to an exponent or begin the item.
    let signs =
        body.char_indices().skip(1).filter(|(at, c)| matches!(c, '+' | '-') && !body[..*at].ends_with(['e', 'E']));
    let (first, step) = match signs.last() {
        Some((at, sign)) => {
            let step = number(&body[at + 1..])?;
            let first = body[..at].trim_end_matches(['+', '-']);
            (number(first)?, if sign == '-' { -step } else { step })
        }
        None => (number(body)?, 0.0),
    };
    let mut value = first;
    for at in 0..=times {
        all.push(Value::Float(value));
        if at < times && step != 0.0 {
            value += step;
        }
    }
    Ok(())
}

/// `{{…}}`, `{{…}}x3`, `{{…}}+{{…}}x3`
fn histograms<'t>(text: &'t str, all: &mut Vec<Value>) -> Result<&'t str, String> {
    let (first, rest) = histogram(text)?;
    let count = |rest: &'t str| -> Result<(usize, &'t str), String> {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        Ok((rest[..end].parse().map_err(|_| format!("no count: {rest}"))?, &rest[end..]))
    };
    if let Some(rest) = rest.strip_prefix('x') {
        let (times, rest) = count(rest)?;
        all.extend(std::iter::repeat_n(Value::Histogram(first.into()), times + 1));
        return Ok(rest);
    }
    let adds = rest.starts_with("+{{");
    if !adds && !rest.starts_with("-{{") {
        all.push(Value::Histogram(first.into()));
        return Ok(rest);
    }
    let (step, rest) = histogram(&rest[1..])?;
    let (times, rest) = count(rest.strip_prefix('x').ok_or(format!("no count: {rest}"))?)?;
    let mut value = first;
    for at in 0..=times {
        all.push(Value::Histogram(Arc::new(value.clone())));
        if at < times {
            let hint = value.counter_reset;
            let combined = if adds { value.add(&step) } else { value.sub(&step) };
            combined.map_err(|error| error.to_string())?;
            value.counter_reset = hint;
        }
    }
    Ok(rest)
}

fn histogram(text: &str) -> Result<(FloatHistogram, &str), String> {
    let body = text.strip_prefix("{{").ok_or(format!("no histogram: {text}"))?;
    let end = body.find("}}").ok_or(format!("histogram does not end: {text}"))?;
    let (body, rest) = (&body[..end], &body[end + 2..]);
    let mut fields: BTreeMap<&str, &str> = BTreeMap::new();
    let mut left = body.trim();
    while !left.is_empty() {
        let (name, after) = left.split_once(':').ok_or(format!("no field: {left}"))?;
        let after = after.trim_start();
        let end = if after.starts_with('[') {
            after.find(']').ok_or(format!("list does not end: {after}"))? + 1
        } else {
            after.find(char::is_whitespace).unwrap_or(after.len())
        };
        fields.insert(name.trim(), &after[..end]);
        left = after[end..].trim_start();
    }
    let one = |name: &str| fields.get(name).map_or(Ok(0.0), |text| number(text));
    let list = |name: &str| -> Result<Vec<f64>, String> {
        let text = fields.get(name).map_or("", |text| text.trim_start_matches('[').trim_end_matches(']'));
        text.split_whitespace().map(number).collect()
    };
    let mut built = FloatHistogram {
        schema: one("schema")? as i8,
        count: one("count")?,
        sum: one("sum")?,
        zero_count: one("z_bucket")?,
        zero_threshold: one("z_bucket_w")?,
        positive: Buckets::from_offset(one("offset")? as i32, list("buckets")?),
        negative: Buckets::from_offset(one("n_offset")? as i32, list("n_buckets")?),
        custom_values: list("custom_values")?.into(),
        ..FloatHistogram::default()
    };
    debug_assert!(built.custom_values.is_empty() || built.schema == CUSTOM_SCHEMA);
    built.counter_reset = match fields.get("counter_reset_hint").copied() {
        None | Some("unknown") => CounterReset::Unknown,
        Some("reset") => CounterReset::Reset,
        Some("not_reset") => CounterReset::NotReset,
        Some("gauge") => CounterReset::Gauge,
        Some(other) => return Err(format!("no counter reset hint: {other}")),
    };
    Ok((built, rest))
}
