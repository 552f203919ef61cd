//! Page cursors: opaque to clients, signed, so that one can neither be made up nor carried from one
//! filter to another.
//!
//! Form: base64url of `version (1) ‖ position (8, big endian) ‖ HMAC-SHA-256 (32)`; the filter goes into
//! the signature only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use eventsourcing::Position;
use hmac::{Hmac, Mac};
use sha2::Sha256;

const VERSION: u8 = 1;
const SIGNED: usize = 9;
const LENGTH: usize = SIGNED + 32;

/// The text is not a cursor of ours for this filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invalid;

fn signature(key: &[u8; 32], signed: &[u8], filter: &str) -> Hmac<Sha256> {
    // HMAC pads a short key with zeros to the hash's block of 64 bytes; done here, nothing can fail.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(signed);
    mac.update(filter.as_bytes());
    mac
}

/// The cursor behind which the next page begins: orders older than `before`, under `filter`.
#[must_use]
pub fn encode(key: &[u8; 32], before: Position, filter: &str) -> String {
    let mut bytes = Vec::with_capacity(LENGTH);
    bytes.push(VERSION);
    bytes.extend_from_slice(&before.0.to_be_bytes());
    let signature = signature(key, &bytes, filter).finalize().into_bytes();
    bytes.extend_from_slice(&signature);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor; in constant time as far as the signature is concerned.
pub fn decode(key: &[u8; 32], text: &str, filter: &str) -> Result<Position, Invalid> {
    // No cursor of ours is longer: do not decode what cannot be one.
    if text.len() > LENGTH * 2 {
        return Err(Invalid);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Invalid)?;
    let (signed, claimed) = bytes.split_at_checked(SIGNED).filter(|_| bytes.len() == LENGTH).ok_or(Invalid)?;
    signature(key, signed, filter).verify_slice(claimed).map_err(|_| Invalid)?;
    match signed {
        [VERSION, position @ ..] => Ok(Position(u64::from_be_bytes(position.try_into().map_err(|_| Invalid)?))),
        _ => Err(Invalid),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_leads_back_to_its_position_under_its_filter_only(position: u64, key: [u8; 32], other: [u8; 32]) {
            let cursor = encode(&key, Position(position), "paid");
            prop_assert_eq!(decode(&key, &cursor, "paid"), Ok(Position(position)));
            prop_assert_eq!(decode(&key, &cursor, "draft"), Err(Invalid));
            prop_assert!(key == other || decode(&other, &cursor, "paid").is_err());
        }

        #[test]
        fn a_changed_cursor_is_refused(position: u64, at in 0_usize..54, with in "[A-Za-z0-9_-]") {
            let cursor = encode(&[7; 32], Position(position), "");
            let mut changed = cursor.clone();
            changed.replace_range(at..=at, &with);
            prop_assert!(changed == cursor || decode(&[7; 32], &changed, "").is_err());
        }

        #[test]
        fn any_text_is_answered(text in "\\PC*") {
            prop_assert_eq!(decode(&[7; 32], &text, ""), Err(Invalid));
        }
    }
}
