//! Spans, judged by `opentelemetry-proto` with prost, and by what comes back.

use super::values::{
    attributes, proto_attributes, proto_resource, proto_scope, resource, scope, span_id, text, trace_id,
};
use console_model::{Link, Span, SpanBatch, SpanEvent, SpanGroup, SpanKind, Status, StatusCode};
use console_otlp::{export, traces};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1 as proto;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

fn event() -> impl Strategy<Value = SpanEvent> {
    (any::<u64>(), text(), attributes(), any::<u32>()).prop_map(|(time_ns, name, attributes, count)| SpanEvent {
        time_ns,
        name: name.into(),
        attributes,
        dropped_attributes_count: count,
    })
}

fn link() -> impl Strategy<Value = Link> {
    let ids = (trace_id(), span_id());
    (ids, text(), attributes(), any::<u32>(), any::<u32>()).prop_map(|(ids, state, attributes, count, flags)| Link {
        trace_id: ids.0,
        span_id: ids.1,
        trace_state: state.into(),
        attributes,
        dropped_attributes_count: count,
        flags,
    })
}

fn span() -> impl Strategy<Value = Span> {
    let ids = (trace_id(), span_id(), prop::option::of(span_id()));
    let words = (text(), text(), text());
    let numbers = (any::<[u32; 4]>(), any::<[u64; 2]>(), 0..6_i32, 0..3_i32);
    let parts = (attributes(), vec(event(), 0..3), vec(link(), 0..3));
    (ids, words, numbers, parts).prop_map(|(ids, words, (counts, times, kind, code), parts)| Span {
        trace_id: ids.0,
        span_id: ids.1,
        parent_span_id: ids.2,
        trace_state: words.0.into(),
        flags: counts[0],
        name: words.1.into(),
        kind: SpanKind::from_number(kind),
        start_ns: times[0],
        end_ns: times[1],
        attributes: parts.0,
        dropped_attributes_count: counts[1],
        events: parts.1,
        dropped_events_count: counts[2],
        links: parts.2,
        dropped_links_count: counts[3],
        status: Status { code: StatusCode::from_number(code), message: words.2.into() },
    })
}

fn batch() -> impl Strategy<Value = SpanBatch> {
    let group = (resource(), scope(), vec(span(), 1..4));
    let group = group.prop_map(|(resource, scope, spans)| SpanGroup { resource, scope, spans });
    vec(group, 0..3).prop_map(|groups| SpanBatch { groups })
}

fn to_proto(batch: &SpanBatch) -> ExportTraceServiceRequest {
    let group = |group: &SpanGroup| proto::ResourceSpans {
        resource: Some(proto_resource(&group.resource)),
        scope_spans: vec![proto::ScopeSpans {
            scope: Some(proto_scope(&group.scope)),
            spans: group.spans.iter().map(span_to_proto).collect(),
            schema_url: group.scope.schema_url.to_string(),
        }],
        schema_url: group.resource.schema_url.to_string(),
    };
    ExportTraceServiceRequest { resource_spans: batch.groups.iter().map(group).collect() }
}

fn span_to_proto(span: &Span) -> proto::Span {
    let event = |event: &SpanEvent| proto::span::Event {
        time_unix_nano: event.time_ns,
        name: event.name.to_string(),
        attributes: proto_attributes(&event.attributes),
        dropped_attributes_count: event.dropped_attributes_count,
    };
    let link = |link: &Link| proto::span::Link {
        trace_id: link.trace_id.to_bytes().into(),
        span_id: link.span_id.to_bytes().into(),
        trace_state: link.trace_state.to_string(),
        attributes: proto_attributes(&link.attributes),
        dropped_attributes_count: link.dropped_attributes_count,
        flags: link.flags,
    };
    let status = proto::Status { message: span.status.message.to_string(), code: span.status.code.number().into() };
    proto::Span {
        trace_id: span.trace_id.to_bytes().into(),
        span_id: span.span_id.to_bytes().into(),
        trace_state: span.trace_state.to_string(),
        parent_span_id: span.parent_span_id.map(|id| id.to_bytes().to_vec()).unwrap_or_default(),
        flags: span.flags,
        name: span.name.to_string(),
        kind: span.kind.number().into(),
        start_time_unix_nano: span.start_ns,
        end_time_unix_nano: span.end_ns,
        attributes: proto_attributes(&span.attributes),
        dropped_attributes_count: span.dropped_attributes_count,
        events: span.events.iter().map(event).collect(),
        dropped_events_count: span.dropped_events_count,
        links: span.links.iter().map(link).collect(),
        dropped_links_count: span.dropped_links_count,
        status: (status != proto::Status::default()).then_some(status),
    }
}

/// A NaN does not equal itself; its text does.
fn same(a: &impl std::fmt::Debug, b: &impl std::fmt::Debug) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

proptest! {
    #[test]
    fn what_prost_wrote_is_read(batch in batch()) {
        let read = traces::from_protobuf(&to_proto(&batch).encode_to_vec(), 0).unwrap();
        prop_assert_eq!(read.rejected.count, 0);
        prop_assert_eq!(read.batch, batch);
    }

    #[test]
    fn prost_reads_what_was_written(batch in batch()) {
        let read = ExportTraceServiceRequest::decode(&*export::traces_protobuf(&batch)).unwrap();
        prop_assert!(same(&read, &to_proto(&batch)));
    }

    #[test]
    fn json_comes_back(batch in batch()) {
        let text = export::traces_json(&batch);
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
        let read = traces::from_json(text.as_bytes(), 0).unwrap();
        prop_assert_eq!(read.rejected.count, 0);
        prop_assert_eq!(read.batch, batch);
    }

    #[test]
    fn no_cut_and_no_change_makes_it_panic(batch in batch(), at: prop::sample::Index, byte: u8) {
        let mut bytes = export::traces_protobuf(&batch);
        let mut text = export::traces_json(&batch).into_bytes();
        let _ = traces::from_protobuf(&bytes[..at.index(bytes.len() + 1)], 0);
        let cut = at.index(text.len());
        prop_assert!(traces::from_json(&text[..cut], 0).is_err());
        text[cut] = byte;
        let _ = traces::from_json(&text, 0);
        if !bytes.is_empty() {
            let changed = at.index(bytes.len());
            bytes[changed] = byte;
            let _ = traces::from_protobuf(&bytes, 0);
        }
    }
}

fn one(change: impl FnOnce(&mut proto::Span)) -> Vec<u8> {
    let mut span = proto::Span { trace_id: vec![1; 16], span_id: vec![2; 8], ..proto::Span::default() };
    let good = span.clone();
    change(&mut span);
    let scope_spans = vec![proto::ScopeSpans { spans: vec![good, span], ..proto::ScopeSpans::default() }];
    let resource_spans = vec![proto::ResourceSpans { scope_spans, ..proto::ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

#[test]
fn every_cut_is_answered() {
    let bytes = one(|span| span.name = "GET /".into());
    for end in 0..bytes.len() {
        if let Ok(read) = traces::from_protobuf(&bytes[..end], 0) {
            assert!(end == 0 && read.batch.is_empty(), "{end}");
        }
    }
}

#[test]
fn spans_without_valid_ids_are_rejected_one_by_one() {
    let rejected = |change: fn(&mut proto::Span)| {
        let read = traces::from_protobuf(&one(change), 0).unwrap();
        assert_eq!((read.batch.len(), read.rejected.count), (1, 1));
        read.rejected.message
    };
    let place = "resourceSpans[0].scopeSpans[0].spans[1]";
    let zeros = rejected(|span| span.trace_id = vec![0; 16]);
    assert_eq!(zeros, format!("{place}.traceId: a span without this id, or with zeros only, belongs nowhere"));
    let short = rejected(|span| span.span_id = vec![1; 7]);
    assert!(short.starts_with(&format!("{place}.spanId: an id of 7 bytes")), "{short}");
    let parent = rejected(|span| span.parent_span_id = vec![1; 16]);
    assert!(parent.starts_with(&format!("{place}.parentSpanId: an id of 16 bytes")), "{parent}");
}

#[test]
fn zeros_for_a_parent_are_none_and_links_to_nowhere_are_counted() {
    let bytes = one(|span| {
        span.parent_span_id = vec![0; 8];
        span.links = vec![proto::span::Link::default()];
        span.dropped_links_count = 2;
    });
    let read = traces::from_protobuf(&bytes, 0).unwrap();
    let span = &read.batch.groups[0].spans[1];
    assert_eq!((span.parent_span_id, span.links.len(), span.dropped_links_count), (None, 0, 3));
}

#[test]
fn text_that_is_not_utf_8_rejects_its_span_only() {
    let mut bytes = one(|span| span.name = "a marked name".into());
    let at = bytes.windows(13).position(|part| part == b"a marked name").unwrap();
    bytes[at] = 0xff;
    let read = traces::from_protobuf(&bytes, 0).unwrap();
    assert_eq!((read.batch.len(), read.rejected.count), (1, 1));
    assert!(read.rejected.message.contains("not UTF-8"), "{}", read.rejected.message);

    let head = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"01010101010101010101010101010101","#;
    let tail = br#""spanId":"0202020202020202"},{"traceId":"01010101010101010101010101010101","spanId":"0202020202020203"}]}]}]}"#;
    let text = [&head[..], b"\"name\":\"\xff}\",", tail].concat();
    let read = traces::from_json(&text, 0).unwrap();
    assert_eq!((read.batch.len(), read.rejected.count), (1, 1));
    assert!(read.rejected.message.contains("spans[0].name: text that is not UTF-8 (line 1, column"), "{read:?}");
}

#[test]
fn wrong_wire_types_are_told_with_their_place() {
    // resourceSpans[0].scopeSpans[0].spans[0] with the name as a number.
    let error = traces::from_protobuf(&[0x0a, 6, 0x12, 4, 0x12, 2, 0x28, 7], 0).unwrap_err();
    assert_eq!(error.path(), "resourceSpans[0].scopeSpans[0].spans[0]");
    assert!(error.what().contains("must hold bytes"), "{error}");
}

#[test]
fn values_may_be_nested_so_deep_and_no_deeper() {
    use console_model::{Attribute, Value};
    let nested = |depth: usize| {
        let mut value = Value::Int(1);
        (1..depth).for_each(|_| value = Value::Array(vec![std::mem::take(&mut value)]));
        let mut batch = traces::from_protobuf(&one(|_| {}), 0).unwrap().batch;
        batch.groups[0].spans[0].attributes.0.push(Attribute { key: "deep".into(), value });
        batch
    };
    let good = nested(console_otlp::DEPTH_MAX);
    assert_eq!(traces::from_protobuf(&export::traces_protobuf(&good), 0).unwrap().batch, good);
    assert_eq!(traces::from_json(export::traces_json(&good).as_bytes(), 0).unwrap().batch, good);
    let deep = nested(console_otlp::DEPTH_MAX + 1);
    let error = traces::from_protobuf(&export::traces_protobuf(&deep), 0).unwrap_err();
    assert!(error.what().contains("more than 64 deep"), "{error}");
    let error = traces::from_json(export::traces_json(&deep).as_bytes(), 0).unwrap_err();
    assert!(error.what().contains("more than 64 deep"), "{error}");
}

#[test]
fn memory_is_bounded_by_the_input() {
    // A scope with a span whose events are empty, two bytes each.
    let mut span = vec![0x0a, 16];
    span.extend([1; 16]);
    span.extend([0x12, 8]);
    span.extend([2; 8]);
    span.extend([0x5a, 0].repeat(1 << 20));
    let wrap = |number: u8, inner: &[u8]| {
        let mut out = vec![number << 3 | 2];
        prost::encoding::encode_varint(inner.len() as u64, &mut out);
        out.extend(inner);
        out
    };
    let bytes = wrap(1, &wrap(2, &wrap(2, &span)));
    let error = traces::from_protobuf(&bytes, 0).unwrap_err();
    assert!(error.what().contains("send it in parts"), "{error}");
}
