//! Protocol Buffers on the wire (<https://protobuf.dev/programming-guides/encoding/>), as much as OTLP
//! needs: writing into one buffer without intermediate messages, and reading the few fields of an
//! answer. Knows no message.

/// What a field holds.
const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const BYTES: u32 = 2;
const FIXED32: u32 = 5;

/// Bytes that a number takes as a varint.
pub(super) const fn varint_len(value: u64) -> usize {
    // One byte for each seven bits, and one for zero.
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// Bytes that a field of bytes takes, its key (of a number up to 15) and length included.
pub(super) const fn field_len(length: usize) -> usize {
    1 + varint_len(length as u64) + length
}

pub(super) fn put_varint(buffer: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        buffer.push(value as u8 | 0x80);
        value >>= 7;
    }
    buffer.push(value as u8);
}

fn put_key(buffer: &mut Vec<u8>, field: u32, kind: u32) {
    put_varint(buffer, u64::from(field << 3 | kind));
}

/// A number; zero is the default and takes no bytes.
pub(super) fn put_number(buffer: &mut Vec<u8>, field: u32, value: u64) {
    if value != 0 {
        put_key(buffer, field, VARINT);
        put_varint(buffer, value);
    }
}

pub(super) fn put_fixed64(buffer: &mut Vec<u8>, field: u32, value: u64) {
    put_key(buffer, field, FIXED64);
    buffer.extend_from_slice(&value.to_le_bytes());
}

pub(super) fn put_fixed32(buffer: &mut Vec<u8>, field: u32, value: u32) {
    put_key(buffer, field, FIXED32);
    buffer.extend_from_slice(&value.to_le_bytes());
}

/// Bytes or text; empty is the default and takes no bytes.
pub(super) fn put_bytes(buffer: &mut Vec<u8>, field: u32, value: &[u8]) {
    if !value.is_empty() {
        put_head(buffer, field, value.len());
        buffer.extend_from_slice(value);
    }
}

/// Key and length of a message that follows.
pub(super) fn put_head(buffer: &mut Vec<u8>, field: u32, length: usize) {
    put_key(buffer, field, BYTES);
    put_varint(buffer, length as u64);
}

/// A message whose length is not known before it is written.
pub(super) fn put_message(buffer: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    put_key(buffer, field, BYTES);
    // Most records take 128 to 16,383 bytes, so two bytes are kept free for the length; what turns out
    // shorter or longer is moved.
    let begin = buffer.len();
    buffer.extend_from_slice(&[0, 0]);
    write(buffer);
    let length = buffer.len() - begin - 2;
    let needed = varint_len(length as u64);
    if needed != 2 {
        if needed == 1 {
            buffer.remove(begin);
        } else {
            buffer.splice(begin..begin, std::iter::repeat_n(0, needed - 2));
        }
    }
    let mut rest = length;
    for (at, byte) in buffer.iter_mut().skip(begin).take(needed).enumerate() {
        *byte = rest as u8 & 0x7f | if at + 1 < needed { 0x80 } else { 0 };
        rest >>= 7;
    }
}

/// A field of a message that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field<'a> {
    /// Of a number.
    Number(u64),
    /// Of text, bytes or a message.
    Bytes(&'a [u8]),
    /// Of a kind that no answer of interest has.
    Other,
}

/// Goes through the fields of a message; ends where it ends or cannot be read any further.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or_default();
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Field<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.varint()?;
        let field = match (key & 7) as u32 {
            VARINT => Field::Number(self.varint()?),
            FIXED64 => self.take(8).map(|_| Field::Other)?,
            BYTES => {
                let length = self.varint()?.try_into().ok()?;
                Field::Bytes(self.take(length)?)
            }
            FIXED32 => self.take(4).map(|_| Field::Other)?,
            _ => return None,
        };
        Some((key >> 3, field))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_of_any_length_gets_its_length() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 3_000_000] {
            let mut buffer = b"before".to_vec();
            put_message(&mut buffer, 2, |buffer| buffer.resize(buffer.len() + length, 7));
            assert_eq!(buffer.len(), 6 + field_len(length), "{length}");
            let content = vec![7; length];
            assert_eq!(Fields(&buffer[6..]).collect::<Vec<_>>(), [(2, Field::Bytes(&content))], "{length}");
        }
    }

    proptest! {
        #[test]
        fn a_number_is_read_as_it_was_written(value: u64) {
            let mut buffer = Vec::new();
            put_varint(&mut buffer, value);
            prop_assert_eq!(buffer.len(), varint_len(value));
            prop_assert_eq!(Fields(&buffer).varint(), Some(value));
        }

        #[test]
        fn any_bytes_are_gone_through(bytes: Vec<u8>) {
            prop_assert!(Fields(&bytes).count() <= bytes.len());
        }
    }
}
