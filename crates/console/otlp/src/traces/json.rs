//! Spans in OTLP's JSON.

use std::sync::Arc;

use console_model::{Link, Resource, Scope, Span, SpanBatch, SpanEvent, SpanGroup, SpanKind, Status, StatusCode};

use super::{Draft, LinkRest};
use crate::budget::Budget;
use crate::error::Rejects;
use crate::json::reader::Reader;
use crate::json::{WrongLength, attributes, resource, scope, span_id, trace_id};
use crate::{DecodeError, Decoded};

const KINDS: [&str; 6] = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const STATUS_CODES: [&str; 3] = ["UNSET", "OK", "ERROR"];

/// Reads an `ExportTraceServiceRequest` in JSON. The time of arrival, nanoseconds since the Unix epoch, is
/// for the sake of being called like the other signals: spans have times of their own.
pub fn from_json(text: &[u8], _arrival_ns: u64) -> Result<Decoded<SpanBatch>, DecodeError> {
    let mut reading = Reading { text, budget: Budget::of(text.len()), rejects: Rejects::default() };
    let mut batch = SpanBatch::default();
    let mut reader = Reader::new(text);
    let read = reader.object(|reader, name| match name {
        "resourceSpans" | "resource_spans" => {
            let mut index = 0;
            reader.array(|reader| {
                reading.resource_spans(reader, index, &mut batch)?;
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
    budget: Budget,
    rejects: Rejects,
}

impl Reading<'_> {
    fn resource_spans(
        &mut self,
        reader: &mut Reader<'_>,
        index: usize,
        batch: &mut SpanBatch,
    ) -> Result<(), DecodeError> {
        // The resource may stand behind its spans.
        let mut sender = Resource::default();
        let mut groups = Vec::new();
        self.budget.charge::<Resource>()?;
        reader.object(|reader, name| {
            match name {
                "resource" => resource(reader, &mut self.budget, &mut sender)?,
                "schemaUrl" | "schema_url" => sender.schema_url = reader.text()?.into(),
                "scopeSpans" | "scope_spans" => reader.array(|reader| {
                    self.budget.charge::<(Scope, SpanGroup)>()?;
                    let place = || format!("resourceSpans[{index}].scopeSpans");
                    groups.push(self.scope_spans(reader, groups.len(), &place)?);
                    Ok(())
                })?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        let sender = Arc::new(sender);
        let groups = groups.into_iter().filter(|(_, spans)| !spans.is_empty());
        batch.groups.extend(groups.map(|(scope, spans)| SpanGroup {
            resource: Arc::clone(&sender),
            scope: Arc::new(scope),
            spans,
        }));
        Ok(())
    }

    fn scope_spans(
        &mut self,
        reader: &mut Reader<'_>,
        index: usize,
        place: &dyn Fn() -> String,
    ) -> Result<(Scope, Vec<Span>), DecodeError> {
        let mut maker = Scope::default();
        let mut spans = Vec::new();
        reader.object(|reader, name| {
            match name {
                "scope" => scope(reader, &mut self.budget, &mut maker)?,
                "schemaUrl" | "schema_url" => maker.schema_url = reader.text()?.into(),
                "spans" => {
                    let mut inner = 0;
                    reader.array(|reader| {
                        let start = reader.offset();
                        self.budget.charge::<Span>()?;
                        match span(reader, &mut self.budget) {
                            Ok(span) => spans.push(span),
                            Err(error) => {
                                self.rejects.item(error, |error| {
                                    let error = error.at(start).under_index("spans", inner);
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
        Ok((maker, spans))
    }
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
