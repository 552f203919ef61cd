//! What all signals have in common in protobuf: values, attributes, resource, scope. The numbers are those
//! of `common.proto` and `resource.proto`.

pub(crate) mod envelope;

use console_model::{Attribute, Attributes, Resource, Scope, Value};
use console_wire::{Field, Fields};

use crate::DecodeError;
use crate::budget::Budget;

/// `AnyValue`, so deep within others.
pub(crate) fn value(bytes: &[u8], budget: &mut Budget, depth: usize) -> Result<Value, DecodeError> {
    Budget::check_depth(depth)?;
    let mut value = Value::Empty;
    for field in Fields::new(bytes) {
        let field = field?;
        value = match field.number {
            1 => Value::String(field.text()?.into()),
            2 => Value::Bool(field.boolean()?),
            3 => Value::Int(field.int64()?),
            4 => Value::Double(field.double()?),
            5 => Value::Array(array(field.bytes()?, budget, depth)?),
            6 => Value::Map(map(field.bytes()?, budget, depth)?),
            7 => Value::Bytes(field.bytes()?.into()),
            _ => continue,
        };
    }
    Ok(value)
}

/// `ArrayValue`
fn array(bytes: &[u8], budget: &mut Budget, depth: usize) -> Result<Vec<Value>, DecodeError> {
    let mut values = Vec::new();
    for field in Fields::new(bytes) {
        let field = field?;
        if field.number == 1 {
            budget.charge::<Value>()?;
            values.push(value(field.bytes()?, budget, depth + 1)?);
        }
    }
    Ok(values)
}

/// `KeyValueList`
fn map(bytes: &[u8], budget: &mut Budget, depth: usize) -> Result<Attributes, DecodeError> {
    let mut attributes = Attributes::new();
    for field in Fields::new(bytes) {
        let field = field?;
        if field.number == 1 {
            attributes.0.push(attribute(field.bytes()?, budget, depth + 1)?);
        }
    }
    Ok(attributes)
}

/// `KeyValue`
fn attribute(bytes: &[u8], budget: &mut Budget, depth: usize) -> Result<Attribute, DecodeError> {
    budget.charge::<Attribute>()?;
    if let Some((key, text)) = short_pair(bytes) {
        return Ok(Attribute { key: key.into(), value: Value::String(text.into()) });
    }
    let mut attribute = Attribute::default();
    for field in Fields::new(bytes) {
        let field = field?;
        match field.number {
            1 => attribute.key = field.text()?.into(),
            2 => attribute.value = value(field.bytes()?, budget, depth)?,
            _ => {}
        }
    }
    Ok(attribute)
}

/// A `KeyValue` as most are: the key, then text, both below 128 bytes, so that each length is one byte. Read at
/// once it takes half the time. `None` for any other, good or bad, which is for others to read.
pub(crate) fn short_pair(bytes: &[u8]) -> Option<(&str, &str)> {
    let (key, rest) = match bytes {
        [0x0a, length @ 0..0x80, rest @ ..] => rest.split_at_checked((*length).into())?,
        _ => return None,
    };
    match rest {
        [0x12, outer @ 0..0x80, 0x0a, inner @ 0..0x80, text @ ..]
            if usize::from(*inner) == text.len() && usize::from(*outer) == text.len() + 2 =>
        {
            Some((str::from_utf8(key).ok()?, str::from_utf8(text).ok()?))
        }
        _ => None,
    }
}

/// One more `KeyValue` of a repeated field.
pub(crate) fn push_attribute(
    attributes: &mut Attributes,
    bytes: &[u8],
    budget: &mut Budget,
) -> Result<(), DecodeError> {
    let attribute = attribute(bytes, budget, 1).map_err(|error| error.under_index("attributes", attributes.len()))?;
    attributes.0.push(attribute);
    Ok(())
}

/// Makes room for as many attributes as the last item had, if a message of so many bytes can hold them:
/// items of one scope are alike, and a list that grows is copied.
pub(crate) fn reserve(attributes: &mut Attributes, last: usize, message_bytes: usize) {
    attributes.0.reserve_exact(last.min(message_bytes / ATTRIBUTE_BYTES_MIN));
}

/// What a real attribute takes in a message, at least.
const ATTRIBUTE_BYTES_MIN: usize = 12;

/// `Resource`, added to what was read of it before.
pub(crate) fn resource(bytes: &[u8], budget: &mut Budget, resource: &mut Resource) -> Result<(), DecodeError> {
    for field in Fields::new(bytes) {
        let field = field?;
        match field.number {
            1 => push_attribute(&mut resource.attributes, field.bytes()?, budget)?,
            2 => resource.dropped_attributes_count = field.uint32()?,
            _ => {}
        }
    }
    Ok(())
}

/// `InstrumentationScope`, added to what was read of it before.
pub(crate) fn scope(bytes: &[u8], budget: &mut Budget, scope: &mut Scope) -> Result<(), DecodeError> {
    for field in Fields::new(bytes) {
        let field = field?;
        match field.number {
            1 => scope.name = field.text()?.into(),
            2 => scope.version = field.text()?.into(),
            3 => push_attribute(&mut scope.attributes, field.bytes()?, budget)?,
            4 => scope.dropped_attributes_count = field.uint32()?,
            _ => {}
        }
    }
    Ok(())
}

/// The resource of a `ResourceSpans`, `ResourceLogs` or `ResourceMetrics`, wherever in it it stands.
pub(crate) fn group_resource(bytes: &[u8], budget: &mut Budget) -> Result<Resource, DecodeError> {
    budget.charge::<Resource>()?;
    let mut read = Resource::default();
    for field in Fields::new(bytes) {
        let field = field?;
        match field.number {
            1 => resource(field.bytes()?, budget, &mut read).map_err(|error| error.under("resource"))?,
            3 => read.schema_url = field.text()?.into(),
            _ => {}
        }
    }
    Ok(read)
}

/// The scope of a `ScopeSpans`, `ScopeLogs` or `ScopeMetrics`, wherever in it it stands.
pub(crate) fn group_scope(bytes: &[u8], budget: &mut Budget) -> Result<Scope, DecodeError> {
    budget.charge::<Scope>()?;
    let mut read = Scope::default();
    for field in Fields::new(bytes) {
        let field = field?;
        match field.number {
            1 => scope(field.bytes()?, budget, &mut read).map_err(|error| error.under("scope"))?,
            3 => read.schema_url = field.text()?.into(),
            _ => {}
        }
    }
    Ok(read)
}

/// Counts the items of a group of scopes, such as `ResourceSpans`, by what `count` counts in each.
pub(crate) fn count_of_scopes(
    bytes: &[u8],
    count: impl Fn(&[u8]) -> Result<u64, DecodeError>,
) -> Result<u64, DecodeError> {
    messages(bytes, 2).try_fold(0, |total, scope| Ok(total + count(scope?)?))
}

/// Counts the items of a `ScopeSpans` or `ScopeLogs`.
pub(crate) fn count_of_scope(bytes: &[u8]) -> Result<u64, DecodeError> {
    messages(bytes, 2).try_fold(0, |total, item| item.map(|_| total + 1))
}

/// The messages in field `number`.
pub(crate) fn messages(bytes: &[u8], number: u32) -> impl Iterator<Item = Result<&[u8], DecodeError>> {
    Fields::new(bytes).filter_map(move |field| match field {
        Ok(field) if field.number != number => None,
        field => Some(field.and_then(Field::bytes).map_err(DecodeError::from)),
    })
}

/// Calls `read` for each message in field `number`, with its place in the list; `name` is for errors.
pub(crate) fn each<'a>(
    bytes: &'a [u8],
    number: u32,
    name: &str,
    mut read: impl FnMut(&'a [u8], usize) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let mut index = 0;
    for field in Fields::new(bytes) {
        let field = field?;
        if field.number == number {
            read(field.bytes()?, index).map_err(|error| error.under_index(name, index))?;
            index += 1;
        }
    }
    Ok(())
}
