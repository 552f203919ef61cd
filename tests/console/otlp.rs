//! OTLP in: each signal over each transport, encoding and compression; partial success as the specification
//! has it; and our own service over gRPC.

use bytes::Bytes;
use eventsourcing::Clock as _;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use prost::Message;
use serde_json::json;

use super::canonical::{self, list};
use super::grpc::Client;
use super::made::{GZIP, JSON, PROTOBUF, ZSTD, gauge, gzip, point, record, records, span, spans, zstd};
use crate::support::{Service, order, send_bytes, wait_for};

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// A time that is within what is kept unless said otherwise.
fn now_ns() -> u64 {
    u64::try_from(eventsourcing::clock::System.now().as_nanosecond()).unwrap()
}

/// A request of each signal, whose contents name the way it goes.
fn three(way: &str, number: u64, now: u64) -> [(&'static str, &'static str, Vec<u8>, Vec<u8>); 3] {
    let traces = spans(way, vec![span(number, 0, now), span(number, 1, now + 1)]);
    let logs = records(way, vec![record(way, now)]);
    let metrics = gauge(way, "temperature", vec![point(0.1, now, &[("way", way)])]);
    let json = |value: serde_json::Result<serde_json::Value>| value.unwrap().to_string().into_bytes();
    [
        ("/v1/traces", TRACES, traces.encode_to_vec(), json(serde_json::to_value(&traces))),
        ("/v1/logs", LOGS, logs.encode_to_vec(), json(serde_json::to_value(&logs))),
        ("/v1/metrics", METRICS, metrics.encode_to_vec(), json(serde_json::to_value(&metrics))),
    ]
}

#[test]
fn three_signals_arrive_by_every_way() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    let now = now_ns();
    let mut ways = Vec::new();
    for (kind, content_type) in [("protobuf", PROTOBUF), ("json", JSON)] {
        for (compression, header) in [("plain", None), ("gzip", Some(GZIP)), ("zstd", Some(ZSTD))] {
            let way = format!("http-{kind}-{compression}");
            for (path, _, protobuf, json) in three(&way, ways.len() as u64, now) {
                let body = if kind == "json" { json } else { protobuf };
                let body = match compression {
                    "gzip" => gzip(&body),
                    "zstd" => zstd(&body),
                    _ => body,
                };
                let headers: Vec<_> = [content_type].into_iter().chain(header).collect();
                let url = format!("{}{path}", console.address("otlpHttp"));
                send_bytes(&console.agent, "POST", &url, &headers, Some(&body)).unwrap().expect(200);
            }
            ways.push(way);
        }
    }
    for compression in [None, Some("gzip"), Some("zstd")] {
        let way = format!("grpc-{}", compression.unwrap_or("plain"));
        let mut client = Client::connect(console.address("otlpGrpc"));
        for (_, path, protobuf, _) in three(&way, ways.len() as u64, now) {
            let message = match compression {
                Some("gzip") => gzip(&protobuf),
                Some(_) => zstd(&protobuf),
                None => protobuf,
            };
            let called = client.call(path, &message, compression);
            assert_eq!((called.code, &called.message[..]), (0, &b""[..]), "{way} {path}: {}", called.told);
        }
        ways.push(way);
    }
    for way in &ways {
        let found = canonical::spans(&console.export(&format!("signal=traces&service={way}")));
        assert_eq!(found.len(), 2, "{way}: {found:#?}");
        assert_eq!(found[0]["item"]["startTimeUnixNano"], now.to_string());
        let found = canonical::records(&console.export(&format!("signal=logs&service={way}")));
        assert_eq!(found.len(), 1, "{way}: {found:#?}");
        assert_eq!(found[0]["item"]["body"], json!({ "stringValue": way }));
        let found = canonical::samples(&console.export(&format!("signal=metrics&service={way}")));
        let found: Vec<_> = found.iter().filter(|sample| sample.name() == "temperature").collect();
        assert!(matches!(found[..], [one] if (one.value - 0.1).abs() < f64::EPSILON), "{way}: {found:#?}");
    }
}

#[test]
fn a_port_of_the_other_kind_and_the_console_s_own_take_otlp_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    let request = spans("mistaken", vec![span(1, 0, now_ns())]).encode_to_vec();
    for port in ["otlpGrpc", "otlpHttp", "console"] {
        let url = format!("{}/v1/traces", console.address(port));
        send_bytes(&console.agent, "POST", &url, &[PROTOBUF], Some(&request)).unwrap().expect(200);
        let called = Client::connect(console.address(port)).call(TRACES, &request, None);
        assert_eq!(called.code, 0, "{port}: {called:?}");
    }
}

/// One span is good, one has an id too short, one has none.
fn partly_good() -> ExportTraceServiceRequest {
    let now = now_ns();
    let (mut short, mut none) = (span(1, 1, now), span(1, 2, now));
    short.trace_id.truncate(9);
    none.span_id.clear();
    spans("partial", vec![span(1, 0, now), short, none])
}

#[test]
fn what_is_bad_is_told_and_the_rest_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    let request = partly_good();
    let check = |rejected: i64, message: &str| {
        assert_eq!(rejected, 2, "{message}");
        for told in ["resourceSpans[0].scopeSpans[0].spans[1].traceId", "spans[2].spanId"] {
            assert!(message.contains(told), "{told} is not in: {message}");
        }
    };
    let reply = console.post_bytes("/v1/traces", &[PROTOBUF], &request.encode_to_vec()).expect(200);
    let partial = ExportTraceServiceResponse::decode(&reply.body[..]).unwrap().partial_success.unwrap();
    check(partial.rejected_spans, &partial.error_message);

    let json = serde_json::to_vec(&request).unwrap();
    let reply = console.post_bytes("/v1/traces", &[JSON], &json).expect(200);
    let partial = &reply.json()["partialSuccess"];
    assert!(partial.is_object(), "{}", reply.text());
    check(partial["rejectedSpans"].as_str().unwrap().parse().unwrap(), partial["errorMessage"].as_str().unwrap());

    let called = Client::connect(console.address("otlpGrpc")).call(TRACES, &request.encode_to_vec(), None);
    assert_eq!(called.code, 0, "{called:?}");
    let partial = ExportTraceServiceResponse::decode(&called.message[..]).unwrap().partial_success.unwrap();
    check(partial.rejected_spans, &partial.error_message);

    // A record whose trace's id is none belongs to no trace, as the protocol has it; it is no less a record.
    let mut bad = record("bad", now_ns());
    bad.trace_id = vec![1; 5];
    let logs = records("partial", vec![record("good", now_ns()), bad]);
    let reply = console.post_bytes("/v1/logs", &[PROTOBUF], &logs.encode_to_vec()).expect(200);
    assert_eq!(reply.body, b"");

    let kept = canonical::spans(&console.export("signal=traces&service=partial"));
    assert!(!kept.is_empty() && kept.iter().all(|span| span["item"]["name"] == "operation 0"), "{kept:#?}");
    let kept = canonical::records(&console.export("signal=logs&service=partial"));
    assert_eq!(kept.len(), 2, "{kept:#?}");
    assert!(kept.iter().all(|record| record["item"]["traceId"].is_null()), "{kept:#?}");
}

#[test]
fn samples_that_contradict_each_other_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    let now = now_ns();
    let metrics = |value| gauge("partial", "level", vec![point(value, now, &[])]);
    let send = |value| console.post_bytes("/v1/metrics", &[JSON], &serde_json::to_vec(&metrics(value)).unwrap());
    assert_eq!(send(1.0).expect(200).text(), "{}");
    assert_eq!(send(1.0).expect(200).text(), "{}", "the same once more is no fault: a client that had no answer");
    let told = send(2.0).expect(200).json();
    assert_eq!(told["partialSuccess"]["rejectedDataPoints"], "1", "{told}");
    let message = told["partialSuccess"]["errorMessage"].as_str().unwrap();
    assert!(message.contains("contradict"), "{message}");
}

#[test]
fn grpc_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    let mut client = Client::connect(console.address("otlpGrpc"));
    let called = client.call(TRACES, b"\x0a\xff\x01", None);
    assert_eq!(called.code, 3, "{called:?}");
    assert!(!called.told.is_empty(), "{called:?}");
    let called = client.call(TRACES, b"not gzip", Some("gzip"));
    assert!(called.code != 0 && !called.told.is_empty(), "{called:?}");
    let called = client.call(TRACES, b"", Some("br"));
    assert_eq!(called.code, 12, "an encoding that is not known here: {called:?}");
    // A frame that says it is longer than it is.
    let called = client.call_raw(TRACES, Bytes::from_static(&[0, 0, 0, 1, 0, 1]), None);
    assert!(called.code != 0, "{called:?}");
    let called = client.call("/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export", b"", None);
    assert_eq!(
        called.code, 12,
        "a signal that is not known here is unimplemented, which senders understand: {called:?}"
    );
    assert_eq!(client.call(TRACES, b"", None).code, 0, "the connection is still good");
}

#[test]
fn our_own_service_is_seen_over_grpc() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let console = Service::console(folder.path(), &[]);
    let told = ["--otel-exporter-otlp-endpoint", console.address("otlpGrpc"), "--otel-exporter-otlp-protocol", "grpc"];
    let soon = ["--otel-bsp-schedule-delay", "10", "--otel-blrp-schedule-delay", "10"];
    let arguments = [&["serve", "--role", "api"], &told[..], &soon[..]].concat();
    let service = Service::start(other.path(), &arguments);
    let answer = service.command("POST", "/api/orders", Some(&order("1 Main Street"))).expect(201);
    let id = answer.header("traceresponse").unwrap().split('-').nth(1).unwrap().to_owned();
    let names = wait_for(|| {
        let trace = console.export(&format!("signal=traces&traceId={id}"));
        let mut names: Vec<_> =
            canonical::spans(&trace).iter().map(|span| span["item"]["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        (names.len() >= 3).then_some(names)
    });
    assert_eq!(names, ["POST /api/orders", "append order", "order create"]);
    wait_for(|| {
        let logs = console.export(&format!("signal=logs&traceId={id}"));
        let of_service = list(&logs["resourceLogs"]).any(|group| group.to_string().contains("delivery-api"));
        of_service.then_some(())
    });
}
