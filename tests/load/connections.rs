//! Senders that are slow, silent, or very many.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use prost::Message;

use super::subject::{Subject, now_ns};
use crate::console::made::{PROTOBUF, span, spans};
use crate::support::send_bytes;
use crate::support::wire::connect;

/// Senders of a byte a second, and ones that announce as much as they may and send nothing.
const SLOW: usize = 300;
const SILENT: usize = 100;
/// How long they are looked at.
const LENGTH: Duration = Duration::from_secs(10);
/// More connections than the console serves at a time on one port; the others wait to be accepted.
const MANY: usize = 1_100;

fn begin(subject: &Subject, length: usize) -> TcpStream {
    let mut stream = connect(subject.console.address("otlpHttp"));
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// What a good sender sends, of a megabyte.
fn large() -> Vec<u8> {
    spans("large", (0..10_000).map(|number| span(1, number, now_ns())).collect()).encode_to_vec()
}

#[test]
#[ignore = "takes long: make test-load"]
fn senders_that_are_slow_or_silent_keep_nobody_out() {
    let subject = Subject::start();
    let mut silent: Vec<TcpStream> = (0..SILENT).map(|_| begin(&subject, 32 << 20)).collect();
    // Some of them send half of what they announced, and then nothing: that is what it costs.
    for stream in silent.iter_mut().take(4) {
        let _ = stream.write_all(&vec![0; 8 << 20]);
    }
    let slow: Vec<TcpStream> = (0..SLOW).map(|_| begin(&subject, 100_000)).collect();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for stream in &slow {
                    let mut stream: &TcpStream = stream;
                    let _ = stream.write_all(&[0x0a]);
                }
                std::thread::sleep(Duration::from_secs(1));
            }
        });
        let (began, large) = (Instant::now(), large());
        let mut rounds = 0;
        while began.elapsed() < LENGTH {
            rounds += 1;
            subject.is_well(100 + rounds);
            subject.post("/v1/traces", &[PROTOBUF], &large).expect(200);
        }
        stop.store(true, Ordering::Relaxed);
        println!("{rounds} rounds of others beside {SLOW} slow and {SILENT} silent senders");
    });
    subject.end("slow senders");
}

#[test]
#[ignore = "takes long: make test-load"]
fn a_port_that_is_full_of_connections_leaves_the_others_alone_and_comes_back() {
    let subject = Subject::start();
    let address = subject.console.address("otlpHttp");
    let held: Vec<TcpStream> = (0..MANY).map(|_| connect(address)).collect();
    let request = spans("many", vec![span(1, 0, now_ns())]).encode_to_vec();
    let console = format!("{}/v1/traces", subject.console.address("console"));
    let grpc = format!("{}/v1/traces", subject.console.address("otlpGrpc"));
    for url in [&console, &grpc] {
        let post = || send_bytes(&subject.console.agent, "POST", url, &[PROTOBUF], Some(&request)).unwrap();
        subject.within(post).expect(200);
    }
    subject.within(|| subject.console.fetch("/api/overview").expect(200));
    drop(held);
    // Those who waited are served now.
    subject.post("/v1/traces", &[PROTOBUF], &request).expect(200);
    // The head of a request that never ends is refused.
    let mut endless = connect(address);
    endless.write_all(b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\n").unwrap();
    let line = [b"x-filler: ".as_slice(), &[b'a'; 60_000], b"\r\n"].concat();
    let sent = (0..1_000).take_while(|_| endless.write_all(&line).is_ok()).count();
    // What is thrown away so that its sender reads the refusal, and what the system holds between the two.
    assert!(sent * line.len() < (32 + 16) << 20, "{sent} lines of 60,000 bytes were taken for a head");
    subject.end("many connections");
}
