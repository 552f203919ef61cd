//! Durations as people write them: `500ms`, `30s`, `5m`, `1h`, `1.5s`.

use std::time::Duration;

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a duration; right would be: 500ms, 30s, 5m or 1h")]
pub(crate) struct Error(String);

/// Reads a number with one of the units `us`, `ms`, `s`, `m`, `h`. A number without one is refused:
/// whoever writes `--duration 90` may mean either.
pub(crate) fn parse(text: &str) -> Result<Duration, Error> {
    let wrong = || Error(text.to_owned());
    let trimmed = text.trim();
    let unit_at = trimmed.find(|character: char| character.is_ascii_alphabetic()).ok_or_else(wrong)?;
    let (number, unit) = trimmed.split_at(unit_at);
    let seconds_per_unit = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return Err(wrong()),
    };
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    // Rounded: 0.3 ms is 300 µs, not the 299,999 ns that the product of the two floats may be.
    let nanoseconds = (number * seconds_per_unit * 1e9).round();
    if !(0.0..1e18).contains(&nanoseconds) {
        return Err(wrong());
    }
    Ok(Duration::from_nanos(nanoseconds as u64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn people_write_durations_in_many_ways() {
        for (text, ms) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("0s", 0),
            (" 3 s ", 3_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        assert_eq!(parse("0.3ms"), Ok(Duration::from_micros(300)));
    }

    #[test]
    fn a_wrong_one_is_explained() {
        for text in ["", "90", "s", "-1s", "1d", "NaNs", "1e30h", "infs", "10 seconds"] {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.contains("500ms"), "{message}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(us in 0_u64..1_000_000_000_000) {
            let duration = Duration::from_micros(us);
            prop_assert_eq!(parse(&format!("{us}us")), Ok(duration));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,20}") {
            let _ = parse(&text);
        }
    }
}
