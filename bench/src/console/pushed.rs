//! What senders of other protocols push: samples in Prometheus' remote write, lines in Loki's push. These
//! bodies are compressed, so each request is made before the clock starts.

use std::fmt::Write;
use std::io::Write as _;

use super::otlp::{ITEMS, SERVICES, service};
use super::protobuf::Writer;
use super::template::{mix, now_ns};
use crate::client::post_head;

/// Series of one sender, each with one sample in each of its requests.
pub const SERIES: u32 = 2_000;

/// Requests in the order in which they are to be sent.
pub type Requests = Vec<Vec<u8>>;

/// What each of so many senders sends: remote write 1.0, its own series, a second from one sample to the next.
pub fn samples(senders: u32, requests: u32) -> Vec<Requests> {
    let head = "content-type: application/x-protobuf\r\ncontent-encoding: snappy\r\n\
                x-prometheus-remote-write-version: 0.1.0\r\n";
    let begin_ms = now_ns() / 1_000_000 - 1_000 * u64::from(requests);
    each(senders, |sender| {
        let series: Vec<_> = (0..SERIES).map(|number| labels(sender, number)).collect();
        let request = |round: u32| {
            let mut body = Vec::new();
            for (number, labels) in series.iter().enumerate() {
                let rate = 1 + mix(number as u64) % 50;
                let value = u64::from(round) * rate + mix(u64::from(round) << 32 | number as u64) % rate;
                Writer::new(&mut body).message(1, |series| {
                    for (name, value) in labels {
                        series.message(1, |label| {
                            label.text(1, name);
                            label.text(2, value);
                        });
                    }
                    series.message(2, |sample| {
                        sample.double(1, value as f64);
                        sample.varint(2, begin_ms + 1_000 * u64::from(round));
                    });
                });
            }
            post("/prometheus/api/v1/write", head, &snap::raw::Encoder::new().compress_vec(&body).unwrap())
        };
        (0..requests).map(request).collect()
    })
}

fn labels(sender: u32, number: u32) -> [(&'static str, String); 8] {
    let job = service(number % SERVICES);
    let part = ["bucket", "count", "sum"][number as usize % 3];
    [
        ("__name__", format!("http_server_request_duration_seconds_{part}")),
        ("http_request_method", ["GET", "POST", "PUT"][number as usize / 3 % 3].to_owned()),
        ("http_response_status_code", ["200", "201", "404", "503"][number as usize / 9 % 4].to_owned()),
        ("http_route", format!("/api/orders/{}", number / 36)),
        ("instance", format!("10.1.{sender}.{}:8080", number % 250)),
        ("job", format!("shop/{job}")),
        ("pod", format!("{job}-7d9c6b5f4-{number:04}")),
        ("zone", ["a", "b", "c"][number as usize % 3].to_owned()),
    ]
}

/// Loki's push in JSON, with gzip, by the path of whom it is sent to.
pub fn lines_json(path: &str, senders: u32, requests: u32) -> Vec<Requests> {
    each(senders, |sender| {
        let request = |round: u32| {
            let mut body = String::from("{\"streams\":[");
            for number in 0..SERVICES {
                let name = service(number);
                write!(
                    body,
                    "{}{{\"stream\":{{\"service_name\":\"{name}\",\"env\":\"production\"}},\"values\":[",
                    comma(number)
                )
                .unwrap();
                for entry in 0..ITEMS / SERVICES {
                    let line = Line::new(sender, round, number, entry);
                    let (ns, trace) = (line.time_ns, line.trace);
                    write!(body, "{}[\"{ns}\",\"{}\",{{\"trace_id\":\"{trace}\"}}]", comma(entry), line.text).unwrap();
                }
                body.push_str("]}");
            }
            body.push_str("]}");
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(body.as_bytes()).unwrap();
            let head = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
            post(path, head, &encoder.finish().unwrap())
        };
        (0..requests).map(request).collect()
    })
}

/// Loki's push in protobuf, with snappy, as Promtail and Alloy send it, by the path of whom it is sent to.
pub fn lines_protobuf(path: &str, senders: u32, requests: u32) -> Vec<Requests> {
    each(senders, |sender| {
        let request = |round: u32| {
            let mut body = Vec::new();
            for number in 0..SERVICES {
                Writer::new(&mut body).message(1, |stream| {
                    stream.text(1, &format!("{{service_name=\"{}\", env=\"production\"}}", service(number)));
                    for entry in 0..ITEMS / SERVICES {
                        let line = Line::new(sender, round, number, entry);
                        stream.message(2, |message| {
                            message.message(1, |time| {
                                time.varint(1, line.time_ns / 1_000_000_000);
                                time.varint(2, line.time_ns % 1_000_000_000);
                            });
                            message.text(2, &line.text);
                            message.message(3, |pair| {
                                pair.text(1, "trace_id");
                                pair.text(2, &line.trace);
                            });
                        });
                    }
                });
            }
            let head = "content-type: application/x-protobuf\r\n";
            post(path, head, &snap::raw::Encoder::new().compress_vec(&body).unwrap())
        };
        (0..requests).map(request).collect()
    })
}

struct Line {
    time_ns: u64,
    trace: String,
    text: String,
}

impl Line {
    fn new(sender: u32, round: u32, service: u32, entry: u32) -> Self {
        let chance =
            mix(u64::from(sender) << 48 | u64::from(round) << 24 | u64::from(service) << 12 | u64::from(entry));
        let (order, milliseconds) = (mix(chance), chance % 997);
        let level = if chance.is_multiple_of(50) { "error" } else { "info" };
        let text = format!(
            "level={level} msg=request_done method=GET route=/api/orders/:id order={order:016x} status=200 ms={milliseconds} \
             thread={}",
            chance % 64
        );
        Self { time_ns: now_ns(), trace: format!("{chance:016x}{order:016x}"), text }
    }
}

const fn comma(number: u32) -> &'static str {
    if number == 0 { "" } else { "," }
}

fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut request = post_head(path, headers, body.len());
    request.extend_from_slice(body);
    request
}

/// One thread a sender: there are a few seconds of work.
fn each(senders: u32, make: impl Fn(u32) -> Requests + Sync) -> Vec<Requests> {
    std::thread::scope(|scope| {
        let make = &make;
        let threads: Vec<_> = (0..senders).map(|sender| scope.spawn(move || make(sender))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
