//! Metrics as series: what `opentelemetry-proto` writes, in both encodings, and what Prometheus would make
//! of it.

use std::fmt::Write;

use console_model::{SampleBatch, is_stale};
use console_otlp::metrics::{self, Limits};
use console_otlp::{Origin, Translated, Translator};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric,
    NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint, exemplar, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

const SECOND: u64 = 1_000_000_000;
const DELTA: i32 = 1;
const CUMULATIVE: i32 = 2;

fn pairs(pairs: &[(&str, &str)]) -> Vec<KeyValue> {
    let pair = |(key, value): &(&str, &str)| KeyValue {
        key: (*key).to_owned(),
        value: Some(AnyValue { value: Some(Value::StringValue((*value).to_owned())) }),
        ..KeyValue::default()
    };
    pairs.iter().map(pair).collect()
}

fn request(resource: &[(&str, &str)], scope: &str, metrics: Vec<Metric>) -> ExportMetricsServiceRequest {
    let scope = InstrumentationScope { name: scope.into(), version: "1.2".into(), ..InstrumentationScope::default() };
    let scope_metrics = vec![ScopeMetrics { scope: Some(scope), metrics, ..ScopeMetrics::default() }];
    let resource = Resource { attributes: pairs(resource), ..Resource::default() };
    let resource_metrics = ResourceMetrics { resource: Some(resource), scope_metrics, ..ResourceMetrics::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![resource_metrics] }
}

fn metric(name: &str, unit: &str, data: Data) -> Metric {
    Metric {
        name: name.into(),
        unit: unit.into(),
        description: "what it is".into(),
        data: Some(data),
        ..Metric::default()
    }
}

fn number(start_s: u64, time_s: u64, value: f64) -> NumberDataPoint {
    NumberDataPoint {
        attributes: pairs(&[("http.route", "/a")]),
        start_time_unix_nano: start_s * SECOND,
        time_unix_nano: time_s * SECOND,
        value: Some(number_data_point::Value::AsDouble(value)),
        ..NumberDataPoint::default()
    }
}

fn sum(point: NumberDataPoint, temporality: i32, is_monotonic: bool) -> Data {
    Data::Sum(Sum { data_points: vec![point], aggregation_temporality: temporality, is_monotonic })
}

/// Both encodings have to come to the same; the one of JSON is written by `opentelemetry-proto` too.
fn translate(translator: &mut Translator, request: &ExportMetricsServiceRequest) -> Translated {
    let bytes = request.encode_to_vec();
    let read = metrics::from_protobuf(&bytes, 77 * SECOND).unwrap();
    let json = serde_json::to_vec(request).unwrap();
    let read_json = metrics::from_json(&json, 77 * SECOND).unwrap();
    assert_eq!(read, read_json, "{}", String::from_utf8_lossy(&json));
    translator.translate(read, 77 * SECOND)
}

/// One line per series, sorted.
fn lines(batch: &SampleBatch) -> Vec<String> {
    let line = |series: &console_model::SeriesSamples| {
        let mut line = series.labels.to_string();
        for sample in &series.samples {
            let value = if is_stale(sample.value) { "stale".to_owned() } else { sample.value.to_string() };
            let _ = write!(line, " {value}@{}", sample.time_ms);
        }
        for exemplar in &series.exemplars {
            let _ = write!(line, " # {} {}@{}", exemplar.labels, exemplar.sample.value, exemplar.sample.time_ms);
            let _ = exemplar.trace_id.map(|id| write!(line, " {id}"));
        }
        line
    };
    let mut lines: Vec<String> = batch.series.iter().map(line).collect();
    lines.sort();
    lines
}

fn taken(request: &ExportMetricsServiceRequest) -> Vec<String> {
    let read = translate(&mut Translator::default(), request);
    assert_eq!(read.rejected.count, 0, "{}", read.rejected.message);
    lines(&read.batch)
}

fn rejected(request: &ExportMetricsServiceRequest) -> String {
    let read = translate(&mut Translator::default(), request);
    assert_eq!((read.rejected.count, read.batch.series.len()), (1, 0));
    read.rejected.message
}

#[test]
fn a_counter_gets_its_name_its_target_and_its_metadata() {
    let resource = [
        ("service.name", "api"),
        ("service.namespace", "shop"),
        ("service.instance.id", "i1"),
        ("host.name", "node-1"),
    ];
    let request =
        request(&resource, "my.lib", vec![metric("http.requests", "By", sum(number(1, 2, 5.0), CUMULATIVE, true))]);
    assert_eq!(
        taken(&request),
        [
            r#"{__name__="http_requests_bytes_total", http_route="/a", instance="i1", job="shop/api", otel_scope_name="my.lib", otel_scope_version="1.2"} 5@2000"#,
            r#"{__name__="target_info", host_name="node-1", instance="i1", job="shop/api"} 1@2000"#,
        ]
    );
    let read = translate(&mut Translator::default(), &request);
    let told: Vec<_> =
        read.batch.metadata.iter().map(|item| (&*item.name, item.kind.name(), &*item.unit, &*item.help)).collect();
    let expected = [
        ("http_requests_bytes_total", "counter", "bytes", "what it is"),
        ("target_info", "gauge", "", "Target metadata"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn gauges_and_sums_that_go_down_are_gauges() {
    let gauge = Data::Gauge(Gauge { data_points: vec![number(0, 2, 0.5)] });
    let request = request(
        &[],
        "",
        vec![metric("load", "1", gauge), metric("queue", "1", sum(number(1, 2, -3.0), CUMULATIVE, false))],
    );
    let expected =
        [r#"{__name__="load_ratio", http_route="/a"} 0.5@2000"#, r#"{__name__="queue", http_route="/a"} -3@2000"#];
    assert_eq!(taken(&request), expected);
}

#[test]
fn a_point_without_time_has_that_of_its_arrival_and_one_without_value_ends_its_series() {
    let stale = NumberDataPoint { flags: 1, value: None, ..number(0, 0, 0.0) };
    let gauge = Data::Gauge(Gauge { data_points: vec![stale] });
    assert_eq!(
        taken(&request(&[], "", vec![metric("x", "", gauge)])),
        [r#"{__name__="x", http_route="/a"} stale@77000"#]
    );
}

#[test]
fn a_histogram_has_cumulative_buckets_and_its_exemplars_in_them() {
    let exemplar = |value: f64, trace: u8| Exemplar {
        filtered_attributes: pairs(&[("user.id", "u")]),
        time_unix_nano: SECOND,
        value: Some(exemplar::Value::AsDouble(value)),
        trace_id: vec![trace; 16],
        span_id: vec![trace; 8],
    };
    let point = HistogramDataPoint {
        time_unix_nano: 2 * SECOND,
        count: 6,
        sum: Some(12.5),
        bucket_counts: vec![1, 2, 3],
        explicit_bounds: vec![0.5, 10.0],
        exemplars: vec![exemplar(0.7, 1), exemplar(99.0, 2)],
        ..HistogramDataPoint::default()
    };
    let data = Data::Histogram(Histogram { data_points: vec![point], aggregation_temporality: CUMULATIVE });
    assert_eq!(
        taken(&request(&[], "", vec![metric("latency", "s", data)])),
        [
            r#"{__name__="latency_seconds_bucket", le="+Inf"} 6@2000 # {user_id="u"} 99@1000 02020202020202020202020202020202"#,
            r#"{__name__="latency_seconds_bucket", le="0.5"} 1@2000"#,
            r#"{__name__="latency_seconds_bucket", le="10"} 3@2000 # {user_id="u"} 0.7@1000 01010101010101010101010101010101"#,
            r#"{__name__="latency_seconds_count"} 6@2000"#,
            r#"{__name__="latency_seconds_sum"} 12.5@2000"#,
        ]
    );
}

#[test]
fn an_exponential_histogram_gets_bounds() {
    let point = ExponentialHistogramDataPoint {
        time_unix_nano: 2 * SECOND,
        count: 6,
        sum: Some(9.0),
        scale: 0,
        zero_count: 1,
        positive: Some(Buckets { offset: 0, bucket_counts: vec![2, 3] }),
        ..ExponentialHistogramDataPoint::default()
    };
    let data = ExponentialHistogram { data_points: vec![point], aggregation_temporality: CUMULATIVE };
    assert_eq!(
        taken(&request(&[], "", vec![metric("size", "", Data::ExponentialHistogram(data))])),
        [
            r#"{__name__="size_bucket", le="+Inf"} 6@2000"#,
            r#"{__name__="size_bucket", le="0"} 1@2000"#,
            r#"{__name__="size_bucket", le="1"} 1@2000"#,
            r#"{__name__="size_bucket", le="2"} 3@2000"#,
            r#"{__name__="size_bucket", le="4"} 6@2000"#,
            r#"{__name__="size_count"} 6@2000"#,
            r#"{__name__="size_sum"} 9@2000"#,
        ]
    );
}

#[test]
fn a_summary_has_quantiles() {
    let point = SummaryDataPoint {
        time_unix_nano: 2 * SECOND,
        count: 4,
        sum: 8.0,
        quantile_values: vec![ValueAtQuantile { quantile: 0.99, value: 3.0 }],
        ..SummaryDataPoint::default()
    };
    assert_eq!(
        taken(&request(&[], "", vec![metric("rpc", "", Data::Summary(Summary { data_points: vec![point] }))])),
        [
            r#"{__name__="rpc", quantile="0.99"} 3@2000"#,
            r#"{__name__="rpc_count"} 4@2000"#,
            r#"{__name__="rpc_sum"} 8@2000"#,
        ]
    );
}

#[test]
fn deltas_are_summed_up_from_request_to_request() {
    let mut translator = Translator::default();
    let mut send = |start_s, time_s, value| {
        let read = translate(
            &mut translator,
            &request(&[], "", vec![metric("x", "", sum(number(start_s, time_s, value), DELTA, true))]),
        );
        (lines(&read.batch).join("\n"), read.rejected.message)
    };
    let series = r#"{__name__="x_total", http_route="/a"}"#;
    assert_eq!(send(10, 20, 5.0), (format!("{series} 0@10000 5@20000"), String::new()));
    assert_eq!(send(20, 30, 2.0), (format!("{series} 7@30000"), String::new()));
    // Sent twice.
    let (none, reason) = send(20, 30, 2.0);
    assert_eq!((none.as_str(), reason.as_str()), ("", "metric \"x\": the delta ends no later than the one before it"));
    // A restart: the counter begins at zero again, and all of the 9 counts for a rate.
    assert_eq!(send(50, 60, 9.0), (format!("{series} 0@50000 9@60000"), String::new()));
    assert!(send(60, 70, -1.0).1.contains("the delta is negative"));
}

#[test]
fn delta_histograms_are_summed_up_too() {
    let mut translator = Translator::default();
    let mut send = |start_s: u64, time_s: u64, counts: [u64; 2]| {
        let point = HistogramDataPoint {
            start_time_unix_nano: start_s * SECOND,
            time_unix_nano: time_s * SECOND,
            count: counts.iter().sum(),
            sum: Some(1.0),
            bucket_counts: counts.to_vec(),
            explicit_bounds: vec![1.0],
            ..HistogramDataPoint::default()
        };
        let data = Data::Histogram(Histogram { data_points: vec![point], aggregation_temporality: DELTA });
        let read = translate(&mut translator, &request(&[], "", vec![metric("h", "", data)]));
        let values = |series: &console_model::SeriesSamples| series.samples.iter().map(|sample| sample.value).collect();
        read.batch.series.iter().map(values).collect::<Vec<Vec<f64>>>()
    };
    assert_eq!(send(1, 2, [1, 2]), [[0.0, 1.0], [0.0, 3.0], [0.0, 1.0], [0.0, 3.0]]);
    assert_eq!(send(2, 3, [10, 20]), [[11.0], [33.0], [2.0], [33.0]]);
}

#[test]
fn a_targets_information_never_goes_back_in_time() {
    let mut translator = Translator::default();
    let mut send = |host: &str, name: &str, time_s| {
        let gauge = Data::Gauge(Gauge { data_points: vec![number(0, time_s, 0.5)] });
        let resource = [("service.name", "api"), ("host.name", host)];
        let read = translate(&mut translator, &request(&resource, "", vec![metric(name, "", gauge)]));
        assert_eq!(read.rejected.count, 0, "{}", read.rejected.message);
        let names = read.batch.series.iter().map(|series| series.labels.get("__name__").unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(send("a", "x", 20), ["x", "target_info"]);
    // Another reader of the same sender.
    assert_eq!(send("a", "y", 19), ["y"]);
    assert_eq!(send("b", "y", 19), ["y", "target_info"]);
    // Sent again, because the first attempt failed.
    assert_eq!(send("a", "x", 20), ["x", "target_info"]);
    assert_eq!(send("a", "y", 21), ["y", "target_info"]);
}

#[test]
fn parts_tell_which_samples_are_one_point() {
    let histogram = HistogramDataPoint {
        start_time_unix_nano: SECOND,
        time_unix_nano: 2 * SECOND,
        count: 1,
        bucket_counts: vec![1, 0],
        explicit_bounds: vec![3.0],
        ..HistogramDataPoint::default()
    };
    let histogram = Histogram { data_points: vec![histogram.clone(), histogram], aggregation_temporality: CUMULATIVE };
    let gauge = Gauge { data_points: vec![number(0, 1, 0.5), number(0, 2, 0.5)] };
    let metrics = vec![
        metric("g", "", Data::Gauge(gauge)),
        metric("c", "", sum(number(0, 2, 1.0), CUMULATIVE, true)),
        metric("h", "", Data::Histogram(histogram)),
        metric("d", "", sum(number(1, 2, 1.0), DELTA, true)),
    ];
    let read = translate(&mut Translator::default(), &request(&[("service.name", "api"), ("k", "v")], "", metrics));
    let all = read.batch.series.len();
    let parts = read.into_parts();
    assert_eq!(parts.iter().map(|(batch, _)| batch.series.len()).sum::<usize>(), all + 1);
    let told: Vec<_> = parts.iter().map(|(batch, origin)| (batch.len(), batch.metadata.len(), *origin)).collect();
    let expected = [
        (0, 5, Origin::Beside),
        (3, 0, Origin::Points),
        (3, 0, Origin::Point),
        (3, 0, Origin::Point),
        // The zero where the sum begins, and the sum.
        (1, 0, Origin::Beside),
        (1, 0, Origin::Point),
        (1, 0, Origin::Beside),
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_cannot_be_a_series_is_rejected_with_its_reason() {
    let with = |data| request(&[], "", vec![metric("x", "", data)]);
    let nothing = NumberDataPoint { value: None, ..number(0, 1, 0.0) };
    assert!(rejected(&with(sum(nothing, CUMULATIVE, true))).contains("neither a value nor the flag"));
    assert!(rejected(&with(sum(number(0, 1, 1.0), 0, true))).contains("neither delta nor cumulative"));
    let keyless = NumberDataPoint { attributes: pairs(&[("", "x")]), ..number(0, 1, 1.0) };
    assert!(rejected(&with(sum(keyless, CUMULATIVE, true))).contains("without a key"));
    let gauge = Data::Gauge(Gauge { data_points: vec![number(0, 1, 1.0)] });
    assert!(rejected(&request(&[], "", vec![metric("...", "", gauge)])).contains("no letter or digit"));
}

#[test]
fn labels_and_descriptions_of_megabytes_are_not_kept() {
    let long = "x".repeat(5_000_000);
    let gauge = |points| Data::Gauge(Gauge { data_points: points });
    let of_point = NumberDataPoint { attributes: pairs(&[("path", &long)]), ..number(0, 1, 1.0) };
    let of_point = request(&[], "", vec![metric("x", "", gauge(vec![of_point]))]);
    assert!(rejected(&of_point).contains("more than 65536 bytes"));
    // Neither are they put together for each of many points, which would take minutes.
    let many = vec![number(0, 1, 1.0); 10_000];
    let of_resource = request(&[("service.name", &long)], "", vec![metric("x", "", gauge(many))]);
    let read = translate(&mut Translator::default(), &of_resource);
    assert_eq!((read.batch.len(), read.rejected.count), (0, 10_000));
    let mut described = metric("x", "", gauge(vec![number(0, 1, 1.0)]));
    described.description = long;
    let read = translate(&mut Translator::default(), &request(&[], "", vec![described]));
    assert_eq!(read.batch.metadata[0].help.len(), 4_096);
}

#[test]
fn a_request_that_becomes_too_much_is_taken_in_part() {
    let limits = Limits { output_bytes_max: 10_000, ..Limits::default() };
    let points = (0..1_000).map(|value| number(0, 1, f64::from(value))).collect();
    let request = request(&[], "", vec![metric("x", "", Data::Gauge(Gauge { data_points: points }))]);
    let read = translate(&mut Translator::new(limits), &request);
    assert!(read.batch.len() > 10 && read.batch.len() + read.rejected.count as usize == 1_000);
    assert!(read.rejected.message.contains("take too much memory"));
}

fn any_metric() -> impl Strategy<Value = Metric> {
    let attributes = || {
        vec(("[a-z._]{0,6}", "[a-z\"é]{0,6}"), 0..4).prop_map(|list| {
            let list: Vec<_> = list.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            pairs(&list)
        })
    };
    let times = || (0..3 * SECOND, 0..3 * SECOND);
    let double = || any::<f64>().prop_filter("JSON", |number| number.is_finite());
    let numbers =
        (attributes(), times(), double(), any::<i64>(), 0..4_u32).prop_map(|(attributes, times, double, int, pick)| {
            NumberDataPoint {
                attributes,
                start_time_unix_nano: times.0,
                time_unix_nano: times.1,
                value: match pick {
                    0 => Some(number_data_point::Value::AsInt(int)),
                    1 => None,
                    _ => Some(number_data_point::Value::AsDouble(double)),
                },
                flags: u32::from(pick == 3),
                ..NumberDataPoint::default()
            }
        });
    let histograms = (attributes(), times(), vec(any::<u32>(), 0..4), vec(-5..5_i8, 0..4)).prop_map(
        |(attributes, times, counts, bounds)| HistogramDataPoint {
            attributes,
            start_time_unix_nano: times.0,
            time_unix_nano: times.1,
            count: 7,
            bucket_counts: counts.into_iter().map(u64::from).collect(),
            explicit_bounds: bounds.into_iter().map(f64::from).collect(),
            ..HistogramDataPoint::default()
        },
    );
    let side = || {
        (any::<i32>(), vec(any::<u64>(), 0..5)).prop_map(|(offset, bucket_counts)| Buckets { offset, bucket_counts })
    };
    let exponentials = (attributes(), times(), -15..60_i32, side(), side(), any::<u64>(), double()).prop_map(
        |(attributes, times, scale, positive, negative, zero_count, zero_threshold)| ExponentialHistogramDataPoint {
            attributes,
            start_time_unix_nano: times.0,
            time_unix_nano: times.1,
            scale,
            positive: Some(positive),
            negative: Some(negative),
            zero_count,
            zero_threshold,
            ..ExponentialHistogramDataPoint::default()
        },
    );
    let data = prop_oneof![
        vec(numbers.clone(), 0..4).prop_map(|data_points| Data::Gauge(Gauge { data_points })),
        (vec(numbers, 0..4), 0..3_i32, any::<bool>()).prop_map(|(data_points, temporality, is_monotonic)| {
            Data::Sum(Sum { data_points, aggregation_temporality: temporality, is_monotonic })
        }),
        (vec(histograms, 0..4), 0..3_i32).prop_map(|(data_points, temporality)| {
            Data::Histogram(Histogram { data_points, aggregation_temporality: temporality })
        }),
        (vec(exponentials, 0..4), 0..3_i32).prop_map(|(data_points, temporality)| {
            Data::ExponentialHistogram(ExponentialHistogram { data_points, aggregation_temporality: temporality })
        }),
    ];
    ("[a-z._]{0,6}", "[a-zA-Z/%1{}]{0,3}", data).prop_map(|(name, unit, data)| metric(&name, &unit, data))
}

proptest! {
    #[test]
    fn any_metrics_come_to_the_same_in_both_encodings(metrics in vec(vec(any_metric(), 0..4), 1..4)) {
        let mut translator = Translator::default();
        for metrics in metrics {
            let request = request(&[("service.name", "api"), ("k", "v")], "s", metrics);
            let points = metrics::from_protobuf(&request.encode_to_vec(), 0).unwrap().batch.len() as u64;
            let read = translate(&mut translator, &request);
            prop_assert!(read.rejected.count <= points);
            for series in &read.batch.series {
                let name = series.labels.get("__name__").unwrap();
                prop_assert!(name.starts_with(|first: char| first.is_ascii_alphabetic() || "_:".contains(first)), "{name}");
                prop_assert!(series.labels.iter().all(|(name, _)| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')));
                prop_assert_eq!(series.service(), "api");
            }
        }
    }

    #[test]
    fn no_cut_and_no_change_makes_it_panic(metrics in vec(any_metric(), 0..4), at: prop::sample::Index, byte: u8) {
        let mut bytes = request(&[], "s", metrics).encode_to_vec();
        let mut translator = Translator::default();
        if let Ok(read) = metrics::from_protobuf(&bytes[..at.index(bytes.len() + 1)], 0) {
            translator.translate(read, 0);
        }
        let changed = at.index(bytes.len());
        bytes[changed] = byte;
        if let Ok(read) = metrics::from_protobuf(&bytes, 0) {
            translator.translate(read, 0);
        }
    }
}
