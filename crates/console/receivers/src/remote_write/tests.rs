//! Both versions: what comes is what was sent, and what is wrong does not spoil the rest.

use console_model::{MetricKind, Sample, is_stale, stale_marker};
use console_wire::Writer;
use proptest::prelude::*;

use super::*;

mod histograms;

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn series_v1(request: &mut Writer<'_>, labels: Pairs<'_>, samples: &[Sample], more: impl Fn(&mut Writer<'_>)) {
    request.message(1, |series| {
        for (name, value) in labels {
            series.message(1, |label| {
                label.text(1, name);
                label.text(2, value);
            });
        }
        for sample in samples {
            series.message(2, |out| {
                out.double(1, sample.value);
                out.int64(2, sample.time_ms);
            });
        }
        more(series);
    });
}

fn v1(write: impl FnOnce(&mut Writer<'_>)) -> Decoded {
    let mut bytes = Vec::new();
    write(&mut Writer::new(&mut bytes));
    decode_v1(&bytes).unwrap()
}

fn references(series: &mut Writer<'_>, references: &[u64]) {
    let mut packed = Vec::new();
    for reference in references {
        assert!(*reference < 128);
        packed.push(*reference as u8);
    }
    series.bytes(1, &packed);
}

fn v2(symbols: &[&str], write: impl FnOnce(&mut Writer<'_>)) -> Decoded {
    let mut bytes = Vec::new();
    let mut request = Writer::new(&mut bytes);
    // Behind those who refer to them, as protobuf allows.
    write(&mut request);
    symbols.iter().for_each(|symbol| request.text(4, symbol));
    decode_v2(&bytes).unwrap()
}

const AT_5: Sample = Sample { time_ms: 5, value: 0.5 };

#[test]
fn a_request_of_1_0_is_taken_whole() {
    let decoded = v1(|request| {
        let stale = Sample { time_ms: -6, value: stale_marker() };
        series_v1(request, &[("__name__", "up"), ("job", "api")], &[AT_5, stale], |series| {
            series.message(3, |exemplar| {
                exemplar.message(1, |label| {
                    label.text(1, "trace_id");
                    label.text(2, "4bf92f3577b34da6a3ce929d0e0e4736");
                });
                exemplar.double(2, 0.25);
                exemplar.int64(3, 4);
            });
        });
        request.message(3, |metadata| {
            metadata.varint(1, 2);
            metadata.text(2, "up");
            metadata.text(4, "Whether it is up.");
            metadata.text(5, "bool");
        });
    });
    let series = &decoded.batch.series[0];
    assert_eq!(series.labels.to_string(), r#"{__name__="up", job="api"}"#);
    assert_eq!(series.samples[0], AT_5);
    assert!(is_stale(series.samples[1].value) && series.samples[1].time_ms == -6);
    assert_eq!(series.exemplars[0].trace_id.unwrap().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(series.exemplars[0].sample, Sample { time_ms: 4, value: 0.25 });
    let metric = &decoded.batch.metadata[0];
    assert_eq!((metric.name.as_str(), metric.kind, metric.unit.as_str()), ("up", MetricKind::Gauge, "bool"));
    assert_eq!(metric.help, "Whether it is up.");
    assert_eq!(decoded.written, Written { samples: 2, histograms: 0, exemplars: 1 });
    assert!(decoded.rejects.is_empty());
}

#[test]
fn one_bad_series_does_not_lose_the_others() {
    let decoded = v1(|request| {
        let mut series = |labels: Pairs<'_>| series_v1(request, labels, &[AT_5], |_| {});
        series(&[("__name__", "first")]);
        series(&[("job", "api")]);
        series(&[("__name__", "a"), ("job", "x"), ("b", "1"), ("job", "y")]);
        series(&[("", "x"), ("__name__", "a")]);
        series(&[("__name__", "")]);
        series(&[("job", "api"), ("__name__", "last")]);
        request.message(1, |series| {
            series.message(1, |label| label.bytes(1, &[0xff]));
            series.message(2, |_| {});
        });
    });
    let names: Vec<_> = decoded.batch.series.iter().map(|series| series.labels.to_string()).collect();
    assert_eq!(names, [r#"{__name__="first"}"#, r#"{__name__="last", job="api"}"#]);
    assert_eq!(
        decoded.rejects.reasons(),
        [
            r#"invalid metric name or labels, got {job="api"}"#,
            r#"invalid labels for series, labels {__name__="a", b="1", job="x", job="y"}, duplicated label job"#,
            r#"invalid metric name or labels, got {="x", __name__="a"}"#,
            r#"invalid metric name or labels, got {__name__=""}"#,
            "invalid metric name or labels, got {}",
        ]
    );
    assert_eq!((decoded.rejects.count(), decoded.written.samples), (5, 2));
}

#[test]
fn a_request_of_2_0_refers_to_its_symbols() {
    let symbols = ["", "__name__", "rtt_seconds_bucket", "le", "0.5", "How long.", "seconds", "trace_id"];
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let decoded = v2(&[&symbols[..], &[trace_id]].concat(), |request| {
        for _ in 0..2 {
            request.message(5, |series| {
                references(series, &[1, 2, 3]);
                series.varint(1, 4);
                series.message(2, |sample| sample.int64(2, 9));
                series.message(4, |exemplar| {
                    references(exemplar, &[7, 8]);
                    exemplar.double(2, 1.5);
                });
                series.message(5, |metadata| {
                    metadata.varint(1, 3);
                    metadata.varint(3, 5);
                    metadata.varint(4, 6);
                });
            });
        }
    });
    let series = &decoded.batch.series[0];
    assert_eq!(series.labels.to_string(), r#"{__name__="rtt_seconds_bucket", le="0.5"}"#);
    assert_eq!(series.samples, [Sample { time_ms: 9, value: 0.0 }]);
    assert_eq!(series.exemplars[0].trace_id.unwrap().to_string(), trace_id);
    assert_eq!(decoded.batch.metadata.len(), 1);
    let metric = &decoded.batch.metadata[0];
    assert_eq!((metric.name.as_str(), metric.kind), ("rtt_seconds", MetricKind::Histogram));
    assert_eq!((metric.unit.as_str(), metric.help.as_str()), ("seconds", "How long."));
    let headers = decoded.written.headers();
    assert_eq!(headers[0], ("X-Prometheus-Remote-Write-Samples-Written", 2));
    assert_eq!(headers[1], ("X-Prometheus-Remote-Write-Histograms-Written", 0));
    assert_eq!(headers[2], ("X-Prometheus-Remote-Write-Exemplars-Written", 2));
}

#[test]
fn references_that_lead_nowhere_spoil_their_series_only() {
    let decoded = v2(&["", "__name__", "a"], |request| {
        for wrong in [&[1_u64, 2][..], &[1, 99], &[1, 2, 0], &[0, 2, 1, 2]] {
            request.message(5, |series| {
                references(series, wrong);
                series.message(2, |_| {});
            });
        }
    });
    assert_eq!((decoded.written.samples, decoded.rejects.count()), (1, 3));
    let reasons = decoded.rejects.reasons();
    assert!(reasons[0].contains("beyond the symbols"), "{reasons:?}");
    assert!(reasons[1].contains("odd number"), "{reasons:?}");
    assert_eq!(reasons[2], r#"invalid metric name or labels, got {="a", __name__="a"}"#);
}

/// A text that is sent once and referred to often must not become gigabytes.
#[test]
fn a_short_request_does_not_become_much_memory() {
    let long = "x".repeat(LABEL_BYTES_MAX - 100);
    let count = REQUEST_LABEL_BYTES_MAX / long.len() + 10;
    let too_long = "y".repeat(LABEL_BYTES_MAX + 1);
    let decoded = v2(&["", "__name__", "a", "l", &long, &too_long], |request| {
        for number in 0..=count {
            request.message(5, |series| {
                references(series, &[1, 2, 3, if number == 0 { 5 } else { 4 }]);
                series.message(2, |_| {});
            });
        }
    });
    assert_eq!(decoded.written.samples + decoded.rejects.count(), count as u64 + 1);
    assert!(decoded.rejects.count() >= 10);
    assert!(decoded.rejects.reasons()[0].contains("but there may be 256 of 65536 bytes"));
    assert!(decoded.rejects.reasons()[1].contains("bytes of labels in one request"));
}

#[test]
fn exemplars_and_descriptions_are_bounded_too() {
    let decoded = v1(|request| {
        for _ in 0..2 {
            series_v1(request, &[("__name__", "a")], &[], |series| {
                (0..EXEMPLARS_MAX - 10).for_each(|_| series.message(3, |_| {}));
            });
        }
    });
    assert_eq!(decoded.written.exemplars, EXEMPLARS_MAX as u64);
    assert_eq!(decoded.exemplars_rejected, EXEMPLARS_MAX as u64 - 20);

    let help = "h".repeat(HELP_BYTES_MAX * 2);
    let decoded = v1(|request| {
        for number in 0..5_000 {
            request.message(3, |metadata| {
                metadata.text(2, &format!("m{number}"));
                metadata.text(4, &help);
            });
        }
    });
    let bytes: usize = decoded.batch.metadata.iter().map(|metric| metric.help.len()).sum();
    assert!(decoded.batch.metadata.iter().all(|metric| metric.help.len() == HELP_BYTES_MAX));
    assert!(bytes <= METADATA_BYTES_MAX + HELP_BYTES_MAX);
}

#[test]
fn bytes_that_are_no_message_are_an_error() {
    assert_eq!(decode_v1(&[0x0a, 9, 1]), Err(Malformed::Truncated));
    assert_eq!(decode_v2(&[0x2a, 9, 1]), Err(Malformed::Truncated));
    assert!(decode_v1(&[]).unwrap().batch.is_empty());
}

proptest! {
    #[test]
    fn any_series_comes_back(
        labels in proptest::collection::btree_map("[b-z]{1,8}", ".{1,20}", 0..8),
        samples in proptest::collection::vec((any::<i64>(), any::<u64>()), 1..5),
    ) {
        let samples: Vec<_> = samples
            .into_iter()
            .map(|(time_ms, bits)| Sample { time_ms, value: f64::from_bits(bits) })
            .collect();
        let mut pairs: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        pairs.push(("__name__", "a"));
        let first = v1(|request| series_v1(request, &pairs, &samples, |_| {}));
        prop_assert_eq!(&first.batch.series[0].samples, &samples);
        prop_assert_eq!(&first.batch.series[0].labels, &console_model::Labels::from_pairs(pairs.iter().copied()));

        let symbols: Vec<&str> = [""].into_iter().chain(pairs.iter().flat_map(|(name, value)| [*name, *value])).collect();
        let second = v2(&symbols, |request| {
            request.message(5, |series| {
                references(series, &(1..symbols.len() as u64).collect::<Vec<_>>());
                for sample in &samples {
                    series.message(2, |out| {
                        out.double(1, sample.value);
                        out.int64(2, sample.time_ms);
                    });
                }
            });
        });
        prop_assert_eq!(first, second);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = (decode_v1(&bytes), decode_v2(&bytes));
    }
}
