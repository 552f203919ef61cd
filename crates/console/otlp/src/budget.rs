//! How much a request may become in memory. What is charged is the decoders' business.

use crate::DecodeError;

/// How deep a value may be nested: lists and maps in lists and maps.
pub const DEPTH_MAX: usize = 64;

/// What any request may take, however small it is.
const BASE_BYTES: usize = 1 << 20;
/// What each byte of a request may become. Real requests stay below 10, for a span of 100 bytes takes 400;
/// only messages of nothing but empty parts come beyond.
const BYTES_PER_BYTE: usize = 16;
/// What a request may take, however large it is. Spans of 250 bytes fill a body of 32 MiB with half of it.
const BYTES_MAX: usize = 192 << 20;

/// How many bytes the values of a request of so many bytes may take beside their text, at most. What would take
/// more is refused.
#[must_use]
pub const fn memory_max(input_bytes: usize) -> usize {
    let allowed = BASE_BYTES.saturating_add(input_bytes.saturating_mul(BYTES_PER_BYTE));
    if allowed < BYTES_MAX { allowed } else { BYTES_MAX }
}

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
        Self { left_bytes: memory_max(input_bytes), input_bytes }
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
            None => Err(DecodeError::too_large(format!(
                "the {} bytes of the request hold so many small items that they take more than {} MiB; send it in parts",
                self.input_bytes,
                memory_max(self.input_bytes) >> 20
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_grows_with_the_request_and_has_a_ceiling() {
        assert_eq!(memory_max(0), 1 << 20);
        assert_eq!(memory_max(1 << 20), 17 << 20);
        assert_eq!([memory_max(12 << 20), memory_max(32 << 20), memory_max(usize::MAX)], [192 << 20; 3]);
    }

    #[test]
    fn what_takes_too_much_is_told_with_its_size_and_the_bound() {
        let mut budget = Budget::of(32 << 20);
        budget.charge_bytes(192 << 20).unwrap();
        let error = budget.charge_bytes(1).unwrap_err();
        assert!(error.is_too_large());
        let told = "the 33554432 bytes of the request hold so many small items that they take more than 192 MiB; \
                    send it in parts";
        assert_eq!(error.to_string(), told);
    }
}
