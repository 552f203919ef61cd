//! What the OpenTelemetry SDK for Rust needs to hand a finished span to its batch processor, whose
//! exporter does nothing, and to encode it. Prints `what|nanoseconds|detail`.

use std::sync::Barrier;
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState, Tracer, TracerProvider,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanEvents, SpanExporter, SpanLinks,
    SpanProcessor,
};
use prost::Message;

const SPANS: usize = 200_000;
const BATCH: usize = 512;
const BURST: usize = 1_500;
const BURSTS: usize = 200;

#[derive(Debug)]
struct Nothing;

impl SpanExporter for Nothing {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

fn attributes() -> Vec<KeyValue> {
    vec![
        KeyValue::new("http.request.method", "GET"),
        KeyValue::new("http.route", "/api/orders/{id}"),
        KeyValue::new("http.response.status_code", 200),
        KeyValue::new("url.scheme", "http"),
        KeyValue::new("network.protocol.version", "1.1"),
        KeyValue::new("server.port", 5007),
        KeyValue::new("order.id", "0191e2a4-7c5e-7b3a-9f10-3f6f0c1d2e3f".to_owned()),
        KeyValue::new("duration_ms", 1.25),
    ]
}

fn span(number: u64) -> SpanData {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    SpanData {
        span_context: SpanContext::new(
            TraceId::from(u128::from(number) + 1),
            SpanId::from(number + 1),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        ),
        parent_span_id: SpanId::from(7),
        parent_span_is_remote: true,
        span_kind: SpanKind::Server,
        name: "GET /api/orders/{id}".into(),
        start_time: time,
        end_time: time + Duration::from_micros(500),
        attributes: attributes(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("highbeam").with_version("0.1.0").build(),
    }
}

fn processor() -> BatchSpanProcessor {
    // Large enough that nothing is dropped, as for highbeam.
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(2 * SPANS)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(Duration::from_secs(1))
        .build();
    BatchSpanProcessor::builder(Nothing).with_batch_config(config).build()
}

/// Nanoseconds of one call: the median of bursts between which all is exported.
fn bursts<T: Send>(threads: usize, input: impl Fn(u64) -> T, call: impl Fn(T) + Sync, flush: impl Fn()) -> f64 {
    let mut bursts = Vec::new();
    for _ in 0..BURSTS {
        bursts.push(burst(threads, &input, &call));
        flush();
    }
    bursts.sort_by(f64::total_cmp);
    bursts[BURSTS / 2]
}

fn burst<T: Send>(threads: usize, input: impl Fn(u64) -> T, call: impl Fn(T) + Sync) -> f64 {
    let inputs: Vec<Vec<T>> = (0..threads).map(|_| (0..(BURST / threads) as u64).map(&input).collect()).collect();
    let start = Barrier::new(threads);
    let total: f64 = std::thread::scope(|scope| {
        let work = |inputs: Vec<T>| {
            start.wait();
            let (count, begun) = (inputs.len(), Instant::now());
            inputs.into_iter().for_each(&call);
            begun.elapsed().as_nanos() as f64 / count as f64
        };
        let handles: Vec<_> = inputs.into_iter().map(|inputs| scope.spawn(move || work(inputs))).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).sum()
    });
    total / threads as f64
}

/// The owned spans are made before the clock starts, since the conversion consumes them.
fn encode() -> (f64, usize) {
    let rounds = 100;
    let resource = Resource::builder_empty()
        .with_attributes([KeyValue::new("service.name", "delivery-api"), KeyValue::new("service.version", "0.1.0")])
        .build();
    let resource = ResourceAttributesWithSchema::from(&resource);
    let (mut bytes, mut spent) = (0, Duration::ZERO);
    for _ in 0..rounds {
        let batch: Vec<_> = (0..BATCH as u64).map(span).collect();
        let begun = Instant::now();
        let resource_spans = group_spans_by_resource_and_scope(batch, &resource);
        bytes += ExportTraceServiceRequest { resource_spans }.encode_to_vec().len();
        spent += begun.elapsed();
    }
    (spent.as_nanos() as f64 / (rounds * BATCH) as f64, bytes / (rounds * BATCH))
}

fn main() {
    let (nanos, bytes) = encode();
    println!("OpenTelemetry SDK: convert and encode a span|{nanos}|batches of {BATCH}, {bytes} bytes a span");
    for threads in [1, 3] {
        let processor = processor();
        let nanos = bursts(threads, span, |span| processor.on_end(span), || drop(processor.force_flush()));
        println!(
            "OpenTelemetry SDK: on_end, {threads} at once|{nanos}|a call; median of bursts, an exporter that does nothing"
        );
        let _ = processor.shutdown();
    }
    let provider = SdkTracerProvider::builder().with_span_processor(processor()).build();
    let tracer = provider.tracer("highbeam");
    let nanos = bursts(
        1,
        |_| (),
        |()| {
            let builder = tracer.span_builder("GET /api/orders/{id}").with_kind(SpanKind::Server);
            drop(builder.with_attributes(attributes()).start(&tracer));
        },
        || drop(provider.force_flush()),
    );
    println!("OpenTelemetry SDK: start and end a span|{nanos}|all that a service does for one");
    let _ = provider.shutdown();
}
