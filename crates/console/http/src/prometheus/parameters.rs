//! Parameters of Prometheus' API: from the URL and from a form, times and durations as it reads them, and its
//! texts for those that it cannot read. What a parameter is for is not known here.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, header};

use super::answer::Refusal;
use crate::intake::Failure;
use crate::intake::body::{self, Budget};

/// Bytes of a form; Prometheus takes ten times as much, of which no query has use.
const FORM_BYTES_MAX: usize = 1 << 20;
/// Values of parameters in one request.
const PAIRS_MAX: usize = 10_000;
/// The longest time that may be asked for, milliseconds: what nanoseconds in 64 bits hold, as Go has it.
const DURATION_MS_MAX: f64 = 9_223_372_036_854.0;

/// The latest time that may be asked for, milliseconds since the Unix epoch, and the earliest as far before it.
const TIME_MS_MAX: i64 = 6_000_000_000_000_000;

/// The parameters of a request. What a form says comes before what the URL says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads those of a request, its body included if it is a form. What is no pair is left out.
    pub(super) async fn receive(bodies: &Budget, request: Request) -> Result<Self, Refusal> {
        let (head, sent) = request.into_parts();
        let mut pairs = Vec::new();
        let told = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = told.split(';').next().unwrap_or_default().trim();
        if head.method == Method::POST && content_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            read_form(bodies, sent, &mut pairs).await?;
        }
        read_pairs(head.uri.query().unwrap_or_default().as_bytes(), &mut pairs);
        Ok(Self(pairs))
    }

    /// The first value of a name; empty if there is none.
    pub(super) fn first<'a>(&'a self, name: &str) -> &'a str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Every value of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A time that has to be there, milliseconds since the Unix epoch.
    pub(super) fn time_ms(&self, name: &str) -> Result<i64, Refusal> {
        let value = self.first(name);
        time_ms(value).ok_or_else(|| Refusal::parameter(name, no_time(value)))
    }

    /// A time that need not be there.
    pub(super) fn time_ms_or(&self, name: &str, otherwise: i64) -> Result<i64, Refusal> {
        let value = self.first(name);
        if value.is_empty() {
            return Ok(otherwise);
        }
        let told = || Refusal::parameter(name, format!("invalid time value for '{name}': {}", no_time(value)));
        time_ms(value).ok_or_else(told)
    }

    /// A duration that need not be there, with what is wrong with it.
    pub(super) fn duration_ms(&self, name: &str) -> Result<Option<f64>, String> {
        let value = self.first(name);
        if value.is_empty() { Ok(None) } else { duration_ms(value).map(Some) }
    }

    /// How long an answer may take; `limit` if that is less or nothing is said.
    pub(super) fn timeout(&self, limit: Duration) -> Result<Duration, Refusal> {
        let told = self.duration_ms("timeout").map_err(|told| Refusal::parameter("timeout", told))?;
        let Some(ms) = told else { return Ok(limit) };
        Ok(limit.min(Duration::try_from_secs_f64(ms.max(0.0) / 1_000.0).unwrap_or(limit)))
    }

    /// How many results there may be; nothing said, and zero, is no limit.
    pub(super) fn limit(&self) -> Result<Option<usize>, Refusal> {
        let value = self.first("limit");
        if value.is_empty() {
            return Ok(None);
        }
        let limit = integer(value)
            .map_err(|kind| Refusal::parameter("limit", format!("strconv.Atoi: parsing {value:?}: {kind}")))?;
        let limit =
            usize::try_from(limit).map_err(|_| Refusal::parameter("limit", "limit must be non-negative".to_owned()))?;
        Ok((limit > 0).then_some(limit))
    }

    /// A whole number, with Prometheus' text for what is none: `limit must be a number`.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let value = self.first(name);
        if value.is_empty() {
            return Ok(None);
        }
        integer(value).map(Some).map_err(|_| Refusal::bad_data(format!("{name} must be a number")))
    }
}

/// Adds the pairs of a form that is sent as a body.
async fn read_form(bodies: &Budget, sent: Body, pairs: &mut Vec<(String, String)>) -> Result<(), Refusal> {
    let limited = Body::new(http_body_util::Limited::new(sent, FORM_BYTES_MAX));
    let (bytes, _share) = body::receive(bodies, limited).await.map_err(|error| {
        let failure = Failure::from(error);
        if failure.is_passing() {
            return Refusal::unavailable(failure.to_string());
        }
        let told = format!("{failure}; a form has at most {FORM_BYTES_MAX} bytes");
        Refusal::bad_data(format!("error parsing form values: {told}"))
    })?;
    read_pairs(&bytes, pairs);
    Ok(())
}

fn read_pairs(text: &[u8], into: &mut Vec<(String, String)>) {
    for pair in text.split(|byte| *byte == b'&') {
        if pair.is_empty() || pair.contains(&b';') || into.len() >= PAIRS_MAX {
            continue;
        }
        let middle = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = middle.map_or((pair, &b""[..]), |at| {
            let (name, value) = pair.split_at(at);
            (name, value.get(1..).unwrap_or_default())
        });
        if let (Some(name), Some(value)) = (decoded(name, true), decoded(value, true)) {
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            into.push((text(name), text(value)));
        }
    }
}

/// Undoes the escapes of a URL, in a form those of blanks as well; `None` where an escape is none.
pub(super) fn decoded(text: &[u8], is_form: bool) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        out.push(match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(*digit).to_digit(16));
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' if is_form => b' ',
            other => *other,
        });
    }
    Some(out)
}

/// Reads a whole number; the error has Go's words for it.
fn integer(text: &str) -> Result<i64, &'static str> {
    text.parse().map_err(|error: std::num::ParseIntError| match error.kind() {
        std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => "value out of range",
        _ => "invalid syntax",
    })
}

/// Prometheus' text for what is no time. A time is seconds, as in `1700000000.5`, or `2023-11-14T22:13:20Z`.
fn no_time(text: &str) -> String {
    format!("cannot parse {:?} to a valid timestamp", shown(text))
}

/// What is repeated of a value, which may be of any length.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(200).collect()
}

/// A number as Go reads one: none that is too large.
fn number(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    let names_infinity = || text.trim_start_matches(['+', '-']).starts_with(['i', 'I']);
    (number.is_finite() || number.is_nan() || names_infinity()).then_some(number)
}

/// Reads a time: seconds since the Unix epoch with a fraction, or RFC 3339. Milliseconds; beyond 200,000 years it is
/// as good as never.
pub(super) fn time_ms(text: &str) -> Option<i64> {
    if let Some(seconds) = number(text) {
        let whole = seconds.trunc();
        // As Prometheus: to the millisecond, and apart from the seconds, where bits are scarce.
        let fraction_ms = ((seconds - whole) * 1_000.0).round();
        #[expect(clippy::cast_possible_truncation, reason = "a cast of floats saturates, and NaN is 0")]
        let (whole, fraction_ms) = (whole as i64, fraction_ms as i64);
        return Some(whole.saturating_mul(1_000).saturating_add(fraction_ms).clamp(-TIME_MS_MAX, TIME_MS_MAX));
    }
    if !text.as_bytes().get(10).is_some_and(|byte| byte.eq_ignore_ascii_case(&b't')) {
        return None;
    }
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(time.as_nanosecond().div_euclid(1_000_000).try_into().unwrap_or(TIME_MS_MAX))
}

/// Reads a duration: seconds with a fraction, or numbers with units, as in `1h30m`. Milliseconds. The error has
/// Prometheus' words.
pub(super) fn duration_ms(text: &str) -> Result<f64, String> {
    let wrong = || format!("cannot parse {:?} to a valid duration", shown(text));
    if let Some(seconds) = number(text) {
        let ms = seconds * 1_000.0;
        if ms.abs() > DURATION_MS_MAX {
            return Err(format!("{}. It overflows int64", wrong()));
        }
        return Ok(if ms.is_nan() { 0.0 } else { ms });
    }
    with_units_ms(text).ok_or_else(wrong)
}

/// Numbers with units, the larger first, each once.
fn with_units_ms(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 7] = [
        ("y", 31_536_000_000.0),
        ("w", 604_800_000.0),
        ("d", 86_400_000.0),
        ("h", 3_600_000.0),
        ("m", 60_000.0),
        ("s", 1_000.0),
        ("ms", 1.0),
    ];
    let mut units = UNITS.iter();
    let mut rest = text;
    let mut total_ms = 0.0;
    while !rest.is_empty() || text.is_empty() {
        let digits = rest.find(|it: char| !it.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let end = after.find(|it: char| it.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let (_, unit_ms) = units.by_ref().find(|(name, _)| *name == unit)?;
        total_ms += f64::from(number.parse::<u32>().ok()?) * unit_ms;
        rest = after;
    }
    (total_ms <= DURATION_MS_MAX).then_some(total_ms)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(query: &str) -> Parameters {
        let mut pairs = Vec::new();
        read_pairs(query.as_bytes(), &mut pairs);
        Parameters(pairs)
    }

    #[test]
    fn times_are_seconds_or_rfc_3339_to_the_millisecond() {
        for (text, expected) in [
            ("1700000000", 1_700_000_000_000),
            ("1700000000.1234567", 1_700_000_000_123),
            ("1700000000.9996", 1_700_000_001_000),
            ("-1.5", -1_500),
            ("1.7e9", 1_700_000_000_000),
            ("2023-11-14T22:13:20Z", 1_700_000_000_000),
            ("2023-11-14T23:13:20.5+01:00", 1_700_000_000_500),
            ("Inf", TIME_MS_MAX),
            ("-99999999999999999999", -TIME_MS_MAX),
        ] {
            assert_eq!(time_ms(text), Some(expected), "{text}");
        }
        for text in ["", "yesterday", "1e400", "2023-11-14", "2023-11-14 22:13:20Z", "5m"] {
            assert_eq!(time_ms(text), None, "{text}");
        }
    }

    #[test]
    fn durations_are_seconds_or_have_units_in_order() {
        for (text, expected) in [
            ("15", 15_000.0),
            ("0.5", 500.0),
            ("1h30m", 5_400_000.0),
            ("1w", 604_800_000.0),
            ("5ms", 5.0),
            ("-1", -1_000.0),
        ] {
            assert_eq!(duration_ms(text), Ok(expected), "{text}");
        }
        for text in ["", "x", "0.5m", "1m1h", "1m1m", "-1s", "5m ", "m"] {
            assert_eq!(duration_ms(text).unwrap_err(), format!("cannot parse {text:?} to a valid duration"));
        }
        assert!(duration_ms("1e30").unwrap_err().ends_with("It overflows int64"));
    }

    #[test]
    fn pairs_are_read_as_a_form_has_them_and_what_is_none_is_left_out() {
        let parameters = of("a=1+2&a=%33&b&c=%zz&d;e=1&%66=g%3D");
        assert_eq!(parameters.all("a").collect::<Vec<_>>(), ["1 2", "3"]);
        assert_eq!((parameters.first("b"), parameters.first("c"), parameters.first("f")), ("", "", "g="));
        assert_eq!(parameters.0.len(), 4);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in ".{0,60}") {
            let _ = (time_ms(&text), duration_ms(&text), of(&text), decoded(text.as_bytes(), false));
        }
    }
}
