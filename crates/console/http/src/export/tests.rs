//! Which series a service has.

use console_model::{Labels, Sample, SampleBatch};
use eventsourcing::Clock;

use super::*;

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(1_800_000_000).unwrap()
    }
}

fn exported(store: &Store, service: Option<&str>) -> Vec<String> {
    let selection = Selection {
        signal: "metrics".to_owned(),
        trace_id: None,
        service: service.map(str::to_owned),
        start: None,
        end: None,
        limit: None,
    };
    let (text, is_truncated) = metrics(store, &selection).unwrap();
    assert!(!is_truncated);
    let read = console_otlp::metrics::from_json(text.as_bytes(), 0).unwrap();
    let read = console_otlp::Translator::default().translate(read, 0);
    read.batch.series.iter().map(|series| series.labels.get("id").unwrap().to_owned()).collect()
}

#[test]
fn a_service_is_found_by_its_job_with_any_namespace_and_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), console_storage::Options::default(), Arc::new(Stopped)).unwrap();
    let series = |id: &str, job: &str, name: &str| SeriesSamples {
        labels: Labels::from_pairs([("__name__", "x"), ("id", id), ("job", job), ("service_name", name)]),
        samples: vec![Sample { time_ms: 1_799_999_990_000, value: 1.0 }],
        histograms: Vec::new(),
        exemplars: Vec::new(),
    };
    let series = vec![
        series("1", "pay.v1", ""),
        series("2", "shop/pay.v1", ""),
        series("3", "kubelet", "pay.v1"),
        series("4", "pay.v1", "pay.v1"),
        series("5", "eu/shop/pay.v1", "pay.v1"),
        series("6", "", "pay.v1"),
        series("7", "payxv1", "payxv1"),
        series("8", "shop/payxv1", ""),
        series("9", "/pay.v1", ""),
        series("a", "pay.v1/shop", ""),
    ];
    store.ingest_samples(&SampleBatch { series, metadata: Vec::new() }).unwrap();
    let mut ids = exported(&store, Some("pay.v1"));
    ids.sort();
    assert_eq!(ids, ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(exported(&store, Some("shop/pay.v1")), ["2", "5"]);
    assert_eq!(exported(&store, Some("(")), [""; 0]);
    assert_eq!(exported(&store, None).len(), 10);
}
