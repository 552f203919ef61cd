//! Requests, made by hand or with the definitions that others publish, and bodies of them. Nothing here is
//! the console's own code.

#![allow(dead_code, reason = "each test program uses its part")]

use std::io::Write;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

pub(crate) const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");
pub(crate) const GZIP: (&str, &str) = ("content-encoding", "gzip");
pub(crate) const ZSTD: (&str, &str) = ("content-encoding", "zstd");
pub(crate) const SNAPPY: (&str, &str) = ("content-encoding", "snappy");

pub(crate) fn text(value: &str) -> AnyValue {
    AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) }
}

pub(crate) fn pair(key: &str, value: AnyValue) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}

pub(crate) fn resource(service: &str) -> Option<Resource> {
    Some(Resource { attributes: vec![pair("service.name", text(service))], ..Resource::default() })
}

pub(crate) fn trace_id(number: u64) -> Vec<u8> {
    [&[0xab; 8], &number.to_be_bytes()[..]].concat()
}

/// A span of a millisecond, its id made of its trace's number and its own.
pub(crate) fn span(trace: u64, number: u64, start_ns: u64) -> Span {
    Span {
        trace_id: trace_id(trace),
        span_id: ((trace << 16) + number + 1).to_be_bytes().to_vec(),
        name: format!("operation {}", number % 10),
        kind: 2,
        start_time_unix_nano: start_ns,
        end_time_unix_nano: start_ns + 1_000_000,
        attributes: vec![pair("number", text(&number.to_string()))],
        ..Span::default()
    }
}

pub(crate) fn spans(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { resource: resource(service), scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

pub(crate) fn record(line: &str, time_ns: u64) -> LogRecord {
    LogRecord { time_unix_nano: time_ns, body: Some(text(line)), severity_number: 9, ..LogRecord::default() }
}

pub(crate) fn records(service: &str, log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    let resource_logs = vec![ResourceLogs { resource: resource(service), scope_logs, ..ResourceLogs::default() }];
    ExportLogsServiceRequest { resource_logs }
}

pub(crate) fn point(value: f64, time_ns: u64, attributes: &[(&str, &str)]) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes.iter().map(|(key, value)| pair(key, text(value))).collect(),
        time_unix_nano: time_ns,
        value: Some(number_data_point::Value::AsDouble(value)),
        ..NumberDataPoint::default()
    }
}

pub(crate) fn gauge(service: &str, name: &str, data_points: Vec<NumberDataPoint>) -> ExportMetricsServiceRequest {
    let data = Some(metric::Data::Gauge(Gauge { data_points }));
    let metrics = vec![Metric { name: name.to_owned(), data, ..Metric::default() }];
    let scope_metrics = vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }];
    let resource_metrics =
        vec![ResourceMetrics { resource: resource(service), scope_metrics, ..ResourceMetrics::default() }];
    ExportMetricsServiceRequest { resource_metrics }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

pub(crate) fn snappy(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(bytes).unwrap()
}

/// Protobuf by hand, for what no library of ours defines, or would not write.
#[derive(Debug, Default, Clone)]
pub(crate) struct Wire(pub Vec<u8>);

impl Wire {
    pub(crate) fn varint(mut self, field: u32, number: u64) -> Self {
        self.put(u64::from(field) << 3);
        self.put(number);
        self
    }

    pub(crate) fn double(mut self, field: u32, number: f64) -> Self {
        self.put(u64::from(field) << 3 | 1);
        self.0.extend(number.to_le_bytes());
        self
    }

    pub(crate) fn fixed(mut self, field: u32, number: u64) -> Self {
        self.put(u64::from(field) << 3 | 1);
        self.0.extend(number.to_le_bytes());
        self
    }

    pub(crate) fn bytes(mut self, field: u32, bytes: &[u8]) -> Self {
        self.put(u64::from(field) << 3 | 2);
        self.put(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    pub(crate) fn message(self, field: u32, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }

    pub(crate) fn put(&mut self, mut number: u64) {
        while number > 0x7f {
            self.0.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
            number >>= 7;
        }
        self.0.push(u8::try_from(number).unwrap());
    }
}

/// A series of `prometheus.WriteRequest`, with its samples: value and milliseconds.
pub(crate) fn series_v1(labels: &[(&str, &str)], samples: &[(f64, i64)]) -> Wire {
    let label = |(name, value): &(&str, &str)| Wire::default().bytes(1, name.as_bytes()).bytes(2, value.as_bytes());
    let sample = |(value, time_ms): &(f64, i64)| Wire::default().double(1, *value).varint(2, time_ms.cast_unsigned());
    let series = labels.iter().map(label).fold(Wire::default(), |wire, label| wire.message(1, &label));
    samples.iter().map(sample).fold(series, |wire, sample| wire.message(2, &sample))
}
