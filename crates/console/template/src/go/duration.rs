//! `time.Duration` as text: `1h15m30.918s`.

use std::fmt::Write;

const UNITS: [(&str, i128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    // Both characters that Unicode has for micro.
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Nanoseconds, as `time.ParseDuration` reads them; the error has its words.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", super::quote(text));
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if unsigned == "0" {
        return Ok(0);
    }
    let mut rest = unsigned;
    let mut total = 0_i128;
    if rest.is_empty() {
        return Err(invalid());
    }
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let end = after.find(|character: char| character.is_ascii_digit() || character == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end).unwrap_or((after, ""));
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", super::quote(text)));
        }
        let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("time: unknown unit {} in duration {}", super::quote(unit), super::quote(text)));
        };
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
        total = whole.checked_mul(*scale).and_then(|part| total.checked_add(part)).ok_or_else(invalid)?;
        // More than 18 digits of an hour change nothing.
        let (mut part, mut divisor) = (0_i128, 1_i128);
        for digit in fraction.bytes().take(18) {
            part = part * 10 + i128::from(digit.saturating_sub(b'0'));
            divisor *= 10;
        }
        total = total.checked_add(part * scale / divisor).ok_or_else(invalid)?;
        rest = after;
    }
    i64::try_from(if is_negative { -total } else { total }).map_err(|_| invalid())
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or(("", text))
}

/// Nanoseconds as `time.Duration.String` writes them.
pub fn format_duration(duration_ns: i64) -> String {
    let magnitude = duration_ns.unsigned_abs();
    let mut out = String::new();
    if duration_ns < 0 {
        out.push('-');
    }
    if magnitude == 0 {
        return "0s".to_owned();
    }
    if magnitude < 1_000_000_000 {
        let (unit, scale) = match magnitude {
            0..1_000 => ("ns", 1),
            1_000..1_000_000 => ("µs", 1_000),
            _ => ("ms", 1_000_000),
        };
        write_fraction(&mut out, magnitude, scale);
        out.push_str(unit);
        return out;
    }
    let (seconds, rest) = (magnitude / 1_000_000_000, magnitude % 1_000_000_000);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    if hours > 0 {
        let _ = write!(out, "{hours}h");
    }
    if hours > 0 || minutes > 0 {
        let _ = write!(out, "{minutes}m");
    }
    write_fraction(&mut out, seconds % 60 * 1_000_000_000 + rest, 1_000_000_000);
    out.push('s');
    out
}

fn write_fraction(out: &mut String, value: u64, scale: u64) {
    let _ = write!(out, "{}", value / scale);
    let rest = value % scale;
    if rest > 0 {
        let width = scale.ilog10() as usize;
        let digits = format!("{rest:0width$}");
        let _ = write!(out, ".{}", digits.trim_end_matches('0'));
    }
}
