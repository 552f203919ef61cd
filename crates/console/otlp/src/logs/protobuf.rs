//! Log records in protobuf. The numbers are those of `logs.proto`.

use std::sync::Arc;

use console_model::{Labels, LogBatch, LogGroup, LogRecord, Resource, SpanId, TraceId};
use console_wire::Fields;

use super::{complete, stream};
use crate::budget::Budget;
use crate::error::Rejects;
use crate::protobuf::{
    count_of_scope, count_of_scopes, each, group_resource, group_scope, push_attribute, reserve, value,
};
use crate::{DecodeError, Decoded};

/// Reads an `ExportLogsServiceRequest` that arrived at this time, nanoseconds since the Unix epoch.
pub fn from_protobuf(bytes: &[u8], arrival_ns: u64) -> Result<Decoded<LogBatch>, DecodeError> {
    let mut reading = Reading { arrival_ns, budget: Budget::of(bytes.len()), rejects: Rejects::default() };
    let mut batch = LogBatch::default();
    each(bytes, 1, "resourceLogs", |bytes, index| {
        let mut resource = match group_resource(bytes, &mut reading.budget) {
            Ok(resource) => resource,
            Err(error) => {
                let count = || count_of_scopes(bytes, count_of_scope);
                return reading.rejects.items(error, count, |error| error.under_index("resourceLogs", index));
            }
        };
        let labels = stream::labels_and_unmark(&mut resource);
        let resource = Arc::new(resource);
        each(bytes, 2, "scopeLogs", |bytes, inner| {
            let place = || format!("resourceLogs[{index}].scopeLogs[{inner}]");
            let group = reading.group(bytes, &labels, &resource, &place)?;
            batch.groups.extend(group.filter(|group| !group.records.is_empty()));
            Ok(())
        })
    })?;
    Ok(Decoded { batch, rejected: reading.rejects.finish() })
}

struct Reading {
    arrival_ns: u64,
    budget: Budget,
    rejects: Rejects,
}

impl Reading {
    /// `ScopeLogs`; `None` if its scope is spoilt, which rejects its records.
    fn group(
        &mut self,
        bytes: &[u8],
        stream: &Labels,
        resource: &Arc<Resource>,
        place: &dyn Fn() -> String,
    ) -> Result<Option<LogGroup>, DecodeError> {
        self.budget.charge::<LogGroup>()?;
        let scope = match group_scope(bytes, &mut self.budget) {
            Ok(scope) => Arc::new(scope),
            Err(error) => {
                self.rejects.items(error, || count_of_scope(bytes), |error| error.under(&place()))?;
                return Ok(None);
            }
        };
        let mut records = Vec::new();
        let mut last = 0;
        each(bytes, 2, "logRecords", |bytes, index| {
            self.budget.charge::<LogRecord>()?;
            let mut record = LogRecord::default();
            reserve(&mut record.attributes, last, bytes.len());
            if let Err(error) = read(bytes, &mut self.budget, &mut record) {
                return self.rejects.item(error, |error| error.under_index("logRecords", index).under(&place()));
            }
            last = record.attributes.len();
            complete(&mut record, self.arrival_ns);
            records.push(record);
            Ok(())
        })?;
        Ok(Some(LogGroup { stream: stream.clone(), resource: Arc::clone(resource), scope, records }))
    }
}

/// `LogRecord`
fn read(bytes: &[u8], budget: &mut Budget, record: &mut LogRecord) -> Result<(), DecodeError> {
    for field in Fields::new(bytes) {
        let field = field?;
        match field.number {
            1 => record.time_ns = field.fixed64()?,
            2 => record.severity_number = field.int32()?,
            3 => record.severity_text = field.text()?.into(),
            5 => record.body = value(field.bytes()?, budget, 1).map_err(|error| error.under("body"))?,
            6 => push_attribute(&mut record.attributes, field.bytes()?, budget)?,
            7 => record.dropped_attributes_count = field.uint32()?,
            8 => record.flags = field.fixed32()?,
            9 => record.trace_id = TraceId::from_bytes(field.bytes()?).ok(),
            10 => record.span_id = SpanId::from_bytes(field.bytes()?).ok(),
            11 => record.observed_time_ns = field.fixed64()?,
            12 => record.event_name = field.text()?.into(),
            _ => {}
        }
    }
    Ok(())
}
