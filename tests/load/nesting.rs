//! Values in values in values, and values of ten megabytes.

use prost::Message;
use serde_json::json;

use super::subject::{SPANS, Subject, hex, items, now_ns};
use crate::console::made::{JSON, PROTOBUF, Wire, pair, span, spans, text, trace_id};

const MEGABYTES: usize = 10_000_000;

/// `AnyValue` that holds a list that holds a value, so many times.
fn nested(depth: usize) -> Wire {
    // From the inside out, each level in front: lengths first, so that a hundred thousand levels take no time.
    let mut reversed: Vec<u8> = Vec::new();
    let put = |reversed: &mut Vec<u8>, key: u8| {
        let mut front = Wire(vec![key]);
        front.put(reversed.len() as u64);
        reversed.extend(front.0.iter().rev());
    };
    for _ in 0..depth {
        put(&mut reversed, 0x0a);
        put(&mut reversed, 0x2a);
    }
    reversed.reverse();
    Wire(reversed)
}

/// A request of a span with an attribute of this value.
fn with_value(number: u64, value: &Wire) -> Vec<u8> {
    let attribute = Wire::default().bytes(1, b"deep").message(2, value);
    let mut one = Wire(span(number, 0, now_ns()).encode_to_vec());
    one = one.message(9, &attribute);
    Wire::default().message(1, &Wire::default().message(2, &Wire::default().message(2, &one))).0
}

fn json_value(depth: usize) -> String {
    let (open, close) = (r#"{"arrayValue":{"values":["#, "]}}");
    format!("{}{{\"intValue\":\"7\"}}{}", open.repeat(depth), close.repeat(depth))
}

fn json_request(value: &str) -> String {
    let span = format!(
        r#"{{"traceId":"{}","spanId":"00000000000000a1","name":"x","startTimeUnixNano":"{}","endTimeUnixNano":"{}","attributes":[{{"key":"deep","value":{value}}}]}}"#,
        hex(&trace_id(7)),
        now_ns(),
        now_ns()
    );
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#)
}

#[test]
#[ignore = "takes long: make test-load"]
fn values_are_nested_as_deep_as_is_allowed_and_no_deeper() {
    let subject = Subject::start();
    for depth in [1, 63] {
        assert_eq!(subject.rejected("/v1/traces", &with_value(depth, &nested(depth as usize))), (0, String::new()));
        subject.post("/v1/traces", &[JSON], json_request(&json_value(depth as usize)).as_bytes()).expect(200);
    }
    for depth in [70, 1_000, 100_000, 2_000_000] {
        subject.refused("/v1/traces", &[PROTOBUF], &with_value(9, &nested(depth)), 400, &["nested more than 64 deep"]);
        if depth < 1_000_000 {
            let body = json_request(&json_value(depth));
            subject.refused("/v1/traces", &[JSON], body.as_bytes(), 400, &["nested more than 64 deep", "line 1"]);
        }
    }
    // What nobody knows is skipped, but not without end.
    for unknown in ["[".repeat(5_000_000), r#"{"a":"#.repeat(2_000_000)] {
        for path in ["/v1/traces", "/v1/logs", "/v1/metrics", "/api/import", "/loki/api/v1/push"] {
            subject.refused(path, &[JSON], format!(r#"{{"unknown":{unknown}"#).as_bytes(), 400, &[]);
            subject.refused(path, &[JSON], unknown.as_bytes(), 400, &[]);
        }
    }
    // Groups, an old form of messages, nest without saying how long they are.
    subject.refused("/v1/traces", &[PROTOBUF], &[0x0b; 1_000_000], 400, &[]);
    subject.end("nesting");
}

#[test]
#[ignore = "takes long: make test-load"]
fn attributes_of_ten_megabytes_come_back_as_they_were() {
    let subject = Subject::start();
    let mut large = span(1, 0, now_ns());
    large.attributes = vec![pair("text", text(&"ä".repeat(MEGABYTES / 2))), pair(&"k".repeat(MEGABYTES), text("key"))];
    let many = (0..200_000).map(|number| pair(&format!("key {number}"), text("value")));
    let mut wide = span(2, 0, now_ns());
    wide.attributes = many.collect();
    for one in [&large, &wide] {
        let request = spans("large", vec![one.clone()]).encode_to_vec();
        assert_eq!(subject.rejected("/v1/traces", &request), (0, String::new()));
    }
    for (number, sent) in [(1, &large), (2, &wide)] {
        let export = subject.console.export(&format!("signal=traces&traceId={}", hex(&trace_id(number))));
        let found = items(&export, SPANS);
        let attributes = found[0]["attributes"].as_array().unwrap();
        let expected: Vec<_> = sent
            .attributes
            .iter()
            .map(|pair| json!({"key": pair.key, "value": serde_json::to_value(&pair.value).unwrap()}))
            .collect();
        assert_eq!(attributes.len(), expected.len());
        assert!(attributes.iter().zip(&expected).all(|(found, sent)| found == sent), "trace {number}");
        // The page shows them as far as it can, and does not hang over them.
        subject.console.fetch(&format!("/api/traces/{}", hex(&trace_id(number)))).expect(200);
        subject.console.fetch(&format!("/jaeger/api/traces/{}", hex(&trace_id(number)))).expect(200);
    }
    let search = subject.console.fetch("/api/traces?limit=20").expect(200);
    assert!(search.body.len() < 1 << 20, "a list of two traces has {} bytes", search.body.len());
    subject.end("ten megabytes");
}
