//! Times as log lines have them. Which part of a line is one is the formats' business.

use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Nanoseconds of a time and how many bytes of the text it takes.
type Found = (u64, usize);

/// A number since 1970, in seconds, milliseconds, microseconds or nanoseconds: which of them, its size tells,
/// for all dates from 1973 to 5138.
pub(super) fn from_number(number: f64) -> Option<u64> {
    let scale = match number {
        _ if !(1e8..1e20).contains(&number) => return None,
        _ if number < 1e11 => 1e9,
        _ if number < 1e14 => 1e6,
        _ if number < 1e17 => 1e3,
        _ => 1.0,
    };
    let nanos = number * scale;
    (nanos < 1.8e19).then_some(nanos as u64)
}

/// As [`from_number`], exact.
pub(super) fn from_integer(number: i64) -> Option<u64> {
    let scale = match number {
        ..=99_999_999 => return None,
        100_000_000..=99_999_999_999 => 1_000_000_000,
        100_000_000_000..=99_999_999_999_999 => 1_000_000,
        100_000_000_000_000..=99_999_999_999_999_999 => 1_000,
        100_000_000_000_000_000.. => 1,
    };
    number.unsigned_abs().checked_mul(scale)
}

/// A text that is a time as a whole.
pub(super) fn from_text(text: &str) -> Option<u64> {
    let text = text.trim_ascii();
    if let Some((time_ns, length)) = at_start(text, 0) {
        return (length == text.len()).then_some(time_ns);
    }
    if let Ok(number) = text.parse::<i64>() {
        return from_integer(number);
    }
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    // Seconds with their fraction: digit by digit, for a double has no room for nanoseconds of today.
    let (whole, fraction) = text.split_once('.').filter(|_| is_decimal)?;
    let seconds = from_integer(whole.parse().ok()?)?;
    if whole.len() > 11 {
        return from_number(text.parse().ok()?);
    }
    seconds.checked_add(fraction_ns(fraction)?)
}

/// A time at the start of a text: RFC 3339, with a space or a slash too, or that of syslog, whose year is that
/// of the arrival.
pub(super) fn at_start(text: &str, arrival_ns: u64) -> Option<Found> {
    if text.as_bytes().first()?.is_ascii_digit() { dated(text) } else { syslog(text, arrival_ns) }
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn digits(&mut self, count: usize) -> Option<i32> {
        let digits = self.text.get(self.at..self.at + count)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.at += count;
        digits.parse().ok()
    }

    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let byte = *self.text.as_bytes().get(self.at)?;
        self.at += usize::from(bytes.contains(&byte));
        bytes.contains(&byte).then_some(byte)
    }

    fn fraction(&mut self) -> u64 {
        let digits = self.text.get(self.at + 1..).unwrap_or_default();
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        let is_fraction = matches!(self.text.as_bytes().get(self.at), Some(b'.' | b','));
        match fraction_ns(digits.get(..count).unwrap_or_default()) {
            Some(nanos) if is_fraction && count > 0 => {
                self.at += 1 + count;
                nanos
            }
            _ => 0,
        }
    }

    fn time(&mut self) -> Option<(i32, i32, i32)> {
        let hour = self.digits(2)?;
        self.one_of(b":")?;
        let minute = self.digits(2)?;
        self.one_of(b":")?;
        Some((hour, minute, self.digits(2)?))
    }

    /// Seconds east of Greenwich; without an offset, none.
    fn offset(&mut self) -> i32 {
        let start = self.at;
        if self.one_of(b"Zz").is_some() {
            return 0;
        }
        // Python and others put a space before it.
        let _ = self.one_of(b" ");
        let read = (|| {
            let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
            let hours = self.digits(2)?;
            let _ = self.one_of(b":");
            Some(sign * (hours * 3_600 + self.digits(2)? * 60))
        })();
        if read.is_none() {
            self.at = start;
        }
        read.unwrap_or(0)
    }
}

fn fraction_ns(digits: &str) -> Option<u64> {
    if digits.is_empty() {
        return Some(0);
    }
    let digits = digits.get(..digits.len().min(9))?;
    let number: u64 = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()?;
    Some(number * 10_u64.pow(9 - u32::try_from(digits.len()).ok()?))
}

fn dated(text: &str) -> Option<Found> {
    let mut scan = Scan { text, at: 0 };
    let year = scan.digits(4)?;
    let separator = scan.one_of(b"-/")?;
    let month = scan.digits(2)?;
    scan.one_of(&[separator])?;
    let day = scan.digits(2)?;
    scan.one_of(b"Tt _")?;
    let (hour, minute, second) = scan.time()?;
    let fraction = scan.fraction();
    let offset = scan.offset();
    let time_ns = instant([year, month, day, hour, minute, second], offset)?.checked_add(fraction)?;
    Some((time_ns, scan.at))
}

fn syslog(text: &str, arrival_ns: u64) -> Option<Found> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let name = text.get(..3)?;
    let month = MONTHS.iter().position(|month| *month == name)?;
    let mut scan = Scan { text, at: 3 };
    scan.one_of(b" ")?;
    let day = if scan.one_of(b" ").is_some() { scan.digits(1)? } else { scan.digits(2).or_else(|| scan.digits(1))? };
    scan.one_of(b" ")?;
    let (hour, minute, second) = scan.time()?;
    let fraction = scan.fraction();
    let arrival = jiff::Timestamp::from_nanosecond(i128::from(arrival_ns)).ok()?;
    let year = i32::from(Offset::UTC.to_datetime(arrival).year());
    let month = i32::try_from(month).ok()? + 1;
    let in_year = |year| instant([year, month, day, hour, minute, second], 0);
    // In January, a line of December is of the year before.
    let day_ns = 86_400_000_000_000;
    let time_ns = in_year(year).filter(|time_ns| *time_ns <= arrival_ns.saturating_add(day_ns));
    let time_ns = time_ns.or_else(|| in_year(year - 1))?.checked_add(fraction)?;
    Some((time_ns, scan.at))
}

fn instant(parts: [i32; 6], offset_seconds: i32) -> Option<u64> {
    let [year, month, day, hour, minute, second] = parts;
    let small = |number: i32| i8::try_from(number).ok();
    let (year, second) = (i16::try_from(year).ok()?, second.min(59));
    let at = DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    let offset = Offset::from_seconds(offset_seconds).ok()?;
    u64::try_from(offset.to_timestamp(at).ok()?.as_nanosecond()).ok()
}
