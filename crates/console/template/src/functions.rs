//! The table of functions that templates call: Go's own, to which a caller adds. What the caller's do is not
//! known here.

mod compare;
mod escape;

use std::collections::HashMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::{Data, Value, go};

/// What a function does with its arguments. It may ask the data for what is hidden. An error says what is
/// wrong; where, is added.
pub type Body = dyn Fn(&[Value], &dyn Data) -> Result<Value, String> + Send + Sync;

/// A function with the number of arguments that it takes.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) arguments: RangeInclusive<usize>,
    pub(crate) body: Arc<Body>,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Functions by name.
#[derive(Debug, Clone, Default)]
pub struct Functions(HashMap<&'static str, Function>);

impl Functions {
    /// Go's own: `len index slice print printf println html js urlquery not eq ne lt le gt ge`. `and` and `or`
    /// are part of the language.
    pub fn go() -> Self {
        let mut functions = Self::default();
        functions.add("not", 1..=1, |arguments, _| Ok(Value::Bool(!first(arguments).is_true())));
        functions.add("len", 1..=1, |arguments, _| length(first(arguments)));
        functions.add("index", 1..=usize::MAX, |arguments, _| index(arguments));
        functions.add("slice", 1..=4, |arguments, _| slice(arguments));
        functions.add("print", 0..=usize::MAX, |arguments, _| Ok(Value::from(go::sprint(arguments))));
        functions.add("println", 0..=usize::MAX, |arguments, _| Ok(Value::from(go::sprintln(arguments))));
        functions.add("printf", 1..=usize::MAX, |arguments, _| match arguments.split_first() {
            Some((Value::Text(format), rest)) => Ok(Value::from(go::sprintf(format, rest))),
            other => {
                let found = other.map_or("nothing", |(value, _)| value.type_name());
                Err(format!("wrong type for value; expected string; got {found}"))
            }
        });
        compare::add(&mut functions);
        escape::add(&mut functions);
        functions
    }

    /// Adds a function, or puts another in its place.
    pub fn add(
        &mut self,
        name: &'static str,
        arguments: RangeInclusive<usize>,
        body: impl Fn(&[Value], &dyn Data) -> Result<Value, String> + Send + Sync + 'static,
    ) {
        self.0.insert(name, Function { name, arguments, body: Arc::new(body) });
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Function> {
        self.0.get(name)
    }
}

fn first(arguments: &[Value]) -> &Value {
    arguments.first().unwrap_or(&Value::Nil)
}

fn length(value: &Value) -> Result<Value, String> {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Nil => return Err("len of nil pointer".to_owned()),
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn index(arguments: &[Value]) -> Result<Value, String> {
    let mut value = first(arguments).clone();
    for key in arguments.iter().skip(1) {
        value = match (&value, key) {
            (Value::Nil, _) => return Err("index of untyped nil".to_owned()),
            (Value::Map(map), Value::Text(key)) => map.get(key.as_str()).cloned().unwrap_or_default(),
            (Value::Map(_), key) => {
                return Err(format!("value has type {}; should be string", key.type_name()));
            }
            (Value::List(list), Value::Int(at)) => {
                let found = usize::try_from(*at).ok().and_then(|at| list.get(at));
                found.cloned().ok_or_else(|| format!("index out of range: {at}"))?
            }
            (Value::Text(text), Value::Int(at)) => {
                let found = usize::try_from(*at).ok().and_then(|at| text.as_bytes().get(at).copied());
                Value::Int(i64::from(found.ok_or_else(|| format!("index out of range: {at}"))?))
            }
            (Value::List(_) | Value::Text(_), key) => {
                return Err(format!("cannot index slice/array with type {}", key.type_name()));
            }
            (other, _) => return Err(format!("can't index item of type {}", other.type_name())),
        };
    }
    Ok(value)
}

fn slice(arguments: &[Value]) -> Result<Value, String> {
    let value = first(arguments);
    let length = match value {
        Value::Text(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Nil => return Err("slice of untyped nil".to_owned()),
        other => return Err(format!("can't slice item of type {}", other.type_name())),
    };
    let place = |at: usize, otherwise: usize| match arguments.get(at) {
        None => Ok(otherwise),
        Some(Value::Int(number)) => usize::try_from(*number)
            .ok()
            .filter(|place| *place <= length)
            .ok_or_else(|| format!("index out of range: {number}")),
        Some(other) => Err(format!("cannot index slice/array with type {}", other.type_name())),
    };
    let (from, to) = (place(1, 0)?, place(2, length)?);
    if arguments.len() == 4 && matches!(value, Value::Text(_)) {
        return Err("cannot 3-index slice a string".to_owned());
    }
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    Ok(match value {
        Value::Text(text) => {
            // Go cuts bytes; what is half a character becomes the replacement character.
            Value::from(String::from_utf8_lossy(text.as_bytes().get(from..to).unwrap_or_default()).into_owned())
        }
        Value::List(list) => Value::list(list.get(from..to).unwrap_or_default().iter().cloned()),
        _ => Value::Nil,
    })
}
