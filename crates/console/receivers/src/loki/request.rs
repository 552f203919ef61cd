//! What both encodings have in common: streams with their labels, entries within Loki's limits, and what of
//! an entry becomes what of a record. How these are written is the encodings' business.

use std::sync::Arc;

use console_model::{
    Attribute, Attributes, LabelSetBuilder, Labels, LogGroup, LogRecord, Resource, Scope, UNKNOWN_SERVICE, Value,
};

use super::{
    Decoded, ENTRIES_MAX, LABEL_NAME_BYTES_MAX, LABEL_VALUE_BYTES_MAX, LABELS_MAX, LINE_BYTES_MAX, METADATA_BYTES_MAX,
    METADATA_MAX, REQUEST_METADATA_MAX,
};
use crate::{exemplar, severity};

/// Labels that name a service, the best first, as Loki looks for them.
const SERVICE_LABELS: [&str; 11] = [
    "service_name",
    "service",
    "app",
    "application",
    "name",
    "app_kubernetes_io_name",
    "container",
    "container_name",
    "component",
    "workload",
    "job",
];
/// Names under which a level is sent, the best first.
const LEVELS: [&str; 3] = ["level", "detected_level", "severity"];

/// Collects entry after entry into a request.
#[derive(Debug)]
pub(super) struct Request {
    decoded: Decoded,
    arrival_ns: u64,
    entries: usize,
    metadata: usize,
    builder: LabelSetBuilder,
    scope: Arc<Scope>,
}

/// An entry while it is read.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) time_ns: Option<u64>,
    pub(super) line: Option<console_model::Text>,
    pub(super) metadata: Attributes,
    pub(super) metadata_bytes: usize,
    pub(super) fault: Option<&'static str>,
}

impl Entry {
    /// Adds a piece of structured metadata, up to the limits.
    pub(super) fn push(&mut self, name: &str, value: &str) {
        self.metadata_bytes = self.metadata_bytes.saturating_add(name.len() + value.len());
        if self.metadata.len() >= METADATA_MAX {
            self.fault = Some("has more than 128 structured metadata");
        } else if self.metadata_bytes > METADATA_BYTES_MAX {
            self.fault = Some("has more than 65536 bytes of structured metadata");
        } else {
            self.metadata.0.push(Attribute::new(name, value));
        }
    }
}

impl Request {
    pub(super) fn new(arrival_ns: u64) -> Self {
        Self {
            decoded: Decoded::default(),
            arrival_ns,
            entries: 0,
            metadata: 0,
            builder: LabelSetBuilder::new(),
            scope: Arc::default(),
        }
    }

    /// Turns labels and entries into a stream; labels that are wrong lose the stream's entries.
    pub(super) fn stream<N: AsRef<str>>(&mut self, labels: Result<&[(N, N)], String>, records: Vec<LogRecord>) {
        let count = records.len() as u64;
        match labels.and_then(|labels| self.labels(labels)) {
            _ if count == 0 => {}
            Ok(stream) => {
                let mut resource = Resource::default();
                let service = stream.get("service_name").unwrap_or(UNKNOWN_SERVICE);
                resource.attributes.push("service.name", service);
                let severity = LEVELS.iter().find_map(|name| stream.get(name));
                let severity = severity.map(|word| (word, severity::from_word(word)));
                let mut records = records;
                if let Some((word, number)) = severity {
                    for record in records.iter_mut().filter(|record| record.severity_text.is_empty()) {
                        record.severity_text = word.into();
                        record.severity_number = number;
                    }
                }
                let (resource, scope) = (Arc::new(resource), Arc::clone(&self.scope));
                self.decoded.batch.groups.push(LogGroup { stream, resource, scope, records });
            }
            Err(reason) => self.decoded.rejects.add(count, || reason),
        }
    }

    fn labels<N: AsRef<str>>(&mut self, labels: &[(N, N)]) -> Result<Labels, String> {
        let pairs = || labels.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        let set = pairs().filter(|(_, value)| !value.is_empty());
        let count = set.clone().filter(|(name, _)| *name != "service_name").count();
        if set.clone().next().is_none() {
            return Err(
                "error at least one label pair is required per stream, as in {\"stream\":{\"app\":\"api\"}}".into()
            );
        }
        if count > LABELS_MAX {
            return Err(format!("entry for a stream has {count} label names; limit {LABELS_MAX}"));
        }
        for (name, value) in set.clone() {
            if name.len() > LABEL_NAME_BYTES_MAX {
                return Err(format!("a stream has a label name of {} bytes; limit {LABEL_NAME_BYTES_MAX}", name.len()));
            }
            if value.len() > LABEL_VALUE_BYTES_MAX {
                let (length, limit) = (value.len(), LABEL_VALUE_BYTES_MAX);
                return Err(format!("a stream has a value of {length} bytes for the label {name}; limit {limit}"));
            }
            let is_first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
            let is_name = name.bytes().next().is_some_and(is_first)
                && name.bytes().all(|byte| is_first(byte) || byte.is_ascii_digit());
            if !is_name {
                return Err(format!("{name:?} is no name of a label: letters, digits and underscores, as in app_name"));
            }
        }
        set.clone().for_each(|(name, value)| self.builder.push(name, value));
        let find = |wanted: &&str| set.clone().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let service = SERVICE_LABELS.iter().find_map(find).unwrap_or(UNKNOWN_SERVICE);
        self.builder.push("service_name", service);
        Ok(self.builder.finish())
    }

    /// Turns an entry into a record, or notes why not.
    pub(super) fn entry(&mut self, entry: Entry, records: &mut Vec<LogRecord>) {
        let reject = |rejects: &mut crate::Rejects, reason: &str| {
            rejects.add(1, || format!("entry with timestamp {} {reason}", entry.time_ns.unwrap_or(0)));
        };
        let rejects = &mut self.decoded.rejects;
        let line_bytes = entry.line.as_ref().map_or(0, |line| line.len());
        if self.entries >= ENTRIES_MAX {
            return rejects.add(1, || format!("more than {ENTRIES_MAX} entries in one request: send fewer at a time"));
        }
        if let Some(fault) = entry.fault {
            return reject(rejects, fault);
        }
        if line_bytes > LINE_BYTES_MAX {
            let reason = format!("has a line of {line_bytes} bytes; Max entry size {LINE_BYTES_MAX} bytes exceeded");
            return reject(rejects, &reason);
        }
        let (Some(time_ns), Some(line)) = (entry.time_ns, entry.line) else {
            return rejects
                .add(1, || "entry without timestamp and line, as in [\"1700000000000000000\",\"a line\"]".into());
        };
        if self.metadata + entry.metadata.len() > REQUEST_METADATA_MAX {
            let limit = REQUEST_METADATA_MAX;
            return rejects
                .add(1, || format!("more than {limit} structured metadata in one request: send fewer at a time"));
        }
        self.metadata += entry.metadata.len();
        self.entries += 1;
        let text = |names: &[&str]| names.iter().find_map(|name| entry.metadata.text(name));
        let level = text(&LEVELS).unwrap_or_default();
        records.push(LogRecord {
            time_ns,
            observed_time_ns: self.arrival_ns,
            severity_number: severity::from_word(level),
            severity_text: level.into(),
            body: Value::String(line),
            trace_id: text(&exemplar::TRACE_ID).and_then(|id| id.parse().ok()),
            span_id: text(&exemplar::SPAN_ID).and_then(|id| id.parse().ok()),
            attributes: entry.metadata,
            ..LogRecord::default()
        });
    }

    pub(super) fn finish(self) -> Decoded {
        self.decoded
    }
}
