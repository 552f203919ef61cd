//! Lengths of time as Go writes them, and with it Jaeger: `1.5ms`, `10s`, `2h45m`.

const UNITS: [(&str, u64); 8] = [
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

/// Nanoseconds, rounded down; `None` for anything else than numbers with units, and for more than 584 years.
/// Zero needs no unit. There is no negative length.
pub(super) fn parse(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let mut rest = text;
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let unit_ends = after.find(|character: char| character.is_ascii_digit() || character == '.');
        let (unit, after) = after.split_at_checked(unit_ends.unwrap_or(after.len()))?;
        let (_, unit_ns) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        total = total.checked_add(whole.checked_mul(*unit_ns)?)?.checked_add(part_of(fraction, *unit_ns))?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or(("", text))
}

/// How much of a unit the digits behind a point are. An hour has 13 digits of nanoseconds; more than 15 of a
/// fraction change nothing.
fn part_of(fraction: &str, unit_ns: u64) -> u64 {
    let (mut part, mut scale) = (0_u128, 1_u128);
    for digit in fraction.bytes().take(15) {
        part = part * 10 + u128::from(digit.saturating_sub(b'0'));
        scale *= 10;
    }
    u64::try_from(part * u128::from(unit_ns) / scale).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::parse;

    #[test]
    fn go_reads_the_same() {
        let read = [
            ("1.5ms", 1_500_000),
            ("10s", 10_000_000_000),
            ("2h45m", 9_900_000_000_000),
            ("1h2m3.000000004s", 3_723_000_000_004),
            ("100µs", 100_000),
            ("100μs", 100_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("0.3333333333333333333h", 1_199_999_999_999),
            ("0", 0),
            ("0s", 0),
            ("18446744073709551615ns", u64::MAX),
        ];
        for (text, expected) in read {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused_and_so_is_what_is_negative_or_endless() {
        for text in [
            "",
            "3",
            "-1s",
            "+1s",
            ".s",
            "1",
            "s",
            "1.5.5s",
            "1 s",
            "1d",
            "1S",
            "10s5",
            "18446744073709551616ns",
            "99999999999h",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,24}") {
            parse(&text);
        }

        #[test]
        fn whole_nanoseconds_come_back(hours in 0_u64..1_000, milliseconds in 0_u64..100_000, nanoseconds: u32) {
            let text = format!("{hours}h{milliseconds}ms{nanoseconds}ns");
            let expected = hours * 3_600_000_000_000 + milliseconds * 1_000_000 + u64::from(nanoseconds);
            prop_assert_eq!(parse(&text), Some(expected));
        }
    }
}
