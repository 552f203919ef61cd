//! Samples that are exported and imported again.

use super::values::{span_id, text, trace_id};
use std::sync::Arc;

use console_model::{
    Buckets, CounterReset, Exemplar, FloatHistogram, HistogramSample, LabelSetBuilder, Labels, MetricKind,
    MetricMetadata, Sample, SampleBatch, SeriesSamples, stale_marker,
};
use console_otlp::{Translator, export, metrics};
use proptest::collection::vec;
use proptest::prelude::*;

fn sample() -> impl Strategy<Value = Sample> {
    let time = prop_oneof![4 => 1..2_000_000_000_000_i64, 1 => any::<i64>(), 1 => Just(0)];
    let bits = prop_oneof![
        3 => any::<f64>().prop_map(f64::to_bits),
        1 => any::<u64>(),
        1 => Just(stale_marker().to_bits()),
        1 => Just(f64::NAN.to_bits()),
    ];
    (time, bits).prop_map(|(time_ms, bits)| Sample { time_ms, value: f64::from_bits(bits) })
}

fn labels() -> impl Strategy<Value = Labels> {
    let name = prop_oneof![3 => Just("__name__".to_owned()), 2 => text(), 1 => "highbeam\\.[a-z_.]{0,9}"];
    vec((name, text()), 0..5).prop_map(|pairs| {
        let mut builder = LabelSetBuilder::new();
        pairs.iter().for_each(|(name, value)| builder.push(name, value));
        builder.finish()
    })
}

fn exemplar() -> impl Strategy<Value = Exemplar> {
    (sample(), prop::option::of(trace_id()), prop::option::of(span_id()), labels())
        .prop_map(|(sample, trace_id, span_id, labels)| Exemplar { sample, trace_id, span_id, labels })
}

/// Valid ones, of whole counts or not, near each other or not; without empty buckets, which are not written.
fn histogram(custom: bool) -> impl Strategy<Value = HistogramSample> {
    let count = prop_oneof![4 => (1..1_000_u32).prop_map(f64::from), 1 => 0.1..1e9_f64];
    let near = prop::collection::btree_map(0..6_i32, count.clone(), 0..5);
    let far = prop::collection::btree_map(any::<i32>(), count.clone(), 0..5);
    let buckets = prop_oneof![4 => near.clone(), 1 => far].prop_map(Buckets::from_counts);
    let numbers = (count.clone(), count, any::<f64>(), 0..4_u8, 0..2_u8);
    let time = prop_oneof![4 => 1..2_000_000_000_000_i64, 1 => any::<i64>(), 1 => Just(0)];
    let parts = (-4..=8_i8, buckets.clone(), buckets, near.prop_map(Buckets::from_counts));
    (time, numbers, parts).prop_map(
        move |(time_ms, (count, zero_count, sum, hint, end), (schema, positive, negative, few))| {
            let counter_reset = CounterReset::from_number(hint).unwrap();
            let histogram = if end == 1 && hint == 1 {
                FloatHistogram::stale()
            } else if custom {
                FloatHistogram { count, sum, positive: few, ..FloatHistogram::custom([-1.5, 0.1, 2.0, 5.0, 1e9]) }
            } else {
                let plain = FloatHistogram::exponential(schema);
                FloatHistogram { zero_threshold: 1e-9, zero_count, count, sum, positive, negative, ..plain }
            };
            HistogramSample { time_ms, histogram: Arc::new(FloatHistogram { counter_reset, ..histogram }) }
        },
    )
}

fn batch() -> impl Strategy<Value = SampleBatch> {
    let series = (labels(), vec(sample(), 0..4), vec(exemplar(), 0..3))
        .prop_map(|(labels, samples, exemplars)| SeriesSamples { labels, samples, histograms: Vec::new(), exemplars });
    let native = (labels(), vec(histogram(false), 1..4), vec(exemplar(), 0..3));
    let custom = (labels(), vec(histogram(true), 1..4), vec(exemplar(), 0..3));
    let histograms = prop_oneof![native, custom].prop_map(|(labels, histograms, exemplars)| SeriesSamples {
        labels,
        samples: Vec::new(),
        histograms,
        exemplars,
    });
    let series = prop_oneof![series, histograms];
    let metadata = (text(), 0..8_u8, text(), text()).prop_map(|(name, kind, unit, help)| MetricMetadata {
        name: name.into(),
        kind: MetricKind::from_number(kind),
        unit: unit.into(),
        help: help.into(),
    });
    (vec(series, 0..5), vec(metadata, 0..3)).prop_map(|(series, metadata)| SampleBatch { series, metadata })
}

proptest! {
    #[test]
    fn all_that_a_batch_holds_comes_back(batch in batch()) {
        let text = export::samples_json(&batch);
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
        let read = metrics::from_json(text.as_bytes(), 99).unwrap();
        let back = Translator::default().translate(read, 99);
        prop_assert_eq!(back.rejected.count, 0, "{}", back.rejected.message);
        let hints = |batch: &SampleBatch| -> Vec<CounterReset> {
            let all = batch.series.iter().flat_map(|series| &series.histograms);
            all.map(|sample| sample.histogram.counter_reset).collect()
        };
        prop_assert_eq!(hints(&back.batch), hints(&batch));
        prop_assert_eq!(back.batch, batch);
    }
}
