//! Parameters of queries: read, bounded, and refused by name, with an example of what would be right.

use std::ops::RangeInclusive;

use axum::extract::Query;
use axum::http::Uri;
use console_model::Text;

use super::error::Error;
use super::go_duration;

/// Tags of one search.
const TAGS_MAX: usize = 32;

const TIME_EXAMPLE: &str = "1795600800000000000";

/// The parameters of a request. An empty value is as good as none.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The parameters of an address, of which only these names are known.
    pub(crate) fn read(uri: &Uri, known: &[&str]) -> Result<Self, Error> {
        let form = "a query has to be of the form name=value&name=value, with what is special behind percent signs";
        let Query(pairs): Query<Vec<(String, String)>> =
            Query::try_from_uri(uri).map_err(|_| Error::Invalid(form.to_owned()))?;
        for (position, (name, value)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let name: String = name.chars().take(60).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(Error::Invalid(format!("there is no parameter \"{name}\" here; there are: {known}")));
            }
            if pairs.iter().skip(position + 1).any(|(other, _)| other == name) {
                return Err(Error::parameter(name, value, "given once, not twice"));
            }
        }
        Ok(Self(pairs))
    }

    /// The value of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// A whole number.
    pub(crate) fn number(&self, name: &str, range: RangeInclusive<usize>, unless: usize) -> Result<usize, Error> {
        let Some(text) = self.get(name) else { return Ok(unless) };
        let expected = || format!("a whole number from {} to {}, as in {name}={unless}", range.start(), range.end());
        digits(text)
            .and_then(|number| usize::try_from(number).ok())
            .filter(|number| range.contains(number))
            .ok_or_else(|| Error::parameter(name, text, expected()))
    }

    /// True or false; false if not said.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(text) => Err(Error::parameter(name, text, format_args!("true or false, as in {name}=true"))),
        }
    }

    /// A length of time, nanoseconds.
    pub(crate) fn duration(&self, name: &str) -> Result<Option<u64>, Error> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let expected = format_args!("numbers with units of ns, us, ms, s, m or h, as in {name}=1.5ms or {name}=2h45m");
        go_duration::parse(text).map(Some).ok_or_else(|| Error::parameter(name, text, expected))
    }

    /// `start` and `end`, nanoseconds since the Unix epoch. Without an end it is now; without a start it is
    /// this long before the end.
    pub(crate) fn window(&self, now_ns: u64, length_ns: u64) -> Result<(u64, u64), Error> {
        let end = self.time("end")?;
        let end_ns = end.unwrap_or(now_ns);
        let start_ns = self.time("start")?.unwrap_or(end_ns.saturating_sub(length_ns));
        if start_ns > end_ns {
            let end = if end.is_some() { "end" } else { "now, which is the end if none is given" };
            let expected = format_args!("before {end}, {end_ns}, as in start={}", end_ns.saturating_sub(length_ns));
            return Err(Error::parameter("start", &start_ns.to_string(), expected));
        }
        Ok((start_ns, end_ns))
    }

    fn time(&self, name: &str) -> Result<Option<u64>, Error> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let expected = format_args!("nanoseconds since the Unix epoch, as in {name}={TIME_EXAMPLE}");
        digits(text).map(Some).ok_or_else(|| Error::parameter(name, text, expected))
    }

    /// Keys with values: a JSON object of strings.
    pub(crate) fn tags(&self, name: &str) -> Result<Vec<(Text, Text)>, Error> {
        let Some(text) = self.get(name) else { return Ok(Vec::new()) };
        let expected = format_args!("a JSON object of strings, as in {name}={{\"http.request.method\":\"POST\"}}");
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(text).map_err(|_| Error::parameter(name, text, expected))?;
        if object.len() > TAGS_MAX {
            return Err(Error::parameter(name, text, format_args!("an object of {TAGS_MAX} tags at most")));
        }
        let tag = |(key, value): (String, serde_json::Value)| match value {
            serde_json::Value::String(value) => Ok((key.into(), value.into())),
            other => {
                let expected =
                    format!("an object of strings, but \"{key}\" is {other}: write {{\"{key}\":\"{other}\"}}");
                Err(Error::parameter(name, text, expected.chars().take(400).collect::<String>()))
            }
        };
        object.into_iter().map(tag).collect()
    }
}

/// Digits and nothing else: what Rust reads as a number may have a sign.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
