//! Query parameters as Jaeger reads them: the first of a name holds, empty is missing, and numbers and
//! durations are those of Go, whose error texts tools know. What the parameters mean is not known here.

use std::str::FromStr;

use console_model::{InvalidId, Text, TraceId};

/// The parameters of a request, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// The first value of a name, unless it is empty.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next().filter(|value| !value.is_empty())
    }

    /// Every value of a name.
    pub(super) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let wanted = name.to_owned();
        self.0.iter().filter(move |(name, _)| *name == wanted).map(|(_, value)| value.as_str())
    }

    /// Whether a switch is on.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.first(name) == Some("true")
    }

    /// A whole number.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, String> {
        let read =
            |text| integer(text, "ParseInt").map_err(|reason| format!("unable to parse param '{name}': {reason}"));
        self.first(name).map(read).transpose()
    }

    /// A duration with its unit, nanoseconds.
    pub(super) fn duration_ns(&self, name: &str) -> Result<Option<u64>, String> {
        let read = |text| duration_ns(text).map_err(|reason| format!("unable to parse param '{name}': {reason}"));
        self.first(name).map(read).transpose()
    }
}

/// Reads a whole number; the error has the words of the function of Go that Jaeger uses.
pub(super) fn integer(text: &str, function: &str) -> Result<i64, String> {
    text.parse().map_err(|error: std::num::ParseIntError| {
        let reason = match error.kind() {
            std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        format!("strconv.{function}: parsing {text:?}: {reason}")
    })
}

/// Reads a duration as Go writes it, such as `1.5s` or `1m30s`, nanoseconds.
pub(super) fn duration_ns(text: &str) -> Result<u64, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    if unsigned.starts_with('-') {
        return Err(format!("time: negative duration {text:?}; a span takes no less than nothing, as in 200ms"));
    }
    if unsigned == "0" {
        return Ok(0);
    }
    let mut rest = unsigned;
    let mut total_ns = 0_u128;
    while !rest.is_empty() || unsigned.is_empty() {
        let number_end = rest.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(number_end);
        let unit_end = after.find(|it: char| it.is_ascii_digit() || it == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(invalid());
        }
        let unit_ns: u128 = match unit {
            "" => return Err(format!("time: missing unit in duration {text:?}")),
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            other => return Err(format!("time: unknown unit {other:?} in duration {text:?}")),
        };
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
        // Fifteen digits are finer than a nanosecond of any unit.
        let digits: String = fraction.chars().take(15).collect();
        let part: u128 = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| invalid())? };
        total_ns += u128::from(whole) * unit_ns + part * unit_ns / 10_u128.pow(digits.len() as u32);
        if total_ns > i64::MAX as u128 {
            return Err(invalid());
        }
        rest = after;
    }
    u64::try_from(total_ns).map_err(|_| invalid())
}

/// Reads the id of a trace, of up to 32 hexadecimal digits. `None` is the id of zeros, which no trace has.
pub(super) fn trace_id(text: &str) -> Result<Option<TraceId>, String> {
    if text.len() > 32 {
        let shown: String = text.chars().take(100).collect();
        return Err(format!("TraceID cannot be longer than 32 hex characters: {shown}"));
    }
    let padded = format!("{text:0>32}");
    match TraceId::from_str(&padded) {
        Ok(id) => Ok(Some(id)),
        Err(InvalidId::Zero) if !text.is_empty() => Ok(None),
        Err(_) => Err(format!("strconv.ParseUint: parsing {text:?}: invalid syntax")),
    }
}

/// Reads a JSON object of texts, as in `{"http.response.status_code":"500"}`.
pub(super) fn tags(json: &str) -> Result<Vec<(Text, Text)>, String> {
    let example = r#"{"http.response.status_code":"500"}"#;
    let object: serde_json::Value = serde_json::from_str(json)
        .map_err(|error| format!("cannot unmarshal JSON: {error}; an object of texts is right, as in {example}"))?;
    let Some(object) = object.as_object() else {
        return Err(format!("cannot unmarshal JSON: it is no object; an object of texts is right, as in {example}"));
    };
    let pair = |(key, value): (&String, &serde_json::Value)| match value.as_str() {
        Some(text) => Ok((key.as_str().into(), text.into())),
        None => {
            Err(format!("cannot unmarshal JSON: the value of {key:?} is no text; texts are right, as in {example}"))
        }
    };
    object.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        let cases = [
            ("0", 0),
            ("200ms", 200_000_000),
            ("1.5s", 1_500_000_000),
            ("1m30s", 90_000_000_000),
            (".5us", 500),
            ("2µs", 2_000),
            ("1h", 3_600_000_000_000),
            ("+3ns", 3),
            ("0.1234567891234567s", 123_456_789),
        ];
        for (text, expected) in cases {
            assert_eq!(duration_ns(text), Ok(expected), "{text}");
        }
        assert_eq!(duration_ns("200").unwrap_err(), "time: missing unit in duration \"200\"");
        assert_eq!(duration_ns("2d").unwrap_err(), "time: unknown unit \"d\" in duration \"2d\"");
        for text in ["", "ms", "1.2.3s", "-1s", "9999999999h", "99999999999999999999s", "1s 2s", "é"] {
            assert!(duration_ns(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ids_are_padded_and_zeros_are_nobody() {
        assert_eq!(trace_id("AB").unwrap(), TraceId::new(0xab));
        assert_eq!(trace_id(&"0".repeat(32)), Ok(None));
        assert!(trace_id("").is_err());
        assert!(trace_id("+1").is_err());
        assert!(trace_id(&"é".repeat(16)).is_err());
        assert!(trace_id(&"a".repeat(33)).unwrap_err().contains("longer than 32"));
    }

    #[test]
    fn the_first_of_a_name_holds_and_empty_is_missing() {
        let pairs = [("a", "1"), ("a", "2"), ("b", ""), ("b", "3")];
        let parameters = Parameters::new(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
        assert_eq!((parameters.first("a"), parameters.first("b")), (Some("1"), None));
        assert_eq!(parameters.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(parameters.integer("a"), Ok(Some(1)));
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in ".{0,40}") {
            let _ = (duration_ns(&text), trace_id(&text), tags(&text), integer(&text, "Atoi"));
        }
    }
}
