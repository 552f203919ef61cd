//! The console's store with a segment that has changed on disk, as a failing disk or another program leaves it.
//!
//! An input is what [`fuzz::store::open_changed`] takes: which file of that kind, and how it changes. It proves:
//!
//! - Nothing panics, whatever the file holds, its checksums right or wrong; the store opens and reads.
//! - What is taken after that is read, at once and after another opening.
//! - With checksums wrong, opening again gives what was given before: what was repaired stays repaired.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| fuzz::store::open_changed(input, "seg"));
