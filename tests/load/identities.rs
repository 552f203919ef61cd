//! Ids that are none, text that is none, and spans whose parents make no tree.

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::Link;
use prost::Message;
use serde_json::json;

use super::subject::{RECORDS, SPANS, Subject, hex, items, now_ns};
use crate::console::made::{JSON, PROTOBUF, SNAPPY, Wire, record, records, snappy, span, spans, trace_id};

/// A span of a trace, with this number and the number of its parent.
fn child(trace: u64, number: u64, parent: u64) -> Span {
    let mut one = span(trace, number, now_ns());
    one.parent_span_id = span(trace, parent, 0).span_id;
    one
}

#[test]
#[ignore = "takes long: make test-load"]
fn ids_of_any_length_are_told_with_their_place_and_the_rest_is_taken() {
    let subject = Subject::start();
    let mut all = Vec::new();
    for length in [0, 1, 7, 9, 15, 17, 32, 100_000] {
        let mut one = span(1, 1, now_ns());
        one.trace_id = vec![7; length];
        all.push(one);
    }
    for length in [0, 1, 7, 9, 16, 100_000] {
        let mut one = span(1, 2, now_ns());
        one.span_id = vec![7; length];
        all.push(one);
    }
    let mut zeros = [span(1, 3, now_ns()), span(1, 4, now_ns())];
    zeros[0].trace_id = vec![0; 16];
    zeros[1].span_id = vec![0; 8];
    all.extend(zeros);
    let bad = all.len() as i64;
    all.push(span(1, 0, now_ns()));
    let (rejected, told) = subject.rejected("/v1/traces", &spans("ids", all).encode_to_vec());
    assert_eq!(rejected, bad);
    assert!(told.contains("resourceSpans[0].scopeSpans[0].spans[0].traceId") && told.contains("and 13 more"), "{told}");
    assert!(told.len() < 1_000, "{told}");
    let found = items(&subject.console.export("signal=traces&service=ids"), SPANS);
    assert_eq!(found.len(), 1);
    // Of a log record they are as good as none.
    let mut one = record("with half an id", now_ns());
    (one.trace_id, one.span_id) = (vec![1; 7], vec![0; 8]);
    subject.post("/v1/logs", &[PROTOBUF], &records("ids", vec![one]).encode_to_vec()).expect(200);
    let found = items(&subject.console.export("signal=logs&service=ids"), RECORDS);
    assert_eq!((found.len(), found[0].get("traceId")), (1, None));
    for id in ["0", "x", "00000000000000000000000000000000", &"f".repeat(33), "%00", &"f".repeat(5_000)] {
        for path in ["/jaeger/api/traces/", "/jaeger/api/v3/traces/", "/api/traces/"] {
            let reply = subject.console.fetch(&format!("{path}{id}"));
            assert!(matches!(reply.status, 400 | 404), "{path}{id}: {} {}", reply.status, reply.text());
            assert!(reply.body.len() < 8_000, "{path}: {} bytes", reply.body.len());
        }
    }
    subject.end("ids");
}

#[test]
#[ignore = "takes long: make test-load"]
fn text_that_is_not_utf_8_is_told_with_its_place_and_the_rest_is_taken() {
    let subject = Subject::start();
    let spoilt = |field: u32| Wire(span(1, 0, now_ns()).encode_to_vec()).bytes(field, b"\xff\xfe\x00");
    let attribute = Wire::default().bytes(1, b"key").message(2, &Wire::default().bytes(1, b"\xc3\x28"));
    let scope = [spoilt(5), spoilt(3), Wire(span(1, 1, now_ns()).encode_to_vec()).message(9, &attribute)];
    let scope = scope.iter().fold(Wire::default(), |wire, span| wire.message(2, span));
    let scope = scope.message(2, &Wire(span(2, 2, now_ns()).encode_to_vec()));
    let (rejected, told) =
        subject.rejected("/v1/traces", &Wire::default().message(1, &Wire::default().message(2, &scope)).0);
    assert_eq!(rejected, 3, "{told}");
    assert!(
        told.contains("spans[0]") && told.contains("spans[2].attributes[1]") && told.contains("not UTF-8"),
        "{told}"
    );
    subject.console.fetch(&format!("/jaeger/api/traces/{}", hex(&trace_id(2)))).expect(200);
    // JSON has to be UTF-8: an item that is not is left out, a resource is not known without its text.
    let now = now_ns();
    let (id, other) = (hex(&trace_id(3)), hex(&trace_id(4)));
    let text = |spoilt: &str, resource: &str| {
        let span = |id: &str, name: &str| {
            format!(
                r#"{{"traceId":"{id}","spanId":"00000000000000a1","name":"{name}","startTimeUnixNano":"{now}","endTimeUnixNano":"{now}"}}"#
            )
        };
        let resource = format!(r#"{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{resource}"}}}}]}}"#);
        let spans = format!("{},{}", span(&id, spoilt), span(&other, "good"));
        format!("{{\"resourceSpans\":[\n{{\"resource\":{resource},\"scopeSpans\":[{{\"spans\":[{spans}]}}]}}]}}")
    };
    let broken = |text: String| -> Vec<u8> {
        text.into_bytes().into_iter().map(|byte| if byte == b'~' { 0xff } else { byte }).collect()
    };
    let reply = subject.post("/v1/traces", &[JSON], &broken(text("~", "json"))).expect(200).json();
    assert_eq!(reply["partialSuccess"]["rejectedSpans"], json!("1"), "{reply}");
    let told = reply["partialSuccess"]["errorMessage"].as_str().unwrap();
    assert!(
        told.contains("resourceSpans[0].scopeSpans[0].spans[0].name") && told.contains("(line 2, column"),
        "{told}"
    );
    let words = ["resourceSpans[0].resource.attributes[0].value.stringValue", "UTF-8", "line 2, column 74"];
    subject.refused("/v1/traces", &[JSON], &broken(text("good", "~")), 400, &words);
    // Loki's two, and remote write, in which a label is spoilt.
    let pushed = broken(format!(r#"{{"streams":[{{"stream":{{"app":"x"}},"values":[["{now}","~"]]}}]}}"#));
    subject.refused("/loki/api/v1/push", &[JSON], &pushed, 400, &["no push of Loki"]);
    let label = Wire::default().bytes(1, b"job").bytes(2, b"\xff");
    let sample = Wire::default().double(1, 1.0).varint(2, now / 1_000_000);
    let series = Wire::default().message(1, &label).message(2, &sample);
    subject.refused(
        "/prometheus/api/v1/write",
        &[PROTOBUF, SNAPPY],
        &snappy(&Wire::default().message(1, &series).0),
        400,
        &["invalid"],
    );
    subject.end("text that is none");
}

#[test]
#[ignore = "takes long: make test-load"]
fn spans_whose_parents_make_no_tree_are_shown_all_the_same() {
    let subject = Subject::start();
    let own = vec![child(1, 5, 5), child(1, 6, 5)];
    let cycle = vec![child(2, 0, 2), child(2, 1, 0), child(2, 2, 1), child(2, 3, 2)];
    let missing: Vec<Span> = (0..1_000).map(|number| child(3, number, number + 5_000)).collect();
    // A chain as long as a trace may be, the last one first.
    let chain: Vec<Span> = (0..20_000_u64).rev().map(|number| child(4, number, number.saturating_sub(1))).collect();
    let twice = vec![child(5, 0, 9), child(5, 0, 8), child(5, 8, 0), child(5, 9, 0)];
    let mut linked = span(6, 0, now_ns());
    let link = |trace: u64, number: u64| Link {
        trace_id: trace_id(trace),
        span_id: span(trace, number, 0).span_id,
        ..Link::default()
    };
    linked.links = (0..1_000).map(|number| link(6, number % 2)).chain([link(2, 0)]).collect();
    let mut back = child(6, 1, 0);
    back.links = vec![link(6, 0), link(6, 1)];
    // One that ends before it begins, and one that lasts as long as there are numbers.
    let mut ends = [child(7, 0, 1), child(7, 1, 0)];
    ends[0].end_time_unix_nano = 1;
    ends[1].end_time_unix_nano = u64::MAX;
    let traces = [own, cycle, missing, chain, twice, vec![linked, back], ends.to_vec()];
    for (number, trace) in (1..).zip(traces) {
        let count = trace.len();
        for part in trace.chunks(10_000) {
            let request = spans(&format!("service {number}"), part.to_vec()).encode_to_vec();
            assert_eq!(subject.rejected("/v1/traces", &request), (0, String::new()));
        }
        let id = hex(&trace_id(number));
        let began = std::time::Instant::now();
        let page = subject.console.fetch(&format!("/api/traces/{id}")).expect(200).json();
        let jaeger = subject.console.fetch(&format!("/jaeger/api/traces/{id}")).expect(200).json();
        println!("trace {number} of {count} spans: {:?}", began.elapsed());
        assert!(page["spans"].as_array().is_some_and(|spans| !spans.is_empty()), "trace {number}");
        assert_eq!(jaeger["data"][0]["spans"].as_array().map(Vec::len), Some(count), "trace {number}");
    }
    for path in
        ["/api/graph", "/api/traces?limit=100", "/jaeger/api/traces?limit=100&lookback=1h", "/jaeger/api/services"]
    {
        subject.console.fetch(path).expect(200);
    }
    subject.end("parents");
}
