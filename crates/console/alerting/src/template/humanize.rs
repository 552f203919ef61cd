//! Numbers as people read them, in Prometheus' ways.

use console_template::go::sprintf;
use console_template::{Functions, Opaque, Value};
use jiff::Timestamp;

/// Seconds or any number, whether it came as a number, as text, or as a length of time.
pub(super) fn number(value: Option<&Value>) -> Result<f64, String> {
    match value {
        Some(Value::Float(number)) => Ok(*number),
        #[expect(clippy::cast_precision_loss, reason = "what is read by people need not be exact beyond 2^53")]
        Some(Value::Int(number)) => Ok(*number as f64),
        Some(Value::Text(text)) => {
            float(text).ok_or_else(|| format!("strconv.ParseFloat: parsing {text:?}: invalid syntax"))
        }
        Some(Value::Opaque(opaque)) => match opaque.as_any().downcast_ref::<Seconds>() {
            Some(Seconds(seconds)) => Ok(*seconds),
            None => Err(format!("can't convert {} to float", opaque.type_name())),
        },
        other => Err(format!("can't convert {} to float", other.map_or("nothing", Value::type_name))),
    }
}

fn float(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn short(value: f64) -> String {
    sprintf("%.4g", &[Value::Float(value)])
}

fn is_plain(value: f64) -> bool {
    value == 0.0 || !value.is_finite()
}

pub(super) fn humanize(mut value: f64) -> String {
    if is_plain(value) {
        return short(value);
    }
    let mut prefix = "";
    if value.abs() >= 1.0 {
        for next in ["k", "M", "G", "T", "P", "E", "Z", "Y"] {
            if value.abs() < 1_000.0 {
                break;
            }
            (prefix, value) = (next, value / 1_000.0);
        }
    } else {
        (value, prefix) = small(value);
    }
    short(value) + prefix
}

/// Brings a number below 1 to 1 or more, with the prefix that says so.
fn small(mut value: f64) -> (f64, &'static str) {
    let mut prefix = "";
    for next in ["m", "u", "n", "p", "f", "a", "z", "y"] {
        if value.abs() >= 1.0 {
            break;
        }
        (prefix, value) = (next, value * 1_000.0);
    }
    (value, prefix)
}

pub(super) fn humanize_1024(mut value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return short(value);
    }
    let mut prefix = "";
    for next in ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"] {
        if value.abs() < 1_024.0 {
            break;
        }
        (prefix, value) = (next, value / 1_024.0);
    }
    short(value) + prefix
}

pub(super) fn humanize_duration(value: f64) -> String {
    if !value.is_finite() {
        return short(value);
    }
    if value == 0.0 {
        return short(value) + "s";
    }
    if value.abs() < 1.0 {
        let (value, prefix) = small(value);
        return format!("{}{prefix}s", short(value));
    }
    let (sign, positive) = if value < 0.0 { ("-", -value) } else { ("", value) };
    #[expect(clippy::cast_possible_truncation, reason = "the whole seconds are wanted, and the cast saturates")]
    let whole = positive as i64;
    let (seconds, minutes, hours, days) = (whole % 60, whole / 60 % 60, whole / 3_600 % 24, whole / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{}s", short(positive)),
        (0, 0, _) => format!("{sign}{minutes}m {seconds}s"),
        (0, _, _) => format!("{sign}{hours}h {minutes}m {seconds}s"),
        _ => format!("{sign}{days}d {hours}h {minutes}m {seconds}s"),
    }
}

pub(super) fn humanize_percentage(value: f64) -> String {
    short(value * 100.0) + "%"
}

/// A time, which is written as Go writes one.
#[derive(Debug)]
pub(super) struct Time(Timestamp);

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fraction = self.0.subsec_nanosecond().unsigned_abs();
        let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:09}") };
        write!(f, "{}{} +0000 UTC", self.0.strftime("%Y-%m-%d %H:%M:%S"), fraction.trim_end_matches('0'))
    }
}

impl Opaque for Time {
    fn type_name(&self) -> &'static str {
        "*time.Time"
    }

    fn method(&self, name: &str, _arguments: &[Value]) -> Option<Result<Value, String>> {
        let time = jiff::tz::TimeZone::UTC.to_datetime(self.0);
        let number = |number: i64| Some(Ok(Value::Int(number)));
        match name {
            "Unix" => number(self.0.as_second()),
            "UnixMilli" => number(self.0.as_millisecond()),
            "Year" => number(i64::from(time.year())),
            "Day" => number(i64::from(time.day())),
            "Hour" => number(i64::from(time.hour())),
            "Minute" => number(i64::from(time.minute())),
            "Second" => number(i64::from(time.second())),
            "String" => Some(Ok(Value::from(self.to_string()))),
            _ => None,
        }
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// A length of time, which is written as Go writes one.
#[derive(Debug)]
pub(super) struct Seconds(pub(super) f64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        #[expect(clippy::cast_possible_truncation, reason = "whole nanoseconds are wanted, and the cast saturates")]
        let nanoseconds = (self.0 * 1e9) as i64;
        f.write_str(&console_template::go::format_duration(nanoseconds))
    }
}

impl Opaque for Seconds {
    fn type_name(&self) -> &'static str {
        "*time.Duration"
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

pub(super) fn time(seconds: f64) -> Result<Time, String> {
    if !seconds.is_finite() {
        return Err(format!("{} cannot be converted to a time", short(seconds)));
    }
    #[expect(clippy::cast_possible_truncation, reason = "beyond the calendar is refused below")]
    let nanoseconds = (seconds * 1e9) as i128;
    Timestamp::from_nanosecond(nanoseconds).map(Time).map_err(|_| format!("{seconds} is beyond the calendar"))
}

pub(super) fn humanize_timestamp(seconds: f64) -> Result<String, String> {
    if !seconds.is_finite() {
        return Ok(short(seconds));
    }
    // Rounded to what a number of today can tell apart.
    time((seconds * 1e3).round() / 1e3).map(|time| time.to_string())
}

pub(super) fn add(functions: &mut Functions) {
    type Written = fn(f64) -> String;
    let written: [(&'static str, Written); 4] = [
        ("humanize", humanize),
        ("humanize1024", humanize_1024),
        ("humanizeDuration", humanize_duration),
        ("humanizePercentage", humanize_percentage),
    ];
    for (name, write) in written {
        functions.add(name, 1..=1, move |arguments, _| Ok(Value::from(write(number(arguments.first())?))));
    }
    functions.add("humanizeTimestamp", 1..=1, |arguments, _| {
        humanize_timestamp(number(arguments.first())?).map(Value::from)
    });
    functions
        .add("toTime", 1..=1, |arguments, _| Ok(Value::Opaque(std::sync::Arc::new(time(number(arguments.first())?)?))));
    functions.add("toDuration", 1..=1, |arguments, _| {
        Ok(Value::Opaque(std::sync::Arc::new(Seconds(number(arguments.first())?))))
    });
}
