//! A line that is a JSON object, as attributes. What they mean is `fields`' business.

use std::fmt;

use console_model::{Attribute, Attributes, Text, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// The members of the object; `None` if the line is none.
pub(super) fn fields(line: &str) -> Option<Attributes> {
    if !line.starts_with('{') {
        return None;
    }
    match serde_json::from_str::<Any>(line).ok()?.0 {
        Value::Map(attributes) => Some(attributes),
        _ => None,
    }
}

struct Any(Value);

/// Texts without a `String` in between.
struct Key(Text);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneKey;

        impl Visitor<'_> for OneKey {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E>(self, text: &str) -> Result<Key, E> {
                Ok(Key(text.into()))
            }
        }

        deserializer.deserialize_str(OneKey)
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneValue;

        impl<'de> Visitor<'de> for OneValue {
            type Value = Any;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_str<E>(self, text: &str) -> Result<Any, E> {
                Ok(Any(Value::from(text)))
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Any, E> {
                Ok(Any(Value::Bool(truth)))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Any, E> {
                Ok(Any(Value::Int(number)))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Any, E> {
                Ok(Any(i64::try_from(number).map_or(Value::Double(number as f64), Value::Int)))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Any, E> {
                Ok(Any(Value::Double(number)))
            }

            fn visit_unit<E>(self) -> Result<Any, E> {
                Ok(Any(Value::Empty))
            }

            // serde_json bounds the depth, at 128.
            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Any, A::Error> {
                let mut values = Vec::new();
                while let Some(Any(value)) = parts.next_element()? {
                    values.push(value);
                }
                Ok(Any(Value::Array(values)))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Any, A::Error> {
                let mut attributes = Vec::new();
                while let Some((Key(key), Any(value))) = map.next_entry()? {
                    attributes.push(Attribute { key, value });
                }
                Ok(Any(Value::Map(Attributes(attributes))))
            }
        }

        deserializer.deserialize_any(OneValue)
    }
}
