//! What is proved of anything that was read as OTLP, whatever the encoding it came in.

use console_model::{LogBatch, SampleBatch, SpanBatch};
use console_otlp::metrics::{Limits, Metrics};
use console_otlp::{DEPTH_MAX, DecodeError, Decoded, Rejected, Translator, export, logs, metrics, traces};

/// When all that is read arrives, nanoseconds since the Unix epoch.
pub const ARRIVAL_NS: u64 = 1_700_000_000_000_000_000;

/// A refusal says something, and how deep it is bounded.
pub fn check_refused(error: &DecodeError) {
    assert!(!error.what().is_empty());
    assert!(error.path().matches(".values").count() <= 2 * DEPTH_MAX, "{error}");
}

fn check_rejected(rejected: &Rejected) {
    assert_eq!(rejected.count == 0, rejected.message.is_empty(), "{rejected:?}");
}

/// Spans are written in both encodings and read again as they were. JSON has one NaN only, so there it is
/// the second text that has to be the first.
pub fn check_spans(read: &Decoded<SpanBatch>) {
    check_rejected(&read.rejected);
    let bytes = export::traces_protobuf(&read.batch);
    let again = traces::from_protobuf(&bytes, ARRIVAL_NS).expect("what we write can be read");
    assert_eq!((&again.batch, again.rejected.count), (&read.batch, 0));
    let text = export::traces_json(&read.batch);
    let again = traces::from_json(text.as_bytes(), ARRIVAL_NS).expect("what we write can be read");
    assert_eq!(again.rejected.count, 0, "{}", again.rejected.message);
    assert_eq!(export::traces_json(&again.batch), text);
}

/// Records have a time and a service, and are written and read again.
pub fn check_records(read: &Decoded<LogBatch>) {
    check_rejected(&read.rejected);
    for group in &read.batch.groups {
        assert!(!group.records.is_empty() && !group.service().is_empty());
        assert!(group.records.iter().all(|record| record.order_ns() != 0));
    }
    let text = export::logs_json(&read.batch);
    let again = logs::from_json(text.as_bytes(), 1).expect("what we write can be read");
    assert_eq!(again.rejected.count, 0, "{}", again.rejected.message);
    assert_eq!(export::logs_json(&again.batch), text);
}

/// Metrics become series, none of more memory than allowed; series are written and read again as they were.
pub fn check_metrics(read: Decoded<Metrics<'_>>) {
    check_rejected(&read.rejected);
    let points = read.batch.len() as u64 + read.rejected.count;
    let limits = Limits { entries_max: 1_000, idle_ns_max: 1, output_bytes_max: 1 << 20 };
    let mut translator = Translator::new(limits);
    let twice = read.clone();
    let first = translator.translate(read, ARRIVAL_NS);
    check_rejected(&first.rejected);
    assert!(first.rejected.count <= points);
    assert!(translator.entries() <= limits.entries_max);
    // All deltas are there already.
    let _ = translator.translate(twice, ARRIVAL_NS);
    check_samples(&first.batch);
}

fn check_samples(batch: &SampleBatch) {
    let text = export::samples_json(batch);
    let read = metrics::from_json(text.as_bytes(), ARRIVAL_NS).expect("what we write can be read");
    let again = Translator::default().translate(read, ARRIVAL_NS);
    assert_eq!((&again.batch, again.rejected.count), (batch, 0), "{}", again.rejected.message);
}
