//! Filters that say whether a block can hold what is looked for. They may say yes in vain, never no.
//!
//! A filter is a bitmap whose size is a power of two. It is filled at its largest size and then folded in
//! half for as long as it stays sparse, so its size follows what is in it and not what might be.

/// Bits of a fresh filter.
const BITS_MAX: usize = 1 << 19;
/// A filter is not folded further when more than one bit in this many would be set.
const SPARSE: usize = 4;
const BYTES_MIN: usize = 64;
/// Length of the pieces by which text is looked for.
pub(crate) const GRAM: usize = 4;

/// A filter being filled.
#[derive(Debug)]
pub(crate) struct Builder {
    words: Vec<u64>,
}

impl Default for Builder {
    fn default() -> Self {
        Self { words: vec![0; BITS_MAX / 64] }
    }
}

impl Builder {
    /// Adds something by its hash.
    pub(crate) fn add(&mut self, hash: u64) {
        self.set(hash as u32);
        self.set((hash >> 32) as u32);
    }

    fn set(&mut self, hash: u32) {
        let bit = hash as usize % BITS_MAX;
        if let Some(word) = self.words.get_mut(bit / 64) {
            *word |= 1 << (bit % 64);
        }
    }

    /// Adds every piece of a text.
    pub(crate) fn add_text(&mut self, text: &[u8]) {
        for gram in text.windows(GRAM) {
            if let Ok(gram) = <[u8; GRAM]>::try_from(gram) {
                self.set(gram_hash(gram));
            }
        }
    }

    /// The filter, as small as it may be.
    pub(crate) fn finish(&self) -> Vec<u8> {
        let mut words = self.words.clone();
        while words.len() * 8 > BYTES_MIN {
            let (low, high) = words.split_at(words.len() / 2);
            let folded: Vec<u64> = low.iter().zip(high).map(|(low, high)| low | high).collect();
            let set: usize = folded.iter().map(|word| word.count_ones() as usize).sum();
            if set * SPARSE > folded.len() * 64 {
                break;
            }
            words = folded;
        }
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }
}

const fn gram_hash(gram: [u8; GRAM]) -> u32 {
    let hash = u32::from_le_bytes(gram).wrapping_mul(0x9e37_79b1);
    hash ^ (hash >> 15)
}

/// Whether a finished filter can hold something with this hash. A filter that is no filter holds anything.
pub(crate) fn may_hold(filter: &[u8], hash: u64) -> bool {
    is_set(filter, hash as u32) && is_set(filter, (hash >> 32) as u32)
}

/// Whether a finished filter can hold a text with this part.
pub(crate) fn may_hold_text(filter: &[u8], part: &[u8]) -> bool {
    part.windows(GRAM).all(|gram| <[u8; GRAM]>::try_from(gram).is_ok_and(|gram| is_set(filter, gram_hash(gram))))
}

fn is_set(filter: &[u8], hash: u32) -> bool {
    if !filter.len().is_power_of_two() {
        return true;
    }
    let bit = hash as usize % (filter.len() * 8);
    filter.get(bit / 8).is_none_or(|byte| byte & 1 << (bit % 8) != 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hash;

    proptest! {
        #[test]
        fn what_is_in_it_is_found(texts in proptest::collection::vec(".{0,60}", 0..200), from in 0_usize..40, len in 0_usize..30) {
            let mut builder = Builder::default();
            for text in &texts {
                builder.add_text(text.as_bytes());
                builder.add(hash::bytes(text.as_bytes()));
            }
            let filter = builder.finish();
            for text in &texts {
                let part = text.as_bytes().get(from..).unwrap_or_default();
                prop_assert!(may_hold_text(&filter, &part[..len.min(part.len())]));
                prop_assert!(may_hold(&filter, hash::bytes(text.as_bytes())));
            }
        }
    }

    #[test]
    fn what_is_not_in_it_is_mostly_refused_and_little_takes_little_room() {
        let mut builder = Builder::default();
        for number in 0..5_000_u64 {
            builder.add(hash::mix(number));
        }
        let filter = builder.finish();
        assert!(filter.len() <= 8_192, "{}", filter.len());
        let wrong = (100_000..200_000_u64).filter(|number| may_hold(&filter, hash::mix(*number))).count();
        assert!(wrong < 10_000, "{wrong} of 100,000");
        assert_eq!(Builder::default().finish().len(), BYTES_MIN);
    }
}
