//! A log line as `opentelemetry.proto.logs.v1.LogRecord`.

use super::{Record, put_attributes, wire};
use crate::record::{Log, Service, Severity};

const TIME: u32 = 1;
const SEVERITY_NUMBER: u32 = 2;
const SEVERITY_TEXT: u32 = 3;
const BODY: u32 = 5;
const ATTRIBUTES: u32 = 6;
const FLAGS: u32 = 8;
const TRACE_ID: u32 = 9;
const SPAN_ID: u32 = 10;
const OBSERVED_TIME: u32 = 11;

impl Record for Log {
    fn service(&self) -> Service {
        self.service
    }

    fn scope(&self) -> &'static str {
        self.target
    }

    fn encode(&self, buffer: &mut Vec<u8>) {
        let (number, text) = severity(self.severity);
        wire::put_fixed64(buffer, TIME, self.unix_nanos);
        wire::put_fixed64(buffer, OBSERVED_TIME, self.unix_nanos);
        wire::put_number(buffer, SEVERITY_NUMBER, number);
        wire::put_bytes(buffer, SEVERITY_TEXT, text.as_bytes());
        // An `AnyValue`, whose kind is told even by an empty text.
        wire::put_head(buffer, BODY, wire::field_len(self.message.len()));
        wire::put_head(buffer, 1, self.message.len());
        buffer.extend_from_slice(self.message.as_bytes());
        put_attributes(buffer, ATTRIBUTES, &self.attributes);
        if let Some((trace, span, is_sampled)) = self.span {
            if is_sampled {
                wire::put_fixed32(buffer, FLAGS, 1);
            }
            wire::put_bytes(buffer, TRACE_ID, &trace.0.to_be_bytes());
            wire::put_bytes(buffer, SPAN_ID, &span.0.to_be_bytes());
        }
    }
}

const fn severity(severity: Severity) -> (u64, &'static str) {
    match severity {
        Severity::Trace => (1, "TRACE"),
        Severity::Debug => (5, "DEBUG"),
        Severity::Info => (9, "INFO"),
        Severity::Warn => (13, "WARN"),
        Severity::Error => (17, "ERROR"),
    }
}
