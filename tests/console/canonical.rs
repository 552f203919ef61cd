//! OTLP's JSON in one form, whoever wrote it: defaults left out, integers and ids as text. Two requests that
//! say the same are the same here, and nothing that differs becomes alike.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Each span of an `ExportTraceServiceRequest`, with the resource and the scope it belongs to, in order.
pub(crate) fn spans(request: &Value) -> Vec<Value> {
    items(request, "resourceSpans", "scopeSpans", "spans")
}

/// Each record of an `ExportLogsServiceRequest`, with the resource and the scope it belongs to, in order.
pub(crate) fn records(request: &Value) -> Vec<Value> {
    items(request, "resourceLogs", "scopeLogs", "logRecords")
}

fn items(request: &Value, resources: &str, scopes: &str, items: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for resource in list(&request[resources]) {
        for scope in list(&resource[scopes]) {
            for item in list(&scope[items]) {
                found.push(normal(&json!({
                    "resource": resource["resource"],
                    "resourceSchema": resource["schemaUrl"],
                    "scope": scope["scope"],
                    "scopeSchema": scope["schemaUrl"],
                    "item": item,
                })));
            }
        }
    }
    found.sort_by_key(ToString::to_string);
    found
}

pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn normal(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::String(number.to_string()),
        Value::Array(values) => Value::Array(values.iter().map(normal).collect()),
        Value::Object(fields) => any_value(fields).unwrap_or_else(|| message(fields)),
        other => other.clone(),
    }
}

/// `AnyValue`, whose zeros and empty texts are no defaults.
fn any_value(fields: &Map<String, Value>) -> Option<Value> {
    let (kind, value) = fields.iter().find(|(name, value)| name.ends_with("Value") && !value.is_null())?;
    let value = match kind.as_str() {
        "stringValue" | "boolValue" => value.clone(),
        "intValue" => json!(value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
        "doubleValue" => json!(format!("{:?}", double(value))),
        "bytesValue" => value.clone(),
        "arrayValue" | "kvlistValue" => Value::Array(list(&value["values"]).map(normal).collect()),
        _ => return None,
    };
    Some(json!({ kind: value }))
}

pub(crate) fn double(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok())).unwrap()
}

fn message(fields: &Map<String, Value>) -> Value {
    let is_default = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty() || text == "0",
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    let fields = fields.iter().map(|(name, value)| {
        let is_id = name.ends_with("Id");
        let value = normal(value);
        (name.clone(), if is_id { json!(value.as_str().unwrap().to_lowercase()) } else { value })
    });
    Value::Object(fields.filter(|(_, value)| !is_default(value)).collect())
}

/// Every sample of an export: by series, with its time in milliseconds.
pub(crate) fn samples(export: &Value) -> Vec<Sample> {
    let mut samples = Vec::new();
    for resource in list(&export["resourceMetrics"]) {
        for metric in list(&resource["scopeMetrics"]).flat_map(|scope| list(&scope["metrics"])) {
            for point in list(&metric["gauge"]["dataPoints"]) {
                let mut labels: BTreeMap<_, _> = list(&point["attributes"])
                    .filter_map(|pair| {
                        let value = pair["value"]["stringValue"].as_str()?;
                        Some((pair["key"].as_str()?.to_owned(), value.to_owned()))
                    })
                    .collect();
                labels.insert("__name__".to_owned(), metric["name"].as_str().unwrap().to_owned());
                let time_ns: u64 = point["timeUnixNano"].as_str().map_or(0, |text| text.parse().unwrap());
                let is_stale = point["flags"] == 1;
                let value = double(&point["asDouble"]);
                samples.push(Sample { labels, time_ms: time_ns / 1_000_000, value, is_stale });
            }
        }
    }
    samples
}

/// One of a series.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub labels: BTreeMap<String, String>,
    pub time_ms: u64,
    pub value: f64,
    /// Whether it marks the series' end.
    pub is_stale: bool,
}

impl Sample {
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    pub(crate) fn name(&self) -> &str {
        self.label("__name__")
    }
}
