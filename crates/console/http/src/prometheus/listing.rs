//! `series`, `labels` and `label/<name>/values`: what there is to ask for. What it is asked for is not known here.

use std::collections::BTreeSet;

use console_model::{Labels, Text};
use console_storage::Matcher;

use super::answer::{self, Refusal, end_cut};
use super::json::Comma;
use super::parameters::decoded;
use super::selector::{self, Wrong};
use super::{Call, label_name};

/// Series between two looks whether somebody still waits.
const SERIES_BETWEEN_LOOKS: usize = 8_192;

/// `series`: the label sets that one of the selections selects.
pub(super) fn series(call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    if call.parameters.all("match[]").next().is_none() {
        return Err(Refusal::bad_data("no match[] parameter provided".to_owned()));
    }
    let limit = call.parameters.limit()?;
    let (from_ms, to_ms) = times(call)?;
    let selections = selector::selections(call.parameters).map_err(Wrong::named)?;
    let found: BTreeSet<Labels> =
        selections.iter().flat_map(|matchers| call.store().series_labels(matchers, from_ms, to_ms)).collect();
    let mut json = answer::begin();
    json.raw("[");
    let mut comma = Comma::default();
    for labels in found.iter().take(limit.unwrap_or(usize::MAX)) {
        comma.between(&mut json);
        json.labels(labels);
        json.check()?;
    }
    json.raw("]");
    Ok(end_cut(json, limit.is_some_and(|limit| found.len() > limit)))
}

/// `labels`: the names.
pub(super) fn labels(call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let limit = call.parameters.limit()?;
    let mut names: BTreeSet<Text> = BTreeSet::new();
    each_series(call, |labels| {
        for (name, _) in labels.iter() {
            if !names.contains(name) {
                names.insert(name.into());
            }
        }
    })?;
    texts(&names, limit)
}

/// `label/<name>/values`: the values of one.
pub(super) fn values(call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let name = named(call.path)?;
    let limit = call.parameters.limit()?;
    let mut values: BTreeSet<Text> = BTreeSet::new();
    each_series(call, |labels| {
        if let Some(value) = labels.get(&name).filter(|value| !values.contains(*value)) {
            values.insert(value.into());
        }
    })?;
    texts(&values, limit)
}

/// The name of a label in a path.
fn named(path: &str) -> Result<String, Refusal> {
    let middle = path.strip_prefix("/prometheus/api/v1/label/").and_then(|rest| rest.strip_suffix("/values"));
    let bytes = decoded(middle.unwrap_or_default().as_bytes(), false).unwrap_or_default();
    let name = String::from_utf8(bytes)
        .map_err(|error| Refusal::bad_data(format!("invalid label name: {}", label_name::quoted(error.as_bytes()))))?;
    Ok(label_name::unescaped(&name))
}

/// From when to when; all the time where nothing is said.
fn times(call: &Call<'_>) -> Result<(i64, i64), Refusal> {
    let start_ms = call.parameters.time_ms_or("start", i64::MIN)?;
    let end_ms = call.parameters.time_ms_or("end", i64::MAX)?;
    Ok((start_ms, end_ms))
}

/// Shows every series that one of the selections selects; all of them where there is none. One that is selected
/// twice is seen twice.
fn each_series(call: &Call<'_>, mut see: impl FnMut(&Labels)) -> Result<(), Refusal> {
    let (from_ms, to_ms) = times(call)?;
    let mut selections = selector::selections(call.parameters).map_err(Wrong::bare)?;
    if selections.is_empty() {
        selections.push(Vec::<Matcher>::new());
    }
    for matchers in selections {
        for some in call.store().series_labels(&matchers, from_ms, to_ms).chunks(SERIES_BETWEEN_LOOKS) {
            if call.stop.is_set() {
                return Err(console_promql::Error::Canceled.into());
            }
            some.iter().for_each(&mut see);
        }
    }
    Ok(())
}

fn texts(texts: &BTreeSet<Text>, limit: Option<usize>) -> Result<Vec<u8>, Refusal> {
    let mut json = answer::begin();
    json.texts(texts.iter().take(limit.unwrap_or(usize::MAX)));
    json.check()?;
    Ok(end_cut(json, limit.is_some_and(|limit| texts.len() > limit)))
}
