//! Spans in OTLP's JSON.

use console_model::{Link, Span, SpanBatch, SpanEvent, SpanKind, Status, StatusCode};

use super::{Draft, LinkRest, NAMES, groups};
use crate::budget::Budget;
use crate::json::envelope;
use crate::json::reader::Reader;
use crate::json::{WrongLength, attributes, span_id, trace_id};
use crate::{DecodeError, Decoded};

const KINDS: [&str; 6] = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const STATUS_CODES: [&str; 3] = ["UNSET", "OK", "ERROR"];

/// Reads an `ExportTraceServiceRequest` in JSON. The time of arrival, nanoseconds since the Unix epoch, is
/// for the sake of being called like the other signals: spans have times of their own.
pub fn from_json(text: &[u8], _arrival_ns: u64) -> Result<Decoded<SpanBatch>, DecodeError> {
    let Decoded { batch: groups, rejected } = envelope::read(text, &NAMES, span, groups)?;
    Ok(Decoded { batch: SpanBatch { groups }, rejected })
}

fn span(reader: &mut Reader<'_>, budget: &mut Budget) -> Result<Span, DecodeError> {
    let mut draft = Draft::new()?;
    reader.object(|reader, name| {
        let span = &mut draft.span;
        match name {
            "traceId" | "trace_id" => draft.trace_id = trace_id(reader, WrongLength::Rejected)?,
            "spanId" | "span_id" => draft.span_id = span_id(reader, WrongLength::Rejected)?,
            "traceState" | "trace_state" => span.trace_state = reader.text()?.into(),
            "parentSpanId" | "parent_span_id" => span.parent_span_id = span_id(reader, WrongLength::Rejected)?,
            "flags" => span.flags = reader.uint32()?,
            "name" => span.name = reader.text()?.into(),
            "kind" => span.kind = SpanKind::from_number(reader.enumeration("SPAN_KIND_", &KINDS)?),
            "startTimeUnixNano" | "start_time_unix_nano" => span.start_ns = reader.uint64()?,
            "endTimeUnixNano" | "end_time_unix_nano" => span.end_ns = reader.uint64()?,
            "attributes" => attributes(reader, budget, &mut span.attributes)?,
            "droppedAttributesCount" | "dropped_attributes_count" => {
                span.dropped_attributes_count = reader.uint32()?;
            }
            "events" => reader.array(|reader| {
                budget.charge::<SpanEvent>()?;
                span.events.push(event(reader, budget)?);
                Ok(())
            })?,
            "droppedEventsCount" | "dropped_events_count" => span.dropped_events_count = reader.uint32()?,
            "links" => reader.array(|reader| link(reader, budget, &mut draft))?,
            "droppedLinksCount" | "dropped_links_count" => {
                span.dropped_links_count = span.dropped_links_count.saturating_add(reader.uint32()?);
            }
            "status" => status(reader, &mut span.status)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    draft.finish()
}

fn event(reader: &mut Reader<'_>, budget: &mut Budget) -> Result<SpanEvent, DecodeError> {
    let mut event = SpanEvent::default();
    reader.object(|reader, name| {
        match name {
            "timeUnixNano" | "time_unix_nano" => event.time_ns = reader.uint64()?,
            "name" => event.name = reader.text()?.into(),
            "attributes" => attributes(reader, budget, &mut event.attributes)?,
            "droppedAttributesCount" | "dropped_attributes_count" => {
                event.dropped_attributes_count = reader.uint32()?;
            }
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(event)
}

fn link(reader: &mut Reader<'_>, budget: &mut Budget, draft: &mut Draft) -> Result<(), DecodeError> {
    budget.charge::<Link>()?;
    let (mut trace, mut span) = (None, None);
    let mut rest = LinkRest::default();
    reader.object(|reader, name| {
        match name {
            "traceId" | "trace_id" => trace = trace_id(reader, WrongLength::Rejected).or_else(none_if_item)?,
            "spanId" | "span_id" => span = span_id(reader, WrongLength::Rejected).or_else(none_if_item)?,
            "traceState" | "trace_state" => rest.trace_state = reader.text()?.into(),
            "attributes" => attributes(reader, budget, &mut rest.attributes)?,
            "droppedAttributesCount" | "dropped_attributes_count" => {
                rest.dropped_attributes_count = reader.uint32()?;
            }
            "flags" => rest.flags = reader.uint32()?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    draft.link(trace, span, rest);
    Ok(())
}

/// Where a wrong id is as good as none. The reader is behind its text already.
fn none_if_item<T>(error: DecodeError) -> Result<Option<T>, DecodeError> {
    if error.is_of_item() { Ok(None) } else { Err(error) }
}

fn status(reader: &mut Reader<'_>, status: &mut Status) -> Result<(), DecodeError> {
    reader.object(|reader, name| {
        match name {
            "message" => status.message = reader.text()?.into(),
            "code" => status.code = StatusCode::from_number(reader.enumeration("STATUS_CODE_", &STATUS_CODES)?),
            _ => reader.skip()?,
        }
        Ok(())
    })
}
