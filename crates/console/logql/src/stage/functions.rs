//! What templates of `line_format` and `label_format` may call, and the line that they are about.
//! <https://grafana.com/docs/loki/latest/query/template_functions/>

mod layout;
mod math;
mod strings;
mod time;

use std::sync::LazyLock;

use console_template::{Data, Functions, Template, Value};

use crate::entry::LineLabels;
use time::Moment;

static FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| {
    let mut functions = Functions::go();
    functions.add("__line__", 0..=0, |_, data| Ok(data.hidden("line").unwrap_or_default()));
    functions.add("__timestamp__", 0..=0, |_, data| Ok(data.hidden("timestamp").unwrap_or_default()));
    functions.add("now", 0..=0, |_, data| Ok(data.hidden("now").unwrap_or_default()));
    strings::add(&mut functions);
    math::add(&mut functions);
    time::add(&mut functions);
    functions
});

/// Reads a template.
pub(crate) fn template(text: &str) -> Result<Template, String> {
    Template::parse("line", text, &FUNCTIONS).map_err(|error| format!("invalid line template: {}", error.message))
}

/// A line as templates see it: its labels are the fields.
pub(super) struct LineData<'a> {
    pub(super) labels: &'a LineLabels<'a>,
    pub(super) now_ns: u64,
}

impl Data for LineData<'_> {
    fn field(&self, name: &str) -> Option<Value> {
        self.labels.get(name).map(Value::from)
    }

    fn whole(&self) -> Value {
        Value::map(self.labels.all().into_iter().map(|(name, value, _)| (name, Value::from(value))))
    }

    fn hidden(&self, name: &str) -> Option<Value> {
        match name {
            "line" => Some(Value::from(self.labels.source().text())),
            "timestamp" => Some(Moment::value(self.labels.source().time_ns())),
            "now" => Some(Moment::value(self.now_ns)),
            _ => None,
        }
    }
}

/// The arguments of a function, as it takes them.
struct Arguments<'a>(&'a [Value]);

impl Arguments<'_> {
    fn get(&self, at: usize) -> &Value {
        self.0.get(at).unwrap_or(&Value::Nil)
    }

    /// Text; anything else as it would be written.
    fn text(&self, at: usize) -> String {
        match self.get(at) {
            Value::Nil => String::new(),
            other => other.to_string(),
        }
    }

    /// A whole number, or a text that is one; 0 where it is none.
    fn int(&self, at: usize) -> i64 {
        to_int(self.get(at))
    }

    /// A number, or a text that is one; 0 where it is none.
    fn float(&self, at: usize) -> f64 {
        to_float(self.get(at))
    }
}

fn to_int(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        Value::Float(number) => *number as i64,
        Value::Bool(truth) => i64::from(*truth),
        Value::Text(text) => text.trim().parse().unwrap_or_else(|_| text.trim().parse::<f64>().unwrap_or(0.0) as i64),
        _ => 0,
    }
}

fn to_float(value: &Value) -> f64 {
    match value {
        Value::Int(number) => *number as f64,
        Value::Float(number) => *number,
        Value::Bool(truth) => f64::from(u8::from(*truth)),
        Value::Text(text) => text.trim().parse().unwrap_or(0.0),
        _ => 0.0,
    }
}
