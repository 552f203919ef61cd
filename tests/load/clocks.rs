//! Senders whose clocks are fifty years off.

use prost::Message;

use super::subject::{RECORDS, SPANS, Subject, hex, items, now_ns};
use crate::console::made::{PROTOBUF, gauge, point, record, records, span, spans, trace_id};

const FIFTY_YEARS_NS: u64 = 50 * 365 * 86_400 * 1_000_000_000;

#[test]
#[ignore = "takes long: make test-load"]
fn a_clock_that_is_fifty_years_behind_is_told_so() {
    let subject = Subject::start();
    let then = now_ns() - FIFTY_YEARS_NS;
    let requests = [
        ("/v1/traces", spans("late", vec![span(1, 0, then), span(2, 0, now_ns())]).encode_to_vec()),
        ("/v1/logs", records("late", vec![record("then", then), record("now", now_ns())]).encode_to_vec()),
        ("/v1/metrics", gauge("late", "x", vec![point(1.0, then, &[]), point(2.0, now_ns(), &[])]).encode_to_vec()),
    ];
    for (path, request) in requests {
        let (rejected, told) = subject.rejected(path, &request);
        assert_eq!(rejected, 1, "{path}");
        assert!(told.contains("older than the console keeps"), "{path}: {told}");
    }
    assert_eq!(items(&subject.console.export("signal=traces&service=late"), SPANS).len(), 1);
    assert_eq!(items(&subject.console.export("signal=logs&service=late"), RECORDS).len(), 1);
    let dropped = subject.console.fetch("/api/overview").json()["dropped"].to_string();
    for told in ["spans too old", "log lines too old", "samples too old"] {
        assert!(dropped.contains(told), "{told} is not in: {dropped}");
    }
    subject.end("fifty years behind");
}

#[test]
#[ignore = "takes long: make test-load"]
fn a_clock_that_is_fifty_years_ahead_hides_nothing_that_is_now() {
    let subject = Subject::start();
    let now = now_ns();
    for at in [now + FIFTY_YEARS_NS, u64::MAX - 2_000_000, u64::MAX / 2] {
        let mut ahead = span(at, 0, at);
        ahead.end_time_unix_nano = at.saturating_add(1_000_000);
        subject.post("/v1/traces", &[PROTOBUF], &spans("ahead", vec![ahead]).encode_to_vec()).expect(200);
        subject.post("/v1/logs", &[PROTOBUF], &records("ahead", vec![record("then", at)]).encode_to_vec()).expect(200);
        let points = gauge("ahead", "x", vec![point(1.0, at, &[])]).encode_to_vec();
        subject.post("/v1/metrics", &[PROTOBUF], &points).expect(200);
    }
    subject.post("/v1/traces", &[PROTOBUF], &spans("right", vec![span(7, 0, now)]).encode_to_vec()).expect(200);
    subject.post("/v1/logs", &[PROTOBUF], &records("right", vec![record("now", now)]).encode_to_vec()).expect(200);
    subject
        .post("/v1/metrics", &[PROTOBUF], &gauge("right", "x", vec![point(1.0, now, &[])]).encode_to_vec())
        .expect(200);
    // The same series, by a sender whose clock is right: refused, and told why.
    let (rejected, told) =
        subject.rejected("/v1/metrics", &gauge("ahead", "x", vec![point(2.0, now, &[])]).encode_to_vec());
    assert_eq!(rejected, 1);
    assert!(told.contains("older than the newest of their series"), "{told}");
    let search = subject.console.fetch("/jaeger/api/traces?service=right&limit=20&lookback=1h").expect(200).json();
    assert_eq!(search["data"].as_array().map(Vec::len), Some(1), "{search}");
    let found = subject.console.fetch("/api/traces?limit=20").expect(200).text();
    assert!(found.contains(&hex(&trace_id(7))), "{found}");
    for path in ["/api/overview", "/api/graph", "/jaeger/api/services", "/jaeger/api/dependencies?endTs=1&lookback=1"] {
        subject.within(|| subject.console.fetch(path).expect(200));
    }
    for signal in ["traces", "logs", "metrics"] {
        subject.console.export(&format!("signal={signal}&service=ahead"));
    }
    subject.end("fifty years ahead");
}
