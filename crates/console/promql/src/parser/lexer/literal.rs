//! Numbers, spans of time and quoted texts, as Go reads and writes them. Where they stand is the lexer's business.

/// How long the number at the beginning is.
pub(super) fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let digits = |mut at: usize, hex: bool| {
        while byte(at).is_ascii_digit() || byte(at) == b'_' || (hex && byte(at).is_ascii_hexdigit()) {
            at += 1;
        }
        at
    };
    if byte(0) == b'0' && matches!(byte(1), b'x' | b'X') {
        return digits(2, true);
    }
    let mut at = digits(0, false);
    if byte(at) == b'.' {
        at = digits(at + 1, false);
    }
    if matches!(byte(at), b'e' | b'E') {
        let sign = usize::from(matches!(byte(at + 1), b'+' | b'-'));
        if byte(at + 1 + sign).is_ascii_digit() {
            at = digits(at + 1 + sign, false);
        }
    }
    at
}

/// A number as Go reads it: decimal, hexadecimal, octal with a leading zero, underscores between digits.
pub(super) fn number(text: &str) -> Option<f64> {
    let lone = |pair: &[u8]| pair == b"__";
    if text.ends_with('_') || text.starts_with('_') || text.as_bytes().windows(2).any(lone) {
        return None;
    }
    let plain = text.replace('_', "");
    if let Some(hex) = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
        return u64::from_str_radix(hex, 16).ok().map(|number| number as f64);
    }
    if plain.len() > 1
        && plain.starts_with('0')
        && plain.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(octal) = i64::from_str_radix(&plain, 8)
    {
        return Some(octal as f64);
    }
    plain.parse().ok()
}

/// Why a text is no span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoDuration {
    /// It has not the form of one.
    Syntax,
    /// Its units do not go from large to small.
    Order,
    /// It is longer than Prometheus can count.
    TooLong,
}

/// A span of time such as `1h30m`, units from large to small, each at most once.
pub(super) fn duration_ms(text: &str) -> Result<i64, NoDuration> {
    const UNITS: [(&str, i64); 7] = [
        ("ms", 1),
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
        ("w", 7 * 86_400_000),
        ("y", 365 * 86_400_000),
    ];
    // Prometheus counts nanoseconds in 64 bits.
    const MS_MAX: i128 = (i64::MAX / 1_000_000) as i128;
    let (mut rest, mut total, mut largest, mut in_order) = (text, 0_i128, i64::MAX, true);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|length| *length > 0);
        let (count, after) = digits.and_then(|length| rest.split_at_checked(length)).ok_or(NoDuration::Syntax)?;
        let unit = UNITS.into_iter().find(|(unit, _)| after.starts_with(unit));
        let (unit, unit_ms) = unit.ok_or(NoDuration::Syntax)?;
        in_order &= unit_ms < largest;
        largest = unit_ms;
        // What has more digits than a number of 64 bits is too long, and stays so.
        let count = count.parse::<i64>().map_or(MS_MAX + 1, i128::from);
        total = total.saturating_add(count.saturating_mul(i128::from(unit_ms)));
        rest = after.get(unit.len()..).unwrap_or_default();
    }
    match i64::try_from(total) {
        _ if text.is_empty() => Err(NoDuration::Syntax),
        _ if !in_order => Err(NoDuration::Order),
        Ok(ms) if total <= MS_MAX => Ok(ms),
        _ => Err(NoDuration::TooLong),
    }
}

const INVALID_CODE: &str = "escape sequence is an invalid Unicode code point";

/// A character as Go's `%#U` writes it.
fn code_point(character: char) -> String {
    format!("U+{:04X} '{character}'", u32::from(character))
}

/// What a quoted text says; escapes are Go's. A text that they make no UTF-8 is refused.
pub(super) fn unquoted(body: &str, quote: char) -> Result<String, String> {
    if !body.contains('\\') {
        return Ok(body.to_owned());
    }
    let mut out: Vec<u8> = Vec::with_capacity(body.len());
    let mut chars = body.chars();
    let mut utf8 = [0; 4];
    while let Some(character) = chars.next() {
        if character != '\\' {
            out.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
            continue;
        }
        let escape = chars.next().unwrap_or('\0');
        let simple = match escape {
            'a' => Some(7),
            'b' => Some(8),
            'f' => Some(12),
            'n' => Some(b'\n'),
            'r' => Some(b'\r'),
            't' => Some(b'\t'),
            'v' => Some(11),
            '\\' => Some(b'\\'),
            _ if escape == quote => Some(quote as u8),
            _ => None,
        };
        if let Some(byte) = simple {
            out.push(byte);
            continue;
        }
        let (digits, radix) = match escape {
            'x' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='7' => (2, 8),
            _ => return Err(format!("unknown escape sequence {}", code_point(escape))),
        };
        let mut code = if radix == 8 { escape.to_digit(8).unwrap_or(0) } else { 0 };
        for _ in 0..digits {
            let next = chars.next().unwrap_or(quote);
            let illegal = || format!("illegal character {} in escape sequence", code_point(next));
            let digit = next.to_digit(radix).ok_or_else(illegal)?;
            code = code.wrapping_mul(radix).wrapping_add(digit);
        }
        if matches!(escape, 'u' | 'U') {
            let character = char::from_u32(code);
            let character = character.ok_or(INVALID_CODE)?;
            out.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
        } else {
            out.push(u8::try_from(code).map_err(|_| INVALID_CODE.to_owned())?);
        }
    }
    Ok(String::from_utf8(out).unwrap_or_else(|error| {
        let mut text = String::new();
        for chunk in error.as_bytes().utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(STRAY + u32::from(*byte))));
        }
        text
    }))
}

/// A byte that makes no UTF-8 is kept as a character beyond this one, all of which are for private use, for
/// it is no error before it is used as a name.
const STRAY: u32 = 0x10_fe00;

/// Whether a character stands for a byte that makes no UTF-8.
pub(crate) fn is_stray(character: char) -> bool {
    stray_byte(character).is_some()
}

/// A text as it is shown, with U+FFFD for what makes no UTF-8.
pub(crate) fn shown(text: &str) -> String {
    text.chars().map(|character| if is_stray(character) { char::REPLACEMENT_CHARACTER } else { character }).collect()
}

/// The byte that a character stands for, if it stands for one.
pub(crate) fn stray_byte(character: char) -> Option<u8> {
    u32::from(character).checked_sub(STRAY).and_then(|byte| u8::try_from(byte).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_from_large_to_small() {
        assert_eq!(duration_ms("1h30m"), Ok(5_400_000));
        assert_eq!(duration_ms("1m5ms"), Ok(60_005));
        assert_eq!(duration_ms("1y1w1d"), Ok((365 + 8) * 86_400_000));
        for wrong in ["", "5", "m", "5mm", "5m3"] {
            assert_eq!(duration_ms(wrong), Err(NoDuration::Syntax), "{wrong}");
        }
        for wrong in ["1m1h", "1h1h"] {
            assert_eq!(duration_ms(wrong), Err(NoDuration::Order), "{wrong}");
        }
        for long in ["99999y", "99999999999y", "9999999999999999999999s"] {
            assert_eq!(duration_ms(long), Err(NoDuration::TooLong), "{long}");
        }
    }

    #[test]
    fn numbers_are_those_of_go() {
        let cases = [
            ("0x1F", 31.0),
            ("1_000", 1000.0),
            ("0755", 493.0),
            ("08", 8.0),
            ("1e3", 1000.0),
            (".5", 0.5),
            ("2.", 2.0),
        ];
        for (text, expected) in cases {
            assert_eq!(number(text), Some(expected), "{text}");
        }
        assert_eq!(number("1__0"), None);
    }

    #[test]
    fn escapes_are_those_of_go() {
        assert_eq!(unquoted(r#"a\n\x41\u00e9\101\""#, '"').unwrap(), "a\nAéA\"");
        assert!(unquoted(r"\'", '"').is_err());
        assert_eq!(unquoted(r"a\xff", '"').unwrap().chars().last().and_then(stray_byte), Some(0xff));
    }
}
