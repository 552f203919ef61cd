//! JSON as senders write it, and as they should not.

use console_model::{SpanKind, StatusCode, Value};
use console_otlp::{logs, traces};
use proptest::prelude::*;

fn spans(fields: &str) -> String {
    let ids = r#""traceId":"4BF92F3577B34DA6A3CE929D0E0E4736","spanId":"00f067aa0ba902b7""#;
    format!(r#"{{"resourceSpans":[{{"resource":null,"scopeSpans":[{{"spans":[{{{ids}{fields}}}]}}]}}]}}"#)
}

fn span(fields: &str) -> console_model::Span {
    let read = traces::from_json(spans(fields).as_bytes(), 0).unwrap();
    assert_eq!(read.rejected.count, 0, "{}", read.rejected.message);
    read.batch.groups[0].spans[0].clone()
}

#[test]
fn numbers_may_be_text_and_enums_may_be_names() {
    let text = span(
        r#","startTimeUnixNano":"1544712660000000001","kind":"SPAN_KIND_SERVER","status":{"code":"STATUS_CODE_ERROR"},"flags":1"#,
    );
    let numbers = span(r#","start_time_unix_nano":1544712660000000001,"kind":2,"status":{"code":2},"flags":"1""#);
    assert_eq!(text, numbers);
    assert_eq!(
        (text.start_ns, text.kind, text.status.code),
        (1544712660000000001, SpanKind::Server, StatusCode::Error)
    );
    assert_eq!(span(r#","endTimeUnixNano":1.5e18"#).end_ns, 1_500_000_000_000_000_000);
}

#[test]
fn what_is_unknown_is_ignored_and_null_is_a_default() {
    let plain = span("");
    assert_eq!(
        span(r#","name":null,"kind":null,"attributes":null,"parentSpanId":"","status":null,"events":null"#),
        plain
    );
    let unknown = r#","new":{"a":[1,{"b":"]}\"","c":null},[],{}],"d":-1.5e-3,"e":true}"#;
    assert_eq!(span(unknown), plain);
    let deep = format!(r#","new":{}{}"#, "[".repeat(900), "]".repeat(900));
    assert_eq!(span(&deep), plain);
}

#[test]
fn values_of_each_kind_are_read() {
    let read = span(
        r#","attributes":[{"key":"s","value":{"stringValue":"a\ud83d\ude00\u00e4\ud83d"}},{"key":"i","value":{"intValue":"-9223372036854775808"}},
        {"key":"n","value":{"intValue":7}},{"key":"d","value":{"doubleValue":"-Infinity"}},{"key":"y","value":{"bytesValue":"_-8"}},
        {"key":"b","value":{"boolValue":false}},{"key":"l","value":{"array_value":{"values":[{"intValue":1},{}]}}},
        {"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"v"}}]}}},{"key":"none","value":{"stringValue":null}}]"#,
    );
    let value = |key: &str| read.attributes.get(key).unwrap().clone();
    // Half a pair of surrogates, as from text that was cut, is replaced.
    assert_eq!(value("s"), Value::from("a😀ä\u{fffd}"));
    assert_eq!((value("i"), value("n")), (Value::Int(i64::MIN), Value::Int(7)));
    assert_eq!((value("d"), value("b")), (Value::Double(f64::NEG_INFINITY), Value::Bool(false)));
    assert_eq!(value("y"), Value::Bytes([0xff, 0xef].into()));
    assert_eq!(value("l"), Value::Array(vec![Value::Int(1), Value::Empty]));
    assert_eq!(value("m").to_string(), r#"{"k":"v"}"#);
    assert_eq!(value("none"), Value::Empty);
}

#[test]
fn integers_that_are_none_are_doubles_as_numbers_and_rejected_as_text() {
    let value = |text: &str| {
        let attribute = format!(r#","attributes":[{{"key":"a","value":{{"intValue":{text}}}}}]"#);
        let read = traces::from_json(spans(&attribute).as_bytes(), 0).unwrap();
        let value = read.batch.groups.first().map(|group| group.spans[0].attributes.get("a").unwrap().clone());
        value.ok_or(read.rejected.message)
    };
    assert_eq!(value("9223372036854775807"), Ok(Value::Int(i64::MAX)));
    assert_eq!(value("1e3"), Ok(Value::Int(1_000)));
    // As Node.js writes them.
    assert_eq!(value("1.5e+300"), Ok(Value::Double(1.5e300)));
    assert_eq!(value("-9223372036854776000"), Ok(Value::Double(-9_223_372_036_854_775_808.0)));
    assert_eq!(value("0.5"), Ok(Value::Double(0.5)));
    for text in [r#""9223372036854775808""#, r#""seven""#, r#""0.5""#, r#""""#, r#""NaN""#, r#""1.5e300""#, "1e999"] {
        let reason = value(text).unwrap_err();
        assert!(reason.contains("attributes[0].value.intValue: expected an integer of 64 bits, as in"), "{reason}");
    }
    assert!(traces::from_json(spans(r#","attributes":[{"key":"a","value":{"intValue":{}}}]"#).as_bytes(), 0).is_err());
}

#[test]
fn an_integer_point_beyond_64_bits_is_a_double() {
    let point = |value: &str| {
        let points = format!(r#"[{{"asInt":{value},"timeUnixNano":"1"}},{{"asInt":"7","timeUnixNano":"1"}}]"#);
        let metric = format!(r#"{{"name":"x","gauge":{{"dataPoints":{points}}}}}"#);
        let text = format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{metric}]}}]}}]}}"#);
        let read = console_otlp::metrics::from_json(text.as_bytes(), 0).unwrap();
        let read = console_otlp::Translator::default().translate(read, 0);
        (read.batch.series[0].samples[0].value, read.rejected.count)
    };
    assert_eq!(point("-9223372036854776000"), (-9_223_372_036_854_775_808.0, 0));
    assert_eq!(point("1.5e+300"), (1.5e300, 0));
    assert_eq!(point(r#""seven""#), (7.0, 1));
}

#[test]
fn ids_in_base64_are_told_so() {
    let text = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[
        {"traceId":"S/kvNXezTaajzpKdDg5HNg==","spanId":"00f067aa0ba902b7","name":"x"}]}]}]}"#;
    let read = traces::from_json(text.as_bytes(), 0).unwrap();
    assert_eq!((read.batch.len(), read.rejected.count), (0, 1));
    let expected = "resourceSpans[0].scopeSpans[0].spans[0].traceId: ids are written in hexadecimal digits, not in \
                    base64, as in \"4bf92f3577b34da6a3ce929d0e0e4736\" (line 2, column 20)";
    assert_eq!(read.rejected.message, expected);
}

#[test]
fn what_is_malformed_is_told_with_path_and_place() {
    let error = |text: &str| traces::from_json(text.as_bytes(), 0).unwrap_err().to_string();
    assert_eq!(error(""), "expected an object, found the end of the text (line 1, column 1)");
    assert_eq!(error("[]"), "expected an object, found a list (line 1, column 1)");
    assert_eq!(error("{}x"), "the text goes on after its end (line 1, column 3)");
    let wrong = spans(",\n\"name\":5");
    let expected = "resourceSpans[0].scopeSpans[0].spans[0].name: expected text, found a number (line 2, column 8)";
    assert_eq!(error(&wrong), expected);
    let negative = error(&spans(r#","startTimeUnixNano":-1"#));
    assert!(negative.contains("startTimeUnixNano: expected a number from 0 to 2^64 - 1"), "{negative}");
    let deep = error(&spans(&format!(r#","new":{}"#, "[".repeat(1_001))));
    assert!(deep.contains("nested more than 1000 deep"), "{deep}");
    assert!(error(&spans(",\"name\":\"a\u{1}\"")).contains("has to be escaped"));
    assert!(error(&spans(r#","name":"\x""#)).contains("an escape that JSON does not have"));
}

#[test]
fn records_get_a_time_and_keep_ids_that_are_valid() {
    let record = r#"{"body":{"stringValue":"a"},"traceId":"00","severityNumber":"SEVERITY_NUMBER_WARN2"}"#;
    let text = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{record},{{"timeUnixNano":"5"}}]}}]}}]}}"#);
    let read = logs::from_json(text.as_bytes(), 77).unwrap();
    let records = &read.batch.groups[0].records;
    assert_eq!((records[0].order_ns(), records[0].trace_id, records[0].severity_number), (77, None, 14));
    assert_eq!((records[1].time_ns, records[1].observed_time_ns), (5, 0));
}

proptest! {
    /// Any JSON in an unknown field is skipped if serde_json takes it, and only then. serde_json refuses
    /// halves of surrogate pairs and texts 128 deep, which are taken here; neither comes about here.
    #[test]
    fn what_is_json_is_decided_as_serde_json_does(text in "[\\[\\]{}:,\"a0-1.e+ \\\\ntrufls]{0,12}") {
        let whole = format!(r#"{{"new":{text}}}"#);
        let ours = traces::from_json(whole.as_bytes(), 0);
        let judge = serde_json::from_str::<serde_json::Value>(&whole);
        // What is behind a backslash in skipped text is not looked at.
        prop_assume!(!text.contains('\\'));
        // A number may be too large for serde_json, not for being skipped.
        let too_large = matches!(&judge, Err(error) if error.to_string().contains("out of range"));
        prop_assert_eq!(ours.is_ok(), judge.is_ok() || too_large, "{}", whole);
    }

    #[test]
    fn any_text_is_read_as_serde_json_does(text in any::<String>(), ascii: bool) {
        let mut quoted = serde_json::to_string(&text).unwrap();
        if ascii {
            quoted = quoted.chars().map(|character| {
                let mut units = [0; 2];
                let escaped = character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect();
                if character.is_ascii() { character.to_string() } else { escaped }
            }).collect();
        }
        prop_assert_eq!(span(&format!(r#","name":{quoted}"#)).name, text);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = traces::from_json(&bytes, 0);
        let _ = logs::from_json(&bytes, 0);
    }
}
