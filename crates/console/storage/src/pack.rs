//! Sections of a block's body: compressed or not, each read on its own.

use std::borrow::Cow;

use crate::codec::{Damaged, Reader, put_u64};
use crate::shelf::Form;

/// A section may not claim to be longer than this once unpacked.
const UNPACKED_MAX: usize = 256 << 20;

/// Adds a section.
pub(crate) fn put(out: &mut Vec<u8>, bytes: &[u8], form: Form) {
    put_u64(out, bytes.len() as u64);
    if form == Form::Packed {
        let packed = lz4_flex::block::compress(bytes);
        if packed.len() < bytes.len() {
            put_u64(out, packed.len() as u64);
            out.extend_from_slice(&packed);
            return;
        }
    }
    put_u64(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Bytes that are enough to know how long a section is.
pub(crate) const HEAD_MAX: usize = 20;

/// How long a section is, of which at least the beginning is given.
pub(crate) fn length(beginning: &[u8]) -> Result<usize, Damaged> {
    let mut reader = Reader::new(beginning);
    reader.u64()?;
    let bytes = usize::try_from(reader.u64()?).map_err(|_| Damaged)?;
    if bytes > UNPACKED_MAX {
        return Err(Damaged);
    }
    Ok(beginning.len() - reader.rest().len() + bytes)
}

/// A section that is not unpacked yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Section<'a> {
    unpacked: usize,
    bytes: &'a [u8],
}

impl<'a> Section<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Damaged> {
        let unpacked = usize::try_from(reader.u64()?).map_err(|_| Damaged)?;
        let bytes = reader.bytes()?;
        if unpacked > UNPACKED_MAX { Err(Damaged) } else { Ok(Self { unpacked, bytes }) }
    }

    /// What is not compressed is not copied either.
    pub(crate) fn unpack(&self) -> Result<Cow<'a, [u8]>, Damaged> {
        if self.unpacked == self.bytes.len() {
            return Ok(Cow::Borrowed(self.bytes));
        }
        let unpacked = lz4_flex::block::decompress(self.bytes, self.unpacked).map_err(|_| Damaged)?;
        if unpacked.len() == self.unpacked { Ok(Cow::Owned(unpacked)) } else { Err(Damaged) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sections_come_back(bytes in proptest::collection::vec(0_u8..4, 0..2_000), packed in any::<bool>()) {
            let mut out = Vec::new();
            put(&mut out, &bytes, if packed { Form::Packed } else { Form::Plain });
            prop_assert_eq!(length(&out[..out.len().min(HEAD_MAX)]), Ok(out.len()));
            let section = Section::read(&mut Reader::new(&out)).unwrap();
            prop_assert_eq!(section.unpack(), Ok(Cow::Owned(bytes)));
        }

        #[test]
        fn damage_is_told(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = length(&bytes);
            if let Ok(section) = Section::read(&mut Reader::new(&bytes)) {
                let _ = section.unpack();
            }
        }
    }
}
