//! `strconv.Quote` and `strconv.Unquote`.

use std::fmt::Write;

/// The text in double quotes, with what cannot be printed escaped.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            control if u32::from(control) < 0x20 || control == '\u{7f}' => {
                let _ = write!(out, "\\x{:02x}", u32::from(control));
            }
            odd if odd.is_control() || matches!(odd, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{ad}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(odd));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Bytes of the quoted text that a text begins with, its quotes included; `None` if it does not end. Only one in
/// backticks goes over lines.
pub fn quoted_length(text: &str, mark: char) -> Option<usize> {
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if mark != '`' => is_escaped = true,
            '\n' if mark != '`' => return None,
            found if found == mark => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// What a text in double quotes, single quotes or backticks stands for; `None` if it is no such text. Bytes
/// that are no UTF-8 become the replacement character.
pub fn unquote(text: &str) -> Option<String> {
    let mark = text.chars().next().filter(|mark| matches!(mark, '"' | '\'' | '`'))?;
    let inner = text.get(1..)?.strip_suffix(mark)?;
    if mark == '`' {
        return (!inner.contains('`')).then(|| inner.replace('\r', ""));
    }
    if inner.contains('\n') {
        return None;
    }
    if !inner.contains(['\\', mark]) {
        return Some(inner.to_owned());
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find(['\\', mark]) {
        bytes.extend_from_slice(rest.get(..at)?.as_bytes());
        let behind = rest.get(at..)?.strip_prefix('\\')?;
        rest = escape(behind, mark, &mut bytes)?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// Adds what an escape stands for, and gives what is behind it.
fn escape<'a>(text: &'a str, mark: char, bytes: &mut Vec<u8>) -> Option<&'a str> {
    let digits = |range: std::ops::Range<usize>, radix| {
        let digits = text.get(range).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, radix).ok()
    };
    let first = text.chars().next()?;
    let single = |byte: u8, bytes: &mut Vec<u8>| {
        bytes.push(byte);
        text.get(1..)
    };
    match first {
        'a' => single(7, bytes),
        'b' => single(8, bytes),
        'f' => single(12, bytes),
        'n' => single(b'\n', bytes),
        'r' => single(b'\r', bytes),
        't' => single(b'\t', bytes),
        'v' => single(11, bytes),
        '\\' => single(b'\\', bytes),
        same if same == mark => single(u8::try_from(u32::from(mark)).ok()?, bytes),
        'x' => {
            bytes.push(u8::try_from(digits(1..3, 16)?).ok()?);
            text.get(3..)
        }
        'u' | 'U' => {
            let end = if first == 'u' { 5 } else { 9 };
            let character = char::from_u32(digits(1..end, 16)?)?;
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            text.get(end..)
        }
        '0'..='7' => {
            bytes.push(u8::try_from(digits(0..3, 8)?).ok()?);
            text.get(3..)
        }
        _ => None,
    }
}
