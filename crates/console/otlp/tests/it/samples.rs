//! Samples that are exported and imported again.

use super::values::{span_id, text, trace_id};
use console_model::{
    Exemplar, LabelSetBuilder, Labels, MetricKind, MetricMetadata, Sample, SampleBatch, SeriesSamples, stale_marker,
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

fn batch() -> impl Strategy<Value = SampleBatch> {
    let series = (labels(), vec(sample(), 0..4), vec(exemplar(), 0..3))
        .prop_map(|(labels, samples, exemplars)| SeriesSamples {
        labels,
        samples,
        histograms: Vec::new(),
        exemplars,
    });
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
        prop_assert_eq!(back.batch, batch);
    }
}
