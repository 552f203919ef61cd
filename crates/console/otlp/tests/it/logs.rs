//! Log records, judged by `opentelemetry-proto` with prost, and by what comes back.

use super::values::{
    attributes, proto_attributes, proto_resource, proto_scope, proto_value, resource, scope, span_id, text, trace_id,
    value,
};
use console_model::{Labels, LogBatch, LogGroup, LogRecord};
use console_otlp::{export, logs};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::logs::v1 as proto;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

fn record() -> impl Strategy<Value = LogRecord> {
    let ids = (prop::option::of(trace_id()), prop::option::of(span_id()));
    let numbers = (1..u64::MAX, any::<u64>(), any::<i32>(), any::<[u32; 2]>());
    (ids, numbers, text(), text(), value(), attributes()).prop_map(
        |(ids, numbers, severity, event, body, attributes)| LogRecord {
            time_ns: numbers.0,
            observed_time_ns: numbers.1,
            severity_number: numbers.2,
            severity_text: severity.into(),
            body,
            attributes,
            dropped_attributes_count: numbers.3[0],
            flags: numbers.3[1],
            trace_id: ids.0,
            span_id: ids.1,
            event_name: event.into(),
        },
    )
}

/// Groups as they come from Loki's push, with any labels.
fn batch() -> impl Strategy<Value = LogBatch> {
    let labels = vec((text(), text()), 0..4);
    let group = (resource(), scope(), labels, vec(record(), 1..4)).prop_map(|(resource, scope, labels, records)| {
        let stream = Labels::from_pairs(labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        LogGroup { stream, resource, scope, records }
    });
    vec(group, 0..3).prop_map(|groups| LogBatch { groups })
}

fn to_proto(batch: &LogBatch) -> ExportLogsServiceRequest {
    let record = |record: &LogRecord| proto::LogRecord {
        time_unix_nano: record.time_ns,
        observed_time_unix_nano: record.observed_time_ns,
        severity_number: record.severity_number,
        severity_text: record.severity_text.to_string(),
        body: Some(proto_value(&record.body)),
        attributes: proto_attributes(&record.attributes),
        dropped_attributes_count: record.dropped_attributes_count,
        flags: record.flags,
        trace_id: record.trace_id.map(|id| id.to_bytes().to_vec()).unwrap_or_default(),
        span_id: record.span_id.map(|id| id.to_bytes().to_vec()).unwrap_or_default(),
        event_name: record.event_name.to_string(),
    };
    let group = |group: &LogGroup| proto::ResourceLogs {
        resource: Some(proto_resource(&group.resource)),
        scope_logs: vec![proto::ScopeLogs {
            scope: Some(proto_scope(&group.scope)),
            log_records: group.records.iter().map(record).collect(),
            schema_url: group.scope.schema_url.to_string(),
        }],
        schema_url: group.resource.schema_url.to_string(),
    };
    ExportLogsServiceRequest { resource_logs: batch.groups.iter().map(group).collect() }
}

proptest! {
    #[test]
    fn what_prost_wrote_is_read(mut batch in batch()) {
        let read = logs::from_protobuf(&to_proto(&batch).encode_to_vec(), 0).unwrap();
        prop_assert_eq!(read.rejected.count, 0);
        // The streams are those of the resources.
        for (group, read) in batch.groups.iter_mut().zip(&read.batch.groups) {
            prop_assert_eq!(read.stream.get("service_name"), Some(read.resource.service()));
            group.stream = read.stream.clone();
        }
        prop_assert_eq!(read.batch, batch);
    }

    #[test]
    fn json_comes_back_with_its_streams(batch in batch()) {
        let text = export::logs_json(&batch);
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
        let read = logs::from_json(text.as_bytes(), 0).unwrap();
        prop_assert_eq!(read.rejected.count, 0);
        prop_assert_eq!(read.batch, batch);
    }

    #[test]
    fn no_cut_and_no_change_makes_it_panic(batch in batch(), at: prop::sample::Index, byte: u8) {
        let mut bytes = to_proto(&batch).encode_to_vec();
        let _ = logs::from_protobuf(&bytes[..at.index(bytes.len() + 1)], 0);
        let text = export::logs_json(&batch);
        prop_assert!(logs::from_json(&text.as_bytes()[..at.index(text.len())], 0).is_err());
        if !bytes.is_empty() {
            let changed = at.index(bytes.len());
            bytes[changed] = byte;
            let _ = logs::from_protobuf(&bytes, 0);
        }
    }
}
