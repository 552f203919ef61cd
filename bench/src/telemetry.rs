//! What telemetry costs a service: handing a span over, encoding it, and how many a second get through
//! to a collector that reads and discards. Beside it, in the same run, the OpenTelemetry SDK for Rust
//! with spans of the same content (`make bench-peers` builds it; without it, a line says so).

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use telemetry::export::{Batching, Encoding, Endpoint, Exporter, Options, Protocol, Signal};
use telemetry::metrics::Exports;
use telemetry::record::{Kind, Service, Span, Value};
use telemetry::{Metrics, TraceContext};
use tracing_subscriber::layer::SubscriberExt;

use crate::Row;

/// Its dependencies are nothing that the workspace needs, so it is built apart.
const PEER: &str = "bench/otel-sdk/target/release/bench-otel-sdk";
const SPANS: usize = 200_000;
const BATCH: usize = 512;
const BURST: usize = 1_500;
const BURSTS: usize = 200;

pub async fn export() -> Vec<Row> {
    let mut rows = vec![encode()];
    for threads in [1, 3] {
        rows.push(hand_over(threads).await);
    }
    rows.push(log_line());
    rows.extend([metric(false), metric(true)]);
    rows.push(through(Protocol::HttpProtobuf).await);
    rows.extend(peer());
    rows
}

fn services() -> Vec<Vec<(String, Value)>> {
    vec![vec![("service.name".to_owned(), "delivery-api".into()), ("service.version".to_owned(), "0.1.0".into())]]
}

/// A span as the HTTP server makes them.
fn span() -> Span {
    Span {
        service: Service(0),
        context: TraceContext::root(true).child(),
        has_remote_parent: true,
        trace_state: None,
        kind: Kind::Server,
        name: "GET /api/orders/{id}".into(),
        start_unix_nanos: 1_700_000_000_000_000_000,
        end_unix_nanos: 1_700_000_000_000_500_000,
        attributes: vec![
            ("http.request.method", "GET".into()),
            ("http.route", "/api/orders/{id}".into()),
            ("http.response.status_code", 200_i64.into()),
            ("url.scheme", "http".into()),
            ("network.protocol.version", "1.1".into()),
            ("server.port", 5007_i64.into()),
            ("order.id", "0191e2a4-7c5e-7b3a-9f10-3f6f0c1d2e3f".to_owned().into()),
            ("duration_ms", 1.25.into()),
        ],
        links: Vec::new(),
        dropped_links: 0,
        failure: None,
    }
}

fn encode() -> Row {
    let spans: Vec<_> = (0..BATCH).map(|_| span()).collect();
    let mut encoding = Encoding::new(&services());
    let rounds = 400;
    let mut bytes = 0;
    // Once for warmth.
    encoding.spans(&spans);
    let begun = Instant::now();
    for _ in 0..rounds {
        bytes += encoding.spans(&spans).len();
    }
    let nanos = begun.elapsed().as_nanos() as f64 / (rounds * BATCH) as f64;
    let detail = format!("batches of {BATCH}, {} bytes a span", bytes / (rounds * BATCH));
    Row::new("encode a span", nanos, "ns", detail)
}

/// A line of the request log, to where nothing is kept.
fn log_line() -> Row {
    let lines = telemetry::logging::json(vec!["delivery-api".to_owned()], std::io::sink);
    let nanos = tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
        each(|| {
            tracing::info!(
                http.request.method = "GET",
                http.route = "/api/orders/{id}",
                http.response.status_code = 200_u16,
                duration_ms = 1.25,
                suppressed = 0_u64,
                "request served"
            );
        })
    });
    Row::new("write a log line as JSON", nanos, "ns", "five fields; the writer discards")
}

/// The metric that every request touches.
fn metric(has_exemplar: bool) -> Row {
    let metrics = Metrics::new("bench", "0");
    let trace = TraceContext::root(true).trace_id();
    let exemplar = has_exemplar.then_some(trace);
    let nanos = each(|| metrics.http.observe("GET", "/api/orders/{id}", 200, 0.001, exemplar));
    let what = if has_exemplar { "count a request, with an exemplar" } else { "count a request" };
    Row::new(what, nanos, "ns", "a histogram of 14 buckets, found by its three labels")
}

/// Mean nanoseconds of a call, after some for warmth.
fn each(mut call: impl FnMut()) -> f64 {
    (0..SPANS / 10).for_each(|_| call());
    let begun = Instant::now();
    (0..SPANS).for_each(|_| call());
    begun.elapsed().as_nanos() as f64 / SPANS as f64
}

/// In bursts, between which all is sent: what a call costs while the worker works, in memory that has
/// been used before.
async fn hand_over(threads: usize) -> Row {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (exporter, exports) = start(Protocol::HttpProtobuf, &listener);
    std::thread::spawn(move || listener.incoming().for_each(|stream| discard(stream.unwrap(), Duration::ZERO)));
    let mut bursts = Vec::new();
    for _ in 0..BURSTS {
        bursts.push(burst(threads, &exporter));
        // What does not fill a batch stays, which is no more than one batch.
        while exports.queued("traces") >= BATCH as u64 {
            std::thread::yield_now();
        }
    }
    assert_eq!(exports.dropped_total("traces", "queue_full"), 0);
    exporter.shutdown(Duration::from_secs(60)).await;
    let what = format!("hand a span over, {threads} at once");
    Row::new(what, bursts[BURSTS / 2], "ns", "a call; median of bursts, while all is sent")
}

/// Mean nanoseconds of a call.
fn burst(threads: usize, exporter: &Exporter) -> f64 {
    let spans: Vec<Vec<_>> = (0..threads).map(|_| (0..BURST / threads).map(|_| span()).collect()).collect();
    let start = std::sync::Barrier::new(threads);
    let total: f64 = std::thread::scope(|scope| {
        let work = |spans: Vec<Span>| {
            start.wait();
            let (count, begun) = (spans.len(), Instant::now());
            spans.into_iter().for_each(|span| exporter.span(span));
            begun.elapsed().as_nanos() as f64 / count as f64
        };
        let handles: Vec<_> = spans.into_iter().map(|spans| scope.spawn(move || work(spans))).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).sum()
    });
    total / threads as f64
}

/// Made, handed over, encoded, sent and read, all on the same cores.
async fn through(protocol: Protocol) -> Row {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (exporter, exports) = start(protocol, &listener);
    std::thread::spawn(move || listener.incoming().for_each(|stream| discard(stream.unwrap(), Duration::ZERO)));
    let (count, begun) = (5 * SPANS as u64, Instant::now());
    for _ in 0..count {
        // No faster than they are sent, so that all are.
        while exports.queued("traces") >= SPANS as u64 {
            std::thread::yield_now();
        }
        exporter.span(span());
    }
    exporter.shutdown(Duration::from_secs(60)).await;
    let rate = exports.exported_total("traces") as f64 / begun.elapsed().as_secs_f64();
    assert_eq!(exports.exported_total("traces"), count);
    Row::new(
        "spans made, exported and read",
        rate,
        "spans/s",
        "one service thread, http/protobuf, a sink that discards",
    )
}

fn start(protocol: Protocol, listener: &TcpListener) -> (Exporter, Exports) {
    let exports = Metrics::new("bench", "0").exports;
    let endpoint = Endpoint {
        url: format!("http://{}/v1/traces", listener.local_addr().unwrap()),
        protocol,
        headers: Vec::new(),
        gzip: false,
        timeout: Duration::from_secs(60),
        certificate: None,
    };
    let batching = Batching { queue: SPANS, batch: BATCH, delay: Duration::from_secs(1) };
    let options = Options { services: services(), spans: Some(Signal { endpoint, batching }), logs: None };
    (Exporter::start(options, exports.clone()).unwrap(), exports)
}

/// A collector that reads and discards; its address.
pub fn receiver() -> String {
    answer_after(Duration::ZERO)
}

/// The same, which takes its time.
pub fn answer_after(delay: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || discard(stream.unwrap(), delay));
        }
    });
    format!("http://{address}")
}

/// Answers each request, whose length is told, with nothing.
fn discard(mut stream: TcpStream, delay: Duration) {
    let mut buffer = vec![0; 1 << 20];
    let mut have = 0;
    loop {
        let head = loop {
            if let Some(end) = buffer[..have].windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            match stream.read(&mut buffer[have..]) {
                Ok(0) | Err(_) => return,
                Ok(read) => have += read,
            }
        };
        let text = String::from_utf8_lossy(&buffer[..head]).to_lowercase();
        let length: usize = text.split("content-length: ").nth(1).unwrap().split('\r').next().unwrap().parse().unwrap();
        let mut rest = (head + length).saturating_sub(have);
        while rest > 0 {
            let place = rest.min(buffer.len());
            match stream.read(&mut buffer[..place]) {
                Ok(0) | Err(_) => return,
                Ok(read) => rest -= read,
            }
        }
        have = 0;
        std::thread::sleep(delay);
        if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
            return;
        }
    }
}

/// What the SDK needs for the same, as it prints it: `what|nanoseconds|detail` in each line.
fn peer() -> Vec<Row> {
    if !Path::new(PEER).exists() {
        println!("the OpenTelemetry SDK is not there to be measured beside: make bench-peers");
        return Vec::new();
    }
    let output = Command::new(PEER).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let row = |line: &str| {
        let fields: Vec<_> = line.split('|').collect();
        let [what, nanos, detail] = fields.as_slice() else { panic!("{line}") };
        Row::new(*what, nanos.parse().unwrap(), "ns", *detail)
    };
    text.lines().map(row).collect()
}
