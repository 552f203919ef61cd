//! Reading: an iterator over the fields of a message. No writing here.

use crate::Malformed;

/// What a field holds, as far as the wire says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A variable-length integer: `int32`, `int64`, `uint32`, `uint64`, `sint32`, `sint64`, `bool`, an enum.
    Varint(u64),
    /// Eight bytes: `fixed64`, `sfixed64`, `double`.
    Fixed64(u64),
    /// Four bytes: `fixed32`, `sfixed32`, `float`.
    Fixed32(u32),
    /// Bytes with their length: `string`, `bytes`, a message, packed numbers.
    Bytes(&'a [u8]),
}

impl Value<'_> {
    const fn name(self) -> &'static str {
        match self {
            Self::Varint(_) => "a variable-length integer",
            Self::Fixed64(_) => "eight bytes",
            Self::Fixed32(_) => "four bytes",
            Self::Bytes(_) => "bytes with a length",
        }
    }
}

/// A field: its number and what it holds. The methods give what a schema says it is, or say what it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its number in the message.
    pub number: u32,
    /// What it holds.
    pub value: Value<'a>,
}

impl<'a> Field<'a> {
    fn wrong<T>(self, expected: &'static str) -> Result<T, Malformed> {
        Err(Malformed::Kind { number: self.number, found: self.value.name(), expected })
    }

    /// `uint64`, and `int64` by `as`-cast.
    pub fn varint(self) -> Result<u64, Malformed> {
        match self.value {
            Value::Varint(number) => Ok(number),
            _ => self.wrong("a variable-length integer"),
        }
    }

    /// `int64`
    pub fn int64(self) -> Result<i64, Malformed> {
        Ok(self.varint()?.cast_signed())
    }

    /// `uint32`, of which protobuf keeps the low bits.
    pub fn uint32(self) -> Result<u32, Malformed> {
        Ok((self.varint()? & u64::from(u32::MAX)) as u32)
    }

    /// `int32` or an enum, of which protobuf keeps the low bits.
    pub fn int32(self) -> Result<i32, Malformed> {
        Ok(self.uint32()?.cast_signed())
    }

    /// `sint32`
    pub fn sint32(self) -> Result<i32, Malformed> {
        let coded = self.uint32()?;
        Ok((coded >> 1).cast_signed() ^ -((coded & 1).cast_signed()))
    }

    /// `sint64`
    pub fn sint64(self) -> Result<i64, Malformed> {
        Ok(unzigzag(self.varint()?))
    }

    /// `bool`
    pub fn boolean(self) -> Result<bool, Malformed> {
        Ok(self.varint()? != 0)
    }

    /// `fixed64`
    pub fn fixed64(self) -> Result<u64, Malformed> {
        match self.value {
            Value::Fixed64(number) => Ok(number),
            _ => self.wrong("eight bytes"),
        }
    }

    /// `double`, with its bits as they are.
    pub fn double(self) -> Result<f64, Malformed> {
        self.fixed64().map(f64::from_bits)
    }

    /// `fixed32`
    pub fn fixed32(self) -> Result<u32, Malformed> {
        match self.value {
            Value::Fixed32(number) => Ok(number),
            _ => self.wrong("four bytes"),
        }
    }

    /// `bytes`, or a message to be read by [`Fields::new`].
    pub fn bytes(self) -> Result<&'a [u8], Malformed> {
        match self.value {
            Value::Bytes(bytes) => Ok(bytes),
            _ => self.wrong("bytes with a length"),
        }
    }

    /// The fields of a nested message.
    pub fn message(self) -> Result<Fields<'a>, Malformed> {
        self.bytes().map(Fields::new)
    }

    /// `string`
    pub fn text(self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed::Text { number: self.number })
    }

    /// Repeated variable-length integers: one of them, or many packed, for senders may do either.
    pub fn varints(self) -> Result<Packed<'a>, Malformed> {
        match self.value {
            Value::Varint(number) => Ok(Packed(Numbers::One(Some(number)))),
            Value::Bytes(bytes) => Ok(Packed(Numbers::Varints(bytes))),
            _ => self.wrong("variable-length integers"),
        }
    }

    /// Repeated `fixed64` or `double`: one of them, or many packed.
    pub fn fixed64s(self) -> Result<Packed<'a>, Malformed> {
        match self.value {
            Value::Fixed64(number) => Ok(Packed(Numbers::One(Some(number)))),
            Value::Bytes(bytes) if bytes.len() % 8 == 0 => Ok(Packed(Numbers::Fixed(bytes))),
            Value::Bytes(_) => Err(Malformed::Truncated),
            _ => self.wrong("eight bytes each"),
        }
    }
}

/// `sint64` from the unsigned number that stands for it.
pub(crate) const fn unzigzag(coded: u64) -> i64 {
    (coded >> 1).cast_signed() ^ -((coded & 1).cast_signed())
}

/// Repeated numbers of a field, as they are on the wire.
#[derive(Debug, Clone)]
pub struct Packed<'a>(Numbers<'a>);

#[derive(Debug, Clone)]
enum Numbers<'a> {
    One(Option<u64>),
    Varints(&'a [u8]),
    Fixed(&'a [u8]),
}

impl Packed<'_> {
    /// How many there are at most; of fixed ones and of a single one it is exact.
    pub fn count_max(&self) -> usize {
        match &self.0 {
            Numbers::One(one) => usize::from(one.is_some()),
            Numbers::Varints(bytes) => bytes.len(),
            Numbers::Fixed(bytes) => bytes.len() / 8,
        }
    }

    /// As `sint64`.
    pub fn sint64s(self) -> impl Iterator<Item = Result<i64, Malformed>> {
        self.map(|number| number.map(unzigzag))
    }

    /// As `double`.
    pub fn doubles(self) -> impl Iterator<Item = Result<f64, Malformed>> {
        self.map(|number| number.map(f64::from_bits))
    }
}

impl Iterator for Packed<'_> {
    type Item = Result<u64, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Numbers::One(one) => one.take().map(Ok),
            Numbers::Varints([]) => None,
            Numbers::Varints(bytes) => {
                let read = varint(bytes);
                if read.is_err() {
                    *bytes = &[];
                }
                Some(read)
            }
            Numbers::Fixed(bytes) => {
                let (first, rest) = bytes.split_first_chunk::<8>()?;
                *bytes = rest;
                Some(Ok(u64::from_le_bytes(*first)))
            }
        }
    }
}

/// The fields of a message, in the order they came. After an error there is nothing more.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields in these bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn read(&mut self) -> Result<Field<'a>, Malformed> {
        let key = varint(&mut self.rest)?;
        let number = u32::try_from(key >> 3).ok().filter(|number| (1..1 << 29).contains(number));
        let number = number.ok_or(Malformed::Number(key >> 3))?;
        let value = match key & 7 {
            0 => Value::Varint(varint(&mut self.rest)?),
            1 => Value::Fixed64(u64::from_le_bytes(*self.chunk()?)),
            2 => {
                let length = usize::try_from(varint(&mut self.rest)?).map_err(|_| Malformed::Truncated)?;
                let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Truncated)?;
                self.rest = rest;
                Value::Bytes(bytes)
            }
            5 => Value::Fixed32(u32::from_le_bytes(*self.chunk()?)),
            found => return Err(Malformed::WireType { number, found: found as u8 }),
        };
        Ok(Field { number, value })
    }

    fn chunk<const N: usize>(&mut self) -> Result<&'a [u8; N], Malformed> {
        let (chunk, rest) = self.rest.split_first_chunk::<N>().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(chunk)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// Inlined into the reading of fields, which is not: inlined where messages are read, it makes readers of short
/// messages slower by a third, for they grow.
#[inline]
fn varint(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    // Most are keys and lengths of one byte.
    if let Some((first, rest)) = bytes.split_first()
        && *first < 0x80
    {
        *bytes = rest;
        return Ok(u64::from(*first));
    }
    long_varint(bytes)
}

fn long_varint(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let mut number = 0_u64;
    for (position, byte) in bytes.iter().enumerate() {
        let shift = 7 * position;
        let bits = u64::from(byte & 0x7f);
        if shift > 63 || (shift == 63 && bits > 1) {
            return Err(Malformed::Overlong);
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            *bytes = bytes.get(position + 1..).unwrap_or_default();
            return Ok(number);
        }
    }
    Err(Malformed::Truncated)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Writer;

    #[test]
    fn what_was_written_is_read() {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.varint(1, 300);
        writer.text(2, "näme");
        writer.fixed64(3, 7);
        writer.fixed32(4, 9);
        writer.sint64(5, -3);
        writer.message(6, |inner| inner.double(1, 0.5));
        let fields: Vec<_> = Fields::new(&out).map(Result::unwrap).collect();
        assert_eq!(fields[0].varint(), Ok(300));
        assert_eq!(fields[1].text(), Ok("näme"));
        assert_eq!(fields[2].fixed64(), Ok(7));
        assert_eq!(fields[3].fixed32(), Ok(9));
        assert_eq!((fields[4].sint64(), fields[4].sint32()), (Ok(-3), Ok(-3)));
        let inner = fields[5].message().unwrap().next().unwrap().unwrap();
        assert_eq!(inner.double(), Ok(0.5));
    }

    #[test]
    fn repeated_numbers_come_one_by_one_or_packed() {
        let one = Field { number: 1, value: Value::Varint(5) };
        assert_eq!(one.varints().unwrap().collect::<Vec<_>>(), [Ok(5)]);
        let packed = Field { number: 1, value: Value::Bytes(&[5, 0xac, 2]) };
        assert_eq!(packed.varints().unwrap().collect::<Vec<_>>(), [Ok(5), Ok(300)]);
        let torn = Field { number: 1, value: Value::Bytes(&[5, 0xac]) };
        assert_eq!(torn.varints().unwrap().collect::<Vec<_>>(), [Ok(5), Err(Malformed::Truncated)]);
        assert_eq!(torn.fixed64s().unwrap_err(), Malformed::Truncated);
    }

    #[test]
    fn what_is_no_message_is_told_why() {
        let first = |bytes: &'static [u8]| Fields::new(bytes).next().unwrap();
        assert_eq!(first(&[0x00]), Err(Malformed::Number(0)));
        assert_eq!(first(&[0x0b]), Err(Malformed::WireType { number: 1, found: 3 }));
        assert_eq!(first(&[0x0a, 5, 1]), Err(Malformed::Truncated));
        assert_eq!(first(&[0x08]), Err(Malformed::Truncated));
        assert_eq!(first(&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]), Err(Malformed::Overlong));
        let text = first(&[0x0a, 1, 0xff]).unwrap();
        assert_eq!(text.text(), Err(Malformed::Text { number: 1 }));
        let message = text.varint().unwrap_err().to_string();
        assert_eq!(message, "field 1 holds bytes with a length, but must hold a variable-length integer");
    }

    proptest! {
        #[test]
        fn any_integer_comes_back(number: u64, signed: i64) {
            let mut out = Vec::new();
            let mut writer = Writer::new(&mut out);
            writer.varint(1, number);
            writer.sint64(2, signed);
            let fields: Vec<_> = Fields::new(&out).map(Result::unwrap).collect();
            prop_assert_eq!(fields[0].varint(), Ok(number));
            prop_assert_eq!(fields[1].sint64(), Ok(signed));
        }

        #[test]
        fn no_bytes_make_it_panic_or_go_on_for_ever(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(Fields::new(&bytes).count() <= bytes.len());
        }
    }
}
