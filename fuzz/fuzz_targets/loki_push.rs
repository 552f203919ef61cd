//! What is pushed to Loki: JSON, and protobuf after decompression.
//!
//! An input is a body, read as both. It proves:
//!
//! - Any bytes are read or refused, with a text that is bounded.
//! - Each stream names its service, has at most one label more than Loki allows, and has records.
//! - Each record has the time of its arrival, and a text.
#![no_main]

use console_receivers::loki::{Decoded, decode_json, decode_protobuf};
use libfuzzer_sys::fuzz_target;

const ARRIVAL_NS: u64 = 1_700_000_000_000_000_000;

fuzz_target!(|input: &[u8]| {
    if let Ok(decoded) = decode_json(input, ARRIVAL_NS) {
        check(&decoded, input.len());
    }
    if let Ok(decoded) = decode_protobuf(input, ARRIVAL_NS) {
        check(&decoded, input.len());
    }
});

fn check(decoded: &Decoded, input_len: usize) {
    let Decoded { batch, rejects } = decoded;
    assert!(batch.len() as u64 + rejects.count() <= input_len as u64);
    for group in &batch.groups {
        assert!(!group.service().is_empty() && group.stream.get("service_name") == Some(group.service()));
        assert!(group.stream.len() <= 16 && !group.records.is_empty());
        for record in &group.records {
            assert_eq!(record.observed_time_ns, ARRIVAL_NS);
            assert!(record.body.as_str().is_some());
        }
    }
    assert!(rejects.count() == 0 || !rejects.reasons().is_empty());
    assert!(rejects.to_string().len() < 10_000);
}
