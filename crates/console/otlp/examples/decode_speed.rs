//! How fast requests are read, on one thread: `cargo run --release -p console-otlp --example decode_speed`.
//! Not a benchmark to compare machines with; it says whether the decoders are fast enough.
#![expect(clippy::print_stdout, reason = "it is run for what it prints")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use console_model::{Attribute, Resource, Scope, Span, SpanBatch, SpanEvent, SpanGroup, SpanId, SpanKind, TraceId};
use console_otlp::{Translator, export, logs, metrics, traces};
use console_wire::Writer;

const ITEMS: u64 = 1_000;
const ATTRIBUTES: [(&str, &str); 10] = [
    ("http.request.method", "GET"),
    ("url.path", "/api/v1/orders/1234"),
    ("url.scheme", "http"),
    ("http.route", "/api/v1/orders/{id}"),
    ("network.protocol.version", "1.1"),
    ("server.address", "orders.shop.svc"),
    ("client.address", "10.1.2.3"),
    ("user_agent.original", "k6/0.49.0 (https://k6.io/)"),
    ("http.response.status_code", "200"),
    ("thread.name", "worker-3"),
];

fn main() {
    let (spans, records) = (spans_request(), logs_request());
    let (numbers, deltas) = (metrics_request(2), metrics_request(1));
    let json = traces::from_protobuf(&spans, 1).map(|read| export::traces_json(&read.batch).into_bytes());
    let json = json.unwrap_or_default();
    measure("spans, 10 attributes, protobuf", spans.len(), || {
        traces::from_protobuf(&spans, 1).map(|read| read.batch.len())
    });
    measure("spans, 10 attributes, JSON", json.len(), || traces::from_json(&json, 1).map(|read| read.batch.len()));
    measure("log records, 5 attributes", records.len(), || {
        logs::from_protobuf(&records, 1).map(|read| read.batch.len())
    });
    measure("points read, 4 attributes", numbers.len(), || {
        metrics::from_protobuf(&numbers, 1).map(|read| read.batch.len())
    });
    let mut translator = Translator::default();
    measure("points read and translated", numbers.len(), || {
        metrics::from_protobuf(&numbers, 1).map(|read| translator.translate(read, 1).batch.len())
    });
    let mut translator = Translator::default();
    measure("deltas read, first sums", deltas.len(), || {
        translator = Translator::default();
        metrics::from_protobuf(&deltas, 1).map(|read| translator.translate(read, 1).batch.len())
    });
}

fn measure<E>(name: &str, bytes: usize, mut read: impl FnMut() -> Result<usize, E>) {
    let (begin, mut items, mut rounds) = (Instant::now(), 0, 0);
    while begin.elapsed() < Duration::from_secs(2) {
        items += black_box(read()).unwrap_or_default();
        rounds += 1;
    }
    let seconds = begin.elapsed().as_secs_f64();
    let (millions, megabytes) = (items as f64 / seconds / 1e6, (rounds * bytes) as f64 / seconds / 1e6);
    println!("{name:32} {millions:6.2} M/s {megabytes:7.0} MB/s");
}

fn spans_request() -> Vec<u8> {
    let attributes = |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| Attribute::new(*key, *value)).collect();
    let resource = Resource { attributes: attributes(&[("service.name", "orders")]), ..Resource::default() };
    let span = |number: u64| {
        let mut span = Span::new(TraceId::new(u128::from(number) << 64 | 7)?, SpanId::new(number)?);
        span.name = "GET /api/v1/orders/{id}".into();
        span.kind = SpanKind::Server;
        span.parent_span_id = SpanId::new(number + 1);
        (span.start_ns, span.end_ns) = (1_700_000_000_000_000_000 + number, 1_700_000_000_000_100_000 + number);
        span.attributes = attributes(&ATTRIBUTES);
        span.events = vec![SpanEvent { time_ns: span.start_ns, name: "authorised".into(), ..SpanEvent::default() }];
        Some(span)
    };
    let spans = (1..=ITEMS).filter_map(span).collect();
    let groups = vec![SpanGroup { resource: resource.into(), scope: Scope::default().into(), spans }];
    export::traces_protobuf(&SpanBatch { groups })
}

fn pair(writer: &mut Writer<'_>, number: u32, key: &str, value: &str) {
    writer.message(number, |pair| {
        pair.text(1, key);
        pair.message(2, |any| any.text(1, value));
    });
}

fn request(write: impl Fn(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    Writer::new(&mut out).message(1, |group| {
        group.message(1, |resource| {
            pair(resource, 1, "service.name", "orders");
            pair(resource, 1, "service.instance.id", "orders-5d9f7c-abcde");
        });
        group.message(2, |inner| {
            inner.message(1, |scope| scope.text(1, "orders"));
            write(inner);
        });
    });
    out
}

fn logs_request() -> Vec<u8> {
    request(|scope_logs| {
        for number in 0..ITEMS {
            scope_logs.message(2, |record| {
                record.fixed64(1, 1_700_000_000_000_000_000 + number);
                record.varint(2, 9);
                record.text(3, "INFO");
                record.message(5, |body| body.text(1, "order accepted, waiting for the payment to be confirmed"));
                ATTRIBUTES.iter().take(5).for_each(|(key, value)| pair(record, 6, key, value));
                record.bytes(9, &[7; 16]);
                record.bytes(10, &[7; 8]);
                record.fixed64(11, 1_700_000_000_000_000_000 + number);
            });
        }
    })
}

fn metrics_request(temporality: u64) -> Vec<u8> {
    request(|scope_metrics| {
        scope_metrics.message(2, |metric| {
            metric.text(1, "http.server.requests");
            metric.text(3, "{request}");
            metric.message(7, |sum| {
                for number in 0..ITEMS {
                    sum.message(1, |point| {
                        ATTRIBUTES.iter().take(3).for_each(|(key, value)| pair(point, 7, key, value));
                        pair(point, 7, "order.id", &number.to_string());
                        point.fixed64(2, 1_700_000_000_000_000_000);
                        point.fixed64(3, 1_700_000_005_000_000_000);
                        point.fixed64(6, number);
                    });
                }
                sum.varint(2, temporality);
                sum.varint(3, 1);
            });
        });
    })
}
