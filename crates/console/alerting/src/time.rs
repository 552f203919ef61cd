//! Times as the APIs write them, from milliseconds since the Unix epoch. What "now" is, is a clock's to say.

use jiff::Timestamp;

/// The time that Go writes for none.
pub const ZERO: &str = "0001-01-01T00:00:00Z";
/// The same in milliseconds.
pub const ZERO_MS: i64 = -62_135_596_800_000;

/// `2026-11-29T20:00:00.5Z`: as Go writes times into JSON.
pub fn go(time_ms: i64) -> String {
    Timestamp::from_millisecond(time_ms).map_or_else(|_| ZERO.to_owned(), |time| time.to_string())
}

/// `2026-11-29T20:00:00.500Z`: as Alertmanager's API writes times.
pub fn exact(time_ms: i64) -> String {
    let written = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
    Timestamp::from_millisecond(time_ms).map_or_else(|_| ZERO.to_owned(), written)
}

/// Reads a time with its offset from UTC.
pub fn parse(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_apis_write_them_and_read_back() {
        assert_eq!(go(1_500), "1970-01-01T00:00:01.5Z");
        assert_eq!(go(1_000), "1970-01-01T00:00:01Z");
        assert_eq!(exact(1_000), "1970-01-01T00:00:01.000Z");
        assert_eq!(exact(1_500), "1970-01-01T00:00:01.500Z");
        assert_eq!((go(i64::MAX), exact(i64::MIN)), (ZERO.to_owned(), ZERO.to_owned()));
        assert_eq!(parse("1970-01-01T01:00:01.5+01:00"), Some(1_500));
        assert_eq!(parse(ZERO), Some(ZERO_MS));
        assert_eq!(parse("yesterday"), None);
    }
}
