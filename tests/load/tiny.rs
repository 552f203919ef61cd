//! Requests of millions of parts in which there is nearly nothing: two bytes each, and hundreds in memory.

use super::subject::Subject;
use crate::console::made::{JSON, PROTOBUF, SNAPPY, Wire, ZSTD, snappy, zstd};

/// Just below what a body may have.
const BODY: usize = 32_000_000;
/// Such requests at a time.
const AT_ONCE: usize = 6;

/// So many bytes of an empty message in this field, over and over.
fn empty(field: u8, bytes: usize) -> Wire {
    Wire([field << 3 | 2, 0].repeat(bytes / 2))
}

/// The message within others, the outermost field first.
fn within(fields: &[u32], innermost: Wire) -> Wire {
    fields.iter().rev().fold(innermost, |message, field| Wire::default().message(*field, &message))
}

/// What there can be millions of, by the path that takes it.
fn bodies(bytes: usize) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let many = |fields: &[u32], field: u8| within(fields, empty(field, bytes)).0;
    let gauge = Wire::default().bytes(1, b"x").message(5, &empty(1, bytes));
    let buckets = Wire::default().fixed(3, 1).bytes(6, &vec![1; bytes / 2]).bytes(7, &vec![0; bytes / 16 * 8]);
    let histogram = Wire::default().bytes(1, b"x").message(9, &Wire::default().message(1, &buckets).varint(2, 2));
    vec![
        ("/v1/traces", "resources", many(&[], 1)),
        ("/v1/traces", "scopes", many(&[1], 2)),
        ("/v1/traces", "spans", many(&[1, 2], 2)),
        ("/v1/traces", "attributes", many(&[1, 2, 2], 9)),
        ("/v1/traces", "events", many(&[1, 2, 2], 11)),
        ("/v1/traces", "links", many(&[1, 2, 2], 13)),
        ("/v1/traces", "attributes of the resource", many(&[1, 1], 1)),
        ("/v1/traces", "values of a list", many(&[1, 2, 2, 9, 2, 5], 1)),
        ("/v1/logs", "records", many(&[1, 2], 2)),
        ("/v1/logs", "attributes of a record", many(&[1, 2, 2], 6)),
        ("/v1/metrics", "metrics", many(&[1, 2], 2)),
        ("/v1/metrics", "points", within(&[1, 2, 2], gauge).0),
        ("/v1/metrics", "buckets", within(&[1, 2, 2], histogram).0),
    ]
}

#[test]
#[ignore = "takes long: make test-load"]
fn millions_of_empty_parts_are_refused_or_taken_and_take_no_more_memory_than_is_allowed() {
    let subject = Subject::start();
    for (path, name, body) in bodies(BODY) {
        let reply = subject.post(path, &[PROTOBUF], &body);
        let told = reply.text();
        println!(
            "{path} with {name}: {} {} after RSS {} MB",
            reply.status,
            told.chars().take(160).collect::<String>(),
            subject.console.resident_max() / 1_000_000
        );
        match reply.status {
            200 => {}
            413 => assert!(told.contains("send it in parts") && told.contains("192 MiB"), "{name}: {told}"),
            status => panic!("{name}: {status} {told}"),
        }
    }
    // A small body that becomes such a one.
    let (_, _, body) = bodies(BODY).swap_remove(2);
    subject.refused("/v1/traces", &[PROTOBUF, ZSTD], &zstd(&body), 413, &["send it in parts"]);
    // The smallest in which there are too many.
    let (_, _, body) = bodies(1 << 20).swap_remove(2);
    subject.refused("/v1/traces", &[PROTOBUF], &body, 413, &["more than 17 MiB", "send it in parts"]);
    subject.end("nearly empty items");
}

#[test]
#[ignore = "takes long: make test-load"]
fn the_same_in_json_and_for_prometheus_and_loki() {
    let subject = Subject::start();
    let list = |begin: &str, item: &str, end: &str| {
        let items = vec![item; (BODY - 1_000) / (item.len() + 1)].join(",");
        format!("{begin}{items}{end}").into_bytes()
    };
    let spans = list(r#"{"resourceSpans":[{"scopeSpans":[{"spans":["#, "{}", "]}]}]}");
    let resources = list(r#"{"resourceLogs":["#, "{}", "]}");
    let streams = list(r#"{"streams":["#, "{}", "]}");
    let entries = list(r#"{"streams":[{"stream":{"a":"b"},"values":["#, r#"["1",""]"#, "]}]}");
    for (path, name, body) in [
        ("/v1/traces", "spans", spans),
        ("/v1/logs", "resources", resources),
        ("/loki/api/v1/push", "streams", streams),
        ("/loki/api/v1/push", "entries", entries),
    ] {
        let reply = subject.post(path, &[JSON], &body);
        println!(
            "{path} with {name}: {} {} RSS {} MB",
            reply.status,
            reply.text().chars().take(160).collect::<String>(),
            subject.console.resident_max() / 1_000_000
        );
        assert!(matches!(reply.status, 200 | 204 | 400 | 413), "{name}: {} {}", reply.status, reply.text());
    }
    let labels = within(&[1], empty(1, BODY));
    let samples = within(
        &[1],
        Wire(
            Wire::default()
                .message(1, &Wire::default().bytes(1, b"__name__").bytes(2, b"x"))
                .0
                .into_iter()
                .chain(empty(2, BODY).0)
                .collect(),
        ),
    );
    for (path, name, body) in [
        ("/prometheus/api/v1/write", "series", empty(1, BODY)),
        ("/prometheus/api/v1/write", "labels", labels),
        ("/prometheus/api/v1/write", "samples", samples),
        ("/loki/api/v1/push", "streams", empty(1, BODY)),
        ("/loki/api/v1/push", "entries", within(&[1], empty(2, BODY))),
    ] {
        let reply = subject.post(path, &[PROTOBUF, SNAPPY], &snappy(&body.0));
        println!(
            "{path} with {name}: {} {} RSS {} MB",
            reply.status,
            reply.text().chars().take(160).collect::<String>(),
            subject.console.resident_max() / 1_000_000
        );
        assert!(matches!(reply.status, 200 | 204 | 400 | 413), "{name}: {} {}", reply.status, reply.text());
    }
    subject.end("nearly empty items, other ways");
}

#[test]
#[ignore = "takes long: make test-load"]
fn many_of_them_at_once_keep_small_requests_waiting_for_nothing() {
    let subject = Subject::start();
    let bodies: Vec<_> = bodies(BODY).into_iter().filter(|(path, ..)| *path == "/v1/traces").take(AT_ONCE).collect();
    std::thread::scope(|scope| {
        let subject = &subject;
        let senders: Vec<_> = bodies
            .iter()
            .map(|(path, name, body)| {
                scope.spawn(move || {
                    for _ in 0..3 {
                        let Some(reply) = subject.try_post(path, &[PROTOBUF], body) else { continue };
                        assert!(matches!(reply.status, 200 | 413 | 503), "{name}: {} {}", reply.status, reply.text());
                    }
                })
            })
            .collect();
        let mut rounds = 0;
        while !senders.iter().all(|sender| sender.is_finished()) {
            rounds += 1;
            subject.is_well(100 + rounds);
        }
        println!("{rounds} rounds of others beside them");
    });
    subject.end("nearly empty items at once");
}
