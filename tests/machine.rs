//! The metrics of process, runtime and host, as the running program serves them. What each host metric
//! means is tested where it is read, and held against node_exporter by `tests/node_exporter.sh`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![cfg(target_os = "linux")]

mod support;

use support::Service;

fn value(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is not in {metrics}")).parse().unwrap()
}

fn metrics(arguments: &[&str]) -> (tempfile::TempDir, Service, String) {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), arguments);
    let metrics = service.get("/metrics").expect(200).body;
    (folder, service, metrics)
}

#[test]
fn process_and_runtime_are_always_told() {
    let (_folder, service, metrics) = metrics(&["serve", "--role", "all"]);
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.pid())).unwrap();
    let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")).unwrap().trim().parse::<f64>().unwrap();
    assert!((value(&metrics, "process_threads") - threads).abs() <= 8.0, "threads of the pool come and go");
    assert!(value(&metrics, "process_resident_memory_bytes") > 1e6);
    assert!(value(&metrics, "process_open_fds") > 3.0 && value(&metrics, "process_cpu_seconds_total") >= 0.0);
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(value(&metrics, "tokio_runtime_workers"), cores as f64);
    assert!(value(&metrics, "tokio_runtime_alive_tasks") >= 1.0);
    assert!(value(&metrics, "tokio_runtime_worker_busy_seconds_total{worker=\"0\"}") >= 0.0);
}

#[test]
fn readers_of_the_older_format_are_answered_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::up(folder.path());
    let answer = service.send("GET", "/metrics", &[("accept", "text/plain")], None).expect(200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert!(answer.body.contains("\n# TYPE node_vmstat_pgfault untyped\n"), "{}", answer.body);
    assert!(!answer.body.contains("# EOF"));
}

#[test]
fn the_host_is_told_on_a_laptop_and_left_to_the_node_exporter_elsewhere() {
    let told = |arguments: &[&str]| metrics(arguments).2.contains("\nnode_load1 ");
    assert!(told(&["up", "--no-traffic"]));
    assert!(!told(&["up", "--no-traffic", "--host-metrics", "false"]));
    assert!(!told(&["serve", "--role", "api"]));
    assert!(told(&["serve", "--role", "api", "--host-metrics", "true"]));
}
