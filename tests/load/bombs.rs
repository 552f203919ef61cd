//! Bodies that are small until they are decompressed.

use std::io::{Read, Write};

use super::subject::{LOGS, METRICS, Subject, TRACES};
use crate::console::grpc::Client;
use crate::console::made::{GZIP, JSON, PROTOBUF, SNAPPY, ZSTD};

/// A gibibyte of zeros.
const LENGTH: u64 = 1 << 30;
/// Bombs at a time, of each kind.
const AT_ONCE: usize = 12;

fn zeros() -> impl Read {
    std::io::repeat(0).take(LENGTH)
}

fn zstd_bomb() -> Vec<u8> {
    zstd::encode_all(zeros(), 1).unwrap()
}

fn gzip_bomb() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::copy(&mut zeros(), &mut encoder).unwrap();
    encoder.finish().unwrap()
}

/// Two thousand bombs, one after the other, each of which ends.
fn many_members() -> Vec<u8> {
    let mut one = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    one.write_all(&vec![0; 1 << 19]).unwrap();
    one.finish().unwrap().repeat(2_000)
}

#[test]
#[ignore = "takes long: make test-load"]
fn bombs_are_refused_by_their_size_and_keep_nobody_waiting() {
    let subject = Subject::start();
    let bombs = [(ZSTD, zstd_bomb()), (GZIP, gzip_bomb()), (GZIP, many_members())];
    for (encoding, bomb) in &bombs {
        assert!(bomb.len() < 8 << 20, "it has to be small to be a bomb: {} bytes", bomb.len());
        for path in ["/v1/traces", "/v1/logs", "/v1/metrics"] {
            for kind in [PROTOBUF, JSON] {
                let words = ["33554432 bytes once decompressed", "send smaller batches"];
                subject.refused(path, &[kind, *encoding], bomb, 413, &words);
            }
        }
        subject.refused("/api/import", &[JSON, *encoding], bomb, 413, &["once decompressed"]);
        subject.refused("/loki/api/v1/push", &[JSON, *encoding], bomb, 413, &["once decompressed"]);
    }
    // One that says it becomes four gibibytes, and says no more.
    let lie = [0xff, 0xff, 0xff, 0xff, 0x0f, 0];
    subject.refused("/prometheus/api/v1/write", &[PROTOBUF, SNAPPY], &lie, 413, &["once decompressed"]);
    for (compression, bomb) in [("zstd", &bombs[0].1), ("gzip", &bombs[1].1)] {
        for path in [TRACES, LOGS, METRICS] {
            let called = Client::connect(subject.console.address("otlpGrpc")).call(path, bomb, Some(compression));
            assert_eq!(called.code, 8, "{called:?}");
            assert!(called.told.contains("33554432 bytes once decompressed"), "{called:?}");
        }
    }
    std::thread::scope(|scope| {
        let (subject, bombs) = (&subject, &bombs);
        let senders: Vec<_> = (0..AT_ONCE * bombs.len())
            .map(|number| {
                scope.spawn(move || {
                    let (encoding, bomb) = &bombs[number % bombs.len()];
                    let reply = subject.post("/v1/traces", &[PROTOBUF, *encoding], bomb);
                    assert!(matches!(reply.status, 413 | 503), "{}: {}", reply.status, reply.text());
                    assert!(reply.status == 413 || reply.header("retry-after").is_some());
                })
            })
            .collect();
        // They are at it, and nobody else waits.
        let mut rounds = 0;
        while !senders.iter().all(|sender| sender.is_finished()) {
            rounds += 1;
            subject.is_well(100 + rounds);
        }
        println!("{rounds} rounds of others beside the bombs");
    });
    subject.end("bombs");
}

#[test]
#[ignore = "takes long: make test-load"]
fn a_window_of_half_a_gibibyte_is_not_given() {
    let subject = Subject::start();
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(29).unwrap();
    encoder.write_all(&vec![7; 1 << 20]).unwrap();
    let body = encoder.finish().unwrap();
    subject.refused("/v1/traces", &[PROTOBUF, ZSTD], &body, 400, &["the body is not zstd", "memory"]);
    subject.end("window");
}
