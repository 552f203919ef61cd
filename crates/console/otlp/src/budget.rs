//! How much a request may become in memory. What is charged is the decoders' business.

use crate::DecodeError;

/// How deep a value may be nested: lists and maps in lists and maps.
pub const DEPTH_MAX: usize = 64;

/// What any request may take, however small it is.
const BASE_BYTES: usize = 1 << 20;
/// What each byte of a request may become. Real requests stay below 10, for a span of 100 bytes takes 400;
/// only messages of nothing but empty parts come beyond.
const BYTES_PER_BYTE: usize = 16;

/// Counts what is built from a request, so that millions of empty messages, two bytes each, do not become
/// gigabytes. Text is not charged: it is never longer than it was.
#[derive(Debug)]
pub(crate) struct Budget {
    left_bytes: usize,
    input_bytes: usize,
}

impl Budget {
    /// That of a request of so many bytes.
    pub(crate) const fn of(input_bytes: usize) -> Self {
        Self { left_bytes: BASE_BYTES.saturating_add(input_bytes.saturating_mul(BYTES_PER_BYTE)), input_bytes }
    }

    /// Takes a value's size, in advance.
    pub(crate) fn charge<T>(&mut self) -> Result<(), DecodeError> {
        self.charge_bytes(size_of::<T>())
    }

    /// Takes so many bytes, in advance.
    pub(crate) fn charge_bytes(&mut self, bytes: usize) -> Result<(), DecodeError> {
        match self.left_bytes.checked_sub(bytes) {
            Some(left_bytes) => {
                self.left_bytes = left_bytes;
                Ok(())
            }
            None => Err(DecodeError::whole(format!(
                "the {} bytes of the request hold too many (nearly) empty items; send it in parts",
                self.input_bytes
            ))),
        }
    }

    /// Says whether values may be nested so deep.
    pub(crate) fn check_depth(depth: usize) -> Result<(), DecodeError> {
        if depth > DEPTH_MAX {
            return Err(DecodeError::whole(format!("a value is nested more than {DEPTH_MAX} deep")));
        }
        Ok(())
    }
}
