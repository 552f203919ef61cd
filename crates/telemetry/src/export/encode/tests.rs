//! What is encoded, read by OpenTelemetry's own message types and compared field by field.

use std::borrow::Cow;
use std::collections::BTreeSet;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as WireSpan, Status, span};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::record::{Kind, Log, Severity, Span};
use crate::trace::{SpanId, TraceContext, TraceId};

const SERVICES: u8 = 3;
const NAMES: [&str; 4] = ["http.route", "error.type", "a", "order.id"];
const TARGETS: [&str; 3] = ["api::handlers", "projector", ""];

fn services() -> Vec<Vec<(String, Value)>> {
    (0..SERVICES).map(|number| vec![("service.name".to_owned(), format!("service-{number}").into())]).collect()
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::from),
        Just(Value::from("constant")),
        any::<i64>().prop_map(Value::Integer),
        any::<f64>().prop_filter("is compared", |number| !number.is_nan()).prop_map(Value::Number),
        any::<bool>().prop_map(Value::Flag),
    ]
}

fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    vec((prop::sample::select(&NAMES[..]), value()), 0..6)
}

prop_compose! {
    fn context()(trace in 1_u128.., span in 1_u64.., sampled: bool, is_child: bool) -> TraceContext {
        let header = format!("00-{trace:032x}-{span:016x}-{:02x}", u8::from(sampled));
        let context = TraceContext::from_traceparent(&header).unwrap();
        if is_child { context.child() } else { context }
    }
}

prop_compose! {
    fn any_span()(
        service in 0..SERVICES,
        context in context(),
        has_remote_parent: bool,
        trace_state in option::of("[a-z]{0,5}"),
        kind in prop::sample::select(&[Kind::Internal, Kind::Server, Kind::Client, Kind::Consumer][..]),
        name: String,
        times: (u64, u64),
        attributes in attributes(),
        links in vec(context(), 0..3),
        dropped_links: u32,
        failure in option::of("[a-z ]{0,200}"),
    ) -> Span {
        let failure = failure.map(Cow::Owned);
        Span {
            service: Service(service), context, has_remote_parent, trace_state, kind, name: name.into(),
            start_unix_nanos: times.0, end_unix_nanos: times.1, attributes, links, dropped_links, failure,
        }
    }
}

prop_compose! {
    fn any_log()(
        service in 0..SERVICES,
        unix_nanos: u64,
        severity in prop::sample::select(
            &[Severity::Trace, Severity::Debug, Severity::Info, Severity::Warn, Severity::Error][..]
        ),
        message: String,
        target in prop::sample::select(&TARGETS[..]),
        attributes in attributes(),
        span in option::of((1_u128.., 1_u64.., any::<bool>())),
    ) -> Log {
        let span = span.map(|(trace, span, sampled)| (TraceId(trace), SpanId(span), sampled));
        Log { service: Service(service), unix_nanos, severity, message: message.into(), target, attributes, span }
    }
}

fn any_value(value: &Value) -> Option<AnyValue> {
    let value = match value.clone() {
        Value::Text(text) => any_value::Value::StringValue(text.into_owned()),
        Value::Integer(number) => any_value::Value::IntValue(number),
        Value::Number(number) => any_value::Value::DoubleValue(number),
        Value::Flag(flag) => any_value::Value::BoolValue(flag),
    };
    Some(AnyValue { value: Some(value) })
}

fn key_values(attributes: &[Attribute]) -> Vec<KeyValue> {
    let pair = |(name, value): &Attribute| KeyValue {
        key: (*name).to_owned(),
        value: any_value(value),
        ..KeyValue::default()
    };
    attributes.iter().map(pair).collect()
}

fn wire_span(span: &Span) -> WireSpan {
    let mut attributes = key_values(&span.attributes);
    if let Some(failure) = &span.failure
        && !span.attributes.iter().any(|(name, _)| *name == "error.type")
    {
        attributes.extend(key_values(&[("error.type", Value::Text(failure.clone()))]));
    }
    let id = |id: SpanId| id.0.to_be_bytes().to_vec();
    WireSpan {
        trace_id: span.context.trace_id().0.to_be_bytes().to_vec(),
        span_id: id(span.context.span_id()),
        trace_state: span.trace_state.clone().unwrap_or_default(),
        parent_span_id: span.context.parent_id().map(id).unwrap_or_default(),
        flags: u32::from(span.context.is_sampled()) | if span.has_remote_parent { 0x300 } else { 0x100 },
        name: span.name.to_string(),
        kind: match span.kind {
            Kind::Internal => span::SpanKind::Internal,
            Kind::Server => span::SpanKind::Server,
            Kind::Client => span::SpanKind::Client,
            Kind::Consumer => span::SpanKind::Consumer,
        }
        .into(),
        start_time_unix_nano: span.start_unix_nanos,
        end_time_unix_nano: span.end_unix_nanos,
        attributes,
        links: span.links.iter().map(wire_link).collect(),
        dropped_links_count: span.dropped_links,
        status: span.failure.as_ref().map(|failure| Status { message: failure.to_string(), code: 2 }),
        ..WireSpan::default()
    }
}

fn wire_link(link: &TraceContext) -> span::Link {
    span::Link {
        trace_id: link.trace_id().0.to_be_bytes().to_vec(),
        span_id: link.span_id().0.to_be_bytes().to_vec(),
        flags: link.is_sampled().into(),
        ..span::Link::default()
    }
}

fn wire_log(log: &Log) -> LogRecord {
    let (trace, span, sampled) = log.span.map_or((Vec::new(), Vec::new(), false), |(trace, span, sampled)| {
        (trace.0.to_be_bytes().to_vec(), span.0.to_be_bytes().to_vec(), sampled)
    });
    let (severity_number, severity_text) = match log.severity {
        Severity::Trace => (1, "TRACE"),
        Severity::Debug => (5, "DEBUG"),
        Severity::Info => (9, "INFO"),
        Severity::Warn => (13, "WARN"),
        Severity::Error => (17, "ERROR"),
    };
    LogRecord {
        time_unix_nano: log.unix_nanos,
        observed_time_unix_nano: log.unix_nanos,
        severity_number,
        severity_text: severity_text.to_owned(),
        body: any_value(&Value::Text(log.message.clone())),
        attributes: key_values(&log.attributes),
        flags: sampled.into(),
        trace_id: trace,
        span_id: span,
        ..LogRecord::default()
    }
}

fn resource(service: u8) -> Option<Resource> {
    let name = ("service.name", Value::from(format!("service-{service}")));
    Some(Resource { attributes: key_values(&[name]), ..Resource::default() })
}

fn scope(name: &str) -> Option<InstrumentationScope> {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Some(InstrumentationScope { name: name.to_owned(), version, ..InstrumentationScope::default() })
}

/// The requests into which the records go, each with how many it says it holds.
fn requests<R: Record>(encoder: &mut Encoder, records: &[R]) -> Vec<Request> {
    let mut requests = Vec::new();
    for record in records {
        if encoder.push(record) == Err(Full::Next) {
            requests.extend(encoder.finish());
            encoder.push(record).unwrap();
        }
    }
    requests.extend(encoder.finish());
    requests
}

fn one_service_spans(spans: &[Span], service: u8) -> Option<ResourceSpans> {
    let spans: Vec<_> = spans.iter().filter(|span| span.service.0 == service).map(wire_span).collect();
    let scopes = vec![ScopeSpans { scope: scope("highbeam"), spans, ..ScopeSpans::default() }];
    let is_there = !scopes[0].spans.is_empty();
    is_there.then(|| ResourceSpans { resource: resource(service), scope_spans: scopes, ..ResourceSpans::default() })
}

fn one_service_logs(logs: &[Log], service: u8) -> Option<ResourceLogs> {
    let mine: Vec<_> = logs.iter().filter(|log| log.service.0 == service).collect();
    let targets: BTreeSet<_> = mine.iter().map(|log| log.target).collect();
    let one_scope = |target: &str| ScopeLogs {
        scope: scope(target),
        log_records: mine.iter().filter(|log| log.target == target).map(|log| wire_log(log)).collect(),
        ..ScopeLogs::default()
    };
    let scope_logs: Vec<_> = targets.into_iter().map(one_scope).collect();
    let is_there = !scope_logs.is_empty();
    is_there.then(|| ResourceLogs { resource: resource(service), scope_logs, ..ResourceLogs::default() })
}

proptest! {
    #[test]
    fn spans_arrive_as_they_were(spans in vec(any_span(), 0..20)) {
        let mut encoder = Encoder::new(&services());
        // Twice: nothing is left over from the request before.
        for _ in 0..2 {
            let found = requests(&mut encoder, &spans);
            let expected: Vec<_> = (0..SERVICES).filter_map(|service| one_service_spans(&spans, service)).collect();
            prop_assert_eq!(found.len(), usize::from(!spans.is_empty()));
            for request in found {
                let decoded = ExportTraceServiceRequest::decode(request.body.clone()).unwrap();
                prop_assert_eq!(&decoded.resource_spans, &expected);
                prop_assert_eq!(request.records, spans.len() as u64);
                // Nothing that the messages do not know, and every length as short as can be.
                prop_assert_eq!(decoded.encoded_len(), request.body.len());
            }
        }
    }

    #[test]
    fn log_lines_arrive_as_they_were(logs in vec(any_log(), 0..20)) {
        let found = requests(&mut Encoder::new(&services()), &logs);
        let expected: Vec<_> = (0..SERVICES).filter_map(|service| one_service_logs(&logs, service)).collect();
        for request in found {
            let mut decoded = ExportLogsServiceRequest::decode(request.body.clone()).unwrap();
            prop_assert_eq!(decoded.encoded_len(), request.body.len());
            let name = |scope: &ScopeLogs| scope.scope.clone().unwrap_or_default().name;
            decoded.resource_logs.iter_mut().for_each(|resource| resource.scope_logs.sort_by_key(name));
            prop_assert_eq!(&decoded.resource_logs, &expected);
        }
    }

    #[test]
    fn a_request_stays_within_its_bytes(spans in vec(any_span(), 1..40), max in 1_000_usize..4_000) {
        let mut encoder = Encoder::with_max(&services(), max);
        let large: Vec<_> = spans.iter().filter(|span| encoder_len(span) > max).collect();
        prop_assume!(large.is_empty());
        let found = requests(&mut encoder, &spans);
        prop_assert_eq!(found.iter().map(|request| request.records).sum::<u64>(), spans.len() as u64);
        // What stands around the records is a few bytes for each service.
        prop_assert!(found.iter().all(|request| request.body.len() <= max + 200));
    }
}

fn encoder_len(span: &Span) -> usize {
    let mut buffer = Vec::new();
    wire::put_message(&mut buffer, RECORDS, |buffer| span.encode(buffer));
    buffer.len()
}

#[test]
fn a_record_that_fits_nowhere_leaves_the_others_alone() {
    let small = Log {
        service: Service(0),
        unix_nanos: 1,
        severity: Severity::Info,
        message: "ready".into(),
        target: "api",
        attributes: Vec::new(),
        span: None,
    };
    let large = Log { message: "x".repeat(2_000).into(), ..small.clone() };
    let mut encoder = Encoder::with_max(&services(), 1_000);
    assert_eq!(encoder.push(&large), Err(Full::Never));
    encoder.push(&small).unwrap();
    assert_eq!(encoder.push(&large), Err(Full::Next));
    let request = encoder.finish().unwrap();
    assert_eq!(request.records, 1);
    let decoded = ExportLogsServiceRequest::decode(request.body).unwrap();
    assert_eq!(decoded.resource_logs[0].scope_logs[0].log_records, [wire_log(&small)]);
    assert!(encoder.finish().is_none());
}

#[test]
fn a_service_that_nobody_described_is_sent_without_a_description() {
    let mut encoder = Encoder::new(&[]);
    let context = TraceContext::root(true);
    let span = Span {
        service: Service(7),
        context,
        has_remote_parent: false,
        trace_state: None,
        kind: Kind::Server,
        name: "GET /".into(),
        start_unix_nanos: 0,
        end_unix_nanos: 0,
        attributes: Vec::new(),
        links: Vec::new(),
        dropped_links: 0,
        failure: None,
    };
    encoder.push(&span).unwrap();
    let decoded = ExportTraceServiceRequest::decode(encoder.finish().unwrap().body).unwrap();
    assert_eq!(decoded.resource_spans[0].resource, None);
    assert_eq!(decoded.resource_spans[0].scope_spans[0].spans.len(), 1);
}
