//! What templates do with answers to queries.

use console_template::{Functions, Text, Value};

use crate::query::Evaluated;

/// An element as templates see it: `.Labels` and `.Value`.
pub(super) fn sample(element: &Evaluated) -> Value {
    let labels = super::labels(&element.labels);
    Value::map([(Text::from("Labels"), labels), (Text::from("Value"), Value::Float(element.value))])
}

fn field(sample: Option<&Value>, name: &str) -> Result<Value, String> {
    match sample {
        Some(Value::Map(map)) => map.get(name).cloned().ok_or_else(|| format!("the sample has no field {name}")),
        other => Err(format!("expected a sample; found {}", other.map_or("nothing", Value::type_name))),
    }
}

fn label(name: &str, sample: Option<&Value>) -> Result<Value, String> {
    match field(sample, "Labels")? {
        Value::Map(labels) => Ok(labels.get(name).cloned().unwrap_or_else(|| Value::from(""))),
        _ => Err("the sample has no labels".to_owned()),
    }
}

pub(super) fn add(functions: &mut Functions) {
    functions.add("first", 1..=1, |arguments, _| match arguments.first() {
        Some(Value::List(list)) => {
            list.first().cloned().ok_or_else(|| "first() called on vector with no elements".to_owned())
        }
        other => Err(format!("expected samples; found {}", other.map_or("nothing", Value::type_name))),
    });
    functions.add("label", 2..=2, |arguments, _| {
        label(arguments.first().and_then(Value::as_text).unwrap_or_default(), arguments.get(1))
    });
    functions.add("value", 1..=1, |arguments, _| field(arguments.first(), "Value"));
    functions.add("strvalue", 1..=1, |arguments, _| label("__value__", arguments.first()));
    functions.add("sortByLabel", 2..=2, |arguments, _| {
        let (name, list) = match (arguments.first().and_then(Value::as_text), arguments.get(1)) {
            (Some(name), Some(Value::List(list))) => (name, list),
            _ => return Err("expected the name of a label and samples".to_owned()),
        };
        let mut keyed = Vec::with_capacity(list.len());
        for sample in list.iter() {
            keyed.push((label(name, Some(sample))?.to_string(), sample.clone()));
        }
        keyed.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Value::list(keyed.into_iter().map(|(_, sample)| sample)))
    });
}
