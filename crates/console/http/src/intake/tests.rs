//! What senders of metrics are told of points that the store refuses.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::*;

const NOW_S: u64 = 1_800_000_000;

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(NOW_S as i64).unwrap()
    }
}

fn opened() -> (tempfile::TempDir, Arc<Store>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), console_storage::Options::default(), Arc::new(Stopped)).unwrap();
    (folder, Arc::new(store))
}

fn intake(store: &Arc<Store>) -> Intake {
    Intake::new(Arc::clone(store), Arc::default(), Arc::new(Stopped))
}

/// Nanoseconds so many seconds before now, as JSON has them.
fn ago(seconds: u64) -> String {
    format!("{}000000000", NOW_S - seconds)
}

fn send(intake: &Intake, metrics: &Json) -> (u64, String) {
    let resource = json!({"attributes": [
        {"key": "service.name", "value": {"stringValue": "api"}}, {"key": "host.name", "value": {"stringValue": "a"}}]});
    let request = json!({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]});
    let rejected = intake.otlp(Signal::Metrics, Encoding::Json, request.to_string().as_bytes()).unwrap();
    (rejected.count, rejected.message)
}

fn histogram(name: &str, times: &[u64]) -> Json {
    let point = |seconds: &u64| json!({"timeUnixNano": ago(*seconds), "count": 3, "sum": *seconds, "bucketCounts": [1, 1, 1], "explicitBounds": [1, 2]});
    let points: Vec<Json> = times.iter().map(point).collect();
    json!({"name": name, "histogram": {"dataPoints": points, "aggregationTemporality": 2}})
}

fn gauge(name: &str, times: &[u64]) -> Json {
    let points: Vec<Json> = times.iter().map(|it| json!({"timeUnixNano": ago(*it), "asInt": "7"})).collect();
    json!({"name": name, "gauge": {"dataPoints": points}})
}

/// A sum of deltas and a histogram of deltas, from then until then.
fn deltas(from: u64, until: u64) -> Json {
    let point = json!({"startTimeUnixNano": ago(from), "timeUnixNano": ago(until), "asInt": 5,
        "count": 1, "sum": 2, "bucketCounts": [1, 0], "explicitBounds": [3]});
    json!([{"name": "calls", "sum": {"dataPoints": [point], "aggregationTemporality": 1, "isMonotonic": true}},
        {"name": "sizes", "histogram": {"dataPoints": [point], "aggregationTemporality": 1}}])
}

#[test]
fn a_late_histogram_is_one_data_point() {
    let (_folder, store) = opened();
    let intake = intake(&store);
    assert_eq!(send(&intake, &json!([histogram("h", &[50]), gauge("g", &[50])])), (0, String::new()));
    // Two histograms of five series each and one gauge are late, one of each is not.
    let (count, message) = send(&intake, &json!([histogram("h", &[60, 55, 40]), gauge("g", &[60, 40])]));
    assert_eq!((count, message.as_str()), (3, "11 samples older than the newest of their series"));
}

#[test]
fn what_was_not_sent_is_not_rejected() {
    let (_folder, store) = opened();
    assert_eq!(send(&intake(&store), &json!([gauge("g", &[50])])), (0, String::new()));
    // Another translator knows nothing of the resource, as after a restart; the store does.
    let restarted = intake(&store);
    assert_eq!(send(&restarted, &json!([gauge("other", &[60])])), (0, String::new()));
}

#[test]
fn deltas_go_on_over_a_restart() {
    let (_folder, store) = opened();
    assert_eq!(send(&intake(&store), &deltas(90, 60)), (0, String::new()));
    // The new sums begin where the old ones have their last sample.
    let restarted = intake(&store);
    assert_eq!(send(&restarted, &deltas(60, 30)), (0, String::new()));
    let last = |name: &str| {
        let matchers = [console_storage::Matcher::equal("__name__", name)];
        let series = store.select_series(&matchers, 0, i64::MAX, 10).unwrap();
        series[0].samples().map(|sample| (sample.time_ms / 1_000 - NOW_S as i64, sample.value)).collect::<Vec<_>>()
    };
    assert_eq!(last("calls_total"), [(-90, 0.0), (-60, 5.0), (-30, 5.0)]);
    assert_eq!(last("sizes_sum"), [(-90, 0.0), (-60, 2.0), (-30, 2.0)]);
    assert_eq!(send(&restarted, &deltas(60, 30)).0, 2);
}
