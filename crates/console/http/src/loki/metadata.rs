//! What Loki calls a line's structured metadata, made of a record: what OTLP says of it besides its body, under
//! names that labels can have, and the level that the line has.
//! <https://grafana.com/docs/loki/latest/send-data/otel/>

use std::fmt::Write;

use console_model::{Attributes, Labels, LogRecord, Resource, Scope};
use hashbrown::HashSet;

/// The label of the level.
pub(super) const LEVEL: &str = "detected_level";
/// Labels and metadata that say the level themselves.
const TOLD: [&str; 6] = ["level", "LEVEL", "Level", "severity", "SEVERITY", "lvl"];

/// Shows names once each, the first of a name first.
struct Shown<'a> {
    stream: &'a Labels,
    known: HashSet<String>,
    name: String,
    value: String,
    see: &'a mut dyn FnMut(&str, &str),
}

impl Shown<'_> {
    /// Shows a pair unless there is one of the name, or it says nothing.
    fn pair(&mut self, name: &str, value: impl std::fmt::Display) {
        self.name.clear();
        sanitize(name, &mut self.name);
        self.value.clear();
        let _ = write!(self.value, "{value}");
        if self.value.is_empty() || self.stream.get(&self.name).is_some() || self.known.contains(&self.name) {
            return;
        }
        (self.see)(&self.name, &self.value);
        self.known.insert(self.name.clone());
    }

    fn attributes(&mut self, attributes: &Attributes) {
        for attribute in attributes {
            self.pair(&attribute.key, &attribute.value);
        }
    }
}

/// A name as a label can have it.
pub(super) fn sanitize(name: &str, out: &mut String) {
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        out.push('_');
    }
    out.extend(name.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '_' }));
}

/// Shows the structured metadata of a record.
pub(super) fn show(
    record: &LogRecord,
    resource: Option<&Resource>,
    scope: Option<&Scope>,
    stream: &Labels,
    line: &str,
    see: &mut dyn FnMut(&str, &str),
) {
    let mut shown = Shown { stream, known: HashSet::new(), name: String::new(), value: String::new(), see };
    shown.attributes(&record.attributes);
    // A line that came through Loki's push has no resource but the name of its service, which is a label.
    if let Some(resource) = resource {
        shown.attributes(&resource.attributes);
    }
    if let Some(scope) = scope {
        shown.pair("scope_name", &scope.name);
        shown.pair("scope_version", &scope.version);
        shown.attributes(&scope.attributes);
    }
    if let Some(id) = record.trace_id {
        shown.pair("trace_id", id);
    }
    if let Some(id) = record.span_id {
        shown.pair("span_id", id);
    }
    let is_told = TOLD.iter().any(|name| stream.get(name).is_some() || shown.known.contains(*name));
    if !is_told {
        shown.pair("severity_text", &record.severity_text);
        if record.severity_number != 0 {
            shown.pair("severity_number", record.severity_number);
        }
    }
    if record.flags != 0 {
        shown.pair("flags", record.flags);
    }
    if record.dropped_attributes_count != 0 {
        shown.pair("dropped_attributes_count", record.dropped_attributes_count);
    }
    shown.pair("event_name", &record.event_name);
    shown.pair(LEVEL, level(record, stream, line));
}

/// The level of a line: as OTLP numbers it, as its labels or metadata say, or as the line itself does.
pub(super) fn level<'a>(record: &'a LogRecord, stream: &'a Labels, line: &'a str) -> &'static str {
    match record.severity_number {
        1..=4 => return "trace",
        5..=8 => return "debug",
        9..=12 => return "info",
        13..=16 => return "warn",
        17..=20 => return "error",
        21..=24 => return "fatal",
        _ => {}
    }
    let told = std::iter::once(record.severity_text.as_str())
        .chain(TOLD.iter().filter_map(|name| record.attributes.text(name)))
        .chain(TOLD.iter().filter_map(|name| stream.get(name)))
        .find(|word| !word.is_empty());
    match told {
        Some(word) => of_word(word).unwrap_or("unknown"),
        None => in_line(line).unwrap_or("unknown"),
    }
}

/// The level that a word stands for.
fn of_word(word: &str) -> Option<&'static str> {
    const WORDS: [(&str, &str); 17] = [
        ("trace", "trace"),
        ("trc", "trace"),
        ("debug", "debug"),
        ("dbg", "debug"),
        ("info", "info"),
        ("inf", "info"),
        ("information", "info"),
        ("notice", "info"),
        ("warn", "warn"),
        ("wrn", "warn"),
        ("warning", "warn"),
        ("error", "error"),
        ("err", "error"),
        ("critical", "critical"),
        ("crit", "critical"),
        ("fatal", "fatal"),
        ("panic", "fatal"),
    ];
    WORDS.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(word)).map(|(_, level)| *level)
}

/// The level that a line of JSON or logfmt names, or the first word in its beginning that is one.
fn in_line(line: &str) -> Option<&'static str> {
    const KEYS: [&str; 6] = ["\"level\":", "level=", "\"severity\":", "severity=", "\"lvl\":", "lvl="];
    let head = line.get(..line.floor_char_boundary(1_024)).unwrap_or(line);
    let is_letter = |character: char| character.is_ascii_alphabetic();
    for key in KEYS {
        if let Some((_, behind)) = head.split_once(key) {
            let word = behind.trim_start_matches([' ', '"']);
            let end = word.find(|character| !is_letter(character)).unwrap_or(word.len());
            if let Some(level) = word.get(..end).and_then(of_word) {
                return Some(level);
            }
        }
    }
    let start = head.get(..head.floor_char_boundary(128)).unwrap_or(head);
    start.split(|character| !is_letter(character)).filter(|word| word.len() > 2).find_map(of_word)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use console_model::{Attribute, Text, TraceId};

    use super::*;

    fn shown(record: &LogRecord, resource: &Resource, stream: &Labels, line: &str) -> BTreeMap<String, String> {
        let mut pairs = BTreeMap::new();
        let scope = Scope { name: "lib".into(), ..Scope::default() };
        show(record, Some(resource), Some(&scope), stream, line, &mut |name, value| {
            assert!(pairs.insert(name.to_owned(), value.to_owned()).is_none(), "{name} is shown twice");
        });
        pairs
    }

    #[test]
    fn what_otlp_says_of_a_record_is_metadata() {
        let stream = Labels::from_pairs([("service_name", "orders")]);
        let resource = Resource {
            attributes: [Attribute::new("service.name", "orders"), Attribute::new("host.name", "node-1")]
                .into_iter()
                .collect(),
            ..Resource::default()
        };
        let record = LogRecord {
            severity_number: 17,
            severity_text: Text::from("ERROR"),
            attributes: [Attribute::new("http.status", 500_i64), Attribute::new("http.status", 501_i64)]
                .into_iter()
                .collect(),
            trace_id: TraceId::new(0xab),
            ..LogRecord::default()
        };
        let pairs = shown(&record, &resource, &stream, "boom");
        let expected = [
            ("detected_level", "error"),
            ("host_name", "node-1"),
            ("http_status", "500"),
            ("scope_name", "lib"),
            ("severity_number", "17"),
            ("severity_text", "ERROR"),
            ("trace_id", "000000000000000000000000000000ab"),
        ];
        let expected: BTreeMap<String, String> =
            expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(pairs, expected, "what is a label of the stream already is none of it");
    }

    #[test]
    fn the_level_is_what_the_number_the_labels_or_the_line_say() {
        let none = Labels::default();
        let of = |number, stream: &Labels, line| {
            let record = LogRecord { severity_number: number, ..LogRecord::default() };
            level(&record, stream, line)
        };
        assert_eq!(of(9, &none, "error"), "info");
        assert_eq!(of(0, &Labels::from_pairs([("level", "WARN")]), "error"), "warn");
        assert_eq!(of(0, &none, r#"{"level":"debug","msg":"error"}"#), "debug");
        assert_eq!(of(0, &none, "ts=1 level=critical msg=x"), "critical");
        assert_eq!(of(0, &none, "2024-01-01 [ERROR] boom"), "error");
        assert_eq!(of(0, &none, "nothing of it"), "unknown");
        assert_eq!(of(99, &none, ""), "unknown");
    }
}
