//! Reading parts of a manifest by their path, without a type for each kind. Knows no kind and no rule.

use serde_json::Value;

/// The value at a path of keys with `/` between them, if it is there.
pub fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('/').try_fold(value, |value, key| value.get(key))
}

/// The text at a path; empty where there is none.
pub fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

/// The list at a path; empty where there is none.
pub fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    at(value, path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The texts of a list at a path.
pub fn texts<'a>(value: &'a Value, path: &str) -> Vec<&'a str> {
    list(value, path).iter().filter_map(Value::as_str).collect()
}

/// Whether the path holds `true`.
pub fn is_true(value: &Value, path: &str) -> bool {
    at(value, path).and_then(Value::as_bool) == Some(true)
}

/// Whether the path holds `false`, said so.
pub fn is_false(value: &Value, path: &str) -> bool {
    at(value, path).and_then(Value::as_bool) == Some(false)
}

/// A number or a text, as text.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Labels at a path, as pairs.
pub fn labels(value: &Value, path: &str) -> Vec<(String, String)> {
    let map = at(value, path).and_then(Value::as_object);
    map.into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), scalar(value)?))).collect()
}

/// Whether `labels` have all that `wanted` asks for.
pub fn has_all(labels: &[(String, String)], wanted: &[(String, String)]) -> bool {
    wanted.iter().all(|pair| labels.contains(pair))
}

/// Visits every map in a value, deepest last.
pub fn walk<'a>(value: &'a Value, visit: &mut impl FnMut(&'a serde_json::Map<String, Value>)) {
    match value {
        Value::Object(map) => {
            visit(map);
            map.values().for_each(|value| walk(value, visit));
        }
        Value::Array(items) => items.iter().for_each(|value| walk(value, visit)),
        _ => {}
    }
}
