//! Made-up telemetry: of any shape for properties, of a usual shape for amounts.

use std::sync::Arc;

use console_model::{
    Attributes, Buckets, CounterReset, Exemplar, FloatHistogram, HistogramSample, Labels, Link, LogBatch, LogGroup,
    LogRecord, Resource, Sample, SampleBatch, Scope, SeriesSamples, Span, SpanBatch, SpanEvent, SpanGroup, SpanId,
    SpanKind, Status, StatusCode, TraceId, Value,
};
use proptest::prelude::*;

use crate::codec::tests::{any_attributes, any_value};

pub(crate) fn trace_id(number: u64) -> TraceId {
    TraceId::new(u128::from(crate::hash::mix(number + 1)) << 64 | u128::from(number + 1)).expect("not zero")
}

pub(crate) fn resource(service: &str) -> Arc<Resource> {
    let mut attributes = Attributes::new();
    attributes.push("service.name", service);
    attributes.push("service.version", "1.4.2");
    Arc::new(Resource { attributes, ..Resource::default() })
}

/// Text that nothing makes smaller.
pub(crate) fn noise(seed: u64, length: u64) -> String {
    let letter = |place: u64| char::from(b' ' + (crate::hash::mix(seed * 1_000_003 + place) % 90) as u8);
    (0..length).map(letter).collect()
}

/// A batch of one span for each number, all in one service.
pub(crate) fn spans(service: &str, numbers: std::ops::Range<u64>) -> SpanBatch {
    let spans = numbers
        .map(|number| {
            let mut span = Span::new(trace_id(number / 4), SpanId::new(number + 1).expect("not zero"));
            span.name = if number % 3 == 0 { "GET /orders".into() } else { "POST /orders".into() };
            span.kind = SpanKind::Server;
            span.start_ns = 1_795_600_000_000_000_000 + number * 1_000_000;
            span.end_ns = span.start_ns + 1_000 * (number % 1_000);
            span.attributes.push("http.request.method", "GET");
            span.attributes.push("order.number", number as i64);
            if number % 100 == 7 {
                span.status = Status { code: StatusCode::Error, message: "refused".into() };
            }
            span
        })
        .collect();
    let scope = Arc::new(Scope { name: "made".into(), ..Scope::default() });
    SpanBatch { groups: vec![SpanGroup { resource: resource(service), scope, spans }] }
}

/// A batch of one line for each number, all in one stream.
pub(crate) fn lines(service: &str, numbers: std::ops::Range<u64>) -> LogBatch {
    let records = numbers
        .map(|number| LogRecord {
            time_ns: 1_795_600_000_000_000_000 + number * 1_000_000,
            observed_time_ns: 1_795_600_000_000_000_000 + number * 1_000_000 + 5,
            severity_number: 9,
            severity_text: "INFO".into(),
            body: Value::String(format!("order {number} accepted after {} ms", number % 97).into()),
            trace_id: Some(trace_id(number / 4)),
            ..LogRecord::default()
        })
        .collect();
    let stream = Labels::from_pairs([("service_name", service), ("level", "info")]);
    let group = LogGroup { stream, resource: resource(service), scope: Arc::default(), records };
    LogBatch { groups: vec![group] }
}

/// One sample at a time for each of so many series of a service.
pub(crate) fn samples(service: &str, series: u32, steps: std::ops::Range<i64>) -> SampleBatch {
    let series = (0..series)
        .map(|number| SeriesSamples {
            labels: Labels::from_pairs([
                ("__name__", "requests_total"),
                ("job", service),
                ("instance", number.to_string().as_str()),
            ]),
            samples: steps.clone().map(|step| sample(step, f64::from(number) + step as f64)).collect(),
            histograms: Vec::new(),
            exemplars: Vec::new(),
        })
        .collect();
    SampleBatch { series, metadata: Vec::new() }
}

pub(crate) fn sample(step: i64, value: f64) -> Sample {
    Sample { time_ms: 1_795_500_000_000 + step * 15_000, value }
}

/// One histogram at a time for each of so many series of a service.
pub(crate) fn histograms(service: &str, series: u32, steps: std::ops::Range<i64>) -> SampleBatch {
    let series = (0..series)
        .map(|number| SeriesSamples {
            labels: Labels::from_pairs([
                ("__name__", "latency_seconds"),
                ("job", service),
                ("instance", number.to_string().as_str()),
            ]),
            samples: Vec::new(),
            histograms: steps.clone().map(|step| histogram(step, 8 + number as usize)).collect(),
            exemplars: Vec::new(),
        })
        .collect();
    SampleBatch { series, metadata: Vec::new() }
}

/// A histogram that grew out of the one of the step before.
pub(crate) fn histogram(step: i64, buckets: usize) -> HistogramSample {
    let place = |number: usize| (step as usize + 7 * number) / (1 + number % 3);
    let positive = Buckets::from_offset(-3, (0..buckets).map(|number| place(number) as f64));
    let histogram = FloatHistogram {
        zero_threshold: 1e-9,
        count: positive.total(),
        sum: step as f64 * 0.37,
        positive,
        ..FloatHistogram::exponential(3)
    };
    HistogramSample { time_ms: sample(step, 0.0).time_ms, histogram: Arc::new(histogram) }
}

fn any_number() -> impl Strategy<Value = f64> {
    let whole = any::<u16>().prop_map(f64::from);
    prop_oneof![4 => whole, 1 => 0.0..1e9_f64, 1 => any::<u64>().prop_map(f64::from_bits), 1 => Just(-0.0)]
}

fn any_buckets() -> impl Strategy<Value = Buckets> {
    let few = proptest::collection::btree_map(-3_i32..3, any_number(), 0..4);
    let wide = proptest::collection::btree_map(any::<i32>(), any_number(), 0..6);
    prop_oneof![few, wide].prop_map(Buckets::from_counts)
}

/// Any histogram, valid or not.
pub(crate) fn any_histogram() -> impl Strategy<Value = FloatHistogram> {
    let schema = prop_oneof![Just(0_i8), Just(3), Just(-53), any::<i8>()];
    let bounds = prop_oneof![Just(vec![]), Just(vec![0.1, 5.0]), proptest::collection::vec(any_number(), 0..4)];
    let numbers = (any_number(), any_number(), any_number(), prop_oneof![Just(0.0), any_number()]);
    (schema, 0_u8..4, bounds, numbers, any_buckets(), any_buckets()).prop_map(
        |(schema, hint, bounds, (count, sum, zero_count, zero_threshold), positive, negative)| FloatHistogram {
            counter_reset: CounterReset::from_number(hint).unwrap_or_default(),
            schema,
            zero_threshold,
            zero_count,
            count,
            sum,
            positive,
            negative,
            custom_values: bounds.into(),
        },
    )
}

/// An exemplar that points to a trace.
pub(crate) fn exemplar(step: i64, trace: TraceId) -> Exemplar {
    Exemplar { sample: sample(step, 0.25), trace_id: Some(trace), span_id: None, labels: Labels::default() }
}

pub(crate) fn any_trace_id() -> impl Strategy<Value = TraceId> {
    // Few, so that traces have several spans.
    prop_oneof![(1_u64..6).prop_map(trace_id), any::<u128>().prop_filter_map("zero", TraceId::new)]
}

fn any_span_id() -> impl Strategy<Value = SpanId> {
    any::<u64>().prop_filter_map("zero", SpanId::new)
}

fn any_event() -> impl Strategy<Value = SpanEvent> {
    (any::<u64>(), ".{0,20}", any_attributes(), any::<u32>()).prop_map(
        |(time_ns, name, attributes, dropped_attributes_count)| SpanEvent {
            time_ns,
            name: name.into(),
            attributes,
            dropped_attributes_count,
        },
    )
}

fn any_link() -> impl Strategy<Value = Link> {
    (any_trace_id(), any_span_id(), ".{0,20}", any_attributes(), any::<u32>(), any::<u32>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags)| Link {
            trace_id,
            span_id,
            trace_state: trace_state.into(),
            attributes,
            dropped_attributes_count,
            flags,
        },
    )
}

pub(crate) fn any_span() -> impl Strategy<Value = Span> {
    let ids = (any_trace_id(), any_span_id(), proptest::option::of(any_span_id()));
    let times = (any::<u64>(), any::<u64>());
    let texts = (".{0,30}", ".{0,30}", ".{0,30}");
    let parts =
        (any_attributes(), proptest::collection::vec(any_event(), 0..3), proptest::collection::vec(any_link(), 0..3));
    let numbers = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>(), 0..6_i32, 0..3_i32);
    (ids, times, texts, parts, numbers).prop_map(|(ids, times, texts, parts, numbers)| Span {
        trace_id: ids.0,
        span_id: ids.1,
        parent_span_id: ids.2,
        trace_state: texts.0.into(),
        flags: numbers.0,
        name: texts.1.into(),
        kind: SpanKind::from_number(numbers.4),
        start_ns: times.0,
        end_ns: times.1,
        attributes: parts.0,
        dropped_attributes_count: numbers.1,
        events: parts.1,
        dropped_events_count: numbers.2,
        links: parts.2,
        dropped_links_count: numbers.3,
        status: Status { code: StatusCode::from_number(numbers.5), message: texts.2.into() },
    })
}

pub(crate) fn any_resource() -> impl Strategy<Value = Arc<Resource>> {
    ("[a-c]{0,1}", any_attributes(), any::<u32>(), ".{0,10}").prop_map(
        |(service, mut attributes, dropped_attributes_count, schema_url)| {
            attributes.push("service.name", service.as_str());
            Arc::new(Resource { attributes, dropped_attributes_count, schema_url: schema_url.into() })
        },
    )
}

pub(crate) fn any_scope() -> impl Strategy<Value = Arc<Scope>> {
    (".{0,10}", ".{0,10}", any_attributes(), any::<u32>(), ".{0,10}").prop_map(
        |(name, version, attributes, dropped_attributes_count, schema_url)| {
            Arc::new(Scope {
                name: name.into(),
                version: version.into(),
                attributes,
                dropped_attributes_count,
                schema_url: schema_url.into(),
            })
        },
    )
}

pub(crate) fn any_record() -> impl Strategy<Value = LogRecord> {
    let times = (prop_oneof![Just(0_u64), 0_u64..50, any::<u64>()], 1_u64..u64::MAX);
    let texts = (".{0,10}", ".{0,10}");
    let ids = (proptest::option::of(any_trace_id()), proptest::option::of(any_span_id()));
    let numbers = (any::<i32>(), any::<u32>(), any::<u32>());
    (times, texts, ids, numbers, any_value(), any_attributes()).prop_map(
        |(times, texts, ids, numbers, body, attributes)| LogRecord {
            time_ns: times.0,
            observed_time_ns: times.1,
            severity_number: numbers.0,
            severity_text: texts.0.into(),
            body,
            attributes,
            dropped_attributes_count: numbers.1,
            flags: numbers.2,
            trace_id: ids.0,
            span_id: ids.1,
            event_name: texts.1.into(),
        },
    )
}
