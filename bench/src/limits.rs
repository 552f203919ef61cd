//! The physical limit: how often this disk makes bytes durable.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use crate::Row;

/// What one order costs on disk, about: payload, metadata, index.
pub const EVENT_BYTES: usize = 1_024;

/// One `fdatasync` after each write of one event's bytes, and of a group of 256.
pub fn fsync() -> Vec<Row> {
    [1, 256]
        .into_iter()
        .map(|group| {
            let folder = tempfile::tempdir_in(".").unwrap();
            let mut file = File::create(folder.path().join("log")).unwrap();
            let bytes = vec![7; EVENT_BYTES * group];
            let (begun, mut count) = (Instant::now(), 0_u64);
            while begun.elapsed() < Duration::from_secs(3) {
                file.write_all(&bytes).unwrap();
                file.sync_data().unwrap();
                count += 1;
            }
            let rate = count as f64 * group as f64 / begun.elapsed().as_secs_f64();
            Row::new(
                format!("fdatasync, groups of {group} × {EVENT_BYTES} bytes"),
                rate,
                "events/s",
                "the disk's own limit",
            )
        })
        .collect()
}
