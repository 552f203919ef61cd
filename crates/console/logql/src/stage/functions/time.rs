//! Times in templates. The machine's own zone is not asked: where none is named it is UTC.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use console_template::{Functions, Opaque, Value, go};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use super::{Arguments, layout};

/// How Go writes a time that nobody formats.
const LAYOUT: &str = "2006-01-02 15:04:05.999999999 -0700 MST";

/// A time in a zone.
#[derive(Debug)]
pub(super) struct Moment(ZonedDateTime);

impl Moment {
    /// A time, nanoseconds since the Unix epoch.
    pub(super) fn value(time_ns: u64) -> Value {
        let timestamp = Timestamp::from_nanosecond(i128::from(time_ns)).unwrap_or(Timestamp::MAX);
        Self::of(timestamp.to_zoned_datetime(TimeZone::UTC))
    }

    fn of(zoned: ZonedDateTime) -> Value {
        Value::Opaque(Arc::new(Self(zoned)))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&layout::format(LAYOUT, &self.0))
    }
}

impl Opaque for Moment {
    fn type_name(&self) -> &'static str {
        "time.Time"
    }

    fn method(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        let number = |number: i64| Some(Ok(Value::Int(number)));
        let timestamp = self.0.timestamp();
        match (name, arguments) {
            ("Format", [Value::Text(format)]) => Some(Ok(Value::from(layout::format(format, &self.0)))),
            ("String", []) => Some(Ok(Value::from(self.to_string()))),
            ("UTC", []) => Some(Ok(Self::of(timestamp.to_zoned_datetime(TimeZone::UTC)))),
            ("Unix", []) => number(timestamp.as_second()),
            ("UnixMilli", []) => number(timestamp.as_millisecond()),
            ("UnixNano", []) => number(i64::try_from(timestamp.as_nanosecond()).unwrap_or(i64::MAX)),
            ("Year", []) => number(self.0.year().into()),
            ("Month", []) => Some(Ok(Value::from(layout::format("January", &self.0)))),
            ("Day", []) => number(self.0.day().into()),
            ("Hour", []) => number(self.0.hour().into()),
            ("Minute", []) => number(self.0.minute().into()),
            ("Second", []) => number(self.0.second().into()),
            ("Weekday", []) => Some(Ok(Value::from(layout::format("Monday", &self.0)))),
            _ => None,
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn zoned(value: &Value) -> Result<ZonedDateTime, String> {
    let seconds = |seconds: i64| {
        let timestamp = Timestamp::from_second(seconds).map_err(|_| format!("{seconds} s is no time"))?;
        Ok(timestamp.to_zoned_datetime(TimeZone::UTC))
    };
    match value {
        Value::Opaque(opaque) => match opaque.as_any().downcast_ref::<Moment>() {
            Some(moment) => Ok(moment.0.clone()),
            None => Err(format!("wrong type for value; expected time.Time; got {}", opaque.type_name())),
        },
        Value::Int(number) => seconds(*number),
        other => Err(format!("wrong type for value; expected time.Time; got {}", other.type_name())),
    }
}

fn zone(name: &str) -> Result<TimeZone, String> {
    match name {
        "" | "UTC" | "Local" => Ok(TimeZone::UTC),
        name => TimeZone::get(name).map_err(|_| format!("unknown time zone {name}")),
    }
}

/// A time of an epoch in days, seconds, milliseconds, microseconds or nanoseconds, told apart by their digits.
fn from_epoch(text: &str) -> Result<Value, String> {
    let number: i128 = text.trim().parse().map_err(|_| format!("unable to parse time '{text}': invalid syntax"))?;
    let nanoseconds = match text.trim().trim_start_matches('-').len() {
        5 => number * 86_400_000_000_000,
        10 => number * 1_000_000_000,
        13 => number * 1_000_000,
        16 => number * 1_000,
        19 => number,
        _ => return Err(format!("unable to parse time '{text}': it has 5, 10, 13, 16 or 19 digits")),
    };
    let timestamp = Timestamp::from_nanosecond(nanoseconds).map_err(|error| error.to_string())?;
    Ok(Moment::of(timestamp.to_zoned_datetime(TimeZone::UTC)))
}

pub(super) fn add(functions: &mut Functions) {
    functions.add("date", 2..=2, |arguments, _| {
        let arguments = Arguments(arguments);
        Ok(Value::from(layout::format(&arguments.text(0), &zoned(arguments.get(1))?)))
    });
    functions.add("toDate", 2..=2, |arguments, _| {
        let arguments = Arguments(arguments);
        layout::parse(&arguments.text(0), &arguments.text(1), TimeZone::UTC).map(Moment::of)
    });
    functions.add("toDateInZone", 3..=3, |arguments, _| {
        let arguments = Arguments(arguments);
        layout::parse(&arguments.text(0), &arguments.text(2), zone(&arguments.text(1))?).map(Moment::of)
    });
    type Epoch = (&'static str, fn(Timestamp) -> i128);
    let epochs: [Epoch; 3] = [
        ("unixEpoch", |time| time.as_second().into()),
        ("unixEpochMillis", |time| time.as_millisecond().into()),
        ("unixEpochNanos", Timestamp::as_nanosecond),
    ];
    for (name, epoch) in epochs {
        functions.add(name, 1..=1, move |arguments, _| {
            let zoned = zoned(Arguments(arguments).get(0))?;
            Ok(Value::from(epoch(zoned.timestamp()).to_string()))
        });
    }
    functions.add("unixToTime", 1..=1, |arguments, _| from_epoch(&Arguments(arguments).text(0)));
    for name in ["duration", "duration_seconds"] {
        functions.add(name, 1..=1, |arguments, _| {
            let duration = go::parse_duration(&Arguments(arguments).text(0))?;
            Ok(Value::Float(duration as f64 / 1e9))
        });
    }
}
