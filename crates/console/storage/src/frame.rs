//! Frames: how a file knows where its records begin and whether they are whole. What is in a frame is
//! none of its business.
//!
//! A frame is the length of its payload (4 bytes), the CRC-32 of the payload (4 bytes), the payload. A
//! payload is never empty, so that a run of zeros, which a power cut can leave, is no frame.

use crate::codec::{Damaged, Reader};

/// Bytes before a payload.
pub(crate) const HEAD: usize = 8;

/// Longest payload that is taken for one. Blocks are a few MiB at most, whatever comes in.
pub(crate) const PAYLOAD_MAX: usize = 256 << 20;

/// Adds a frame whose payload `write` produces.
pub(crate) fn put(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD]);
    write(out);
    let Some((head, payload)) = out.get_mut(start..).and_then(|frame| frame.split_at_mut_checked(HEAD)) else {
        return;
    };
    let (length, crc) = (payload.len() as u32, crc32fast::hash(payload));
    head.iter_mut().zip(length.to_le_bytes().into_iter().chain(crc.to_le_bytes())).for_each(|(to, from)| *to = from);
}

/// The payload of the frame at the start of `bytes`, and what follows it. An error is a frame that is torn
/// or changed.
pub(crate) fn first(bytes: &[u8]) -> Result<(&[u8], &[u8]), Damaged> {
    let mut reader = Reader::new(bytes);
    let (length, crc) = (reader.fixed_u32()? as usize, reader.fixed_u32()?);
    if length == 0 || length > PAYLOAD_MAX {
        return Err(Damaged);
    }
    let payload = reader.take(length)?;
    if crc32fast::hash(payload) == crc { Ok((payload, reader.rest())) } else { Err(Damaged) }
}

/// The whole frames at the start of `bytes`, each with its offset.
pub(crate) struct Frames<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Frames<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// How many bytes the frames so far take.
    pub(crate) const fn whole(&self) -> usize {
        self.offset
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (payload, _) = first(self.bytes.get(self.offset..)?).ok()?;
        let offset = self.offset;
        self.offset += HEAD + payload.len();
        Some((offset, payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Vec<u8> {
        let mut out = Vec::new();
        for text in ["first", "second", "third"] {
            put(&mut out, |out| out.extend_from_slice(text.as_bytes()));
        }
        out
    }

    #[test]
    fn a_file_cut_anywhere_gives_its_whole_frames() {
        let bytes = three();
        let ends = [HEAD + 5, 2 * HEAD + 11, 3 * HEAD + 16];
        for cut in 0..=bytes.len() {
            let mut frames = Frames::new(&bytes[..cut]);
            let whole = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(frames.by_ref().count(), whole, "cut at {cut}");
            assert_eq!(frames.whole(), if whole == 0 { 0 } else { ends[whole - 1] });
        }
    }

    #[test]
    fn a_changed_bit_anywhere_is_noticed() {
        let bytes = three();
        for position in 0..HEAD + 5 {
            let mut changed = bytes.clone();
            changed[position] ^= 0x10;
            assert!(first(&changed).is_err(), "byte {position}");
        }
    }

    #[test]
    fn zeros_are_no_frame() {
        assert!(first(&[0; 64]).is_err());
    }
}
