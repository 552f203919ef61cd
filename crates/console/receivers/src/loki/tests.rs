//! Both encodings: what comes is what was pushed, and what is wrong does not spoil the rest.

use console_model::{LogGroup, Value};
use console_wire::Writer;
use proptest::prelude::*;

use super::*;

const ARRIVAL_NS: u64 = 99;

fn json(text: &str) -> Decoded {
    decode_json(text.as_bytes(), ARRIVAL_NS).unwrap()
}

fn one(decoded: &Decoded) -> &LogGroup {
    assert_eq!(decoded.batch.groups.len(), 1, "{decoded:?}");
    &decoded.batch.groups[0]
}

#[test]
fn a_push_in_json_is_taken_whole() {
    let decoded = json(
        r#"{"streams":[{"stream":{"app":"api","env":"dev"},"values":[
            ["1700000000000000001","first \"line\"",{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","level":"warn","user":"u"}],
            ["1700000000000000000","second"]]}],"ignored":[{}]}"#,
    );
    let group = one(&decoded);
    assert_eq!(group.stream.to_string(), r#"{app="api", env="dev", service_name="api"}"#);
    assert_eq!((group.service(), group.resource.service()), ("api", "api"));
    let first = &group.records[0];
    assert_eq!((first.time_ns, first.observed_time_ns), (1_700_000_000_000_000_001, ARRIVAL_NS));
    assert_eq!(first.body, Value::from("first \"line\""));
    assert_eq!(first.trace_id.unwrap().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(first.span_id.unwrap().to_string(), "00f067aa0ba902b7");
    assert_eq!((first.severity_number, first.severity_text.as_str()), (13, "warn"));
    assert_eq!(first.attributes.text("user"), Some("u"));
    assert_eq!(first.attributes.len(), 4);
    assert_eq!((group.records[1].severity_number, group.records[1].trace_id), (0, None));
    assert!(decoded.rejects.is_empty());
}

#[test]
fn the_service_is_found_as_loki_finds_it() {
    let service = |labels: &str| {
        let decoded = json(&format!(r#"{{"streams":[{{"values":[["1","x"]],"stream":{{{labels}}}}}]}}"#));
        one(&decoded).service().to_owned()
    };
    assert_eq!(service(r#""job":"j","app":"a","service":"s""#), "s");
    assert_eq!(service(r#""job":"j","app":"a""#), "a");
    assert_eq!(service(r#""job":"j","service_name":"named""#), "named");
    assert_eq!(service(r#""job":"j","container":"c""#), "c");
    assert_eq!(service(r#""host":"h","app":"""#), "unknown_service");
}

#[test]
fn a_level_of_the_stream_holds_for_lines_without_one() {
    let decoded =
        json(r#"{"streams":[{"stream":{"level":"error"},"values":[["1","x"],["2","y",{"detected_level":"info"}]]}]}"#);
    let numbers: Vec<_> = one(&decoded).records.iter().map(|record| record.severity_number).collect();
    assert_eq!(numbers, [17, 9]);
}

#[test]
fn one_bad_entry_does_not_lose_the_others() {
    let long = "x".repeat(LINE_BYTES_MAX + 1);
    let decoded = json(&format!(
        r#"{{"streams":[{{"stream":{{"a":"b"}},"values":[["1","kept"],["soon","x"],[2,"kept"],["3"],["4",5],"x",null,{{}},6,-6,0.5,true,
            ["-1","x"],["7","x",{{"n":1}}],["8","x",[]],["9","{long}"],["10","kept",{{}}],["11","kept",null,1]]}}]}}"#
    ));
    let times: Vec<_> = one(&decoded).records.iter().map(|record| record.time_ns).collect();
    assert_eq!(times, [1, 2, 10, 11]);
    assert_eq!(decoded.rejects.count(), 14);
    let reasons = decoded.rejects.to_string();
    for reason in [
        "entry with timestamp 0 has no timestamp in nanoseconds since 1970",
        "entry with timestamp 3 has no line of text",
        "entry with timestamp 0 is no list of a timestamp and a line",
        "entry with timestamp 7 has structured metadata that is no object of texts",
        "Max entry size 262144 bytes exceeded",
    ] {
        assert!(reasons.contains(reason), "{reasons}");
    }
}

#[test]
fn a_bad_stream_does_not_lose_the_others() {
    let many: Vec<_> = (0..16).map(|number| format!(r#""l{number}":"x""#)).collect();
    let decoded = json(&format!(
        r#"{{"streams":[
            {{"stream":{{}},"values":[["1","x"],["2","y"]]}},
            {{"values":[["1","x"]]}},
            {{"stream":{{"my.app":"x"}},"values":[["1","x"]]}},
            {{"stream":{{"app":1}},"values":[["1","x"]]}},
            {{"stream":{{{}}},"values":[["1","x"]]}},
            {{"stream":{{"app":"{}"}},"values":[["1","x"]]}},
            {{"stream":{{"app":"kept"}},"values":[["1","x"]]}}]}}"#,
        many.join(","),
        "y".repeat(LABEL_VALUE_BYTES_MAX + 1),
    ));
    assert_eq!(one(&decoded).service(), "kept");
    assert_eq!(decoded.rejects.count(), 7);
    let reasons = decoded.rejects.reasons();
    assert!(reasons[0].starts_with("error at least one label pair is required per stream"));
    assert!(reasons[1].starts_with("\"my.app\" is no name of a label"), "{reasons:?}");
    assert_eq!(reasons[2], "the label \"app\" of a stream is no text");
    assert_eq!(reasons[3], "entry for a stream has 16 label names; limit 15");
    assert!(reasons[4].starts_with("a stream has a value of 2049 bytes"));
}

#[test]
fn what_is_no_push_is_told_with_its_place() {
    for text in ["", "[]", "{\"streams\":{}}", "{\"streams\":[{\"stream\":[]}]}", "{\"streams\":[]} x"] {
        assert!(decode_json(text.as_bytes(), 0).is_err(), "{text}");
    }
    let message = decode_json(b"{\"streams\":[", 0).unwrap_err().to_string();
    assert!(message.contains("as in {\"streams\"") && message.contains("line 1 column 12"), "{message}");
    assert!(json("{}").batch.is_empty());
}

/// Seconds, nanoseconds, line, structured metadata.
type Entry<'a> = (i64, i64, &'a [u8], &'a [(&'a str, &'a str)]);

fn protobuf(labels: &str, entries: &[Entry<'_>]) -> Decoded {
    let mut bytes = Vec::new();
    Writer::new(&mut bytes).message(1, |stream| {
        stream.text(1, labels);
        for (seconds, nanos, line, metadata) in entries {
            stream.message(2, |entry| {
                entry.message(1, |time| {
                    time.int64(1, *seconds);
                    time.int64(2, *nanos);
                });
                entry.bytes(2, line);
                for (name, value) in *metadata {
                    entry.message(3, |pair| {
                        pair.text(1, name);
                        pair.text(2, value);
                    });
                }
            });
        }
    });
    decode_protobuf(&bytes, ARRIVAL_NS).unwrap()
}

#[test]
fn a_push_in_protobuf_is_taken_whole() {
    let decoded = protobuf(
        r#"{job="varlogs", host="h"}"#,
        &[
            (1_700_000_000, 5, b"a line", &[("severity", "ERROR"), ("traceID", "00f067aa0ba902b7")]),
            (1, 0, b"\xffx", &[]),
        ],
    );
    let group = one(&decoded);
    assert_eq!(group.stream.to_string(), r#"{host="h", job="varlogs", service_name="varlogs"}"#);
    let first = &group.records[0];
    assert_eq!((first.time_ns, first.severity_number), (1_700_000_000_000_000_005, 17));
    assert_eq!(first.trace_id.unwrap().to_string(), "000000000000000000f067aa0ba902b7");
    assert_eq!(group.records[1].body, Value::from("\u{fffd}x"));
}

#[test]
fn in_protobuf_too_the_bad_does_not_spoil_the_good() {
    let decoded = protobuf(
        "{a=\"b\"}",
        &[(-1, 0, b"x", &[]), (i64::MAX, 0, b"x", &[]), (1, -1, b"x", &[]), (3, 0, b"kept", &[])],
    );
    assert_eq!(one(&decoded).records.len(), 1);
    assert_eq!(decoded.rejects.count(), 3);
    let decoded = protobuf("{a=b}", &[(1, 0, b"x", &[])]);
    assert!(decoded.batch.is_empty());
    assert!(decoded.rejects.to_string().starts_with("error parsing labels \"{a=b}\""));
    assert!(decode_protobuf(&[0x0a, 5, 1], 0).is_err());
}

#[test]
fn structured_metadata_are_bounded() {
    let many = [("n", "v"); METADATA_MAX + 1];
    let long = "v".repeat(METADATA_BYTES_MAX);
    let large = [("n", long.as_str())];
    let decoded = protobuf("{a=\"b\"}", &[(1, 0, b"x", &many), (2, 0, b"x", &large), (3, 0, b"x", &many[1..])]);
    assert_eq!(one(&decoded).records.len(), 1);
    assert_eq!(one(&decoded).records[0].attributes.len(), METADATA_MAX);
    assert_eq!(decoded.rejects.reasons().len(), 2);
}

proptest! {
    #[test]
    fn any_line_comes_back(line in "(?s).{0,40}", name in "(?s).{0,10}", value in "(?s).{0,20}", seconds in 0..9_000_000_000_i64) {
        let first = protobuf("{a=\"b\"}", &[(seconds, 7, line.as_bytes(), &[(&name, &value)])]);
        prop_assert_eq!(&one(&first).records[0].body, &Value::from(line.as_str()));
        let time_ns = seconds as u64 * 1_000_000_000 + 7;
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let (line, name, value) = (quoted(&line), quoted(&name), quoted(&value));
        let second = json(&format!(
            r#"{{"streams":[{{"stream":{{"a":"b"}},"values":[["{time_ns}",{line},{{{name}:{value}}}]]}}]}}"#
        ));
        prop_assert_eq!(first, second);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = (decode_json(&bytes, 0), decode_protobuf(&bytes, 0));
    }
}
