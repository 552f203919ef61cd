//! Parameters of Loki's API, from the address or from a form, and the times, durations and numbers in them.
//! What they are asked for is the handlers' business.

use axum::extract::{FromRequest, Request};
use axum::http::{Method, StatusCode, Uri, header};
use console_logql::parse_duration;
use http_body_util::{BodyExt, Limited};
use jiff::Timestamp;

use super::answer::Refusal;

/// Bytes of a form.
const FORM_BYTES_MAX: usize = 256 * 1024;
const HOUR_NS: u64 = 3_600_000_000_000;
const SECOND_NS: i64 = 1_000_000_000;
/// Points of a range query where no step is named.
const POINTS_DEFAULT: i64 = 250;

/// The parameters of a request, those of the address first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Parameters {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let mut pairs = Vec::new();
        decode(request.uri().query().unwrap_or_default().as_bytes(), &mut pairs);
        let is_form = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
        if request.method() == Method::POST && is_form {
            let body = Limited::new(request.into_body(), FORM_BYTES_MAX).collect().await;
            let told = format!("the form has more than {FORM_BYTES_MAX} bytes, or did not come whole");
            let body = body.map_err(|_| Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, told))?;
            decode(&body.to_bytes(), &mut pairs);
        }
        Ok(Self(pairs))
    }
}

/// Reads pairs as addresses and forms have them.
fn decode(text: &[u8], pairs: &mut Vec<(String, String)>) {
    for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        let mut part = || unescape(parts.next().unwrap_or_default());
        pairs.push((part(), part()));
    }
}

fn unescape(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                match (digit(ahead.next()), digit(ahead.next())) {
                    (Some(high), Some(low)) => {
                        bytes.push(u8::try_from(high << 4 | low).unwrap_or(b'?'));
                        rest = ahead;
                    }
                    _ => bytes.push(b'%'),
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A time from which to which: nanoseconds since the Unix epoch, the end no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) from_ns: u64,
    pub(super) to_ns: u64,
}

impl Parameters {
    /// Those of an address alone.
    pub(super) fn of_uri(uri: &Uri) -> Self {
        let mut pairs = Vec::new();
        decode(uri.query().unwrap_or_default().as_bytes(), &mut pairs);
        Self(pairs)
    }

    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        let mut pairs = Vec::new();
        decode(text.as_bytes(), &mut pairs);
        Self(pairs)
    }

    /// The first value of a name, unless it is empty.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        let first = self.0.iter().find(|(candidate, _)| candidate == name);
        first.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Every value of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    /// The query, which has to be there.
    pub(super) fn query(&self) -> Result<&str, Refusal> {
        self.first("query").ok_or_else(|| {
            Refusal::asked(
                "parse error at line 1, col 1: syntax error: unexpected $end; name a query, as in query={app=\"api\"}",
            )
        })
    }

    /// A time; none if it is not named.
    pub(super) fn time_ns(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let read = |text: &str| {
            time_ns(text).ok_or_else(|| {
                Refusal::asked(format!(
                    "{name}={text:?} is no time: nanoseconds since 1970, seconds with a point, or RFC 3339 are, as in \
                     2026-11-29T20:00:00Z"
                ))
            })
        };
        self.first(name).map(read).transpose()
    }

    /// `start`, `end` and `since`: until now, and as far back as `default_ns` where nothing is said.
    pub(super) fn times(&self, now_ns: u64, default_ns: u64) -> Result<Times, Refusal> {
        let to_ns = self.time_ns("end")?.unwrap_or(now_ns);
        let back_ns = match self.first("since") {
            None => default_ns,
            Some(text) => parse_duration(text)
                .ok()
                .and_then(|since| u64::try_from(since).ok())
                .ok_or_else(|| Refusal::asked(format!("since={text:?} is no duration, as in 1h")))?,
        };
        let from_ns = match self.time_ns("start")? {
            Some(from_ns) => from_ns,
            None => to_ns.min(now_ns).saturating_sub(back_ns),
        };
        if from_ns > to_ns {
            return Err(Refusal::asked("end timestamp must not be before or equal to start time"));
        }
        Ok(Times { from_ns, to_ns })
    }

    /// The times of queries of labels and streams.
    pub(super) fn times_of_labels(&self, now_ns: u64) -> Result<Times, Refusal> {
        self.times(now_ns, 6 * HOUR_NS)
    }

    /// The times of queries.
    pub(super) fn times_of_query(&self, now_ns: u64) -> Result<Times, Refusal> {
        self.times(now_ns, HOUR_NS)
    }

    /// A duration, or a number of seconds, nanoseconds; it is longer than nothing.
    pub(super) fn duration_ns(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let read = |text: &str| {
            let seconds = || text.parse::<f64>().ok().map(|seconds| seconds * 1e9);
            let duration = parse_duration(text).ok().map(|duration| duration as f64).or_else(seconds);
            match duration.filter(|duration| (1.0..9.2e18).contains(duration)) {
                Some(duration) => Ok(duration as i64),
                None => Err(Refusal::asked(format!(
                    "{name}={text:?} is no duration longer than nothing: 5m is, or a number of seconds"
                ))),
            }
        };
        self.first(name).map(read).transpose()
    }

    /// The step of a range: what is named, or what makes 250 of it, a second at least.
    pub(super) fn step_ns(&self, times: Times) -> Result<i64, Refusal> {
        let span = i64::try_from(times.to_ns - times.from_ns).unwrap_or(i64::MAX);
        let default = (span / POINTS_DEFAULT / SECOND_NS).max(1) * SECOND_NS;
        Ok(self.duration_ns("step")?.unwrap_or(default))
    }

    /// A number of things up to the most that are given.
    pub(super) fn limit(&self, name: &str, default: usize, most: usize) -> Result<usize, Refusal> {
        let Some(text) = self.first(name) else { return Ok(default) };
        match text.parse::<usize>() {
            Ok(0) => Err(Refusal::asked(format!("{name} must be a positive value, as in {name}={default}"))),
            Ok(limit) if limit > most => Err(Refusal::asked(format!(
                "max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {most})"
            ))),
            Ok(limit) => Ok(limit),
            Err(_) => Err(Refusal::asked(format!("{name}={text:?} is no number, as in {name}={default}"))),
        }
    }

    /// Whether the newest come first.
    pub(super) fn is_backward(&self) -> Result<bool, Refusal> {
        match self.first("direction").map(str::to_ascii_lowercase).as_deref() {
            None | Some("backward") => Ok(true),
            Some("forward") => Ok(false),
            Some(other) => Err(Refusal::asked(format!("invalid direction '{other}': it is forward or backward"))),
        }
    }
}

/// Nanoseconds since the Unix epoch; those before it are its beginning.
pub(super) fn time_ns(text: &str) -> Option<u64> {
    let clamp = |nanoseconds: i128| u64::try_from(nanoseconds.max(0)).ok();
    if let Ok(number) = text.parse::<i64>() {
        // A number of so few digits is one of seconds.
        let scale = if text.len() <= 10 { i128::from(SECOND_NS) } else { 1 };
        return clamp(i128::from(number) * scale);
    }
    if let Ok(seconds) = text.parse::<f64>() {
        let nanoseconds = (seconds * 1e9).round();
        return (nanoseconds.is_finite() && nanoseconds < 1.8e19).then(|| nanoseconds.max(0.0) as u64);
    }
    // The plus of an offset that was not escaped has come as a space.
    let time: Timestamp = text.parse().or_else(|_| text.replace(' ', "+").parse()).ok()?;
    clamp(time.as_nanosecond())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW_NS: u64 = 1_700_000_000_000_000_000;

    #[test]
    fn times_come_in_nanoseconds_seconds_and_words() {
        let cases = [
            ("1700000000123456789", 1_700_000_000_123_456_789),
            ("1700000000", NOW_NS),
            ("4000000000", 4_000_000_000_000_000_000),
            ("1700000000.5", NOW_NS + 500_000_000),
            ("2023-11-14T22:13:20Z", NOW_NS),
            ("2023-11-14T22:13:20.25Z", NOW_NS + 250_000_000),
            ("2023-11-15T00:13:20 02:00", NOW_NS),
            ("-5", 0),
        ];
        for (text, expected) in cases {
            assert_eq!(time_ns(text), Some(expected), "{text}");
        }
        for text in ["", "now", "1e40", "NaN", "99999999999999999999x"] {
            assert_eq!(time_ns(text), None, "{text}");
        }
    }

    #[test]
    fn times_that_are_not_named_are_the_last_hour_or_the_last_six() {
        let times = |text: &str| Parameters::of(text).times_of_query(NOW_NS).unwrap();
        assert_eq!(times(""), Times { from_ns: NOW_NS - HOUR_NS, to_ns: NOW_NS });
        assert_eq!(times("since=30m"), Times { from_ns: NOW_NS - HOUR_NS / 2, to_ns: NOW_NS });
        assert_eq!(times("since=30m&start=5").from_ns, 5_000_000_000, "start holds");
        let future = format!("end={}&since=1h", NOW_NS + HOUR_NS);
        assert_eq!(times(&future), Times { from_ns: NOW_NS - HOUR_NS, to_ns: NOW_NS + HOUR_NS });
        let labels = Parameters::of("").times_of_labels(NOW_NS).unwrap();
        assert_eq!(labels.from_ns, NOW_NS - 6 * HOUR_NS);
        assert!(Parameters::of("start=9&end=8").times_of_query(NOW_NS).is_err());
    }

    #[test]
    fn steps_and_limits_are_within_bounds() {
        let step = |text: &str| {
            let parameters = Parameters::of(text);
            parameters.step_ns(Times { from_ns: NOW_NS - HOUR_NS, to_ns: NOW_NS })
        };
        assert_eq!(step("").unwrap(), 14 * SECOND_NS);
        assert_eq!(step("step=15000ms").unwrap(), 15 * SECOND_NS);
        assert_eq!(step("step=300").unwrap(), 300 * SECOND_NS);
        assert_eq!(step("step=0.5").unwrap(), SECOND_NS / 2);
        assert!(step("step=0").is_err() && step("step=x").is_err() && step("step=-5m").is_err());
        let limit = |text: &str| Parameters::of(text).limit("limit", 100, 5_000);
        assert_eq!((limit("").unwrap(), limit("limit=7").unwrap()), (100, 7));
        assert!(limit("limit=0").is_err() && limit("limit=5001").is_err() && limit("limit=x").is_err());
        assert!(Parameters::of("direction=FORWARD").is_backward().is_ok_and(|is| !is));
        assert!(Parameters::of("direction=up").is_backward().is_err());
    }

    #[test]
    fn pairs_are_unescaped() {
        let parameters = Parameters::of("query=%7Bapp%3D%22a+b%22%7D&match[]=x&match%5B%5D=y&odd=%zz%");
        assert_eq!(parameters.first("query"), Some("{app=\"a b\"}"));
        assert_eq!(parameters.all("match[]").collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(parameters.first("odd"), Some("%zz%"));
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in ".{0,40}") {
            let parameters = Parameters::of(&text);
            let _ = (time_ns(&text), parameters.times_of_query(NOW_NS));
        }
    }
}
