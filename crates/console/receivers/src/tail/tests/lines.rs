//! What is read from a line.

use console_model::Value;
use proptest::prelude::*;

use crate::tail::read_line;
use crate::tail::time;

/// 2026-01-02T03:04:05Z
const ARRIVAL_NS: u64 = 1_767_323_045_000_000_000;

#[test]
fn json_is_taken_apart() {
    let line = r#"{"time":"2026-01-01T00:00:00.5+01:00","level":"WARN","msg":"slow","service":"orders","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","ms":12,"nested":{"a":[true,null,0.5]}}"#;
    let parsed = read_line(line, ARRIVAL_NS);
    let record = parsed.record;
    assert_eq!(parsed.service.as_deref(), Some("orders"));
    assert_eq!((record.time_ns, record.observed_time_ns), (1_767_222_000_500_000_000, ARRIVAL_NS));
    assert_eq!((record.severity_number, record.severity_text.as_str()), (13, "WARN"));
    assert_eq!(record.body, Value::from("slow"));
    assert_eq!(record.trace_id.unwrap().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(record.span_id.unwrap().to_string(), "00f067aa0ba902b7");
    assert_eq!(record.attributes.len(), 2);
    assert_eq!(record.attributes.get("ms"), Some(&Value::Int(12)));
    assert_eq!(record.attributes.get("nested").unwrap().to_string(), r#"{"a":[true,null,0.5]}"#);
}

#[test]
fn json_as_pino_and_the_tracing_of_rust_write_it() {
    let pino = read_line(r#"{"level":50,"time":1767222000500,"pid":1,"msg":"failed"}"#, ARRIVAL_NS).record;
    assert_eq!((pino.severity_number, pino.time_ns), (17, 1_767_222_000_500_000_000));
    let line =
        r#"{"timestamp":"2026-01-01T00:00:00Z","level":"INFO","fields":{"message":"started","port":1},"target":"a"}"#;
    let rust = read_line(line, ARRIVAL_NS).record;
    assert_eq!(rust.body, Value::from("started"));
    assert_eq!(rust.attributes.get("fields").unwrap().to_string(), r#"{"port":1}"#);
}

#[test]
fn a_field_that_is_not_what_its_name_says_stays_an_attribute() {
    let line = r#"{"time":"soon","level":{"a":1},"trace_id":"0","service":7,"msg":null}"#;
    let parsed = read_line(line, ARRIVAL_NS);
    assert_eq!((parsed.service, parsed.record.time_ns, parsed.record.severity_number), (None, ARRIVAL_NS, 0));
    assert_eq!(parsed.record.attributes.len(), 5);
    assert_eq!(parsed.record.body, Value::from(line));
}

#[test]
fn logfmt_is_taken_apart() {
    let line = r#"ts=2026-01-01T00:00:00Z level=error msg="it \"broke\"\n" app=api caller=main.go:1 empty="#;
    let parsed = read_line(line, ARRIVAL_NS);
    assert_eq!(parsed.service.as_deref(), Some("api"));
    assert_eq!(parsed.record.body, Value::from("it \"broke\"\n"));
    assert_eq!((parsed.record.severity_number, parsed.record.time_ns), (17, 1_767_225_600_000_000_000));
    assert_eq!(parsed.record.attributes.text("caller"), Some("main.go:1"));
    assert_eq!(parsed.record.attributes.text("empty"), Some(""));
    for plain in ["a=1", "retrying a=1 b=2 c=3", "a=1 and b=2", "a=\"open b=2 c=3", "a=\"1\"x b=2 c=3"] {
        assert_eq!(read_line(plain, ARRIVAL_NS).record.body, Value::from(plain), "{plain}");
    }
}

#[test]
fn a_plain_line_has_its_time_and_level_guessed() {
    let read = |line: &str| {
        let record = read_line(line, ARRIVAL_NS).record;
        assert_eq!(record.body, Value::from(line));
        (record.time_ns, record.severity_number)
    };
    let new_year = 1_767_225_600_000_000_000;
    assert_eq!(read("2026-01-01T00:00:00Z ERROR it broke"), (new_year, 17));
    assert_eq!(read("[2026-01-01 00:00:00,250] [warn] slow"), (new_year + 250_000_000, 13));
    assert_eq!(read("2026/01/01 01:00:00.000001 +0100 started"), (new_year + 1_000, 0));
    assert_eq!(read("Jan  1 00:00:00 host app[1]: error: no"), (new_year, 17));
    assert_eq!(read("Dec 31 23:59:59 host app: no error found"), (new_year - 1_000_000_000, 0));
    assert_eq!(read("info starting"), (ARRIVAL_NS, 9));
    assert_eq!(read("the ERR_TIMEOUT was an INFORMATION"), (ARRIVAL_NS, 17));
    assert_eq!(read("2026-13-41T99:00:00Z FATAL no such day"), (ARRIVAL_NS, 21));
    assert_eq!(read("{\"level\":\"error\""), (ARRIVAL_NS, 0));
}

#[test]
fn numbers_are_times_by_their_size() {
    for text in ["1767225600", "1767225600000", "1767225600000000", "1767225600000000000", "1767225600.0"] {
        assert_eq!(time::from_text(text), Some(1_767_225_600_000_000_000), "{text}");
    }
    assert_eq!(time::from_text("1767225600.123456789"), Some(1_767_225_600_123_456_789));
    assert_eq!(time::from_number(1_767_225_600.5), Some(1_767_225_600_500_000_000));
    for text in ["", "12", "-1767225600", "1767225600x", "1e9", "99999999999999999999", ".", "1.2.3", "1767225600.x"] {
        assert_eq!(time::from_text(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_time_comes_back(seconds in 0_i64..32_503_680_000, nanos in 0_i32..1_000_000_000) {
        let at = jiff::Timestamp::new(seconds, nanos).unwrap();
        prop_assume!(at.as_nanosecond() < i128::from(u64::MAX));
        prop_assert_eq!(time::from_text(&at.to_string()).map(i128::from), Some(at.as_nanosecond()));
    }

    #[test]
    fn no_line_makes_it_panic_or_lose_its_time(line in "(?s)[0-9T:./ Z+-]{0,40}|[a-z]+=.{0,20}|\\{\"[a-z]{1,9}\":.{0,30}\\}|.{0,60}|(Jan|Feb|Dec) .{0,30}") {
        let parsed = read_line(&line, ARRIVAL_NS);
        prop_assert_eq!(parsed.record.observed_time_ns, ARRIVAL_NS);
    }
}
