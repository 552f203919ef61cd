//! Log records in OTLP's JSON.

use std::sync::Arc;

use console_model::{LogBatch, LogGroup, LogRecord, Resource, Scope};

use super::{complete, stream};
use crate::budget::Budget;
use crate::error::Rejects;
use crate::json::reader::Reader;
use crate::json::{WrongLength, attributes, resource, scope, span_id, trace_id, value};
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
    let mut reading = Reading { text, arrival_ns, budget: Budget::of(text.len()), rejects: Rejects::default() };
    let mut batch = LogBatch::default();
    let mut reader = Reader::new(text);
    let read = reader.object(|reader, name| match name {
        "resourceLogs" | "resource_logs" => {
            let mut index = 0;
            reader.array(|reader| {
                reading.resource_logs(reader, index, &mut batch)?;
                index += 1;
                Ok(())
            })
        }
        _ => reader.skip(),
    });
    read.and_then(|()| reader.end()).map_err(|error| error.located(text))?;
    Ok(Decoded { batch, rejected: reading.rejects.finish() })
}

struct Reading<'a> {
    text: &'a [u8],
    arrival_ns: u64,
    budget: Budget,
    rejects: Rejects,
}

impl Reading<'_> {
    fn resource_logs(
        &mut self,
        reader: &mut Reader<'_>,
        index: usize,
        batch: &mut LogBatch,
    ) -> Result<(), DecodeError> {
        // The resource may stand behind its records.
        let mut sender = Resource::default();
        let mut groups = Vec::new();
        self.budget.charge::<Resource>()?;
        reader.object(|reader, name| {
            match name {
                "resource" => resource(reader, &mut self.budget, &mut sender)?,
                "schemaUrl" | "schema_url" => sender.schema_url = reader.text()?.into(),
                "scopeLogs" | "scope_logs" => reader.array(|reader| {
                    self.budget.charge::<(Scope, LogGroup)>()?;
                    let place = || format!("resourceLogs[{index}].scopeLogs");
                    groups.push(self.scope_logs(reader, groups.len(), &place)?);
                    Ok(())
                })?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        let labels = stream::labels_and_unmark(&mut sender);
        let sender = Arc::new(sender);
        let groups = groups.into_iter().filter(|(_, records)| !records.is_empty());
        batch.groups.extend(groups.map(|(scope, records)| LogGroup {
            stream: labels.clone(),
            resource: Arc::clone(&sender),
            scope: Arc::new(scope),
            records,
        }));
        Ok(())
    }

    fn scope_logs(
        &mut self,
        reader: &mut Reader<'_>,
        index: usize,
        place: &dyn Fn() -> String,
    ) -> Result<(Scope, Vec<LogRecord>), DecodeError> {
        let mut maker = Scope::default();
        let mut records = Vec::new();
        reader.object(|reader, name| {
            match name {
                "scope" => scope(reader, &mut self.budget, &mut maker)?,
                "schemaUrl" | "schema_url" => maker.schema_url = reader.text()?.into(),
                "logRecords" | "log_records" => {
                    let mut inner = 0;
                    reader.array(|reader| {
                        let start = reader.offset();
                        self.budget.charge::<LogRecord>()?;
                        match record(reader, &mut self.budget) {
                            Ok(mut record) => {
                                complete(&mut record, self.arrival_ns);
                                records.push(record);
                            }
                            Err(error) => {
                                self.rejects.item(error, |error| {
                                    let error = error.at(start).under_index("logRecords", inner);
                                    error.under(&format!("{}[{index}]", place())).located(self.text)
                                })?;
                                reader.back_to(start);
                                reader.skip()?;
                            }
                        }
                        inner += 1;
                        Ok(())
                    })?;
                }
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok((maker, records))
    }
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
