//! OTLP in protobuf: bytes from anyone who may send telemetry, read as each of the three signals, for these
//! are alike on the wire.
//!
//! It proves that any bytes are answered, within the memory that their length allows, and what
//! `fuzz::otlp` says of all that was read.
#![no_main]

use console_otlp::{logs, metrics, traces};
use fuzz::otlp::{ARRIVAL_NS, check_metrics, check_records, check_refused, check_spans};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    match traces::from_protobuf(input, ARRIVAL_NS) {
        Ok(read) => check_spans(&read),
        Err(error) => check_refused(&error),
    }
    match logs::from_protobuf(input, ARRIVAL_NS) {
        Ok(read) => check_records(&read),
        Err(error) => check_refused(&error),
    }
    match metrics::from_protobuf(input, ARRIVAL_NS) {
        Ok(read) => check_metrics(read),
        Err(error) => check_refused(&error),
    }
});
