//! What senders push that do not speak OTLP: Prometheus' remote write, 1.0 and 2.0, and Loki's push.

use super::canonical::{self, Sample};
use super::made::{JSON, PROTOBUF, SNAPPY, Wire, gzip, series_v1, snappy};
use crate::support::{Reply, Service};
use eventsourcing::Clock as _;
use serde_json::json;

const WRITE: &str = "/prometheus/api/v1/write";
const PUSH: &str = "/loki/api/v1/push";
const SECOND: (&str, &str) = ("content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request");

fn now_ms() -> i64 {
    eventsourcing::clock::System.now().as_millisecond()
}

fn of(console: &Service, name: &str) -> Vec<Sample> {
    let mut samples = canonical::samples(&console.export("signal=metrics"));
    samples.retain(|sample| sample.name() == name);
    samples
}

/// A series of 2.0: references to texts, and samples with their times.
type Second<'a> = (&'a [u64], &'a [(f64, i64)]);

/// A request of 2.0: texts, and series as references to them with samples.
fn second(symbols: &[&str], series: &[Second<'_>]) -> Vec<u8> {
    let request = symbols.iter().fold(Wire::default(), |wire, symbol| wire.bytes(4, symbol.as_bytes()));
    let request = series.iter().fold(request, |request, (references, samples)| {
        let mut packed = Wire::default();
        references.iter().for_each(|reference| packed.put(*reference));
        let series = samples.iter().fold(Wire::default().bytes(1, &packed.0), |series, (value, time_ms)| {
            series.message(2, &Wire::default().double(1, *value).varint(2, time_ms.cast_unsigned()))
        });
        request.message(5, &series)
    });
    snappy(&request.0)
}

fn written(reply: &Reply) -> [Option<&str>; 3] {
    ["samples", "histograms", "exemplars"]
        .map(|what| reply.header(&format!("x-prometheus-remote-write-{what}-written")))
}

#[test]
fn remote_write_of_the_first_version_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    let now = now_ms();
    let series = series_v1(&[("__name__", "first"), ("job", "writer")], &[(1.5, now), (f64::INFINITY, now + 1)]);
    let body = snappy(&Wire::default().message(1, &series).0);
    let version = ("x-prometheus-remote-write-version", "0.1.0");
    let reply = console.post_bytes(WRITE, &[PROTOBUF, SNAPPY, version], &body).expect(204);
    assert_eq!(reply.body, b"");
    let samples = of(&console, "first");
    let found: Vec<_> = samples.iter().map(|sample| (sample.time_ms.cast_signed(), sample.value)).collect();
    assert_eq!(found, [(now, 1.5), (now + 1, f64::INFINITY)]);
    assert_eq!(samples[0].label("job"), "writer");
    // Sent once more the first one is late, which Prometheus says as well; nothing is there twice.
    let told = console.post_bytes(WRITE, &[PROTOBUF, SNAPPY], &body).expect(400).text();
    assert!(told.contains("older than the newest"), "{told}");
    assert_eq!(of(&console, "first").len(), 2);
}

#[test]
fn remote_write_of_the_second_version_is_taken_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    let now = now_ms();
    let symbols = ["", "__name__", "second", "job", "writer"];
    let body = second(&symbols, &[(&[1, 2, 3, 4], &[(2.5, now), (3.5, now + 1)])]);
    let reply = console.post_bytes(WRITE, &[SECOND, SNAPPY], &body).expect(204);
    assert_eq!(written(&reply), [Some("2"), Some("0"), Some("0")]);
    let found: Vec<_> = of(&console, "second").iter().map(|sample| sample.value).collect();
    assert_eq!(found, [2.5, 3.5]);
}

#[test]
fn remote_write_says_what_it_did_not_take() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    let now = now_ms();
    let symbols = ["", "__name__", "good", "bad"];
    // One refers to a text that is not there; one is older than what the first already has.
    let series: [Second<'_>; 2] = [(&[1, 2], &[(1.0, now), (2.0, now - 1)]), (&[1, 9], &[(3.0, now)])];
    let reply = console.post_bytes(WRITE, &[SECOND, SNAPPY], &second(&symbols, &series)).expect(400);
    assert_eq!(written(&reply), [Some("1"), Some("0"), Some("0")], "{}", reply.text());
    let told = reply.text();
    assert!(told.contains("beyond the symbols") && told.contains("older than the newest"), "{told}");
    assert_eq!(of(&console, "good").len(), 1, "what is good is kept");

    let plain = console.post_bytes(WRITE, &[PROTOBUF, SNAPPY], b"this is not snappy").expect(400);
    assert!(plain.text().contains("snappy"), "{}", plain.text());
    let wire = console.post_bytes(WRITE, &[PROTOBUF, SNAPPY], &snappy(b"\x0a\xff\xff\x01")).expect(400);
    assert!(!wire.text().is_empty());
    let other = ("content-type", "application/x-protobuf;proto=io.prometheus.write.v3.Request");
    let told = console.post_bytes(WRITE, &[other, SNAPPY], &snappy(b"")).expect(415).text();
    assert!(told.contains("io.prometheus.write.v2.Request"), "{told}");
    let told = console.post_bytes(WRITE, &[JSON], b"{}").expect(415).text();
    assert!(told.contains("application/x-protobuf"), "{told}");
}

#[test]
fn loki_s_push_is_taken_in_both_forms() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    let now = u64::try_from(eventsourcing::clock::System.now().as_nanosecond()).unwrap();
    let body = json!({ "streams": [{
        "stream": { "service_name": "pusher", "level": "warn" },
        "values": [[now.to_string(), "as json", { "trace_id": "0af7651916cd43dd8448eb211c80319c" }], [(now + 1).to_string(), "again"]]
    }] });
    console.post_bytes(PUSH, &[JSON], body.to_string().as_bytes()).expect(204);
    let body = json!({ "streams": [{ "stream": { "service_name": "pusher" }, "values": [[(now + 2).to_string(), "packed"]] }] });
    console.post_bytes(PUSH, &[JSON, ("content-encoding", "gzip")], &gzip(body.to_string().as_bytes())).expect(204);
    let time = Wire::default().varint(1, now / 1_000_000_000).varint(2, now % 1_000_000_000 + 3);
    let entry = Wire::default().message(1, &time).bytes(2, b"as protobuf");
    let stream = Wire::default().bytes(1, br#"{service_name="pusher", level="error"}"#).message(2, &entry);
    console.post_bytes(PUSH, &[PROTOBUF], &snappy(&Wire::default().message(1, &stream).0)).expect(204);

    let mut found = canonical::records(&console.export("signal=logs&service=pusher"));
    let time = |record: &serde_json::Value| record["item"]["timeUnixNano"].as_str().unwrap().parse::<u64>().unwrap();
    found.sort_by_key(time);
    let lines: Vec<_> =
        found.iter().map(|one| (time(one) - now, one["item"]["body"]["stringValue"].as_str().unwrap())).collect();
    assert_eq!(lines, [(0, "as json"), (1, "again"), (2, "packed"), (3, "as protobuf")]);

    for (headers, body, told) in [
        (
            &[JSON],
            &br#"{"streams":[{"stream":{"a":"b"},"values":[["yesterday","line"]]}]}"#[..],
            "nanoseconds since 1970",
        ),
        (&[JSON], b"{", "line 1"),
        (&[PROTOBUF], b"this is not snappy", "snappy"),
        (&[JSON], br#"{"streams":[{"stream":{},"values":[["1","line"]]}]}"#, "label"),
    ] {
        let reply = console.post_bytes(PUSH, headers, body).expect(400);
        assert!(reply.text().contains(told), "{told} is not in: {}", reply.text());
    }
}
