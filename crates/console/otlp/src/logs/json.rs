//! Log records in OTLP's JSON.

use console_model::{LogBatch, LogRecord};

use super::{NAMES, complete, groups};
use crate::budget::Budget;
use crate::json::envelope;
use crate::json::reader::Reader;
use crate::json::{WrongLength, attributes, span_id, trace_id, value};
use crate::{DecodeError, Decoded};

const SEVERITIES: [&str; 25] = [
    "UNSPECIFIED",
    "TRACE",
    "TRACE2",
    "TRACE3",
    "TRACE4",
    "DEBUG",
    "DEBUG2",
    "DEBUG3",
    "DEBUG4",
    "INFO",
    "INFO2",
    "INFO3",
    "INFO4",
    "WARN",
    "WARN2",
    "WARN3",
    "WARN4",
    "ERROR",
    "ERROR2",
    "ERROR3",
    "ERROR4",
    "FATAL",
    "FATAL2",
    "FATAL3",
    "FATAL4",
];

/// Reads an `ExportLogsServiceRequest` in JSON that arrived at this time, nanoseconds since the Unix epoch.
pub fn from_json(text: &[u8], arrival_ns: u64) -> Result<Decoded<LogBatch>, DecodeError> {
    let item = |reader: &mut Reader<'_>, budget: &mut Budget| {
        let mut record = record(reader, budget)?;
        complete(&mut record, arrival_ns);
        Ok(record)
    };
    let Decoded { batch: groups, rejected } = envelope::read(text, &NAMES, item, groups)?;
    Ok(Decoded { batch: LogBatch { groups }, rejected })
}

fn record(reader: &mut Reader<'_>, budget: &mut Budget) -> Result<LogRecord, DecodeError> {
    let mut record = LogRecord::default();
    reader.object(|reader, name| {
        match name {
            "timeUnixNano" | "time_unix_nano" => record.time_ns = reader.uint64()?,
            "observedTimeUnixNano" | "observed_time_unix_nano" => record.observed_time_ns = reader.uint64()?,
            "severityNumber" | "severity_number" => {
                record.severity_number = reader.enumeration("SEVERITY_NUMBER_", &SEVERITIES)?;
            }
            "severityText" | "severity_text" => record.severity_text = reader.text()?.into(),
            "body" => record.body = value(reader, budget, 1)?,
            "attributes" => attributes(reader, budget, &mut record.attributes)?,
            "droppedAttributesCount" | "dropped_attributes_count" => {
                record.dropped_attributes_count = reader.uint32()?;
            }
            "flags" => record.flags = reader.uint32()?,
            "traceId" | "trace_id" => record.trace_id = trace_id(reader, WrongLength::Ignored)?,
            "spanId" | "span_id" => record.span_id = span_id(reader, WrongLength::Ignored)?,
            "eventName" | "event_name" => record.event_name = reader.text()?.into(),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(record)
}
