//! The texts of alerts, which are templates. The language is `console_template`'s; here are the functions that
//! Prometheus adds to it, and the data that an alert's templates see.

mod functions;
mod humanize;
mod samples;

use std::sync::Arc;

use console_model::Labels;
use console_template::{Data, Functions, Limits, Missing, Template, Text, Value};

use crate::Context;
use crate::query::Querier;
use crate::rules::Texts;

/// What Prometheus puts before each text, so that it may say `$labels` and `$value`.
const BEFORE: &str = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}\
     {{$value := .Value}}";
/// One text of an alert is not longer than this when it is written.
const OUTPUT_BYTES_MAX: usize = 16 << 10;
const STEPS_MAX: usize = 20_000;

/// Reads and writes templates of alerts.
#[derive(Debug, Clone)]
pub struct Templates {
    functions: Functions,
}

/// What the templates of one alert see.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The labels of the element, as they were before the rule set its own.
    pub labels: &'a Labels,
    /// Its value.
    pub value: f64,
    /// What is the same for all.
    pub context: &'a Context,
    /// When, milliseconds since the Unix epoch.
    pub time_ms: i64,
}

impl Templates {
    /// Templates that ask this.
    pub fn new(querier: Arc<dyn Querier>) -> Self {
        Self { functions: functions::table(querier) }
    }

    fn parse(&self, name: &str, text: &str) -> Result<Template, String> {
        let text = format!("{BEFORE}{text}");
        Template::parse(name, &text, &self.functions).map_err(|error| format!("error parsing template {name}: {error}"))
    }

    /// Whether a text is a template.
    ///
    /// # Errors
    /// When it is none, in Go's words.
    pub fn check(&self, name: &str, text: &str) -> Result<(), String> {
        self.parse(name, text).map(|_| ())
    }

    /// The text that a template gives.
    ///
    /// # Errors
    /// When it is none, or cannot be carried out, in Go's words.
    pub fn expand(&self, name: &str, text: &str, subject: &Subject<'_>) -> Result<String, String> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        let limits =
            Limits { output_bytes: OUTPUT_BYTES_MAX, steps: STEPS_MAX, missing: Missing::Empty, ..Limits::default() };
        let written = self.parse(name, text)?.run(subject, &limits);
        written.map_err(|error| format!("error executing template {name}: {error}"))
    }
}

fn texts(texts: &Texts) -> Value {
    Value::map(texts.iter().map(|(name, value)| (Text::from(name.as_str()), Value::from(value.as_str()))))
}

fn labels(labels: &Labels) -> Value {
    Value::map(labels.iter().map(|(name, value)| (Text::from(name), Value::from(value))))
}

impl Data for Subject<'_> {
    fn field(&self, name: &str) -> Option<Value> {
        Some(match name {
            "Labels" => labels(self.labels),
            "ExternalLabels" => texts(&self.context.external_labels),
            "ExternalURL" => Value::from(self.context.external_url.as_str()),
            "Value" => Value::Float(self.value),
            _ => return None,
        })
    }

    fn whole(&self) -> Value {
        let names = ["Labels", "ExternalLabels", "ExternalURL", "Value"];
        Value::map(names.iter().map(|name| (Text::from(*name), self.field(name).unwrap_or_default())))
    }

    fn hidden(&self, name: &str) -> Option<Value> {
        match name {
            functions::TIME => Some(Value::Int(self.time_ms)),
            functions::EXTERNAL_URL => self.field("ExternalURL"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
