//! Texts of labels as numbers: durations and amounts of bytes, and back.

use std::fmt::Write;

use console_template::go;

/// Nanoseconds of a unit of Prometheus' durations that Go's do not have.
const LONG_UNITS: [(char, i64); 3] =
    [('d', 86_400_000_000_000), ('w', 7 * 86_400_000_000_000), ('y', 365 * 86_400_000_000_000)];

/// Nanoseconds of a duration as Go writes it, or as Prometheus does, with days, weeks and years.
pub(crate) fn parse_duration(text: &str) -> Result<i64, String> {
    match go::parse_duration(text) {
        Ok(duration) => Ok(duration),
        Err(told) => long_duration(text).ok_or(told),
    }
}

/// `1y2w3d4h`: the units that Go lacks come first.
fn long_duration(text: &str) -> Option<i64> {
    let mut total = 0_i64;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let unit = rest.get(end..)?.chars().next()?;
        let Some((_, scale)) = LONG_UNITS.iter().find(|(name, _)| *name == unit) else {
            return total.checked_add(go::parse_duration(rest).ok()?);
        };
        let number: f64 = rest.get(..end)?.parse().ok()?;
        let part = number * *scale as f64;
        if !(0.0..9.2e18).contains(&part) {
            return None;
        }
        total = total.checked_add(part as i64)?;
        rest = rest.get(end + 1..)?;
    }
    (!text.is_empty()).then_some(total)
}

/// A duration of a query as Prometheus writes it: `1h30m`.
pub(crate) fn format_duration(duration_ns: i64) -> String {
    let mut out = String::new();
    let mut rest = duration_ns.unsigned_abs();
    if duration_ns < 0 {
        out.push('-');
    }
    if rest == 0 {
        return "0s".to_owned();
    }
    const UNITS: [(&str, u64); 7] = [
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
        ("ns", 1),
    ];
    // A whole number of days reads better so.
    if rest.is_multiple_of(86_400_000_000_000) {
        let _ = write!(out, "{}d", rest / 86_400_000_000_000);
        return out;
    }
    for (name, scale) in UNITS {
        if rest >= scale {
            let _ = write!(out, "{}{name}", rest / scale);
            rest %= scale;
        }
    }
    out
}

/// Units of bytes; those with an i count in 1,024. Without a unit, and with a letter alone, as people write.
const BYTE_UNITS: [(&str, u64); 21] = [
    ("", 1),
    ("b", 1),
    ("k", 1_000),
    ("kb", 1_000),
    ("ki", 1 << 10),
    ("kib", 1 << 10),
    ("m", 1_000_000),
    ("mb", 1_000_000),
    ("mi", 1 << 20),
    ("mib", 1 << 20),
    ("g", 1_000_000_000),
    ("gb", 1_000_000_000),
    ("gi", 1 << 30),
    ("gib", 1 << 30),
    ("t", 1_000_000_000_000),
    ("tb", 1_000_000_000_000),
    ("ti", 1 << 40),
    ("tib", 1 << 40),
    ("p", 1_000_000_000_000_000),
    ("pb", 1_000_000_000_000_000),
    ("pib", 1 << 50),
];

/// An amount of bytes: `42MB`, `1.5 KiB`, `3k`.
pub(crate) fn parse_bytes(text: &str) -> Result<u64, String> {
    let is_digit = |character: char| character.is_ascii_digit() || matches!(character, '.' | ',');
    let end = text.find(|character| !is_digit(character)).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end).unwrap_or((text, ""));
    let invalid = || format!("strconv.ParseFloat: parsing {}: invalid syntax", go::quote(digits));
    let number: f64 = digits.replace(',', "").parse().map_err(|_| invalid())?;
    let unit = unit.trim().to_ascii_lowercase();
    let Some((_, scale)) = BYTE_UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(format!("unhandled size name: {unit}"));
    };
    let bytes = number * *scale as f64;
    if !(0.0..1.8e19).contains(&bytes) {
        return Err(format!("too large: {text}"));
    }
    Ok(bytes as u64)
}

/// An amount of bytes of a query, in the largest unit that leaves it whole.
pub(crate) fn format_bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 8] = [
        ("TiB", 1 << 40),
        ("TB", 1_000_000_000_000),
        ("GiB", 1 << 30),
        ("GB", 1_000_000_000),
        ("MiB", 1 << 20),
        ("MB", 1_000_000),
        ("KiB", 1 << 10),
        ("kB", 1_000),
    ];
    let whole = UNITS.iter().find(|(_, scale)| bytes >= *scale && bytes.is_multiple_of(*scale));
    whole.map_or_else(|| format!("{bytes}B"), |(name, scale)| format!("{}{name}", bytes / scale))
}

/// A number of a label, as Go reads it.
pub(crate) fn parse_number(text: &str) -> Result<f64, String> {
    let invalid = || format!("strconv.ParseFloat: parsing {}: invalid syntax", go::quote(text));
    text.parse().map_err(|_| invalid())
}

/// A number as Go writes it in answers: never with an exponent.
pub fn format_number(number: f64) -> String {
    go::format_float(number, 'f', None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_those_of_go_and_of_prometheus() {
        let second = 1_000_000_000;
        let cases = [("5m", 300 * second), ("1h30m", 5_400 * second), ("1.5s", 1_500_000_000), ("1d", 86_400 * second)];
        for (text, expected) in cases {
            assert_eq!(parse_duration(text), Ok(expected), "{text}");
        }
        assert_eq!(parse_duration("1w2d3h"), Ok((9 * 86_400 + 3 * 3_600) * second));
        assert!(parse_duration("5").is_err() && parse_duration("5q").is_err() && parse_duration("999999y").is_err());
        assert_eq!([5_400 * second, 86_400 * second, 1_500_000_000].map(format_duration), ["1h30m", "1d", "1s500ms"]);
    }

    #[test]
    fn bytes_are_read_in_tens_and_twos() {
        let cases = [("42MB", 42_000_000), ("1.5KiB", 1_536), ("20B", 20), ("3k", 3_000), ("1G", 1_000_000_000)];
        for (text, expected) in cases {
            assert_eq!(parse_bytes(text), Ok(expected), "{text}");
        }
        assert_eq!(parse_bytes("5 MiB"), Ok(5 << 20));
        assert!(parse_bytes("fast").is_err() && parse_bytes("5 miles").is_err());
        assert_eq!([20_000_000, 1_536, 5 << 20].map(format_bytes), ["20MB", "1536B", "5MiB"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,24}") {
            let _ = (parse_duration(&text), parse_bytes(&text), parse_number(&text));
        }

        #[test]
        fn what_a_query_says_comes_back(duration in 0_i64..i64::MAX, bytes in 0_u64..1 << 53) {
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
            prop_assert_eq!(parse_bytes(&format_bytes(bytes)), Ok(bytes));
        }
    }
}
