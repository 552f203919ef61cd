//! Answers without what differs from run to run, and what counts as the same.

use serde_json::Value as Json;

use crate::recording::Order;

/// Keys whose values are times, places or sizes of the one who answered.
const OF_THE_RUN: [&str; 12] = [
    "lastScrape",
    "lastScrapeDuration",
    "globalUrl",
    "evalTotalTime",
    "resultSortTime",
    "queryPreparationTime",
    "innerEvalTime",
    "execQueueTime",
    "execTotalTime",
    "peakSamples",
    // How many samples were looked at for the same answer.
    "totalQueryableSamples",
    "discoveredLabels",
];

/// The same without what differs from run to run.
pub(crate) fn normal(mut json: Json, order: Order) -> Json {
    normalise(&mut json);
    if order == Order::Any {
        let list = if json["data"].is_array() { &mut json["data"] } else { &mut json["data"]["result"] };
        if let Some(list) = list.as_array_mut().filter(|list| list.iter().all(Json::is_object)) {
            list.sort_by_cached_key(|item| format!("{}{}{}", item["metric"], item["target"], item["value"]));
        }
    }
    for key in ["warnings", "infos"] {
        if let Some(notes) = json.get_mut(key).and_then(Json::as_array_mut) {
            // Of more than ten, it is anybody's guess which.
            if notes.len() > 10 {
                *notes = notes.drain(10..).collect();
            }
            for note in notes.iter_mut() {
                // A name that is none is left out by later versions.
                *note = note.as_str().unwrap_or_default().replace(" for metric name \"\"", "").into();
            }
            notes.sort_by_key(Json::to_string);
        }
    }
    json
}

fn normalise(json: &mut Json) {
    match json {
        Json::Array(values) => values.iter_mut().for_each(normalise),
        Json::Object(object) => {
            for (key, value) in object.iter_mut() {
                if OF_THE_RUN.contains(&key.as_str()) {
                    *value = Json::Null;
                }
                normalise(value);
            }
        }
        Json::String(text) => {
            // The target's port.
            if let Some((before, after)) = text.split_once("127.0.0.1:") {
                let rest = after.trim_start_matches(|it: char| it.is_ascii_digit());
                *text = format!("{before}127.0.0.1:1{rest}");
            }
        }
        _ => {}
    }
}

/// Whether two answers are the same: numbers to the last digits of a sum.
pub(crate) fn same(own: &Json, recorded: &Json) -> bool {
    match (own, recorded) {
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        (Json::String(a), Json::String(b)) => a == b || near(a, b),
        _ => own == recorded,
    }
}

fn near(a: &str, b: &str) -> bool {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= 1e-12 * a.abs().max(b.abs()),
        _ => false,
    }
}

/// What is in a JSON value, without the values: for answers about the one who answered.
pub(crate) fn shape(json: &Json) -> Json {
    match json {
        Json::Array(values) => Json::Array(values.iter().take(1).map(shape).collect()),
        Json::Object(object) => Json::Object(object.iter().map(|(key, value)| (key.clone(), shape(value))).collect()),
        Json::String(_) => "text".into(),
        Json::Number(_) => "number".into(),
        other => other.clone(),
    }
}
