//! The samples that were sent to the genuine Prometheus, and the target that it scraped.

use std::collections::BTreeMap;
use std::time::Duration;

use console_model::{
    Exemplar, LabelSetBuilder, Labels, MetricKind, MetricMetadata, Sample, SampleBatch, SeriesSamples, stale_marker,
};
use console_receivers::scrape::{Health, TargetStatus};
use serde::Deserialize;

const SEED: &str = include_str!("../golden/prometheus/seed.json");

#[derive(Deserialize)]
struct Seed {
    start: i64,
    step: i64,
    series: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    labels: BTreeMap<String, String>,
    values: Vec<Option<String>>,
    exemplars: Vec<(BTreeMap<String, String>, i64, f64)>,
}

fn labels(pairs: &BTreeMap<String, String>) -> Labels {
    Labels::from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// All of them, with what the target exposed long after the others ended.
pub(crate) fn samples() -> SampleBatch {
    let seed: Seed = serde_json::from_str(SEED).unwrap();
    let time_ms = |at: i64| (seed.start + seed.step * at) * 1_000;
    let mut batch = SampleBatch::default();
    for series in &seed.series {
        let values = (0..).zip(&series.values).filter_map(|(at, value)| Some((at, value.as_deref()?)));
        let value = |text: &str| if text == "stale" { stale_marker() } else { text.parse().unwrap() };
        let samples = values.map(|(at, text)| Sample { time_ms: time_ms(at), value: value(text) });
        let exemplars = series.exemplars.iter().map(|(pairs, at, value)| exemplar(pairs, time_ms(*at), *value));
        batch.series.push(SeriesSamples {
            labels: labels(&series.labels),
            samples: samples.collect(),
            histograms: Vec::new(),
            exemplars: exemplars.collect(),
        });
    }
    let later = Sample { time_ms: time_ms(1_000), value: 1.0 };
    for name in ["jobs_done_total", "queue_depth", "run_seconds_count"] {
        let mut of = LabelSetBuilder::new();
        [("__name__", name), ("job", "scraped"), ("instance", "127.0.0.1:1")].iter().for_each(|(k, v)| of.push(k, v));
        batch.series.push(SeriesSamples {
            labels: of.finish(),
            samples: vec![later],
            histograms: Vec::new(),
            exemplars: Vec::new(),
        });
    }
    batch.metadata = vec![
        metadata("jobs_done_total", MetricKind::Counter, "Jobs that were done, with \\ and \n in the text."),
        metadata("queue_depth", MetricKind::Gauge, "Jobs that wait."),
        metadata("run_seconds", MetricKind::Histogram, "How long jobs run."),
    ];
    batch
}

fn metadata(name: &str, kind: MetricKind, help: &str) -> MetricMetadata {
    MetricMetadata { name: name.into(), kind, unit: "".into(), help: help.into() }
}

fn exemplar(pairs: &BTreeMap<String, String>, time_ms: i64, value: f64) -> Exemplar {
    let mut rest = pairs.clone();
    let trace_id = rest.remove("trace_id").and_then(|id| id.parse().ok());
    let span_id = rest.remove("span_id").and_then(|id| id.parse().ok());
    Exemplar { sample: Sample { time_ms, value }, trace_id, span_id, labels: labels(&rest) }
}

/// The target that was scraped.
pub(crate) fn target() -> TargetStatus {
    TargetStatus {
        job: "scraped".into(),
        url: "http://127.0.0.1:1/metrics".to_owned(),
        labels: Labels::from_pairs([("instance", "127.0.0.1:1"), ("job", "scraped")]),
        discovered_labels: Labels::from_pairs([("__address__", "127.0.0.1:1"), ("job", "scraped")]),
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        health: Health::Up,
        last_error: String::new(),
        last_scrape_ms: Some(1_700_080_000_000),
        last_duration: Duration::from_millis(1),
        last_samples: 8,
    }
}
