//! `/detected_labels` and `/detected_fields`: what a person may want to filter by, found in streams and lines.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, Path, Request, State};
use axum::response::Response;
use console_logql::ast::{Expr, LogExpr, Matcher, Stage};
use console_logql::{Filter, FoundLine, Line, LinesRequest, Origin, QueryError};
use console_model::Labels;
use hashbrown::HashSet;
use serde::Serialize;

use super::answer::{Refusal, json};
use super::parameters::Parameters;
use super::source::StoreSource;
use super::{Shared, labels as streams, metadata};

/// Lines that are looked at.
const LINES_DEFAULT: usize = 1_000;
const LINES_MAX: usize = 5_000;
/// Fields of one answer, values of one field.
const FIELDS_DEFAULT: usize = 1_000;
const FIELDS_MAX: usize = 10_000;
const VALUES_MAX: usize = 1_000;
/// Labels that are shown whatever their values are.
const ALWAYS: [&str; 4] = ["cluster", "namespace", "instance", "pod"];

#[derive(Serialize)]
struct DetectedLabel<'a> {
    label: &'a str,
    cardinality: usize,
}

#[derive(Serialize)]
struct DetectedLabels<'a> {
    #[serde(rename = "detectedLabels")]
    detected_labels: Vec<DetectedLabel<'a>>,
}

/// Labels whose values are numbers or ids alone are none to choose by.
pub(super) async fn labels(State(shared): State<Shared>, parameters: Parameters) -> Result<Response, Refusal> {
    let times = parameters.times_of_labels(shared.now_ns())?;
    let found = streams::streams_of_query(&shared, &parameters, times).await?;
    let mut values: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
    for (name, value) in found.iter().flat_map(Labels::iter) {
        values.entry(name).or_default().insert(value);
    }
    let shown =
        |(name, values): &(&str, HashSet<&str>)| ALWAYS.contains(name) || !values.iter().all(|value| is_id(value));
    let detected_labels = values
        .into_iter()
        .filter(shown)
        .map(|(label, values)| DetectedLabel { label, cardinality: values.len() })
        .collect();
    Ok(json(&DetectedLabels { detected_labels }))
}

fn is_id(value: &str) -> bool {
    let is_uuid = value.len() == 36 && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_uuid || value.parse::<f64>().is_ok()
}

/// A field, with what was seen of it.
#[derive(Debug, Default)]
struct Field {
    values: HashSet<String>,
    kind: Option<&'static str>,
    parsers: Vec<&'static str>,
    path: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DetectedField<'a> {
    label: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    cardinality: usize,
    parsers: Option<&'a [&'static str]>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    json_path: &'a [String],
}

#[derive(Serialize)]
struct DetectedFields<'a> {
    fields: Vec<DetectedField<'a>>,
    limit: usize,
}

#[derive(Serialize)]
struct DetectedValues<'a> {
    values: Vec<&'a str>,
    limit: usize,
}

/// What a value looks like.
fn kind_of(value: &str) -> &'static str {
    if value.parse::<i64>().is_ok() {
        return "int";
    }
    if value.parse::<f64>().is_ok() {
        return "float";
    }
    if matches!(value, "true" | "false") {
        return "boolean";
    }
    let begins_with_digit = value.starts_with(|first: char| first.is_ascii_digit());
    if begins_with_digit && console_logql::parse_duration(value).is_ok() {
        return "duration";
    }
    let unit = value.trim_start_matches(|character: char| character.is_ascii_digit() || character == '.').trim();
    let is_bytes = unit.len() <= 3 && unit.ends_with(['B', 'b']) && !unit.is_empty();
    if begins_with_digit && is_bytes { "bytes" } else { "string" }
}

impl Field {
    fn add(&mut self, value: &str, parser: Option<&'static str>) {
        let kind = kind_of(value);
        // Whole numbers among others are numbers; anything else that is mixed is text.
        self.kind = Some(match self.kind {
            None => kind,
            Some(known) if known == kind => kind,
            Some("int" | "float") if matches!(kind, "int" | "float") => "float",
            Some(_) => "string",
        });
        if let Some(parser) = parser
            && !self.parsers.contains(&parser)
        {
            self.parsers.push(parser);
        }
        if self.values.len() < VALUES_MAX && !self.values.contains(value) {
            self.values.insert(value.to_owned());
        }
    }
}

/// Fields found in lines.
struct Fields {
    by_name: BTreeMap<String, Field>,
    logfmt: Filter,
}

impl Fields {
    fn new() -> Result<Self, QueryError> {
        let stage = Stage::Logfmt { strict: true, keep_empty: false, extractions: Vec::new() };
        let logfmt = Filter::new(&LogExpr { matchers: Vec::new(), stages: vec![stage] }, 0)?;
        Ok(Self { by_name: BTreeMap::new(), logfmt })
    }

    fn field(&mut self, name: &str) -> Option<&mut Field> {
        if !self.by_name.contains_key(name) && self.by_name.len() >= FIELDS_MAX {
            return None;
        }
        Some(self.by_name.entry(name.to_owned()).or_default())
    }

    fn add(&mut self, line: &FoundLine) {
        for (name, value, _) in line.labels.iter().filter(|(.., origin)| *origin != Origin::Stream) {
            if !name.starts_with("__")
                && let Some(field) = self.field(name)
            {
                field.add(value, None);
            }
        }
        let known = |name: &str| line.labels.iter().any(|(label, ..)| label == name);
        match serde_json::from_str::<serde_json::Value>(&line.line) {
            Ok(serde_json::Value::Object(object)) => {
                let mut path = Vec::new();
                self.walk(&object, &mut path, &line.stream);
            }
            _ => {
                let parsed = self.logfmt.run(&PlainLine(&line.line)).filter(|parsed| {
                    // One word is no logfmt, nor is a sentence with an equals sign in it somewhere.
                    !parsed.labels.is_empty() && !parsed.labels.iter().any(|(name, ..)| name == "__error__")
                });
                for (name, value, _) in parsed.iter().flat_map(|parsed| parsed.labels.iter()) {
                    let name =
                        if line.stream.get(name).is_some() { format!("{name}_extracted") } else { name.to_string() };
                    if !known(&name)
                        && let Some(field) = self.field(&name)
                    {
                        field.add(value, Some("logfmt"));
                    }
                }
            }
        }
    }

    /// The reader of JSON has bounded how deep this goes.
    fn walk(&mut self, object: &serde_json::Map<String, serde_json::Value>, path: &mut Vec<String>, stream: &Labels) {
        for (key, value) in object {
            path.push(key.clone());
            let text = match value {
                serde_json::Value::Object(inner) => {
                    self.walk(inner, path, stream);
                    None
                }
                serde_json::Value::String(text) => Some(text.clone()),
                serde_json::Value::Bool(truth) => Some(truth.to_string()),
                serde_json::Value::Number(number) => Some(number.to_string()),
                serde_json::Value::Null | serde_json::Value::Array(_) => None,
            };
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                let mut name = String::new();
                for (at, part) in path.iter().enumerate() {
                    name.push_str(if at > 0 { "_" } else { "" });
                    let mut clean = String::new();
                    metadata::sanitize(part, &mut clean);
                    name.push_str(if at > 0 { clean.trim_start_matches('_') } else { &clean });
                }
                if stream.get(&name).is_some() {
                    name.push_str("_extracted");
                }
                if let Some(field) = self.field(&name) {
                    field.add(&text, Some("json"));
                    field.path.clone_from(path);
                }
            }
            path.pop();
        }
    }
}

/// A line without anything around it.
struct PlainLine<'a>(&'a str);

impl Line for PlainLine<'_> {
    fn time_ns(&self) -> u64 {
        0
    }

    fn text(&self) -> &str {
        self.0
    }

    fn stream(&self) -> &Labels {
        static NONE: std::sync::LazyLock<Labels> = std::sync::LazyLock::new(Labels::default);
        &NONE
    }

    fn metadata(&self, _: &mut dyn FnMut(&str, &str)) {}
}

/// Reads the newest lines of the query, and finds fields in them.
async fn find(shared: &Shared, parameters: &Parameters) -> Result<Fields, Refusal> {
    let times = parameters.times_of_query(shared.now_ns())?;
    let text = parameters.query()?;
    let log = match console_logql::parse_selector(text) {
        Ok(matchers) => LogExpr { matchers, stages: Vec::<Stage>::new() },
        Err(_) => match console_logql::parse(text).map_err(QueryError::from)? {
            Expr::Log(log) => log,
            Expr::Metric(_) => LogExpr {
                matchers: super::index::matchers(text)?.into_iter().collect::<Vec<Matcher>>(),
                stages: Vec::new(),
            },
        },
    };
    let request = LinesRequest {
        from_ns: times.from_ns,
        to_ns: times.to_ns,
        limit: parameters.limit("line_limit", LINES_DEFAULT, LINES_MAX)?,
        is_backward: true,
        interval_ns: 0,
        now_ns: shared.now_ns(),
    };
    let read = shared.read(move |store, stop| {
        let found = console_logql::lines(&log, &request, &StoreSource(store), &|| stop.is_set())?;
        let mut fields = Fields::new()?;
        found.lines.iter().for_each(|line| fields.add(line));
        Ok(fields)
    });
    read.await
}

fn limit(parameters: &Parameters) -> Result<usize, Refusal> {
    parameters.limit("limit", FIELDS_DEFAULT, FIELDS_MAX)
}

pub(super) async fn fields(State(shared): State<Shared>, parameters: Parameters) -> Result<Response, Refusal> {
    let limit = limit(&parameters)?;
    let found = find(&shared, &parameters).await?;
    let shown = |(label, field): (&'_ String, &'_ Field)| (label.clone(), field.kind.unwrap_or("string"));
    let kinds: Vec<(String, &str)> = found.by_name.iter().map(shown).collect();
    let fields = kinds
        .iter()
        .zip(found.by_name.values())
        .take(limit)
        .map(|((label, kind), field)| DetectedField {
            label,
            kind,
            cardinality: field.values.len(),
            parsers: (!field.parsers.is_empty()).then_some(field.parsers.as_slice()),
            json_path: &field.path,
        })
        .collect();
    Ok(json(&DetectedFields { fields, limit }))
}

pub(super) async fn values(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let parameters = Parameters::from_request(request, &()).await?;
    let limit = limit(&parameters)?;
    let found = find(&shared, &parameters).await?;
    let mut values: Vec<&str> =
        found.by_name.get(&name).into_iter().flat_map(|field| &field.values).map(String::as_str).collect();
    values.sort_unstable();
    values.truncate(limit);
    Ok(json(&DetectedValues { values, limit }))
}
