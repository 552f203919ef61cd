//! The bytes of values: integers, text, attributes. No files, no frames, no compression.
//!
//! Integers are LEB128 unless said otherwise, signed ones zigzag. A reader never trusts a length: whatever
//! does not fit is [`Damaged`].

use console_model::{Attribute, Attributes, Resource, Scope, Text, Value};

/// Bytes that are not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not what was written")]
pub(crate) struct Damaged;

/// How deep lists and maps are kept. Decoders refuse what is deeper than OTLP's recursion limit of 100.
const DEPTH_MAX: u32 = 128;

pub(crate) fn put_u64(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn put_i64(out: &mut Vec<u8>, value: i64) {
    put_u64(out, zigzag(value));
}

pub(crate) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

pub(crate) const fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u64(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

pub(crate) fn put_str(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

pub(crate) fn put_value(out: &mut Vec<u8>, value: &Value) {
    put_value_at(out, value, 0);
}

fn put_value_at(out: &mut Vec<u8>, value: &Value, depth: u32) {
    match value {
        Value::String(text) => {
            out.push(1);
            put_str(out, text);
        }
        Value::Bool(false) => out.push(2),
        Value::Bool(true) => out.push(3),
        Value::Int(number) => {
            out.push(4);
            put_i64(out, *number);
        }
        Value::Double(number) => {
            out.push(5);
            out.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Value::Bytes(bytes) => {
            out.push(6);
            put_bytes(out, bytes);
        }
        Value::Array(values) if depth < DEPTH_MAX => {
            out.push(7);
            put_u64(out, values.len() as u64);
            values.iter().for_each(|value| put_value_at(out, value, depth + 1));
        }
        Value::Map(attributes) if depth < DEPTH_MAX => {
            out.push(8);
            put_attributes_at(out, attributes, depth + 1);
        }
        Value::Empty | Value::Array(_) | Value::Map(_) => out.push(0),
    }
}

pub(crate) fn put_attributes(out: &mut Vec<u8>, attributes: &Attributes) {
    put_attributes_at(out, attributes, 0);
}

fn put_attributes_at(out: &mut Vec<u8>, attributes: &Attributes, depth: u32) {
    put_u64(out, attributes.len() as u64);
    for attribute in attributes {
        put_str(out, &attribute.key);
        put_value_at(out, &attribute.value, depth);
    }
}

pub(crate) fn put_resource(out: &mut Vec<u8>, resource: &Resource) {
    put_attributes(out, &resource.attributes);
    put_u64(out, u64::from(resource.dropped_attributes_count));
    put_str(out, &resource.schema_url);
}

pub(crate) fn put_scope(out: &mut Vec<u8>, scope: &Scope) {
    put_str(out, &scope.name);
    put_str(out, &scope.version);
    put_attributes(out, &scope.attributes);
    put_u64(out, u64::from(scope.dropped_attributes_count));
    put_str(out, &scope.schema_url);
}

/// Reads what the functions above wrote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Damaged> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        self.take(N)?.try_into().map_err(|_| Damaged)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Damaged> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn fixed_u32(&mut self) -> Result<u32, Damaged> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn fixed_u64(&mut self) -> Result<u64, Damaged> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn fixed_i64(&mut self) -> Result<i64, Damaged> {
        self.array().map(i64::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Damaged> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Damaged)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Damaged> {
        u32::try_from(self.u64()?).map_err(|_| Damaged)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, Damaged> {
        self.u64().map(unzigzag)
    }

    /// A number of things that follow, each of at least one byte: so it cannot exceed the bytes left, and
    /// room may be made for it.
    pub(crate) fn count(&mut self) -> Result<usize, Damaged> {
        let count = usize::try_from(self.u64()?).map_err(|_| Damaged)?;
        if count > self.rest.len() { Err(Damaged) } else { Ok(count) }
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Damaged> {
        let length = self.count()?;
        self.take(length)
    }

    pub(crate) fn str(&mut self) -> Result<&'a str, Damaged> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Damaged)
    }

    pub(crate) fn text(&mut self) -> Result<Text, Damaged> {
        self.str().map(Text::from)
    }

    pub(crate) fn value(&mut self) -> Result<Value, Damaged> {
        self.value_at(0)
    }

    fn value_at(&mut self, depth: u32) -> Result<Value, Damaged> {
        if depth > DEPTH_MAX {
            return Err(Damaged);
        }
        Ok(match self.u8()? {
            0 => Value::Empty,
            1 => Value::String(self.text()?),
            2 => Value::Bool(false),
            3 => Value::Bool(true),
            4 => Value::Int(self.i64()?),
            5 => Value::Double(f64::from_bits(self.fixed_u64()?)),
            6 => Value::Bytes(self.bytes()?.into()),
            7 => {
                let count = self.count()?;
                Value::Array((0..count).map(|_| self.value_at(depth + 1)).collect::<Result<_, _>>()?)
            }
            8 => Value::Map(self.attributes_at(depth + 1)?),
            _ => return Err(Damaged),
        })
    }

    /// Reads past a value.
    pub(crate) fn skip_value(&mut self) -> Result<(), Damaged> {
        self.skip_value_at(0)
    }

    fn skip_value_at(&mut self, depth: u32) -> Result<(), Damaged> {
        if depth > DEPTH_MAX {
            return Err(Damaged);
        }
        match self.u8()? {
            0 | 2 | 3 => Ok(()),
            1 | 6 => self.bytes().map(drop),
            4 => self.u64().map(drop),
            5 => self.take(8).map(drop),
            7 => (0..self.count()?).try_for_each(|_| self.skip_value_at(depth + 1)),
            8 => (0..self.count()?).try_for_each(|_| {
                self.bytes()?;
                self.skip_value_at(depth + 1)
            }),
            _ => Err(Damaged),
        }
    }

    pub(crate) fn attributes(&mut self) -> Result<Attributes, Damaged> {
        self.attributes_at(0)
    }

    fn attributes_at(&mut self, depth: u32) -> Result<Attributes, Damaged> {
        let count = self.count()?;
        (0..count).map(|_| Ok(Attribute { key: self.text()?, value: self.value_at(depth)? })).collect()
    }

    pub(crate) fn resource(&mut self) -> Result<Resource, Damaged> {
        Ok(Resource { attributes: self.attributes()?, dropped_attributes_count: self.u32()?, schema_url: self.text()? })
    }

    pub(crate) fn scope(&mut self) -> Result<Scope, Damaged> {
        Ok(Scope {
            name: self.text()?,
            version: self.text()?,
            attributes: self.attributes()?,
            dropped_attributes_count: self.u32()?,
            schema_url: self.text()?,
        })
    }
}

/// Writes a column of fixed width.
pub(crate) fn put_column<const N: usize>(out: &mut Vec<u8>, values: impl Iterator<Item = [u8; N]>) {
    values.for_each(|value| out.extend_from_slice(&value));
}

impl Reader<'_> {
    /// Reads a column of fixed width.
    pub(crate) fn column<const N: usize, T>(
        &mut self,
        count: usize,
        convert: impl Fn([u8; N]) -> T,
    ) -> Result<Vec<T>, Damaged> {
        let bytes = self.take(count.checked_mul(N).ok_or(Damaged)?)?;
        let (cells, _) = bytes.as_chunks::<N>();
        Ok(cells.iter().map(|cell| convert(*cell)).collect())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any value that OTLP can hold, three levels deep.
    pub(crate) fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Empty),
            ".{0,40}".prop_map(|text| Value::String(text.into())),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            any::<u64>().prop_map(|bits| Value::Double(f64::from_bits(bits))),
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Value::Bytes(bytes.into())),
        ];
        leaf.prop_recursive(3, 24, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
                attributes_of(inner).prop_map(Value::Map),
            ]
        })
    }

    fn attributes_of(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Attributes> {
        proptest::collection::vec((".{0,30}", values), 0..5)
            .prop_map(|pairs| pairs.into_iter().map(|(key, value)| Attribute { key: key.into(), value }).collect())
    }

    /// Any attributes, keys repeated or not.
    pub(crate) fn any_attributes() -> impl Strategy<Value = Attributes> {
        attributes_of(any_value())
    }

    proptest! {
        #[test]
        fn values_come_back(value in any_value(), number in any::<i64>()) {
            let mut out = Vec::new();
            put_value(&mut out, &value);
            put_i64(&mut out, number);
            let mut reader = Reader::new(&out);
            let mut past = reader;
            prop_assert_eq!(past.skip_value(), Ok(()));
            prop_assert_eq!(reader.value(), Ok(value));
            prop_assert_eq!(past.rest(), reader.rest());
            prop_assert_eq!(reader.i64(), Ok(number));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn damage_is_told_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Reader::new(&bytes).value();
            let _ = Reader::new(&bytes).resource();
            let _ = Reader::new(&bytes).scope();
        }

        #[test]
        fn what_is_cut_off_is_damaged(value in any_value(), cut in any::<prop::sample::Index>()) {
            let mut out = Vec::new();
            put_value(&mut out, &value);
            let cut = cut.index(out.len());
            prop_assert_eq!(Reader::new(&out[..cut]).value(), Err(Damaged));
        }
    }

    #[test]
    fn deeper_than_deep_is_cut_off_not_a_panic() {
        let mut value = Value::Int(1);
        for _ in 0..1_000 {
            value = Value::Array(vec![value]);
        }
        let mut out = Vec::new();
        put_value(&mut out, &value);
        assert!(Reader::new(&out).value().is_ok());
    }
}
