//! Spans in protobuf. The numbers are those of `trace.proto`.

use console_model::{
    Attributes, InvalidId, Link, Span, SpanBatch, SpanEvent, SpanId, SpanKind, Status, StatusCode, TraceId,
};
use console_wire::Fields;

use super::{Draft, LinkRest, NAMES, groups};
use crate::budget::Budget;
use crate::protobuf::{envelope, push_attribute, reserve};
use crate::{DecodeError, Decoded};

/// Reads an `ExportTraceServiceRequest`. The time of arrival, nanoseconds since the Unix epoch, is for the
/// sake of being called like the other signals: spans have times of their own.
pub fn from_protobuf(bytes: &[u8], _arrival_ns: u64) -> Result<Decoded<SpanBatch>, DecodeError> {
    let item = |bytes: &[u8], budget: &mut Budget, last: Option<&Span>| {
        span(bytes, budget, last.map_or(0, |last| last.attributes.len()))
    };
    let Decoded { batch: groups, rejected } = envelope::read(bytes, &NAMES, item, groups)?;
    Ok(Decoded { batch: SpanBatch { groups }, rejected })
}

/// `Span`, which may well have so many attributes.
fn span(bytes: &[u8], budget: &mut Budget, attributes_expected: usize) -> Result<Span, DecodeError> {
    let mut draft = Draft::new()?;
    reserve(&mut draft.span.attributes, attributes_expected, bytes.len());
    for field in Fields::new(bytes) {
        let field = field?;
        let span = &mut draft.span;
        match field.number {
            1 => draft.trace_id = given(field.bytes()?, TraceId::from_bytes, "traceId")?,
            2 => draft.span_id = given(field.bytes()?, SpanId::from_bytes, "spanId")?,
            3 => span.trace_state = field.text()?.into(),
            4 => span.parent_span_id = given(field.bytes()?, SpanId::from_bytes, "parentSpanId")?,
            5 => span.name = field.text()?.into(),
            6 => span.kind = SpanKind::from_number(field.int32()?),
            7 => span.start_ns = field.fixed64()?,
            8 => span.end_ns = field.fixed64()?,
            9 => push_attribute(&mut span.attributes, field.bytes()?, budget)?,
            10 => span.dropped_attributes_count = field.uint32()?,
            11 => {
                budget.charge::<SpanEvent>()?;
                let event = event(field.bytes()?, budget);
                span.events.push(event.map_err(|error| error.under_index("events", span.events.len()))?);
            }
            12 => span.dropped_events_count = field.uint32()?,
            13 => link(field.bytes()?, budget, &mut draft)?,
            14 => span.dropped_links_count = span.dropped_links_count.saturating_add(field.uint32()?),
            15 => status(field.bytes()?, &mut span.status).map_err(|error| error.under("status"))?,
            16 => span.flags = field.fixed32()?,
            _ => {}
        }
    }
    draft.finish()
}

/// An id in bytes, `None` if there are none, or only zeros.
fn given<T>(
    bytes: &[u8],
    from_bytes: impl FnOnce(&[u8]) -> Result<T, InvalidId>,
    name: &str,
) -> Result<Option<T>, DecodeError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    match from_bytes(bytes) {
        Ok(id) => Ok(Some(id)),
        Err(InvalidId::Zero) => Ok(None),
        Err(error) => Err(DecodeError::item(error.to_string()).under(name)),
    }
}

/// `Span.Event`
fn event(bytes: &[u8], budget: &mut Budget) -> Result<SpanEvent, DecodeError> {
    let mut event = SpanEvent::default();
    for field in Fields::new(bytes) {
        let field = field?;
        match field.number {
            1 => event.time_ns = field.fixed64()?,
            2 => event.name = field.text()?.into(),
            3 => push_attribute(&mut event.attributes, field.bytes()?, budget)?,
            4 => event.dropped_attributes_count = field.uint32()?,
            _ => {}
        }
    }
    Ok(event)
}

/// `Span.Link`
fn link(bytes: &[u8], budget: &mut Budget, draft: &mut Draft) -> Result<(), DecodeError> {
    budget.charge::<Link>()?;
    let (mut trace_id, mut span_id) = (None, None);
    let mut rest = LinkRest { attributes: Attributes::new(), ..LinkRest::default() };
    let mut read = || {
        for field in Fields::new(bytes) {
            let field = field?;
            match field.number {
                1 => trace_id = TraceId::from_bytes(field.bytes()?).ok(),
                2 => span_id = SpanId::from_bytes(field.bytes()?).ok(),
                3 => rest.trace_state = field.text()?.into(),
                4 => push_attribute(&mut rest.attributes, field.bytes()?, budget)?,
                5 => rest.dropped_attributes_count = field.uint32()?,
                6 => rest.flags = field.fixed32()?,
                _ => {}
            }
        }
        Ok(())
    };
    read().map_err(|error: DecodeError| error.under_index("links", draft.span.links.len()))?;
    draft.link(trace_id, span_id, rest);
    Ok(())
}

/// `Status`
fn status(bytes: &[u8], status: &mut Status) -> Result<(), DecodeError> {
    for field in Fields::new(bytes) {
        let field = field?;
        match field.number {
            2 => status.message = field.text()?.into(),
            3 => status.code = StatusCode::from_number(field.int32()?),
            _ => {}
        }
    }
    Ok(())
}
