//! Page cursors: text from a client that decides where a page begins.
//!
//! An input is a line with a filter, a line with another one, a line whose first bytes are the position,
//! a line whose first byte is a place in the cursor, and a text. It proves:
//!
//! - A sealed cursor leads back to its position, under its key and its filter and no others.
//! - Whatever else is accepted is, letter by letter, what sealing its position gives: no text is accepted
//!   that was not sealed, and no cursor has a second spelling. Tried with the text itself, and with cursors
//!   that the text was put into, in place of a part, before and behind.
#![no_main]

use api::cursor::{Invalid, decode, encode};
use eventsourcing::Position;
use libfuzzer_sys::fuzz_target;

const KEY: [u8; 32] = [7; 32];
const OTHER_KEY: [u8; 32] = [8; 32];

fuzz_target!(|input: &[u8]| {
    let [filter, other, _, _, text] = &fuzz::text::<5>(input);
    let [_, _, position, at, _] = fuzz::lines::<5>(input);
    let position = Position(position.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)));

    let sealed = encode(&KEY, position, filter);
    assert_eq!(decode(&KEY, &sealed, filter), Ok(position));
    assert_eq!(decode(&OTHER_KEY, &sealed, filter), Err(Invalid));
    if other != filter {
        assert_eq!(decode(&KEY, &sealed, other), Err(Invalid));
    }

    let at = usize::from(at.first().copied().unwrap_or_default()) % (sealed.len() + 1);
    let (head, tail) = sealed.split_at(at);
    let behind = tail.get(text.chars().count()..).unwrap_or_default();
    let changed = [
        text.clone(),
        head.to_owned(),
        tail.to_owned(),
        [head, text, tail].concat(),
        [head, text, behind].concat(),
        sealed.to_ascii_lowercase(),
    ];
    for text in changed {
        if let Ok(position) = decode(&KEY, &text, filter) {
            assert_eq!(text, encode(&KEY, position, filter));
        }
        assert_eq!(decode(&OTHER_KEY, &text, filter), Err(Invalid));
    }
});
