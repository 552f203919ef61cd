//! Writes JSON, and what all signals have in common in OTLP's. Defaults are left out, as protobuf's JSON
//! allows; integers of 64 bits are text, as it demands.

use std::fmt::{Display, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use console_model::{Attribute, Attributes, Resource, Scope, Value};

/// An object that is being written.
pub(crate) struct Object<'a> {
    out: &'a mut String,
    empty: bool,
}

/// Appends an object with the fields that `write` writes.
pub(crate) fn object(out: &mut String, write: impl FnOnce(&mut Object<'_>)) {
    out.push('{');
    write(&mut Object { out, empty: true });
    out.push('}');
}

impl Object<'_> {
    fn name(&mut self, name: &str) -> &mut String {
        if !self.empty {
            self.out.push(',');
        }
        self.empty = false;
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
        self.out
    }

    /// Text.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        quoted(self.name(name), value);
    }

    /// Text, unless it is empty.
    pub(crate) fn text_if(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.text(name, value);
        }
    }

    /// An integer of 64 bits, as text.
    pub(crate) fn integer(&mut self, name: &str, value: impl Display) {
        // Writing to a string does not fail, here and below.
        let _ = write!(self.name(name), "\"{value}\"");
    }

    /// An integer of 64 bits, unless it is 0.
    pub(crate) fn integer_if(&mut self, name: &str, value: u64) {
        if value != 0 {
            self.integer(name, value);
        }
    }

    /// A number of 32 bits.
    pub(crate) fn number(&mut self, name: &str, value: impl Display) {
        let _ = write!(self.name(name), "{value}");
    }

    /// A number of 32 bits, unless it is 0.
    pub(crate) fn number_if(&mut self, name: &str, value: u32) {
        if value != 0 {
            self.number(name, value);
        }
    }

    /// A double, with words for what is no number.
    pub(crate) fn double(&mut self, name: &str, value: f64) {
        double(self.name(name), value);
    }

    /// A list of integers of 64 bits, as text.
    pub(crate) fn integers(&mut self, name: &str, values: impl Iterator<Item = u64>) {
        self.values(name, values, |out, value| {
            let _ = write!(out, "\"{value}\"");
        });
    }

    /// A list of doubles.
    pub(crate) fn doubles(&mut self, name: &str, values: impl Iterator<Item = f64>) {
        self.values(name, values, double);
    }

    fn values<T>(&mut self, name: &str, values: impl Iterator<Item = T>, write: impl Fn(&mut String, T)) {
        let out = self.name(name);
        out.push('[');
        for (position, value) in values.enumerate() {
            if position > 0 {
                out.push(',');
            }
            write(out, value);
        }
        out.push(']');
    }

    /// An object.
    pub(crate) fn object(&mut self, name: &str, write: impl FnOnce(&mut Object<'_>)) {
        object(self.name(name), write);
    }

    /// A list of objects, one per item.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Object<'_>, T),
    ) {
        let out = self.name(name);
        out.push('[');
        for (position, item) in items.into_iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            object(out, |object| write(object, item));
        }
        out.push(']');
    }

    /// A list of objects, unless there are none.
    pub(crate) fn list_if<T>(&mut self, name: &str, items: &[T], mut write: impl FnMut(&mut Object<'_>, &T)) {
        if !items.is_empty() {
            self.list(name, items, &mut write);
        }
    }

    /// A list of `KeyValue`, unless there are none.
    pub(crate) fn attributes(&mut self, name: &str, attributes: &Attributes) {
        self.list_if(name, &attributes.0, attribute);
    }
}

/// `KeyValue`
pub(crate) fn attribute(object: &mut Object<'_>, attribute: &Attribute) {
    object.text("key", &attribute.key);
    object.object("value", |object| value(object, &attribute.value));
}

/// `AnyValue`. It recurses as deep as the value is, and decoders bound that.
pub(crate) fn value(object: &mut Object<'_>, value_written: &Value) {
    match value_written {
        Value::Empty => {}
        Value::String(text) => object.text("stringValue", text),
        Value::Bool(truth) => object.number("boolValue", truth),
        Value::Int(number) => object.integer("intValue", number),
        Value::Double(number) => object.double("doubleValue", *number),
        Value::Bytes(bytes) => {
            let out = object.name("bytesValue");
            out.push('"');
            STANDARD.encode_string(bytes, out);
            out.push('"');
        }
        Value::Array(values) => object.object("arrayValue", |list| list.list("values", values, value)),
        Value::Map(pairs) => object.object("kvlistValue", |list| list.list("values", pairs, attribute)),
    }
}

/// The `resource` of a group, with one more attribute if there is one, and its `schemaUrl`.
pub(crate) fn resource(group: &mut Object<'_>, resource: &Resource, more: Option<&Attribute>) {
    group.object("resource", |object| {
        if !resource.attributes.is_empty() || more.is_some() {
            object.list("attributes", resource.attributes.iter().chain(more), attribute);
        }
        object.number_if("droppedAttributesCount", resource.dropped_attributes_count);
    });
    group.text_if("schemaUrl", &resource.schema_url);
}

/// The `scope` of a group, and its `schemaUrl`.
pub(crate) fn scope(group: &mut Object<'_>, scope: &Scope) {
    group.object("scope", |object| {
        object.text_if("name", &scope.name);
        object.text_if("version", &scope.version);
        object.attributes("attributes", &scope.attributes);
        object.number_if("droppedAttributesCount", scope.dropped_attributes_count);
    });
    group.text_if("schemaUrl", &scope.schema_url);
}

fn double(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("\"NaN\"");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" });
    } else {
        // The shortest that is read as the same, with an exponent where it is long.
        let _ = write!(out, "{value:?}");
    }
}

fn quoted(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (position, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(text.get(plain..position).unwrap_or_default());
        plain = position + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            control => {
                let _ = write!(out, "\\u{control:04x}");
            }
        }
    }
    out.push_str(text.get(plain..).unwrap_or_default());
    out.push('"');
}
