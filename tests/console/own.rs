//! The console sees the service in its process and nothing of itself: it never traces its own ingest.

use serde_json::Value;

use super::canonical::{self, list};
use crate::support::{Service, log_lines, order, wait_for};

fn texts(value: &Value) -> Vec<&str> {
    list(value).map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn the_console_never_traces_its_own_ingest() {
    let folder = tempfile::tempdir().unwrap();
    let soon = ["--otel-bsp-schedule-delay", "10", "--otel-blrp-schedule-delay", "10", "--scrape-interval", "1s"];
    let console = Service::start(folder.path(), &[&["up", "--no-traffic"], &soon[..]].concat());
    // Every export of the service's is a request to the console. Were those traced, each would cause another.
    let taken = || -> u64 {
        let metrics = console.fetch("/metrics").expect(200).text();
        let line = metrics.lines().find(|line| line.starts_with("console_requests_total") && line.contains("taken"));
        line.and_then(|line| line.split(' ').nth(1)).and_then(|count| count.parse().ok()).unwrap_or(0)
    };
    for number in 0..20 {
        let answer = console.command("POST", "/api/orders", Some(&order(&format!("{number} Main Street")))).expect(201);
        let id = answer.header("traceresponse").unwrap().split('-').nth(1).unwrap().to_owned();
        wait_for(|| {
            let spans = canonical::spans(&console.export(&format!("signal=traces&traceId={id}")));
            (spans.len() == 7).then_some(())
        });
        console.fetch("/api/overview").expect(200);
        console.fetch("/jaeger/api/services").expect(200);
    }
    assert!(taken() >= 20, "{}", taken());
    let services = console.fetch("/jaeger/api/services").expect(200).json();
    let services = texts(&services["data"]);
    assert!(services.contains(&"delivery-api") && !services.contains(&"highbeam-console"), "{services:?}");
    for service in services {
        let operations = console.fetch(&format!("/jaeger/api/services/{service}/operations")).expect(200).json();
        for operation in texts(&operations["data"]) {
            let is_own = ["/v1/", "/api/export", "/api/overview", "/jaeger", "opentelemetry", "/metrics"];
            assert!(!is_own.iter().any(|own| operation.contains(own)), "{service}: {operation}");
        }
    }
    let traces = canonical::spans(&console.export("signal=traces"));
    let by_service = |name: &str| traces.iter().filter(|span| span["resource"].to_string().contains(name)).count();
    assert_eq!(by_service("highbeam-console"), 0);
    assert!(by_service("delivery-api") >= 60);
}

#[test]
fn the_console_s_own_lines_are_under_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    // Positions of log files that cannot be read are told by a warning of the console's.
    std::fs::write(folder.path().join("console.tail.json"), "no positions").unwrap();
    let path = folder.path().join("app.log");
    let _console = Service::console(folder.path(), &["--tail", path.to_str().unwrap()]);
    let line = wait_for(|| {
        let is_it = |line: &Value| line["message"] == "positions of log files could not be read";
        log_lines(folder.path()).into_iter().find(is_it)
    });
    assert_eq!(line["service.name"], "highbeam-console", "{line}");
}
