//! Chunks: samples of one series as bits, after Pelkonen et al., Gorilla: A Fast, Scalable, In-Memory Time
//! Series Database (VLDB 2015): times as differences of differences, values as XOR with the one before.
//! Every bit pattern of a value comes back, NaN and infinities included.

use console_model::Sample;

use crate::codec::{Damaged, unzigzag, zigzag};

/// Appends bits, most significant first.
#[derive(Debug, Clone, Default)]
struct Bits {
    bytes: Vec<u8>,
    /// Bits that make no whole byte yet, in the low end.
    pending: u64,
    count: u32,
}

impl Bits {
    /// Adds the low `count` bits of `value`, at most 56 at a time.
    fn push(&mut self, value: u64, count: u32) {
        self.pending = self.pending << count | (value & ((1 << count) - 1));
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            self.bytes.push((self.pending >> self.count) as u8);
        }
    }

    fn push_long(&mut self, value: u64, count: u32) {
        if count > 32 {
            self.push(value >> 32, count - 32);
            self.push(value, 32);
        } else {
            self.push(value, count);
        }
    }

    fn finished(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes.len() + 1);
        bytes.extend_from_slice(&self.bytes);
        if self.count > 0 {
            bytes.push((self.pending << (8 - self.count)) as u8);
        }
        bytes
    }
}

/// Widths for the difference of differences, each with the bits that announce it.
const WIDTHS: [(u64, u32, u32); 3] = [(0b10, 2, 12), (0b110, 3, 17), (0b1110, 4, 24)];

/// A chunk that takes more samples.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChunkWriter {
    bits: Bits,
    count: u16,
    first_ms: i64,
    last_ms: i64,
    step: i64,
    value: u64,
    leading: u32,
    significant: u32,
}

impl ChunkWriter {
    pub(crate) const fn count(&self) -> u16 {
        self.count
    }

    pub(crate) const fn first_ms(&self) -> i64 {
        self.first_ms
    }

    pub(crate) const fn last_ms(&self) -> i64 {
        self.last_ms
    }

    /// Roughly, bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bits.bytes.len()
    }

    /// The samples as they are written so far.
    pub(crate) fn finished(&self) -> Vec<u8> {
        self.bits.finished()
    }

    pub(crate) fn push(&mut self, sample: Sample) {
        let value = sample.value.to_bits();
        if self.count == 0 {
            self.first_ms = sample.time_ms;
            self.bits.push_long(sample.time_ms as u64, 64);
            self.bits.push_long(value, 64);
        } else {
            let step = sample.time_ms.wrapping_sub(self.last_ms);
            self.push_time(zigzag(step.wrapping_sub(self.step)));
            self.step = step;
            self.push_value(value);
        }
        self.last_ms = sample.time_ms;
        self.value = value;
        self.count += 1;
    }

    fn push_time(&mut self, change: u64) {
        if change == 0 {
            return self.bits.push(0, 1);
        }
        match WIDTHS.iter().find(|(_, _, width)| change >> width == 0) {
            Some((announced, length, width)) => {
                self.bits.push(*announced, *length);
                self.bits.push(change, *width);
            }
            None => {
                self.bits.push(0b1111, 4);
                self.bits.push_long(change, 64);
            }
        }
    }

    fn push_value(&mut self, value: u64) {
        let xor = value ^ self.value;
        if xor == 0 {
            return self.bits.push(0, 1);
        }
        let leading = xor.leading_zeros().min(31);
        let significant = 64 - leading - xor.trailing_zeros();
        let trailing = 64 - self.leading - self.significant;
        let fits = self.significant > 0 && leading >= self.leading && xor.trailing_zeros() >= trailing;
        // The window before is used for as long as a new one, which costs 11 bits, would not pay.
        if fits && self.significant <= significant + 11 {
            self.bits.push(0b10, 2);
            self.bits.push_long(xor >> trailing, self.significant);
        } else {
            self.bits.push(0b11, 2);
            self.bits.push(u64::from(leading), 5);
            self.bits.push(u64::from(significant - 1), 6);
            self.bits.push_long(xor >> xor.trailing_zeros(), significant);
            (self.leading, self.significant) = (leading, significant);
        }
    }
}

/// Reads the samples of a chunk. Damage ends it early.
#[derive(Debug, Clone)]
pub(crate) struct ChunkReader<'a> {
    bytes: &'a [u8],
    /// The next byte.
    next: usize,
    /// Bits taken from `bytes` and not used, in the low end.
    buffer: u64,
    buffered: u32,
    left: u16,
    is_first: bool,
    time_ms: i64,
    step: i64,
    value: u64,
    leading: u32,
    significant: u32,
}

impl<'a> ChunkReader<'a> {
    pub(crate) const fn new(bytes: &'a [u8], count: u16) -> Self {
        Self {
            bytes,
            next: 0,
            buffer: 0,
            buffered: 0,
            left: count,
            is_first: true,
            time_ms: 0,
            step: 0,
            value: 0,
            leading: 0,
            significant: 0,
        }
    }

    /// Takes at most 32 bits.
    fn take(&mut self, count: u32) -> Result<u64, Damaged> {
        if self.buffered < count {
            if let Some(word) = self.bytes.get(self.next..self.next + 4).and_then(|word| word.try_into().ok()) {
                self.buffer = self.buffer << 32 | u64::from(u32::from_be_bytes(word));
                self.buffered += 32;
                self.next += 4;
            } else {
                while self.buffered < count {
                    self.buffer = self.buffer << 8 | u64::from(*self.bytes.get(self.next).ok_or(Damaged)?);
                    self.buffered += 8;
                    self.next += 1;
                }
            }
        }
        self.buffered -= count;
        Ok(self.buffer >> self.buffered & ((1 << count) - 1))
    }

    fn take_long(&mut self, count: u32) -> Result<u64, Damaged> {
        if count > 32 { Ok(self.take(count - 32)? << 32 | self.take(32)?) } else { self.take(count) }
    }

    fn change(&mut self) -> Result<i64, Damaged> {
        if self.take(1)? == 0 {
            return Ok(0);
        }
        for (_, _, width) in WIDTHS {
            if self.take(1)? == 0 {
                return self.take(width).map(unzigzag);
            }
        }
        self.take_long(64).map(unzigzag)
    }

    fn xor(&mut self) -> Result<u64, Damaged> {
        if self.take(1)? == 0 {
            return Ok(0);
        }
        if self.take(1)? == 1 {
            self.leading = self.take(5)? as u32;
            self.significant = self.take(6)? as u32 + 1;
        }
        let trailing = 64_u32.checked_sub(self.leading + self.significant).ok_or(Damaged)?;
        Ok(self.take_long(self.significant)? << trailing.min(63))
    }

    fn read(&mut self) -> Result<Sample, Damaged> {
        if self.is_first {
            self.is_first = false;
            self.time_ms = self.take_long(64)? as i64;
            self.value = self.take_long(64)?;
        } else {
            self.step = self.step.wrapping_add(self.change()?);
            self.time_ms = self.time_ms.wrapping_add(self.step);
            self.value ^= self.xor()?;
        }
        Ok(Sample { time_ms: self.time_ms, value: f64::from_bits(self.value) })
    }
}

impl Iterator for ChunkReader<'_> {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        self.left = self.left.checked_sub(1)?;
        self.read().ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(usize::from(self.left)))
    }
}

#[cfg(test)]
mod tests {
    use console_model::stale_marker;
    use proptest::prelude::*;

    use super::*;

    fn round_trip(samples: &[Sample]) -> Vec<Sample> {
        let mut writer = ChunkWriter::default();
        samples.iter().for_each(|sample| writer.push(*sample));
        ChunkReader::new(&writer.finished(), writer.count()).collect()
    }

    /// What series are made of: patterns, and the values at the edges.
    fn any_bits() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<u64>().prop_map(f64::from_bits),
            (0_u32..1_000).prop_map(f64::from),
            Just(f64::NAN),
            Just(stale_marker()),
            Just(f64::INFINITY),
            Just(f64::NEG_INFINITY),
            Just(-0.0),
            Just(f64::MIN_POSITIVE / 2.0),
        ]
    }

    fn any_time() -> impl Strategy<Value = i64> {
        prop_oneof![any::<i64>(), -100_000_i64..100_000, (0_i64..1_000).prop_map(|step| step * 15_000)]
    }

    proptest! {
        #[test]
        fn every_bit_comes_back(samples in proptest::collection::vec((any_time(), any_bits()), 0..300)) {
            let samples: Vec<Sample> =
                samples.into_iter().map(|(time_ms, value)| Sample { time_ms, value }).collect();
            prop_assert_eq!(round_trip(&samples), samples);
        }

        #[test]
        fn damage_is_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), count in any::<u16>()) {
            let _ = ChunkReader::new(&bytes, count).count();
        }
    }

    #[test]
    fn a_steady_series_takes_little_room() {
        let mut writer = ChunkWriter::default();
        for number in 0..240_i64 {
            writer.push(Sample { time_ms: 1_700_000_000_000 + number * 15_000, value: 42.0 });
        }
        assert!(writer.finished().len() < 90, "{}", writer.finished().len());
    }
}
