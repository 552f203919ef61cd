//! A value as text: plain where a person reads one value, JSON where it has parts. Not a JSON library: it
//! writes what OpenTelemetry can hold and reads nothing.

use std::fmt::{self, Write};

use crate::Value;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Text as it is, everything else as in JSON but without quotes around bytes.
pub(crate) fn write_plain(out: &mut impl Write, value: &Value) -> fmt::Result {
    match value {
        Value::Empty => Ok(()),
        Value::String(text) => out.write_str(text),
        Value::Bytes(bytes) => write_base64(out, bytes),
        Value::Double(number) => write!(out, "{number}"),
        other => write_json(out, other),
    }
}

/// One part of a list or map. The nesting is as deep as a decoder let it become, and decoders bound it.
fn write_json(out: &mut impl Write, value: &Value) -> fmt::Result {
    match value {
        Value::Empty => out.write_str("null"),
        Value::String(text) => write_quoted(out, text),
        Value::Bool(truth) => write!(out, "{truth}"),
        Value::Int(number) => write!(out, "{number}"),
        // JSON has no word for these; OTLP's JSON encoding writes them as text.
        Value::Double(number) if !number.is_finite() => write!(out, "\"{number}\""),
        Value::Double(number) => write!(out, "{number}"),
        Value::Bytes(bytes) => {
            out.write_char('"')?;
            write_base64(out, bytes)?;
            out.write_char('"')
        }
        Value::Array(values) => {
            out.write_char('[')?;
            for (position, value) in values.iter().enumerate() {
                if position > 0 {
                    out.write_char(',')?;
                }
                write_json(out, value)?;
            }
            out.write_char(']')
        }
        Value::Map(attributes) => {
            out.write_char('{')?;
            for (position, attribute) in attributes.iter().enumerate() {
                if position > 0 {
                    out.write_char(',')?;
                }
                write_quoted(out, &attribute.key)?;
                out.write_char(':')?;
                write_json(out, &attribute.value)?;
            }
            out.write_char('}')
        }
    }
}

fn write_quoted(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            control if u32::from(control) < 0x20 => write!(out, "\\u{:04x}", u32::from(control))?,
            other => out.write_char(other)?,
        }
    }
    out.write_char('"')
}

fn write_base64(out: &mut impl Write, bytes: &[u8]) -> fmt::Result {
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..4 {
            if position > group.len() {
                out.write_char('=')?;
                continue;
            }
            let digit = (bits >> (18 - 6 * position) & 0x3f) as usize;
            out.write_char(BASE64.get(digit).map_or('=', |byte| char::from(*byte)))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{Attribute, Value};

    #[test]
    fn one_value_is_plain() {
        assert_eq!(Value::from("a \"b\"").to_string(), "a \"b\"");
        assert_eq!(Value::from(-3).to_string(), "-3");
        assert_eq!(Value::from(0.5).to_string(), "0.5");
        assert_eq!(Value::from(true).to_string(), "true");
        assert_eq!(Value::Bytes(Box::new([0xff, 0x01])).to_string(), "/wE=");
        assert_eq!(Value::Bytes(Box::new([])).to_string(), "");
        assert_eq!(Value::Bytes((*b"hello!").into()).to_string(), "aGVsbG8h");
        assert_eq!(Value::Empty.to_string(), "");
    }

    #[test]
    fn parts_are_json() {
        let map = Value::Map(
            [
                Attribute::new("k\"", "line\nbreak\u{1}"),
                Attribute::new("list", Value::Array(vec![1.into(), f64::NAN.into(), Value::Empty])),
                Attribute::new("bytes", Value::Bytes(Box::new([0]))),
            ]
            .into_iter()
            .collect(),
        );
        let expected = r#"{"k\"":"line\nbreak\u0001","list":[1,"NaN",null],"bytes":"AA=="}"#;
        assert_eq!(map.to_string(), expected);
    }
}
