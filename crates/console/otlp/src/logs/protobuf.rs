//! Log records in protobuf. The numbers are those of `logs.proto`.

use console_model::{LogBatch, LogRecord, SpanId, TraceId};
use console_wire::Fields;

use super::{NAMES, complete, groups};
use crate::budget::Budget;
use crate::protobuf::{envelope, push_attribute, reserve, value};
use crate::{DecodeError, Decoded};

/// Reads an `ExportLogsServiceRequest` that arrived at this time, nanoseconds since the Unix epoch.
pub fn from_protobuf(bytes: &[u8], arrival_ns: u64) -> Result<Decoded<LogBatch>, DecodeError> {
    let item = |bytes: &[u8], budget: &mut Budget, last: Option<&LogRecord>| {
        let mut record = LogRecord::default();
        reserve(&mut record.attributes, last.map_or(0, |last| last.attributes.len()), bytes.len());
        read(bytes, budget, &mut record)?;
        complete(&mut record, arrival_ns);
        Ok(record)
    };
    let Decoded { batch: groups, rejected } = envelope::read(bytes, &NAMES, item, groups)?;
    Ok(Decoded { batch: LogBatch { groups }, rejected })
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
