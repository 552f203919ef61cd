//! Loki's API of the running program: what is pushed is found, counted, and seen by who watches. What each
//! endpoint answers in detail is its crate's own tests'.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::made::JSON;
use crate::support::{Reply, Service};
use eventsourcing::Clock as _;
use serde_json::{Value, json};

fn now_ns() -> u64 {
    u64::try_from(eventsourcing::clock::System.now().as_nanosecond()).unwrap()
}

fn push(console: &Service, app: &str, lines: &[(u64, String)]) {
    let values: Vec<Value> = lines.iter().map(|(time_ns, line)| json!([time_ns.to_string(), line])).collect();
    let body = json!({ "streams": [{ "stream": { "app": app, "level": "info" }, "values": values }] });
    console.post_bytes("/loki/api/v1/push", &[JSON], body.to_string().as_bytes()).expect(204);
}

fn escape(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn ask(console: &Service, path: &str, query: &str) -> Reply {
    let separator = if path.contains('?') { '&' } else { '?' };
    console.fetch(&format!("/loki/api/v1{path}{separator}query={}", escape(query)))
}

#[test]
fn what_is_pushed_to_loki_is_found_as_loki_finds_it() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    let now = now_ns();
    let lines: Vec<(u64, String)> = (0..20)
        .map(|at| (now - 20_000_000_000 + at * 1_000_000_000, format!("status={} took={at}ms", 200 + at % 2)))
        .collect();
    push(&console, "shop", &lines);
    let answer = ask(&console, "/query_range?limit=5", r#"{app="shop"} | logfmt | status = 201 | took > 4ms"#)
        .expect(200)
        .json();
    let result = &answer["data"]["result"][0];
    assert_eq!((&result["stream"]["app"], &result["stream"]["status"]), (&json!("shop"), &json!("201")));
    assert_eq!(result["stream"]["detected_level"], "info");
    let streams = answer["data"]["result"].as_array().unwrap();
    let found: usize = streams.iter().map(|stream| stream["values"].as_array().unwrap().len()).sum();
    assert_eq!(found, 5);
    let query = r#"sum by (status) (count_over_time({app="shop"} | logfmt [1h]))"#;
    let answer = ask(&console, "/query", query).expect(200).json();
    let values: Vec<&Value> = answer["data"]["result"].as_array().unwrap().iter().map(|one| &one["value"][1]).collect();
    assert_eq!(values, ["10", "10"]);
    let labels = console.fetch("/loki/api/v1/labels").expect(200).json();
    assert_eq!(labels["data"], json!(["app", "level", "service_name"]));
    let stats = ask(&console, "/index/stats", r#"{app="shop"}"#).expect(200).json();
    assert_eq!((&stats["streams"], &stats["entries"]), (&json!(1), &json!(20)));
    let told = ask(&console, "/query_range", "rtfm").expect(400);
    assert_eq!(told.text(), "parse error at line 1, col 1: syntax error: unexpected IDENTIFIER\n");
    assert_eq!(told.header("content-type"), Some("text/plain; charset=utf-8"));
}

/// A client of WebSockets that reads texts.
struct Socket(TcpStream);

impl Socket {
    fn open(console: &Service, path: &str) -> Self {
        let address = console.address("console").strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: \
             13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        // https://www.rfc-editor.org/rfc/rfc6455#section-1.3
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        Self(stream)
    }

    /// The next text.
    fn text(&mut self) -> Value {
        loop {
            let mut head = [0; 2];
            self.0.read_exact(&mut head).unwrap();
            let length = match head[1] & 0x7f {
                126 => {
                    let mut length = [0; 2];
                    self.0.read_exact(&mut length).unwrap();
                    u64::from(u16::from_be_bytes(length))
                }
                127 => {
                    let mut length = [0; 8];
                    self.0.read_exact(&mut length).unwrap();
                    u64::from_be_bytes(length)
                }
                short => u64::from(short),
            };
            let mut body = vec![0; usize::try_from(length).unwrap()];
            self.0.read_exact(&mut body).unwrap();
            // Pings come where nothing else does.
            if head[0] & 0x0f == 1 {
                return serde_json::from_slice(&body).unwrap();
            }
        }
    }
}

#[test]
fn who_tails_sees_what_was_and_what_comes() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    let now = now_ns();
    push(&console, "shop", &[(now - 2_000_000_000, "before".to_owned()), (now - 1_000_000_000, "not this".to_owned())]);
    let query = escape(r#"{app="shop"} != "not""#);
    let mut socket = Socket::open(&console, &format!("/loki/api/v1/tail?query={query}"));
    let first = socket.text();
    assert_eq!(first["streams"][0]["values"][0][1], "before");
    assert_eq!(first["streams"][0]["stream"]["app"], "shop");
    push(&console, "other", &[(now_ns(), "elsewhere".to_owned())]);
    push(&console, "shop", &[(now_ns(), "not this either".to_owned()), (now_ns(), "after".to_owned())]);
    let second = socket.text();
    assert_eq!(second["streams"][0]["values"].as_array().unwrap().len(), 1);
    assert_eq!(second["streams"][0]["values"][0][1], "after");
    assert_eq!(second.get("dropped_entries"), None);
    drop(socket);
    // Who is gone holds up nobody.
    push(&console, "shop", &[(now_ns(), "later".to_owned())]);
}

#[test]
fn a_page_of_another_site_tails_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    let url = format!("{}/loki/api/v1/tail?query={}", console.address("console"), escape(r#"{app="shop"}"#));
    let headers = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("origin", "https://evil.test"),
    ];
    let reply = crate::support::send_bytes(&console.agent, "GET", &url, &headers, None).unwrap();
    assert_eq!(reply.status, 403, "{}", reply.text());
}

#[test]
fn one_who_tails_and_does_not_read_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    let _socket = Socket::open(&console, &format!("/loki/api/v1/tail?query={}", escape(r#"{app="shop"}"#)));
    let begun = std::time::Instant::now();
    for _ in 0..20 {
        let lines: Vec<(u64, String)> = (0..5_000).map(|at| (now_ns() + at, "x".repeat(200))).collect();
        push(&console, "shop", &lines);
    }
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let stats = ask(&console, "/index/stats?end=4000000000", r#"{app="shop"}"#).expect(200).json();
    assert_eq!(stats["entries"], 100_000);
}
