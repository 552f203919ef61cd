//! The table of what Prometheus adds to Go's functions. `tmpl` is not among it: it calls templates of a library,
//! which alerts have none of.

use std::sync::Arc;

use console_template::{Functions, Text, Value, go};
use regex::{Regex, RegexBuilder};

use super::{humanize, samples};
use crate::duration::Duration;
use crate::links;
use crate::query::Querier;

/// Hidden data: when.
pub(super) const TIME: &str = "time";
/// Hidden data: where this is reached.
pub(super) const EXTERNAL_URL: &str = "externalURL";

const REGEX_BYTES_MAX: usize = 1 << 20;
/// Elements of a query that a template sees at most.
const ELEMENTS_MAX: usize = 1_000;
/// Values that `args` holds, those in what it holds included. They may stand for each other's parts many times.
const ARGUMENTS_MAX: usize = 10_000;
const ARGUMENTS_DEPTH_MAX: usize = 16;
/// Bytes of a text of which parts were replaced.
const REPLACED_BYTES_MAX: usize = 1 << 20;

pub(super) fn table(querier: Arc<dyn Querier>) -> Functions {
    let mut functions = Functions::go();
    functions.add("query", 1..=1, move |arguments, data| {
        let query = text(arguments.first())?;
        let time_ms = match data.hidden(TIME) {
            Some(Value::Int(time_ms)) => time_ms,
            _ => 0,
        };
        let found = querier.instant(query, time_ms).map_err(|error| error.to_string())?;
        Ok(Value::list(found.iter().take(ELEMENTS_MAX).map(samples::sample)))
    });
    samples::add(&mut functions);
    humanize::add(&mut functions);
    texts(&mut functions);
    places(&mut functions);
    functions
}

fn text(value: Option<&Value>) -> Result<&str, String> {
    value.and_then(Value::as_text).ok_or_else(|| {
        format!("wrong type for value; expected string; got {}", value.map_or("nothing", Value::type_name))
    })
}

fn regex(pattern: &str) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(pattern);
    let built = builder.size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX).build();
    built.map_err(|error| {
        let told = error.to_string();
        format!("error parsing regexp: {}", told.lines().last().unwrap_or_default().trim_start_matches("error: "))
    })
}

fn texts(functions: &mut Functions) {
    functions.add("args", 0..=usize::MAX, |arguments, _| {
        let mut left = ARGUMENTS_MAX;
        if !arguments.iter().all(|argument| fits(argument, ARGUMENTS_DEPTH_MAX, &mut left)) {
            return Err(format!("more than {ARGUMENTS_MAX} values, or nested deeper than {ARGUMENTS_DEPTH_MAX}"));
        }
        let named = arguments.iter().enumerate();
        Ok(Value::map(named.map(|(at, value)| (Text::from(format!("arg{at}")), value.clone()))))
    });
    functions.add("reReplaceAll", 3..=3, |arguments, _| {
        let (pattern, replacement) = (text(arguments.first())?, text(arguments.get(1))?);
        replace_all(&regex(pattern)?, text(arguments.get(2))?, replacement).map(Value::from)
    });
    functions.add("match", 2..=2, |arguments, _| {
        Ok(Value::Bool(regex(text(arguments.first())?)?.is_match(text(arguments.get(1))?)))
    });
    type Written = fn(&str) -> String;
    let written: [(&'static str, Written); 6] = [
        ("safeHtml", str::to_owned),
        ("title", title),
        ("toUpper", str::to_uppercase),
        ("toLower", str::to_lowercase),
        ("stripPort", strip_port),
        ("stripDomain", strip_domain),
    ];
    for (name, write) in written {
        functions.add(name, 1..=1, move |arguments, _| Ok(Value::from(write(text(arguments.first())?))));
    }
    functions.add("parseDuration", 1..=1, |arguments, _| {
        let duration = Duration::parse(text(arguments.first())?).map_err(|error| error.to_string())?;
        Ok(Value::Float(duration.seconds()))
    });
    functions.add("now", 0..=0, |_, data| {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of any calendar are exact")]
        let seconds = match data.hidden(TIME) {
            Some(Value::Int(time_ms)) => time_ms as f64 / 1_000.0,
            _ => 0.0,
        };
        Ok(Value::Float(seconds))
    });
}

/// Whether a value with all that is in it is one of so many, and nested no deeper than that.
fn fits(value: &Value, depth: usize, left: &mut usize) -> bool {
    let (Some(one_less), Some(depth)) = (left.checked_sub(1), depth.checked_sub(1)) else { return false };
    *left = one_less;
    match value {
        Value::List(list) => list.iter().all(|value| fits(value, depth, left)),
        Value::Map(map) => map.values().all(|value| fits(value, depth, left)),
        _ => true,
    }
}

/// The text with each match replaced; no group is longer than the match that it is part of.
fn replace_all(regex: &Regex, text: &str, replacement: &str) -> Result<String, String> {
    let groups = replacement.matches('$').count();
    let mut out = String::new();
    let mut end = 0;
    for captures in regex.captures_iter(text) {
        let whole = captures.get_match();
        out.push_str(text.get(end..whole.start()).unwrap_or_default());
        if groups.saturating_mul(whole.len()).saturating_add(out.len() + replacement.len()) > REPLACED_BYTES_MAX {
            return Err(format!("the replaced text may have more than {REPLACED_BYTES_MAX} bytes"));
        }
        captures.expand(replacement, &mut out);
        end = whole.end();
    }
    out.push_str(text.get(end..).unwrap_or_default());
    Ok(out)
}

fn places(functions: &mut Functions) {
    type Link = fn(&str) -> String;
    let written: [(&'static str, Link); 3] =
        [("graphLink", links::graph), ("tableLink", links::table), ("urlQueryEscape", go::query_escape)];
    for (name, link) in written {
        functions.add(name, 1..=1, move |arguments, _| Ok(Value::from(link(text(arguments.first())?))));
    }
    functions.add("externalURL", 0..=0, |_, data| Ok(data.hidden(EXTERNAL_URL).unwrap_or_default()));
    functions.add("pathPrefix", 0..=0, |_, data| {
        let url = data.hidden(EXTERNAL_URL).unwrap_or_default();
        let rest = url.as_text().and_then(|url| url.split_once("://")).map_or("", |(_, rest)| rest);
        let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default();
        Ok(Value::from(path))
    });
}

/// The first letter of each word in upper case.
fn title(text: &str) -> String {
    let mut was_letter = false;
    text.chars()
        .flat_map(|character| {
            let begins = !was_letter && character.is_alphabetic();
            was_letter = character.is_alphanumeric() || character == '_' || character == '\'';
            let upper = begins.then(|| character.to_uppercase()).into_iter().flatten();
            upper.chain((!begins).then_some(character))
        })
        .collect()
}

/// A host without its port.
fn strip_port(host_port: &str) -> String {
    if let Some(rest) = host_port.strip_prefix('[') {
        return rest.split_once("]:").map_or(host_port, |(host, _)| host).to_owned();
    }
    match host_port.split_once(':') {
        Some((host, port)) if !port.contains(':') => host.to_owned(),
        _ => host_port.to_owned(),
    }
}

/// A host without its domain; the port stays.
fn strip_domain(host_port: &str) -> String {
    let (host, port) = match host_port.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (host_port, None),
    };
    let is_address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
    let host = if is_address { host } else { host.split('.').next().unwrap_or(host) };
    port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
