//! Records on their way to the sink, by file and service. When a batch is full is not decided here.

use std::path::Path;
use std::sync::Arc;

use console_model::{Labels, LogBatch, LogGroup, Resource, Scope, Text};
use hashbrown::HashMap;

use super::file::Identity;
use super::line::read_line;
use super::{Options, SERVICES_MAX};

#[derive(Debug, Default)]
pub(super) struct Batch {
    groups: Vec<LogGroup>,
    by_stream: HashMap<(Identity, Option<Text>), usize>,
    services: HashMap<Identity, usize>,
    scope: Arc<Scope>,
    pub(super) records: usize,
    pub(super) bytes: usize,
}

impl Batch {
    /// Adds a line. What is not UTF-8 becomes U+FFFD; an empty line is none.
    pub(super) fn push(&mut self, path: &Path, identity: Identity, line: &[u8], arrival_ns: u64, options: &Options) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // A file that was cut to nothing while its writer went on at its old place begins with a hole.
        let hole = line.iter().take_while(|byte| **byte == 0).count();
        let line = line.get(hole..).unwrap_or_default();
        if line.is_empty() {
            return;
        }
        let parsed = read_line(&String::from_utf8_lossy(line), arrival_ns);
        let mut key = (identity, parsed.service);
        if !self.by_stream.contains_key(&key) {
            let services = self.services.entry(identity).or_insert(0);
            if key.1.is_some() && *services >= SERVICES_MAX {
                key.1 = None;
            }
        }
        let position = match self.by_stream.get(&key) {
            Some(position) => *position,
            None => {
                let group = self.group(path, key.1.as_deref(), options);
                self.groups.push(group);
                *self.services.entry(identity).or_insert(0) += 1;
                self.by_stream.insert(key, self.groups.len() - 1);
                self.groups.len() - 1
            }
        };
        if let Some(group) = self.groups.get_mut(position) {
            group.records.push(parsed.record);
            self.records += 1;
            self.bytes += line.len();
        }
    }

    fn group(&self, path: &Path, service: Option<&str>, options: &Options) -> LogGroup {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy());
        let service = service.or(options.service.as_deref()).or(stem.as_deref()).unwrap_or_default();
        let filename = path.to_string_lossy();
        let stream = Labels::from_pairs([
            ("service_name", service),
            ("filename", filename.as_ref()),
            ("job", options.job.as_str()),
        ]);
        let mut resource = Resource::default();
        resource.attributes.push("service.name", service);
        LogGroup { stream, resource: Arc::new(resource), scope: Arc::clone(&self.scope), records: Vec::new() }
    }

    /// What there is; afterwards there is nothing.
    pub(super) fn take(&mut self) -> LogBatch {
        let scope = Arc::clone(&self.scope);
        let full = std::mem::replace(self, Self { scope, ..Self::default() });
        LogBatch { groups: full.groups }
    }
}
