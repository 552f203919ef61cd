//! What answers an export: `Export…ServiceResponse`, with the partial success if something was rejected.

use console_wire::Writer;

use crate::{Rejected, Signal, export};

/// The response in protobuf. It is empty where all was taken, as OTLP has it.
pub fn protobuf(_signal: Signal, rejected: &Rejected) -> Vec<u8> {
    let mut out = Vec::new();
    if *rejected != Rejected::default() {
        // The three messages have the same numbers.
        Writer::new(&mut out).message(1, |partial| {
            if rejected.count > 0 {
                partial.varint(1, rejected.count);
            }
            partial.text(2, &rejected.message);
        });
    }
    out
}

/// The response in JSON.
pub fn json(signal: Signal, rejected: &Rejected) -> Vec<u8> {
    let name = match signal {
        Signal::Traces => "rejectedSpans",
        Signal::Logs => "rejectedLogRecords",
        Signal::Metrics => "rejectedDataPoints",
    };
    let mut out = String::new();
    export::object(&mut out, |response| {
        if *rejected != Rejected::default() {
            response.object("partialSuccess", |partial| {
                if rejected.count > 0 {
                    partial.integer(name, rejected.count);
                }
                partial.text("errorMessage", &rejected.message);
            });
        }
    });
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
    use prost::Message;

    use super::*;

    #[test]
    fn full_success_says_nothing() {
        assert_eq!(protobuf(Signal::Traces, &Rejected::default()), b"");
        assert_eq!(json(Signal::Logs, &Rejected::default()), b"{}");
    }

    #[test]
    fn partial_success_says_how_many_and_why() {
        let rejected = Rejected { count: 300, message: "no \"id\"".into() };
        let bytes = |signal| protobuf(signal, &rejected);
        let traces = ExportTraceServiceResponse::decode(&*bytes(Signal::Traces)).unwrap().partial_success.unwrap();
        assert_eq!((traces.rejected_spans, traces.error_message.as_str()), (300, "no \"id\""));
        let logs = ExportLogsServiceResponse::decode(&*bytes(Signal::Logs)).unwrap().partial_success.unwrap();
        assert_eq!((logs.rejected_log_records, logs.error_message.as_str()), (300, "no \"id\""));
        let metrics = ExportMetricsServiceResponse::decode(&*bytes(Signal::Metrics)).unwrap().partial_success.unwrap();
        assert_eq!((metrics.rejected_data_points, metrics.error_message.as_str()), (300, "no \"id\""));
        let expected = br#"{"partialSuccess":{"rejectedDataPoints":"300","errorMessage":"no \"id\""}}"#;
        assert_eq!(json(Signal::Metrics, &rejected), expected);
    }
}
