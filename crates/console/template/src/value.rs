//! What templates work on: values, and the data at a template's dot. How they are formatted is `go`'s business.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::{Text, go};

/// A value.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// No value.
    #[default]
    Nil,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Text.
    Text(Text),
    /// A list.
    List(Arc<[Value]>),
    /// Keys and values.
    Map(Arc<BTreeMap<Text, Value>>),
    /// Something of the caller's.
    Opaque(Arc<dyn Opaque>),
}

/// A value of the caller's that templates hand from function to function: a time, for one. Its `Display` is
/// what is written where it ends up in the output.
pub trait Opaque: fmt::Debug + fmt::Display + Any + Send + Sync {
    /// What Go would call its type, for messages.
    fn type_name(&self) -> &'static str;

    /// Calls a method, or reads a field. `None` if there is none of this name.
    fn method(&self, _name: &str, _arguments: &[Value]) -> Option<Result<Value, String>> {
        None
    }

    /// Itself, to be recognised by those who made it.
    fn as_any(&self) -> &dyn Any;
}

/// What a template is carried out on.
pub trait Data {
    /// A field of it.
    fn field(&self, name: &str) -> Option<Value>;

    /// All of it, for a template that names the dot alone.
    fn whole(&self) -> Value;

    /// Something that the caller's functions ask for besides, which templates cannot name.
    fn hidden(&self, _name: &str) -> Option<Value> {
        None
    }
}

impl Data for Value {
    fn field(&self, name: &str) -> Option<Value> {
        match self {
            Self::Map(map) => map.get(name).cloned(),
            _ => None,
        }
    }

    fn whole(&self) -> Value {
        self.clone()
    }
}

impl Value {
    /// A map of these keys and values.
    pub fn map<K: Into<Text>>(pairs: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(Arc::new(pairs.into_iter().map(|(key, value)| (key.into(), value)).collect()))
    }

    /// A list of these values.
    pub fn list(values: impl IntoIterator<Item = Self>) -> Self {
        Self::List(values.into_iter().collect())
    }

    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether `if` takes it for true: anything but nil, false, zero, and what is empty.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(truth) => *truth,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Opaque(_) => true,
        }
    }

    /// What Go calls the type, for messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
            Self::Opaque(opaque) => opaque.type_name(),
        }
    }
}

impl PartialEq for Value {
    /// Numbers are equal by value within their type, what is opaque is equal to itself only.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Opaque(a), Self::Opaque(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl fmt::Display for Value {
    /// As Go's `%v`, but nothing is `<no value>`, as in a template's output.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("<no value>"),
            Self::Text(text) => f.write_str(text),
            other => {
                let mut out = String::new();
                go::write_value(&mut out, other);
                f.write_str(&out)
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}
