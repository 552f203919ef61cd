//! Times as Go writes and reads them, by an example of the time 2006-01-02 15:04:05.
//! <https://pkg.go.dev/time#pkg-constants>

use std::fmt::Write;

use jiff::civil;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, ZonedDateTime};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    Literal(&'a str),
    Year,
    YearOfCentury,
    Month,
    MonthShort,
    MonthNumber {
        padded: bool,
    },
    Weekday,
    WeekdayShort,
    Day {
        fill: Option<char>,
    },
    DayOfYear,
    Hour,
    HourOfHalf {
        padded: bool,
    },
    Minute {
        padded: bool,
    },
    Second {
        padded: bool,
    },
    Half {
        upper: bool,
    },
    Zone,
    /// Whether UTC is `Z`, whether there are colons, whether minutes are there.
    Offset {
        zulu: bool,
        colon: bool,
        minutes: bool,
    },
    /// Digits, and whether zeros at the end are left out.
    Fraction {
        mark: char,
        digits: usize,
        trimmed: bool,
    },
}

/// Words of a layout, the longer before those that they begin with.
const WORDS: [(&str, Part<'static>); 29] = [
    ("January", Part::Month),
    ("Jan", Part::MonthShort),
    ("Monday", Part::Weekday),
    ("Mon", Part::WeekdayShort),
    ("MST", Part::Zone),
    ("2006", Part::Year),
    ("-07:00", Part::Offset { zulu: false, colon: true, minutes: true }),
    ("-0700", Part::Offset { zulu: false, colon: false, minutes: true }),
    ("-07", Part::Offset { zulu: false, colon: false, minutes: false }),
    ("Z07:00", Part::Offset { zulu: true, colon: true, minutes: true }),
    ("Z0700", Part::Offset { zulu: true, colon: false, minutes: true }),
    ("Z07", Part::Offset { zulu: true, colon: false, minutes: false }),
    ("002", Part::DayOfYear),
    ("01", Part::MonthNumber { padded: true }),
    ("02", Part::Day { fill: Some('0') }),
    ("03", Part::HourOfHalf { padded: true }),
    ("04", Part::Minute { padded: true }),
    ("05", Part::Second { padded: true }),
    ("06", Part::YearOfCentury),
    ("15", Part::Hour),
    ("PM", Part::Half { upper: true }),
    ("pm", Part::Half { upper: false }),
    ("__2", Part::Day { fill: Some(' ') }),
    ("_2", Part::Day { fill: Some(' ') }),
    ("1", Part::MonthNumber { padded: false }),
    ("2", Part::Day { fill: None }),
    ("3", Part::HourOfHalf { padded: false }),
    ("4", Part::Minute { padded: false }),
    ("5", Part::Second { padded: false }),
];

fn parts(layout: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = layout;
    let mut literal_from = layout;
    while let Some(first) = rest.chars().next() {
        let (part, length) = match fraction(rest) {
            Some(found) => found,
            None => match WORDS.iter().find(|(word, _)| rest.starts_with(word)) {
                // An underscore before a year is but that.
                Some((word, part)) if !rest.starts_with("_2006") => (*part, word.len()),
                _ => {
                    rest = rest.get(first.len_utf8()..).unwrap_or_default();
                    continue;
                }
            },
        };
        let before = literal_from.get(..literal_from.len() - rest.len()).unwrap_or_default();
        if !before.is_empty() {
            parts.push(Part::Literal(before));
        }
        parts.push(part);
        rest = rest.get(length..).unwrap_or_default();
        literal_from = rest;
    }
    if !literal_from.is_empty() {
        parts.push(Part::Literal(literal_from));
    }
    parts
}

/// `.000` or `,999`, with nothing but what is no digit behind it.
fn fraction(text: &str) -> Option<(Part<'static>, usize)> {
    let mark = text.chars().next().filter(|mark| matches!(mark, '.' | ','))?;
    let digit = text.chars().nth(1).filter(|digit| matches!(digit, '0' | '9'))?;
    let digits = text.chars().skip(1).take_while(|found| *found == digit).count();
    if digits > 9 || text.chars().nth(digits + 1).is_some_and(|next| next.is_ascii_digit()) {
        return None;
    }
    Some((Part::Fraction { mark, digits, trimmed: digit == '9' }, digits + 1))
}

/// The time by this example.
pub(super) fn format(layout: &str, time: &ZonedDateTime) -> String {
    let mut out = String::new();
    for part in parts(layout) {
        write(&mut out, part, time);
    }
    out
}

fn write(out: &mut String, part: Part<'_>, time: &ZonedDateTime) {
    let month = MONTHS.get(usize::try_from(time.month() - 1).unwrap_or(0)).copied().unwrap_or_default();
    let weekday = usize::try_from(time.weekday().to_monday_zero_offset()).unwrap_or(0);
    let weekday = DAYS.get(weekday).copied().unwrap_or_default();
    let hour_of_half = (time.hour() + 11) % 12 + 1;
    let _ = match part {
        Part::Literal(text) => out.write_str(text),
        Part::Year => write!(out, "{:04}", time.year()),
        Part::YearOfCentury => write!(out, "{:02}", time.year().rem_euclid(100)),
        Part::Month => out.write_str(month),
        Part::MonthShort => out.write_str(month.get(..3).unwrap_or(month)),
        Part::MonthNumber { padded: true } => write!(out, "{:02}", time.month()),
        Part::MonthNumber { padded: false } => write!(out, "{}", time.month()),
        Part::Weekday => out.write_str(weekday),
        Part::WeekdayShort => out.write_str(weekday.get(..3).unwrap_or(weekday)),
        Part::Day { fill: None } => write!(out, "{}", time.day()),
        Part::Day { fill: Some('0') } => write!(out, "{:02}", time.day()),
        Part::Day { fill: Some(_) } => write!(out, "{:2}", time.day()),
        Part::DayOfYear => write!(out, "{:03}", time.day_of_year()),
        Part::Hour => write!(out, "{:02}", time.hour()),
        Part::HourOfHalf { padded: true } => write!(out, "{hour_of_half:02}"),
        Part::HourOfHalf { padded: false } => write!(out, "{hour_of_half}"),
        Part::Minute { padded: true } => write!(out, "{:02}", time.minute()),
        Part::Minute { padded: false } => write!(out, "{}", time.minute()),
        Part::Second { padded: true } => write!(out, "{:02}", time.second()),
        Part::Second { padded: false } => write!(out, "{}", time.second()),
        Part::Half { upper } => out.write_str(match (time.hour() >= 12, upper) {
            (true, true) => "PM",
            (true, false) => "pm",
            (false, true) => "AM",
            (false, false) => "am",
        }),
        Part::Zone => write!(out, "{}", time.strftime("%Z")),
        Part::Offset { zulu, colon, minutes } => {
            let seconds = time.offset().seconds();
            if zulu && seconds == 0 {
                out.write_str("Z")
            } else {
                let sign = if seconds < 0 { '-' } else { '+' };
                let (hours, rest) = (seconds.abs() / 3_600, seconds.abs() / 60 % 60);
                let colon = if colon { ":" } else { "" };
                if minutes { write!(out, "{sign}{hours:02}{colon}{rest:02}") } else { write!(out, "{sign}{hours:02}") }
            }
        }
        Part::Fraction { mark, digits, trimmed } => {
            let whole = format!("{:09}", time.subsec_nanosecond());
            let shown = whole.get(..digits).unwrap_or(&whole);
            let shown = if trimmed { shown.trim_end_matches('0') } else { shown };
            if shown.is_empty() { Ok(()) } else { write!(out, "{mark}{shown}") }
        }
    };
}

/// What has been read of a time.
#[derive(Debug)]
struct Read {
    year: i16,
    month: i8,
    day: i8,
    day_of_year: Option<i16>,
    hour: i8,
    half: Option<bool>,
    minute: i8,
    second: i8,
    nanosecond: i32,
    offset: Option<Offset>,
}

/// The time that a text says by this example, in this zone unless it names another.
pub(super) fn parse(layout: &str, text: &str, zone: TimeZone) -> Result<ZonedDateTime, String> {
    let wrong = || format!("parsing time {text:?} as {layout:?}: it does not look like that");
    let mut read = Read {
        year: 0,
        month: 1,
        day: 1,
        day_of_year: None,
        hour: 0,
        half: None,
        minute: 0,
        second: 0,
        nanosecond: 0,
        offset: None,
    };
    let mut rest = text;
    let all = parts(layout);
    for (at, part) in all.iter().enumerate() {
        rest = read_part(&mut read, *part, rest).ok_or_else(wrong)?;
        // A fraction may stand behind seconds where the example has none.
        let told = matches!(all.get(at + 1), Some(Part::Fraction { .. }));
        if matches!(part, Part::Second { .. }) && !told && rest.starts_with(['.', ',']) {
            rest = read_fraction(&mut read, rest).unwrap_or(rest);
        }
    }
    if !rest.is_empty() {
        return Err(wrong());
    }
    let hour = match read.half {
        Some(is_second) => read.hour % 12 + if is_second { 12 } else { 0 },
        None => read.hour,
    };
    let mut date = civil::Date::new(read.year, read.month, read.day).map_err(|_| wrong())?;
    if let Some(day) = read.day_of_year {
        let first = civil::Date::new(read.year, 1, 1).map_err(|_| wrong())?;
        date = first.checked_add(Span::new().try_days(day - 1).map_err(|_| wrong())?).map_err(|_| wrong())?;
    }
    let time = civil::Time::new(hour, read.minute, read.second, read.nanosecond).map_err(|_| wrong())?;
    let zone =
        read.offset.map_or(zone, |offset| if offset == Offset::UTC { TimeZone::UTC } else { offset.to_time_zone() });
    date.to_datetime(time).to_zoned_datetime(zone).map_err(|_| wrong())
}

fn digits(text: &str, least: usize, most: usize) -> Option<(i32, &str)> {
    let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (digits, behind) = text.split_at_checked(length).filter(|_| length >= least)?;
    Some((digits.parse().ok()?, behind))
}

fn read_fraction<'t>(read: &mut Read, text: &'t str) -> Option<&'t str> {
    let inner = text.strip_prefix(['.', ','])?;
    let length = inner.bytes().take_while(u8::is_ascii_digit).count();
    let (shown, behind) = inner.split_at_checked(length).filter(|_| length > 0)?;
    let nine: String = shown.chars().chain("000000000".chars()).take(9).collect();
    read.nanosecond = nine.parse().ok()?;
    Some(behind)
}

fn read_part<'t>(read: &mut Read, part: Part<'_>, text: &'t str) -> Option<&'t str> {
    let small = |number: i32| i8::try_from(number).ok();
    let name = |names: &[&str], length: Option<usize>| {
        names.iter().enumerate().find_map(|(at, name)| {
            let name = length.map_or(*name, |length| name.get(..length).unwrap_or(name));
            let head = text.get(..name.len())?;
            head.eq_ignore_ascii_case(name).then(|| (at, text.get(name.len()..).unwrap_or_default()))
        })
    };
    let number = |least: usize| digits(text, least, 2);
    Some(match part {
        Part::Literal(literal) => text.strip_prefix(literal)?,
        Part::Year => {
            let (year, behind) = digits(text, 4, 4)?;
            read.year = i16::try_from(year).ok()?;
            behind
        }
        Part::YearOfCentury => {
            let (year, behind) = digits(text, 2, 2)?;
            read.year = i16::try_from(year + if year >= 69 { 1_900 } else { 2_000 }).ok()?;
            behind
        }
        Part::Month | Part::MonthShort => {
            let (at, behind) = name(&MONTHS, (part == Part::MonthShort).then_some(3))?;
            read.month = i8::try_from(at + 1).ok()?;
            behind
        }
        Part::Weekday | Part::WeekdayShort => name(&DAYS, (part == Part::WeekdayShort).then_some(3))?.1,
        Part::MonthNumber { padded } => {
            let (month, behind) = number(1 + usize::from(padded))?;
            read.month = small(month)?;
            behind
        }
        Part::Day { fill } => {
            let text = if fill == Some(' ') { text.trim_start_matches(' ') } else { text };
            let (day, behind) = digits(text, 1 + usize::from(fill == Some('0')), 2)?;
            read.day = small(day)?;
            behind
        }
        Part::DayOfYear => {
            let (day, behind) = digits(text, 3, 3)?;
            read.day_of_year = Some(i16::try_from(day).ok()?);
            behind
        }
        Part::Hour => {
            let (hour, behind) = number(2)?;
            read.hour = small(hour)?;
            behind
        }
        Part::HourOfHalf { padded } => {
            let (hour, behind) = number(1 + usize::from(padded))?;
            read.hour = small(hour)?;
            behind
        }
        Part::Minute { padded } => {
            let (minute, behind) = number(1 + usize::from(padded))?;
            read.minute = small(minute)?;
            behind
        }
        Part::Second { padded } => {
            let (second, behind) = number(1 + usize::from(padded))?;
            read.second = small(second)?;
            behind
        }
        Part::Half { .. } => {
            let (at, behind) = name(&["AM", "PM"], None)?;
            read.half = Some(at == 1);
            behind
        }
        Part::Zone => {
            let length = text.bytes().take_while(u8::is_ascii_uppercase).count();
            let (zone, behind) = text.split_at_checked(length).filter(|_| (3..=5).contains(&length))?;
            if zone == "UTC" {
                read.offset.get_or_insert(Offset::UTC);
            }
            behind
        }
        Part::Offset { zulu, colon, minutes } => {
            if let Some(behind) = text.strip_prefix('Z').filter(|_| zulu) {
                read.offset = Some(Offset::UTC);
                return Some(behind);
            }
            let sign = if text.starts_with('-') { -1 } else { 1 };
            let (hours, mut behind) = digits(text.strip_prefix(['+', '-'])?, 2, 2)?;
            let mut seconds = hours * 3_600;
            if minutes {
                let inner = if colon { behind.strip_prefix(':')? } else { behind };
                let (more, after) = digits(inner, 2, 2)?;
                seconds += more * 60;
                behind = after;
            }
            read.offset = Some(Offset::from_seconds(sign * seconds).ok()?);
            behind
        }
        // Where zeros are left out, the point may be as well.
        Part::Fraction { trimmed: true, .. } => read_fraction(read, text).unwrap_or(text),
        Part::Fraction { digits: wanted, .. } => {
            let behind = read_fraction(read, text)?;
            (text.len() - behind.len() == wanted + 1).then_some(behind)?
        }
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> ZonedDateTime {
        text.parse::<Timestamp>().unwrap().to_zoned_datetime(TimeZone::UTC)
    }

    #[test]
    fn times_are_written_as_go_writes_them() {
        let time = at("2021-06-07T09:04:05.0123Z");
        let cases = [
            ("2006-01-02", "2021-06-07"),
            ("2006-01-02T15:04:05.00Z-07:00", "2021-06-07T09:04:05.01Z+00:00"),
            ("2006-01-02T15:04:05Z07:00", "2021-06-07T09:04:05Z"),
            ("Mon Jan _2 3:04:05PM 06", "Mon Jun  7 9:04:05AM 21"),
            ("Monday, January 2 2006 15.04 MST", "Monday, June 7 2021 09.04 UTC"),
            ("002 05.000 05.999999", "158 05.012 05.0123"),
            ("1/2 3h 4m -0700", "6/7 9h 4m +0000"),
        ];
        for (layout, expected) in cases {
            assert_eq!(format(layout, &time), expected, "{layout}");
        }
    }

    #[test]
    fn times_are_read_as_go_reads_them() {
        let cases = [
            ("2006-01-02", "2021-11-02", "2021-11-02T00:00:00Z"),
            ("2006-01-02T15:04:05.999999999Z", "2021-11-02T01:02:03.25Z", "2021-11-02T01:02:03.25Z"),
            ("2006-01-02T15:04:05Z07:00", "2021-11-02T01:02:03.5+02:00", "2021-11-01T23:02:03.5Z"),
            ("Jan 2, 2006 at 3:04pm (MST)", "Feb 3, 2013 at 7:54pm (PST)", "2013-02-03T19:54:00Z"),
            ("02/Jan/2006:15:04:05 -0700", "10/Jun/2021:09:14:29 +0000", "2021-06-10T09:14:29Z"),
            ("2006 002", "2021 158", "2021-06-07T00:00:00Z"),
        ];
        for (layout, text, expected) in cases {
            let read = parse(layout, text, TimeZone::UTC).unwrap();
            assert_eq!(read.timestamp(), at(expected).timestamp(), "{layout}");
        }
        for (layout, text) in [("2006-01-02", "2021-13-02"), ("2006", "x"), ("15:04", "9:04"), ("2006", "2021x")] {
            assert!(parse(layout, text, TimeZone::UTC).is_err(), "{layout}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0_i64..4_000_000_000, nanoseconds in 0_i32..1_000_000_000) {
            let time = Timestamp::new(seconds, nanoseconds).unwrap().to_zoned_datetime(TimeZone::UTC);
            for layout in ["2006-01-02T15:04:05.000000000Z07:00", "Mon, 02 Jan 2006 03:04:05.999999999 PM -0700"] {
                let back = parse(layout, &format(layout, &time), TimeZone::UTC).unwrap();
                prop_assert_eq!(back.timestamp(), time.timestamp());
            }
        }

        #[test]
        fn no_layout_makes_it_panic(layout in "[0-9A-Za-z_:.,+ -]{0,24}", text in ".{0,24}") {
            let _ = parse(&layout, &text, TimeZone::UTC);
            let _ = format(&layout, &at("2021-06-07T09:04:05Z"));
        }
    }
}
