//! A block as it lies in a frame: a head that tells what is in it, keys, a filter, words, and the body,
//! which is the signal's own.

use console_model::Text;

use crate::codec::{Damaged, Reader, put_str};
use crate::frame;

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For the log and for readers of open rows: quickly, without keys, filter or compression.
    Plain,
    /// For a block: small.
    Packed,
}

/// What rows reach over. `low` and `high` are for the signal to use: bounds of something it searches by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The oldest time, nanoseconds since the Unix epoch.
    pub(crate) min: i64,
    /// The newest time, nanoseconds since the Unix epoch.
    pub(crate) max: i64,
    pub(crate) low: u64,
    pub(crate) high: u64,
}

impl Extent {
    /// What nothing reaches over.
    pub(crate) const NONE: Self = Self { min: i64::MAX, max: i64::MIN, low: u64::MAX, high: 0 };

    pub(crate) fn include(&mut self, other: &Self) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
    }

    /// Whether it has a time in common with `from..=to`.
    pub(crate) const fn meets(&self, from: i64, to: i64) -> bool {
        self.min <= to && from <= self.max
    }
}

/// A time of a signal, nanoseconds since the Unix epoch, as extents have it.
pub(crate) fn clamp(time_ns: u64) -> i64 {
    i64::try_from(time_ns).unwrap_or(i64::MAX)
}

/// Rows, written down.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) extent: Extent,
    /// By which the block can be found, sorted, each once.
    pub(crate) keys: Vec<u64>,
    /// See [`crate::filter`].
    pub(crate) filter: Vec<u8>,
    /// Few, and the same in many blocks.
    pub(crate) words: Vec<Text>,
    pub(crate) body: Vec<u8>,
}

/// Where a block is and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlockMeta {
    /// Where its frame begins.
    pub(crate) offset: u64,
    /// Length of the frame's payload, bytes.
    pub(crate) length: u32,
    pub(crate) rows: u32,
    pub(crate) first_seq: u64,
    pub(crate) extent: Extent,
    pub(crate) keys: u32,
    pub(crate) filter_bytes: u32,
    pub(crate) filter_crc: u32,
    pub(crate) words_bytes: u32,
}

/// Bytes of the head.
const HEAD: usize = 8 + 4 + 8 * 4 + 4 * 4;

impl BlockMeta {
    pub(crate) fn keys_at(&self) -> usize {
        HEAD
    }

    pub(crate) fn filter_at(&self) -> usize {
        self.keys_at() + self.keys as usize * 8
    }

    /// Where in the block's frame the body begins.
    pub(crate) fn body_at(&self) -> usize {
        frame::HEAD + self.filter_at() + self.filter_bytes as usize + self.words_bytes as usize
    }

    /// The body in the block's frame.
    pub(crate) fn body<'a>(&self, frame: &'a [u8]) -> &'a [u8] {
        frame.get(self.body_at()..).unwrap_or_default()
    }

    /// Writes the head's fields; the place of the block is not among them.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.first_seq.to_le_bytes());
        out.extend_from_slice(&self.rows.to_le_bytes());
        out.extend_from_slice(&self.extent.min.to_le_bytes());
        out.extend_from_slice(&self.extent.max.to_le_bytes());
        out.extend_from_slice(&self.extent.low.to_le_bytes());
        out.extend_from_slice(&self.extent.high.to_le_bytes());
        out.extend_from_slice(&self.keys.to_le_bytes());
        out.extend_from_slice(&self.filter_bytes.to_le_bytes());
        out.extend_from_slice(&self.filter_crc.to_le_bytes());
        out.extend_from_slice(&self.words_bytes.to_le_bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>, offset: u64, length: u32) -> Result<Self, Damaged> {
        let meta = Self {
            offset,
            length,
            first_seq: reader.fixed_u64()?,
            rows: reader.fixed_u32()?,
            extent: Extent {
                min: reader.fixed_i64()?,
                max: reader.fixed_i64()?,
                low: reader.fixed_u64()?,
                high: reader.fixed_u64()?,
            },
            keys: reader.fixed_u32()?,
            filter_bytes: reader.fixed_u32()?,
            filter_crc: reader.fixed_u32()?,
            words_bytes: reader.fixed_u32()?,
        };
        let before_body =
            HEAD as u64 + u64::from(meta.keys) * 8 + u64::from(meta.filter_bytes) + u64::from(meta.words_bytes);
        if before_body > u64::from(length) { Err(Damaged) } else { Ok(meta) }
    }
}

/// Writes a whole block's payload and tells what is in it; where it will be, the caller knows.
pub(crate) fn put(out: &mut Vec<u8>, first_seq: u64, rows: usize, encoded: &Encoded) -> BlockMeta {
    let mut words = Vec::new();
    encoded.words.iter().for_each(|word| put_str(&mut words, word));
    let start = out.len();
    let mut meta = BlockMeta {
        offset: 0,
        length: 0,
        rows: rows as u32,
        first_seq,
        extent: encoded.extent,
        keys: encoded.keys.len() as u32,
        filter_bytes: encoded.filter.len() as u32,
        filter_crc: crc32fast::hash(&encoded.filter),
        words_bytes: words.len() as u32,
    };
    meta.put(out);
    encoded.keys.iter().for_each(|key| out.extend_from_slice(&key.to_le_bytes()));
    out.extend_from_slice(&encoded.filter);
    out.extend_from_slice(&words);
    out.extend_from_slice(&encoded.body);
    meta.length = (out.len() - start) as u32;
    meta
}

/// What a payload says of itself: its head, its keys, its words.
pub(crate) fn describe(payload: &[u8], offset: u64) -> Result<(BlockMeta, Vec<u64>, Vec<Text>), Damaged> {
    let mut reader = Reader::new(payload);
    let meta = BlockMeta::read(&mut reader, offset, payload.len() as u32)?;
    let keys = reader.column(meta.keys as usize, u64::from_le_bytes)?;
    reader.take(meta.filter_bytes as usize)?;
    let mut words = Vec::new();
    let mut listed = Reader::new(reader.take(meta.words_bytes as usize)?);
    while !listed.is_empty() {
        words.push(listed.text()?);
    }
    Ok((meta, keys, words))
}
