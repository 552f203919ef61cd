//! OTLP in JSON: text from anyone who may send telemetry, read as each of the three signals, for these
//! differ in names only.
//!
//! It proves that any text is answered, with line and column where it is refused, within the memory that its
//! length allows, and what `fuzz::otlp` says of all that was read.
#![no_main]

use console_otlp::{DecodeError, logs, metrics, traces};
use fuzz::otlp::{ARRIVAL_NS, check_metrics, check_records, check_refused, check_spans};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    match traces::from_json(input, ARRIVAL_NS) {
        Ok(read) => check_spans(&read),
        Err(error) => check_placed(&error),
    }
    match logs::from_json(input, ARRIVAL_NS) {
        Ok(read) => check_records(&read),
        Err(error) => check_placed(&error),
    }
    match metrics::from_json(input, ARRIVAL_NS) {
        Ok(read) => check_metrics(read),
        Err(error) => check_placed(&error),
    }
});

fn check_placed(error: &DecodeError) {
    assert!(error.line_column().is_some_and(|(line, column)| line > 0 && column > 0), "{error}");
    check_refused(error);
}
