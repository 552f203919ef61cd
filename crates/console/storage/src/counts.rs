//! What was taken, what was not, and what was removed, since the store was opened. What was removed is told by
//! [`crate::Fact`]s too, which outlive a restart.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use console_model::Text;

use crate::facts::Signal;
use crate::shelf::OTHER_SERVICES;

/// Counts of what came in and what did not, since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Spans taken.
    pub spans: u64,
    /// Log records taken.
    pub log_records: u64,
    /// Samples taken.
    pub samples: u64,
    /// Spans older than the store keeps: not taken.
    pub spans_too_old: u64,
    /// Log records older than the store keeps: not taken.
    pub log_records_too_old: u64,
    /// Spans larger than 32 MiB: not taken.
    pub spans_too_large: u64,
    /// Log records larger than 32 MiB: not taken.
    pub log_records_too_large: u64,
    /// Log records whose stream was one too many for its service: taken, under the service's common stream.
    pub log_records_merged: u64,
    /// The same sample again: left out.
    pub samples_repeated: u64,
    /// Samples that contradict one that is there: not taken.
    pub samples_duplicate: u64,
    /// Samples older than the newest of their series, by more than is allowed: not taken.
    pub samples_out_of_order: u64,
    /// Samples older than the store keeps: not taken.
    pub samples_too_old: u64,
    /// Samples of series beyond the bound on series: not taken.
    pub samples_over_series_limit: u64,
    /// Native histograms that are none: not taken.
    pub samples_invalid: u64,
    /// Batches refused because the disk takes nothing.
    pub batches_refused: u64,
    /// Segments removed to stay within the bounds.
    pub segments_evicted: u64,
    /// Bytes removed with them.
    pub bytes_evicted: u64,
}

impl Counts {
    const NONE: Self = Self {
        spans: 0,
        log_records: 0,
        samples: 0,
        spans_too_old: 0,
        log_records_too_old: 0,
        spans_too_large: 0,
        log_records_too_large: 0,
        log_records_merged: 0,
        samples_repeated: 0,
        samples_duplicate: 0,
        samples_out_of_order: 0,
        samples_too_old: 0,
        samples_over_series_limit: 0,
        samples_invalid: 0,
        batches_refused: 0,
        segments_evicted: 0,
        bytes_evicted: 0,
    };
}

/// What was removed of one service to stay within the bounds, since the store was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceEvictions {
    /// Whose it was.
    pub service: Text,
    /// Segments.
    pub segments: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Spans.
    pub spans: u64,
    /// Log records.
    pub log_records: u64,
    /// Samples.
    pub samples: u64,
    /// When the latest went, milliseconds since the Unix epoch.
    pub latest_ms: i64,
}

/// The same, counted by many threads.
#[derive(Debug)]
pub(crate) struct Counters {
    counts: Mutex<Counts>,
    evictions: Mutex<BTreeMap<Text, ServiceEvictions>>,
    services_max: usize,
}

impl Counters {
    pub(crate) const fn new(services_max: usize) -> Self {
        Self { counts: Mutex::new(Counts::NONE), evictions: Mutex::new(BTreeMap::new()), services_max }
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut lock(&self.counts));
    }

    pub(crate) fn counts(&self) -> Counts {
        *lock(&self.counts)
    }

    /// Counts a segment that was removed.
    pub(crate) fn evicted(&self, signal: Signal, service: &str, items: u64, bytes: u64, now_ms: i64) {
        self.change(|counts| {
            counts.segments_evicted += 1;
            counts.bytes_evicted += bytes;
        });
        let mut evictions = lock(&self.evictions);
        let is_known = evictions.len() < self.services_max || evictions.contains_key(service);
        let service: Text = if is_known { service } else { OTHER_SERVICES }.into();
        let of_service = evictions.entry(service.clone()).or_default();
        of_service.service = service;
        of_service.segments += 1;
        of_service.bytes += bytes;
        of_service.latest_ms = now_ms;
        match signal {
            Signal::Traces | Signal::Pinned => of_service.spans += items,
            Signal::Logs => of_service.log_records += items,
            Signal::Metrics => of_service.samples += items,
        }
    }

    /// Those who lost the most bytes first.
    pub(crate) fn evictions(&self) -> Vec<ServiceEvictions> {
        let mut all: Vec<ServiceEvictions> = lock(&self.evictions).values().cloned().collect();
        all.sort_by_key(|of_service| std::cmp::Reverse(of_service.bytes));
        all
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
