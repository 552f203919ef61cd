//! A line of a log file, of any format.
//!
//! An input is a line. It proves:
//!
//! - Any line becomes a record with the time of its arrival and a time of its own.
//! - A line that is not taken apart is kept letter by letter.
//! - A severity is one of OTLP's, and stands beside the word that it came from.
#![no_main]

use console_receivers::tail::read_line;
use libfuzzer_sys::fuzz_target;

const ARRIVAL_NS: u64 = 1_700_000_000_000_000_000;

fuzz_target!(|input: &[u8]| {
    let line = String::from_utf8_lossy(input);
    let parsed = read_line(&line, ARRIVAL_NS);
    let record = parsed.record;
    assert_eq!(record.observed_time_ns, ARRIVAL_NS);
    assert_ne!(record.order_ns(), 0);
    assert!((0..=24).contains(&record.severity_number));
    assert!(record.severity_number == 0 || !record.severity_text.is_empty());
    assert!(parsed.service.is_none_or(|service| !service.is_empty()));
    let is_whole = record.attributes.is_empty() && record.trace_id.is_none() && record.span_id.is_none();
    if is_whole && !line.starts_with('{') && !line.contains('=') {
        assert_eq!(record.body.as_str(), Some(line.as_ref()));
    }
});
