//! Every bit comes back, damage is no panic, and a usual series takes little room.

use proptest::prelude::*;

use super::*;
use crate::tests::made::{any_histogram, histogram};

fn round_trip(samples: &[HistogramSample]) -> Vec<HistogramSample> {
    let mut writer = HistogramWriter::default();
    samples.iter().for_each(|sample| writer.push(sample));
    assert_eq!(usize::from(writer.count()), samples.len());
    HistogramReader::new(&writer.finished(), writer.count()).collect()
}

fn hints(samples: &[HistogramSample]) -> Vec<CounterReset> {
    samples.iter().map(|sample| sample.histogram.counter_reset).collect()
}

proptest! {
    #[test]
    fn every_bit_comes_back(samples in proptest::collection::vec((any::<i64>(), any_histogram()), 0..40)) {
        let samples: Vec<HistogramSample> = samples
            .into_iter()
            .map(|(time_ms, histogram)| HistogramSample { time_ms, histogram: Arc::new(histogram) })
            .collect();
        let back = round_trip(&samples);
        prop_assert_eq!(hints(&back), hints(&samples));
        for (back, sample) in back.iter().zip(&samples) {
            prop_assert!(back.histogram.same_layout(&sample.histogram));
        }
        prop_assert_eq!(back, samples);
    }

    #[test]
    fn damage_is_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), count in any::<u16>()) {
        let _ = HistogramReader::new(&bytes, count).count();
    }

    #[test]
    fn what_is_cut_off_ends_early(samples in proptest::collection::vec(any_histogram(), 1..10), cut in any::<prop::sample::Index>()) {
        let mut writer = HistogramWriter::default();
        for (time_ms, histogram) in (0..).zip(samples) {
            writer.push(&HistogramSample { time_ms, histogram: Arc::new(histogram) });
        }
        let bytes = writer.finished();
        let cut = cut.index(bytes.len());
        prop_assert!(HistogramReader::new(&bytes[..cut], writer.count()).count() < usize::from(writer.count()));
    }

    #[test]
    fn changed_bytes_are_no_panic(samples in proptest::collection::vec(any_histogram(), 1..10), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut writer = HistogramWriter::default();
        for (time_ms, histogram) in (0..).zip(samples) {
            writer.push(&HistogramSample { time_ms, histogram: Arc::new(histogram) });
        }
        let mut bytes = writer.finished();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        prop_assert!(HistogramReader::new(&bytes, writer.count()).count() <= usize::from(writer.count()));
    }
}

#[test]
fn a_usual_series_takes_little_more_than_a_byte_a_bucket() {
    let mut writer = HistogramWriter::default();
    for step in 0..100 {
        writer.push(&histogram(step, 40));
    }
    assert!(writer.bytes() < 100 * 60, "{}", writer.bytes());
    let mut still = HistogramWriter::default();
    for step in 0..100 {
        still.push(&HistogramSample { time_ms: step * 15_000, ..histogram(7, 40) });
    }
    assert!(still.bytes() < 100 * 5 + 120, "{}", still.bytes());
}
