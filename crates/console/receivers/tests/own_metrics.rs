//! The service's own metrics, as it exposes them: both formats read as the same series, so that the console
//! sees what the service counts whichever of them a scrape is given.

use std::collections::BTreeMap;

use console_model::{MetricKind, SampleBatch};
use console_receivers::exposition::{Format, read};

fn values(batch: &SampleBatch) -> BTreeMap<String, u64> {
    let value = |series: &console_model::SeriesSamples| (series.labels.to_string(), series.samples[0].value.to_bits());
    batch.series.iter().map(value).collect()
}

#[test]
fn both_formats_read_as_the_same_series() {
    let metrics = telemetry::Metrics::new("highbeam", "1.2.3");
    let trace_id = telemetry::trace::TraceId(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
    metrics.http.observe("GET", "/order/{id}", 200, 0.003, Some(trace_id));
    metrics.http.observe("GET", "/a \"quoted\\ path\"", 500, 3.0, None);
    metrics.delivery.command("create", "ok");

    let open = read(&metrics.encode().unwrap(), Format::OpenMetrics, 7).unwrap();
    let text = read(&metrics.encode_text().unwrap(), Format::Text, 7).unwrap();
    assert_eq!(values(&open), values(&text));
    assert!(open.len() > 30);

    let named = |name: &str| open.metadata.iter().find(|metric| metric.name == name).map(|metric| metric.kind);
    assert_eq!(named("http_server_request_duration_seconds"), Some(MetricKind::Histogram));
    let counters = open.metadata.iter().filter(|metric| metric.kind == MetricKind::Counter);
    for counter in counters {
        let in_text = text.metadata.iter().find(|metric| metric.name == counter.name);
        assert_eq!(in_text.map(|metric| (metric.kind, &metric.help)), Some((MetricKind::Counter, &counter.help)));
    }
    let exemplars: Vec<_> = open.series.iter().flat_map(|series| &series.exemplars).collect();
    assert_eq!(exemplars.len(), 1);
    assert_eq!(exemplars[0].trace_id.map(|id| id.get()), Some(trace_id.0));
}
