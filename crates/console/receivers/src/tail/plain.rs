//! A line that is just a line: its time and level are guessed, the text stays as it is.

use console_model::{LogRecord, Value};

use super::line::Parsed;
use super::time;
use crate::severity;

/// Bytes in which a level is looked for; further in, a word is part of what is said.
const LEVEL_WITHIN_BYTES: usize = 160;

/// The record that the line makes.
pub(super) fn record(line: &str, arrival_ns: u64) -> Parsed {
    let start = line.strip_prefix('[').unwrap_or(line);
    let (time_ns, length) = time::at_start(start, arrival_ns).unwrap_or((arrival_ns, 0));
    let behind = start.get(length..).unwrap_or_default();
    let head = behind.get(..behind.floor_char_boundary(LEVEL_WITHIN_BYTES)).unwrap_or_default();
    let (severity_text, severity_number) = level(head).unwrap_or_default();
    let record = LogRecord {
        time_ns,
        observed_time_ns: arrival_ns,
        severity_number,
        severity_text: severity_text.into(),
        body: Value::from(line),
        ..LogRecord::default()
    };
    Parsed { record, service: None }
}

/// A word for a level: in capitals anywhere, in brackets or before a colon in any case, and in any case as the
/// first word. "no error found" is none.
fn level(head: &str) -> Option<(&str, i32)> {
    let bytes = head.as_bytes();
    let mut at = 0;
    let mut is_first = true;
    while at < bytes.len() {
        if !bytes.get(at)?.is_ascii_alphanumeric() {
            at += 1;
            continue;
        }
        let length = bytes.get(at..)?.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let word = head.get(at..at + length)?;
        let number = severity::from_word(word);
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let after = bytes.get(at + length);
        let is_bracketed = matches!((before, after), (Some(b'['), Some(b']')) | (Some(b'<'), Some(b'>')));
        let is_capital = length >= 3 && word.bytes().all(|byte| byte.is_ascii_uppercase());
        if number != 0 && (is_first || is_bracketed || is_capital || after == Some(&b':')) {
            return Some((word, number));
        }
        is_first = false;
        at += length;
    }
    None
}
