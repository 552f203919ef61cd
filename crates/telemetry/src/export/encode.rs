//! From records to the requests of OTLP 1.x: `ExportTraceServiceRequest` and
//! `ExportLogsServiceRequest`, grouped by service and scope. What one record looks like is in
//! `spans` and `logs`; how requests travel is `transport`'s business.

mod logs;
mod spans;

use bytes::Bytes;

use super::wire;
use crate::record::{Attribute, Service, Value};

/// Bytes of one request at most, before compression: half of what a gRPC server takes unless it is
/// told otherwise.
pub(super) const REQUEST_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Field numbers that `ResourceSpans` and `ResourceLogs`, and `ScopeSpans` and `ScopeLogs`, share.
const RESOURCES: u32 = 1;
const RESOURCE: u32 = 1;
const SCOPES: u32 = 2;
const SCOPE: u32 = 1;
const RECORDS: u32 = 2;

/// What a record has to tell to be sent.
pub(super) trait Record {
    /// Whose it is.
    fn service(&self) -> Service;
    /// Its instrumentation scope: `highbeam` for spans, the logger for log lines, as OpenTelemetry's
    /// data model has it (`code.namespace` is gone since semantic conventions 1.33).
    fn scope(&self) -> &'static str;
    /// Writes its message's fields.
    fn encode(&self, buffer: &mut Vec<u8>);
}

/// Gathers records into a request.
pub(super) struct Encoder {
    /// `Resource` of each service, as a field of its parent.
    resources: Vec<Vec<u8>>,
    groups: Vec<Group>,
    /// Bytes of all groups.
    size: usize,
    records: u64,
    max: usize,
}

/// The records of one scope of one service.
struct Group {
    service: Service,
    scope: &'static str,
    body: Vec<u8>,
}

/// A request that is ready to be sent.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) body: Bytes,
    pub(super) records: u64,
}

/// Why a record was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// It has to go into the next request.
    Next,
    /// It would fit into none.
    Never,
}

impl Encoder {
    pub(super) fn new(services: &[Vec<(String, Value)>]) -> Self {
        Self::with_max(services, REQUEST_BYTES_MAX)
    }

    fn with_max(services: &[Vec<(String, Value)>], max: usize) -> Self {
        let resource = |attributes: &Vec<(String, Value)>| {
            let mut buffer = Vec::new();
            wire::put_message(&mut buffer, RESOURCE, |buffer| {
                for (name, value) in attributes {
                    put_attribute(buffer, 1, name, value);
                }
            });
            buffer
        };
        let resources = services.iter().map(resource).collect();
        Self { resources, groups: Vec::new(), size: 0, records: 0, max }
    }

    /// Adds a record, or leaves everything as it was.
    pub(super) fn push<R: Record>(&mut self, record: &R) -> Result<(), Full> {
        let max = self.max;
        let is_first = self.records == 0;
        let others = self.size;
        let group = self.group(record.service(), record.scope());
        let before = group.body.len();
        wire::put_message(&mut group.body, RECORDS, |buffer| record.encode(buffer));
        let added = group.body.len() - before;
        if others + added > max {
            group.body.truncate(before);
            return Err(if is_first { Full::Never } else { Full::Next });
        }
        self.size += added;
        self.records += 1;
        Ok(())
    }

    /// The request with all that was added, and an empty encoder; `None` without records.
    pub(super) fn finish(&mut self) -> Option<Request> {
        if self.records == 0 {
            return None;
        }
        // Names of scopes and resources are few and short beside records.
        let mut body = Vec::with_capacity(self.size + 1024);
        // A service's groups stand together.
        self.groups.sort_by_key(|group| group.service.0);
        for groups in self.groups.chunk_by(|one, other| one.service == other.service) {
            self.put_resource(&mut body, groups);
        }
        for group in &mut self.groups {
            group.body.clear();
        }
        self.size = 0;
        Some(Request { body: body.into(), records: std::mem::take(&mut self.records) })
    }

    /// Where records of this kind are gathered. There are as many groups as the program has services
    /// and loggers, and the one that was used last is most often the next.
    fn group(&mut self, service: Service, scope: &'static str) -> &mut Group {
        let is_it = |group: &Group| group.service == service && group.scope == scope;
        let at = self.groups.iter().position(is_it).unwrap_or_else(|| {
            self.groups.push(Group { service, scope, body: Vec::new() });
            self.groups.len() - 1
        });
        &mut self.groups[at]
    }

    fn put_resource(&self, body: &mut Vec<u8>, groups: &[Group]) {
        let Some(first) = groups.first() else { return };
        let resource = self.resources.get(usize::from(first.service.0)).map_or(&[][..], Vec::as_slice);
        let scopes: Vec<_> = groups
            .iter()
            .filter(|group| !group.body.is_empty())
            .map(|group| {
                let mut scope = Vec::with_capacity(64);
                wire::put_message(&mut scope, SCOPE, |buffer| {
                    wire::put_bytes(buffer, 1, group.scope.as_bytes());
                    wire::put_bytes(buffer, 2, env!("CARGO_PKG_VERSION").as_bytes());
                });
                (scope, &group.body)
            })
            .collect();
        if scopes.is_empty() {
            return;
        }
        let length: usize = scopes.iter().map(|(scope, records)| wire::field_len(scope.len() + records.len())).sum();
        wire::put_head(body, RESOURCES, resource.len() + length);
        body.extend_from_slice(resource);
        for (scope, records) in scopes {
            wire::put_head(body, SCOPES, scope.len() + records.len());
            body.extend_from_slice(&scope);
            body.extend_from_slice(records);
        }
    }
}

/// A `KeyValue`. Its lengths are known before it is written.
#[inline]
fn put_attribute(buffer: &mut Vec<u8>, field: u32, name: &str, value: &Value) {
    let value_len = match value {
        Value::Text(text) => wire::field_len(text.len()),
        // A negative number takes ten bytes, as two's complement of 64 bits.
        Value::Integer(number) => 1 + wire::varint_len(number.cast_unsigned()),
        Value::Number(_) => 9,
        Value::Flag(_) => 2,
    };
    wire::put_head(buffer, field, wire::field_len(name.len()) + wire::field_len(value_len));
    wire::put_head(buffer, 1, name.len());
    buffer.extend_from_slice(name.as_bytes());
    wire::put_head(buffer, 2, value_len);
    // One of several: even an empty value is written, for its kind.
    match value {
        Value::Text(text) => {
            wire::put_head(buffer, 1, text.len());
            buffer.extend_from_slice(text.as_bytes());
        }
        Value::Flag(flag) => buffer.extend_from_slice(&[2 << 3, u8::from(*flag)]),
        Value::Integer(number) => {
            buffer.push(3 << 3);
            wire::put_varint(buffer, number.cast_unsigned());
        }
        Value::Number(number) => wire::put_fixed64(buffer, 4, number.to_bits()),
    }
}

fn put_attributes(buffer: &mut Vec<u8>, field: u32, attributes: &[Attribute]) {
    for (name, value) in attributes {
        put_attribute(buffer, field, name, value);
    }
}

#[cfg(test)]
mod tests;
