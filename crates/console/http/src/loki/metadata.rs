//! What Loki calls a line's structured metadata, made of a record: what OTLP says of it besides its body, under
//! names that labels can have, and the level that the line has.
//! <https://grafana.com/docs/loki/latest/send-data/otel/>

use std::fmt::Write;

use console_model::{Attributes, Labels, Level, LogRecord, Resource, Scope};
use console_storage::LogBlock;
use hashbrown::HashSet;

/// The label of the level.
pub(super) const LEVEL: &str = "detected_level";

/// Names that say something of a record besides its attributes and those of its resource and scope.
const OF_RECORD: [&str; 9] = [
    "scope_name",
    "scope_version",
    "trace_id",
    "span_id",
    "severity_text",
    "severity_number",
    "flags",
    "dropped_attributes_count",
    "event_name",
];

/// Whether a block's records and those who sent them have no attribute that is shown as the level. For one line:
/// who asks for many makes an [`Absent`].
pub(super) fn has_no_level_attribute(block: &LogBlock) -> bool {
    let is_level = |key: &str| {
        let mut name = String::new();
        // Nearly every key is another at first sight.
        key.starts_with('d') && {
            sanitize(key, &mut name);
            name == LEVEL
        }
    };
    let of_origins = |(resource, scope): (&Resource, &Scope)| {
        resource.attributes.iter().chain(&scope.attributes).any(|attribute| is_level(&attribute.key))
    };
    block.attribute_keys().is_some_and(|keys| !keys.iter().any(|key| is_level(key))) && !block.origins().any(of_origins)
}

/// Names of which [`show`] shows none for any record of a block, so that records need not be read to be asked.
pub(super) struct Absent {
    /// The names of the attributes that there are; none where they are not known.
    attributes: Option<HashSet<String>>,
}

impl Absent {
    pub(super) fn of(block: &LogBlock) -> Self {
        let Some(keys) = block.attribute_keys() else { return Self { attributes: None } };
        let mut attributes = HashSet::new();
        let mut add = |key: &str| {
            let mut name = String::new();
            sanitize(key, &mut name);
            attributes.insert(name);
        };
        keys.iter().for_each(|key| add(key));
        for (resource, scope) in block.origins() {
            resource.attributes.iter().for_each(|attribute| add(&attribute.key));
            scope.attributes.iter().for_each(|attribute| add(&attribute.key));
        }
        Self { attributes: Some(attributes) }
    }

    /// Whether no attribute has this name.
    pub(super) fn has_no_attribute(&self, name: &str) -> bool {
        self.attributes.as_ref().is_some_and(|names| !names.contains(name))
    }

    /// Whether nothing has this name.
    pub(super) fn is_absent(&self, name: &str) -> bool {
        name != LEVEL && !OF_RECORD.contains(&name) && self.has_no_attribute(name)
    }
}

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
    let is_told = Level::TOLD_BY.iter().any(|name| stream.get(name).is_some() || shown.known.contains(*name));
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
    shown.pair(LEVEL, Level::of(record, stream, line).name());
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
}
