//! How much the decoders read in a second, on one thread: `cargo run --release -p console-receivers --example
//! throughput`. What a store then does with it is not measured here.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring program prints, and a surprise may end it")]

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use console_receivers::exposition::{self, Format};
use console_receivers::{loki, remote_write, tail};
use console_wire::Writer;

const SERIES: usize = 2_000;
const LABELS: usize = 8;
const SECONDS: u64 = 2;

fn main() {
    let (first, second) = (request_v1(), request_v2());
    report("remote write 1.0", "samples", SERIES, first.len(), || {
        assert_eq!(remote_write::decode_v1(black_box(&first)).unwrap().written.samples, SERIES as u64);
    });
    report("remote write 2.0", "samples", SERIES, second.len(), || {
        assert_eq!(remote_write::decode_v2(black_box(&second)).unwrap().written.samples, SERIES as u64);
    });
    let text = exposed();
    report("text, with labels built", "samples", SERIES, text.len(), || {
        assert_eq!(exposition::read(black_box(&text), Format::Text, 1).unwrap().len(), SERIES);
    });
    report("text, parsed only", "samples", SERIES, text.len(), || {
        let mut parser = exposition::Parser::new(black_box(&text), Format::Text);
        while let Some(entry) = parser.next_entry().unwrap() {
            black_box(entry);
        }
    });
    let (json, protobuf) = (push_json(), push_protobuf());
    report("loki push, JSON", "lines", SERIES, json.len(), || {
        assert_eq!(loki::decode_json(black_box(&json), 1).unwrap().batch.len(), SERIES);
    });
    report("loki push, protobuf", "lines", SERIES, protobuf.len(), || {
        assert_eq!(loki::decode_protobuf(black_box(&protobuf), 1).unwrap().batch.len(), SERIES);
    });
    for (name, line) in [
        (
            "line of JSON",
            r#"{"time":"2026-01-01T00:00:00.5Z","level":"INFO","msg":"request done","method":"GET","path":"/orders","status":200,"ms":1.25,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}"#,
        ),
        (
            "line of logfmt",
            r#"ts=2026-01-01T00:00:00.5Z level=info msg="request done" method=GET path=/orders status=200 ms=1.25"#,
        ),
        ("plain line", "2026-01-01T00:00:00.5Z INFO request done GET /orders 200 in 1.25 ms"),
    ] {
        report(name, "lines", 1, line.len(), || {
            black_box(tail::read_line(black_box(line), 1));
        });
    }
}

fn report(name: &str, unit: &str, items: usize, bytes: usize, mut read: impl FnMut()) {
    let start = Instant::now();
    let mut rounds = 0;
    while start.elapsed() < Duration::from_secs(SECONDS) {
        (0..10).for_each(|_| read());
        rounds += 10;
    }
    let seconds = start.elapsed().as_secs_f64();
    let per_second = (items * rounds) as f64 / seconds;
    let mebibytes = (bytes * rounds) as f64 / seconds / f64::from(1 << 20);
    println!("{name:24} {:8.2} M {unit}/s {mebibytes:8.0} MiB/s", per_second / 1e6);
}

fn labels(number: usize) -> Vec<(String, String)> {
    let own =
        (1..LABELS - 1).map(|label| (format!("label_{label}"), format!("value-{label}-{}", number % (10 * label))));
    let mut labels = vec![("__name__".to_owned(), "http_request_duration_seconds_bucket".to_owned())];
    labels.extend(own);
    labels.push(("pod".to_owned(), format!("orders-{number}")));
    labels
}

fn sample(series: &mut Writer<'_>, number: usize) {
    series.message(2, |sample| {
        sample.double(1, number as f64 * 1.5);
        sample.int64(2, 1_767_225_600_000);
    });
}

fn request_v1() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut request = Writer::new(&mut bytes);
    for number in 0..SERIES {
        request.message(1, |series| {
            for (name, value) in labels(number) {
                series.message(1, |label| {
                    label.text(1, &name);
                    label.text(2, &value);
                });
            }
            sample(series, number);
        });
    }
    bytes
}

fn request_v2() -> Vec<u8> {
    let mut symbols = vec![String::new()];
    let mut bytes = Vec::new();
    let mut request = Writer::new(&mut bytes);
    for number in 0..SERIES {
        let mut packed = Vec::new();
        for text in labels(number).into_iter().flat_map(|(name, value)| [name, value]) {
            let known = symbols.iter().position(|symbol| *symbol == text);
            let mut reference = known.unwrap_or_else(|| {
                symbols.push(text);
                symbols.len() - 1
            });
            while reference >= 0x80 {
                packed.push((reference & 0x7f) as u8 | 0x80);
                reference >>= 7;
            }
            packed.push(reference as u8);
        }
        request.message(5, |series| {
            series.bytes(1, &packed);
            sample(series, number);
        });
    }
    symbols.iter().for_each(|symbol| request.text(4, symbol));
    bytes
}

fn exposed() -> String {
    let mut text = String::from("# TYPE http_request_duration_seconds histogram\n");
    for number in 0..SERIES {
        let labels = labels(number);
        let pairs: Vec<_> = labels.iter().skip(1).map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        writeln!(text, "{}{{{}}} {}", labels[0].1, pairs.join(","), number as f64 * 1.5).unwrap();
    }
    text
}

fn line(number: usize) -> String {
    format!("2026-01-01T00:00:00.5Z INFO request {number} done: GET /orders/{number} 200 in 1.25 ms")
}

fn push_json() -> Vec<u8> {
    let metadata = r#"{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","level":"info"}"#;
    let values: Vec<_> =
        (0..SERIES).map(|number| format!("[\"1767225600000000000\",\"{}\",{metadata}]", line(number))).collect();
    format!(r#"{{"streams":[{{"stream":{{"app":"orders"}},"values":[{}]}}]}}"#, values.join(",")).into_bytes()
}

fn push_protobuf() -> Vec<u8> {
    let mut bytes = Vec::new();
    Writer::new(&mut bytes).message(1, |stream| {
        stream.text(1, "{app=\"orders\"}");
        for number in 0..SERIES {
            stream.message(2, |entry| {
                entry.message(1, |time| time.int64(1, 1_767_225_600));
                entry.text(2, &line(number));
                for (name, value) in [("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"), ("level", "info")] {
                    entry.message(3, |pair| {
                        pair.text(1, name);
                        pair.text(2, value);
                    });
                }
            });
        }
    });
    bytes
}
