//! What all signals have in common in OTLP's JSON: values, attributes, resource, scope, ids. The text itself
//! is read by [`reader`].
//!
//! Field names may be in lower camel case, as OTLP writes them, or as in the `.proto` files, for protobuf's
//! JSON allows both. An integer of a value or a data point that is beyond 64 bits, or has a fraction, is a
//! double if it is written as a number, and spoils its item if it is written as text. The mapping: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>.

pub(crate) mod envelope;
pub(crate) mod reader;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use console_model::{Attribute, Attributes, Resource, Scope, SpanId, TraceId, Value};

use crate::DecodeError;
use crate::budget::Budget;
use reader::{Number, Reader};

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// `AnyValue`, so deep within others.
pub(crate) fn value(reader: &mut Reader<'_>, budget: &mut Budget, depth: usize) -> Result<Value, DecodeError> {
    Budget::check_depth(depth).map_err(|error| error.at(reader.offset()))?;
    let mut value = Value::Empty;
    reader.object(|reader, name| {
        // JSON writes "not this one" as null.
        if reader.null() {
            return Ok(());
        }
        value = match name {
            "stringValue" | "string_value" => Value::String(reader.text()?.into()),
            "boolValue" | "bool_value" => Value::Bool(reader.boolean()?),
            "intValue" | "int_value" => match reader.int64_or_double()? {
                Number::Int(number) => Value::Int(number),
                Number::Double(number) => Value::Double(number),
            },
            "doubleValue" | "double_value" => Value::Double(reader.double()?),
            "bytesValue" | "bytes_value" => Value::Bytes(bytes(reader)?),
            "arrayValue" | "array_value" => Value::Array(array(reader, budget, depth)?),
            "kvlistValue" | "kvlist_value" => Value::Map(map(reader, budget, depth)?),
            _ => return reader.skip(),
        };
        Ok(())
    })?;
    Ok(value)
}

fn bytes(reader: &mut Reader<'_>) -> Result<Box<[u8]>, DecodeError> {
    let offset = reader.offset();
    let text = reader.text()?;
    let decoded = STANDARD.decode(text.as_bytes()).or_else(|_| URL_SAFE.decode(text.as_bytes()));
    let error = || DecodeError::item("bytes have to be in base64, as in \"aGVsbG8=\"").at(offset);
    decoded.map(Into::into).map_err(|_| error())
}

fn array(reader: &mut Reader<'_>, budget: &mut Budget, depth: usize) -> Result<Vec<Value>, DecodeError> {
    let mut values = Vec::new();
    reader.object(|reader, name| match name {
        "values" => reader.array(|reader| {
            budget.charge::<Value>()?;
            values.push(value(reader, budget, depth + 1)?);
            Ok(())
        }),
        _ => reader.skip(),
    })?;
    Ok(values)
}

fn map(reader: &mut Reader<'_>, budget: &mut Budget, depth: usize) -> Result<Attributes, DecodeError> {
    let mut read = Attributes::new();
    reader.object(|reader, name| match name {
        "values" => nested_attributes(reader, budget, depth + 1, &mut read),
        _ => reader.skip(),
    })?;
    Ok(read)
}

/// A list of `KeyValue`, added to what was read of it before.
pub(crate) fn attributes(
    reader: &mut Reader<'_>,
    budget: &mut Budget,
    attributes: &mut Attributes,
) -> Result<(), DecodeError> {
    nested_attributes(reader, budget, 1, attributes)
}

fn nested_attributes(
    reader: &mut Reader<'_>,
    budget: &mut Budget,
    depth: usize,
    attributes: &mut Attributes,
) -> Result<(), DecodeError> {
    reader.array(|reader| {
        budget.charge::<Attribute>()?;
        let mut attribute = Attribute::default();
        reader.object(|reader, name| {
            match name {
                "key" => attribute.key = reader.text()?.into(),
                "value" => attribute.value = value(reader, budget, depth)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        attributes.0.push(attribute);
        Ok(())
    })
}

/// `Resource`
pub(crate) fn resource(
    reader: &mut Reader<'_>,
    budget: &mut Budget,
    resource: &mut Resource,
) -> Result<(), DecodeError> {
    reader.object(|reader, name| {
        match name {
            "attributes" => attributes(reader, budget, &mut resource.attributes)?,
            "droppedAttributesCount" | "dropped_attributes_count" => {
                resource.dropped_attributes_count = reader.uint32()?;
            }
            _ => reader.skip()?,
        }
        Ok(())
    })
}

/// `InstrumentationScope`
pub(crate) fn scope(reader: &mut Reader<'_>, budget: &mut Budget, scope: &mut Scope) -> Result<(), DecodeError> {
    reader.object(|reader, name| {
        match name {
            "name" => scope.name = reader.text()?.into(),
            "version" => scope.version = reader.text()?.into(),
            "attributes" => attributes(reader, budget, &mut scope.attributes)?,
            "droppedAttributesCount" | "dropped_attributes_count" => {
                scope.dropped_attributes_count = reader.uint32()?;
            }
            _ => reader.skip()?,
        }
        Ok(())
    })
}

/// What becomes of an id that is too short or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WrongLength {
    /// Spoils the item.
    Rejected,
    /// Is as good as none.
    Ignored,
}

/// An id as text: `None` if there is none, or only zeros.
pub(crate) fn trace_id(reader: &mut Reader<'_>, wrong: WrongLength) -> Result<Option<TraceId>, DecodeError> {
    id(reader, 32, "4bf92f3577b34da6a3ce929d0e0e4736", wrong).map(TraceId::new)
}

/// An id as text: `None` if there is none, or only zeros.
pub(crate) fn span_id(reader: &mut Reader<'_>, wrong: WrongLength) -> Result<Option<SpanId>, DecodeError> {
    let value = id(reader, 16, "00f067aa0ba902b7", wrong)?;
    Ok(u64::try_from(value).ok().and_then(SpanId::new))
}

/// The value of an id in hexadecimal digits; 0 for none.
fn id(reader: &mut Reader<'_>, digits: usize, example: &str, wrong: WrongLength) -> Result<u128, DecodeError> {
    let offset = reader.offset();
    let text = reader.text()?;
    let item = |what: String| DecodeError::item(what).at(offset);
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(item(format!("ids are written in hexadecimal digits, not in base64, as in \"{example}\"")));
    }
    if text.len() != digits {
        return if text.is_empty() || wrong == WrongLength::Ignored {
            Ok(0)
        } else {
            Err(item(format!("an id of {} digits, but it has {digits}, as in \"{example}\"", text.len())))
        };
    }
    u128::from_str_radix(&text, 16).map_err(|error| item(error.to_string()))
}
