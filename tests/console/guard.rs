//! Who may ask the console, and what a browser may do with its answers.

use super::made::PROTOBUF;
use crate::support::wire::{connect, exchange};
use crate::support::{Service, binary};

#[test]
fn a_page_of_another_name_reaches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    let ask = |port: &str, line: &str, host: &str| {
        let request = format!("{line} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\n\r\n");
        exchange(&mut connect(console.address(port)), request.as_bytes())
    };
    for line in ["GET /", "GET /api/overview", "GET /api/export?signal=logs", "POST /api/import", "POST /v1/traces"] {
        for host in ["evil.example", "localhost.evil.example:5017", "10.1.2.3"] {
            let raw = ask("console", line, host);
            assert_eq!(raw.status, 421, "{line} as {host}");
            let told = String::from_utf8(raw.body).unwrap();
            assert!(told.contains("localhost"), "{told}");
        }
    }
    for host in ["localhost", "127.0.0.1:1", "[::1]", "LOCALHOST.:80", "console.localhost"] {
        assert_eq!(ask("console", "GET /api/overview", host).status, 200, "{host}");
    }
    // A sender in a container knows this machine by another name; what it sends is all that it can do.
    for port in ["otlpHttp", "otlpGrpc"] {
        let raw = ask(port, "GET /api/overview", "host.docker.internal");
        assert_eq!(raw.status, 404, "{port}");
        let told = String::from_utf8(raw.body).unwrap();
        assert!(told.contains("/v1/traces") && told.contains("console's own port"), "{told}");
    }
}

#[test]
fn a_page_of_another_site_can_send_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    let send = |port: &str, path: &str, kind: &str, origin: &str| {
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\norigin: {origin}\r\ncontent-type: {kind}");
        let request = format!("{head}\r\ncontent-length: 2\r\n\r\n{{}}");
        exchange(&mut connect(console.address(port)), request.as_bytes()).status
    };
    for port in ["console", "otlpHttp", "otlpGrpc"] {
        for origin in ["https://evil.example", "null", "http://evil.example:4318"] {
            assert_eq!(send(port, "/v1/traces", "application/json", origin), 403, "{port} from {origin}");
        }
        assert_eq!(send(port, "/v1/traces", "application/json", "http://localhost:3000"), 200, "{port}");
    }
    // Of what a browser sends without asking first, nothing is taken for telemetry, wherever it is from.
    for path in ["/loki/api/v1/push", "/opentelemetry.proto.collector.trace.v1.TraceService/Export", "/api/import"] {
        assert_eq!(send("console", path, "text/plain", "http://localhost:3000"), 415, "{path}");
    }
}

#[test]
fn pages_and_answers_tell_browsers_what_they_may() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    for path in
        ["/", "/traces/anything", "/api/overview", "/jaeger/api/services", "/api/none", "/missing.js", "/metrics"]
    {
        let reply = console.fetch(path);
        let policy = reply.header("content-security-policy").unwrap_or_else(|| panic!("{path}"));
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(reply.header("access-control-allow-origin"), None, "{path}");
    }
    let page = console.fetch("/traces/anything").expect(200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
}

#[test]
fn what_is_not_there_is_told_and_where_to_look() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &[]);
    for path in ["/api/none", "/v1/profiles", "/missing.js"] {
        let reply = console.fetch(path).expect(404);
        let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(path) && message.contains("/api/openapi.json"), "{message}");
    }
    // Under Prometheus' path it is told as Prometheus tells it.
    assert_eq!(console.fetch("/prometheus/api/v2/write").expect(404).text(), "404 page not found\n");
    for path in ["/v1/traces", "/loki/api/v1/push", "/api/import"] {
        let reply = console.fetch(path).expect(405);
        assert_eq!(reply.header("allow"), Some("POST"), "{path}");
    }
    let reply = console.post_bytes("/", &[PROTOBUF], b"").expect(405);
    assert_eq!(reply.header("allow"), Some("GET, HEAD"));
}

#[test]
fn a_console_that_is_not_on_loopback_may_be_asked_by_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let console = Service::console(folder.path(), &["--bind-address", "0.0.0.0"]);
    let request = b"GET /api/overview HTTP/1.1\r\nhost: console.example\r\n\r\n";
    assert_eq!(exchange(&mut connect(console.address("console")), request).status, 200);
    // The program itself is the same.
    assert!(binary().arg("--version").output().unwrap().status.success());
}
