//! Lengths of time as Go writes them, and with it Jaeger: `1.5ms`, `10s`, `2h45m`.

use console_template::go;

/// Nanoseconds, rounded down; `None` for anything else than numbers with units, and for more than 292 years. Zero
/// needs no unit. There is no negative length, and no sign.
pub(super) fn parse(text: &str) -> Option<u64> {
    if text.starts_with(['+', '-']) {
        return None;
    }
    go::parse_duration(text).ok().and_then(|duration_ns| u64::try_from(duration_ns).ok())
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
            ("9223372036854775807ns", i64::MAX as u64),
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
            "9223372036854775808ns",
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
