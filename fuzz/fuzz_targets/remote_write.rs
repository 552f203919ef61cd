//! What Prometheus' remote write sends, decompressed: 1.0 and 2.0.
//!
//! An input is a message. It proves, for both versions:
//!
//! - Any bytes are read or refused, and memory stays in proportion to them.
//! - What is counted as written is what is there, and each series has a name and something to it.
//! - Native histograms that are taken are valid.
//! - Nothing is refused without a reason, and reasons are bounded.
#![no_main]

use console_receivers::remote_write::{Decoded, decode_v1, decode_v2};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    for decoded in [decode_v1(input), decode_v2(input)].into_iter().flatten() {
        check(&decoded, input.len());
    }
});

fn check(decoded: &Decoded, input_len: usize) {
    let Decoded { batch, written, rejects, histograms_rejected, .. } = decoded;
    assert_eq!(written.samples + written.histograms, batch.len() as u64);
    let histograms = batch.series.iter().map(|series| series.histograms.len() as u64).sum::<u64>();
    assert_eq!(written.histograms, histograms);
    let exemplars = batch.series.iter().map(|series| series.exemplars.len() as u64).sum::<u64>();
    assert_eq!(written.exemplars, exemplars);
    assert!(batch.len() as u64 + rejects.count() <= input_len as u64);
    assert!(*histograms_rejected <= rejects.count());
    for series in &batch.series {
        assert!(series.labels.get("__name__").is_some());
        let is_empty = series.samples.is_empty() && series.histograms.is_empty() && series.exemplars.is_empty();
        assert!(!is_empty);
        assert!(series.histograms.iter().all(|sample| sample.histogram.check().is_ok()));
    }
    assert!(batch.metadata.iter().all(|metric| !metric.name.is_empty() && metric.help.len() <= 4_096));
    assert!(rejects.count() == 0 || !rejects.reasons().is_empty());
    assert!(rejects.to_string().len() < 10_000);
}
