//! Lies about lengths: of bodies, of messages in bodies, of what is compressed.

use std::io::Write;
use std::net::Shutdown;

use bytes::{BufMut, BytesMut};
use prost::Message;

use super::subject::{Subject, TRACES, now_ns};
use crate::console::grpc::Client;
use crate::console::made::{PROTOBUF, SNAPPY, Wire, span, spans};
use crate::support::wire::{connect, exchange};

fn good() -> Vec<u8> {
    spans("lengths", vec![span(1, 0, now_ns())]).encode_to_vec()
}

fn head(length: &str) -> String {
    format!("POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\n{length}\r\n\r\n")
}

#[test]
#[ignore = "takes long: make test-load"]
fn bodies_that_are_not_as_long_as_they_say_end_and_are_told() {
    let subject = Subject::start();
    let address = subject.console.address("otlpHttp");
    // Announced, a part of it sent, and the line closed.
    let mut stream = connect(address);
    stream.write_all([head("content-length: 1000").as_bytes(), &good()[..20]].concat().as_slice()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answered = Vec::new();
    let _ = std::io::Read::read_to_end(&mut stream, &mut answered);
    let answered = String::from_utf8_lossy(&answered).into_owned();
    assert!(answered.is_empty() || answered.contains("408") || answered.contains("400"), "{answered}");
    // Announced as more than is taken: refused before a byte of it.
    let raw = exchange(&mut connect(address), head("content-length: 33554433").as_bytes());
    assert_eq!(raw.status, 413);
    assert!(String::from_utf8_lossy(&raw.body).contains("more than 33554432 bytes"), "{raw:?}");
    // Lengths that are none, and two that contradict each other.
    for length in
        ["content-length: -1", "content-length: 99999999999999999999999", "content-length: 5\r\ncontent-length: 6"]
    {
        assert_eq!(exchange(&mut connect(address), head(length).as_bytes()).status, 400, "{length}");
    }
    // Both a length and chunks: chunks hold (RFC 9112, 6.3), or it is refused; nothing is smuggled.
    let both = head("transfer-encoding: chunked\r\ncontent-length: 5") + "0\r\n\r\n";
    assert!(matches!(exchange(&mut connect(address), both.as_bytes()).status, 200 | 400));
    for chunk in ["zz\r\n", "ffffffffffffffff\r\n", "-5\r\n"] {
        let mut stream = connect(address);
        stream.write_all((head("transfer-encoding: chunked") + chunk).as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answered = Vec::new();
        let _ = std::io::Read::read_to_end(&mut stream, &mut answered);
        let answered = String::from_utf8_lossy(&answered).into_owned();
        let refused = ["HTTP/1.1 400", "HTTP/1.1 408", "HTTP/1.1 413"];
        assert!(
            answered.is_empty() || refused.iter().any(|begin| answered.starts_with(begin)),
            "{chunk:?}: {answered}"
        );
    }
    // Chunks without end.
    let mut stream = connect(address);
    stream.write_all(head("transfer-encoding: chunked").as_bytes()).unwrap();
    let chunk = [b"100000\r\n".as_slice(), &vec![0; 1 << 20], b"\r\n"].concat();
    let sent = (0..100).take_while(|_| stream.write_all(&chunk).is_ok()).count();
    // As much as a body may have, as much as is thrown away so that its sender reads the refusal, and what the
    // system holds between the two.
    assert!(sent < 32 + 32 + 16, "{sent} MiB were taken in");
    subject.end("lengths of bodies");
}

#[test]
#[ignore = "takes long: make test-load"]
fn messages_that_are_not_as_long_as_they_say_are_told_with_their_place() {
    let subject = Subject::start();
    let whole = good();
    let cut = &whole[..whole.len() - 1];
    let endless = [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f];
    let nested = Wire::default().message(1, &Wire::default().message(2, &Wire(vec![0x12, 0x7f, 1])));
    let bodies: [(&[u8], &str); 7] = [
        (cut, ""),
        (&endless, ""),
        (&nested.0, "resourceSpans[0].scopeSpans[0]"),
        // A number that has no end, a field without a number, a type that there is not, a group that is not ended.
        (&[0xff; 11], ""),
        (&[0x02, 0x01], ""),
        (&[0x0f, 0x01], ""),
        (&[0x0b, 0x0b, 0x0b], ""),
    ];
    for path in ["/v1/traces", "/v1/logs", "/v1/metrics"] {
        for (body, place) in &bodies {
            let place = if path == "/v1/traces" { *place } else { "" };
            subject.refused(path, &[PROTOBUF], body, 400, &[place]);
        }
    }
    let packed = snap::raw::Encoder::new().compress_vec(&endless).unwrap();
    for path in ["/prometheus/api/v1/write", "/loki/api/v1/push"] {
        subject.refused(path, &[PROTOBUF, SNAPPY], &packed, 400, &[]);
        subject.refused(path, &[PROTOBUF, SNAPPY], &[0xff, 0xff, 0xff, 0xff, 0x0f, 0], 413, &["decompressed"]);
        subject.refused(path, &[PROTOBUF, SNAPPY], &[0x05, 0x00], 400, &["the body is not snappy"]);
    }
    subject.end("lengths of messages");
}

#[test]
#[ignore = "takes long: make test-load"]
fn calls_whose_frame_lies_are_told() {
    let subject = Subject::start();
    let whole = good();
    let frame = |flag: u8, length: u32, body: &[u8]| {
        let mut frame = BytesMut::new();
        frame.put_u8(flag);
        frame.put_u32(length);
        frame.put_slice(body);
        frame.freeze()
    };
    let length = u32::try_from(whole.len()).unwrap();
    let twice = [&frame(0, length, &whole)[..], &frame(0, length, &whole)].concat();
    let mut client = Client::connect(subject.console.address("otlpGrpc"));
    for (body, compression, code, told) in [
        (frame(0, length + 1, &whole), None, 3, "announced"),
        (frame(0, length - 1, &whole), None, 3, "announced"),
        (frame(0, u32::MAX, &whole), None, 8, "33554432"),
        (frame(1, length, &whole), None, 3, "grpc-encoding"),
        (frame(1, length, &whole), Some("gzip"), 3, "the body is not gzip"),
        (frame(1, length, &whole), Some("lzma"), 12, "lzma"),
        (frame(7, length, &whole), None, 3, "flag 7"),
        (twice.into(), None, 3, "announced"),
        (bytes::Bytes::new(), None, 3, "before its message"),
        (frame(0, length, &whole), Some("lzma"), 0, ""),
    ] {
        let called = client.call_raw(TRACES, body, compression);
        assert_eq!(called.code, code, "{called:?}");
        assert!(called.told.contains(told), "{told} is not in: {called:?}");
    }
    subject.end("frames");
}
