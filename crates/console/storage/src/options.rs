//! The bounds of a store.

use std::time::Duration;

/// How much is kept, for how long, and how much memory may be used on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Bytes on disk for the three signals together, with logs, indexes and facts.
    pub limit_bytes: u64,
    /// Data older than this is removed and no longer taken. Zero keeps and takes data of any age.
    pub retention_age: Duration,
    /// How long telemetry may be in memory only; at most this much is lost in a crash.
    pub flush_interval: Duration,
    /// How late a sample may be behind the newest of its series and still be taken, milliseconds. Zero, as
    /// in Prometheus, takes none that is late.
    pub out_of_order_window_ms: i64,
    /// Services that get a partition of their own; what others send shares one.
    pub services_max: usize,
    /// Series of all services together. One with long labels counts once more for each 512 bytes of them.
    pub series_max: usize,
    /// Series of one service.
    pub series_per_service_max: usize,
    /// Streams of one service that are told apart, at most 4,000; what others send goes to one stream of the
    /// service.
    pub streams_per_service_max: usize,
    /// Exemplars kept; the oldest gives way. Each pins its trace.
    pub exemplars_max: usize,
    /// Memory for rows that are not yet in a block, of each signal, bytes; no more than a 64th of
    /// `limit_bytes`, for they are in the log as well.
    pub open_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limit_bytes: 1 << 30,
            retention_age: Duration::from_secs(7 * 24 * 60 * 60),
            flush_interval: Duration::from_millis(500),
            out_of_order_window_ms: 0,
            services_max: 256,
            series_max: 1_000_000,
            series_per_service_max: 200_000,
            streams_per_service_max: 4_000,
            exemplars_max: 10_000,
            open_bytes_max: 64 << 20,
        }
    }
}

impl Options {
    /// A segment is what retention removes at once: small enough that removing one is no cliff, large
    /// enough that there are not too many files.
    pub(crate) fn segment_bytes(&self) -> u64 {
        (self.limit_bytes / 128).clamp(64 << 10, 32 << 20)
    }

    /// By how much a log grows before it is rotated: long enough to be rotated rarely, short enough to be
    /// replayed quickly and to leave the limit to what is in blocks.
    pub(crate) fn log_growth_max(&self) -> u64 {
        (self.limit_bytes / 32).clamp(64 << 10, 16 << 20)
    }

    /// Memory for open rows of a signal.
    pub(crate) fn open_bytes(&self) -> usize {
        let share = usize::try_from(self.limit_bytes / 64).unwrap_or(usize::MAX);
        self.open_bytes_max.min(share.max(512 << 10))
    }

    /// Memory for native histograms that are not yet on the shelf.
    pub(crate) fn histogram_bytes_max(&self) -> usize {
        self.open_bytes().saturating_mul(4)
    }

    /// After so many bytes written it is looked whether something has to go.
    pub(crate) fn step_bytes(&self) -> u64 {
        self.limit_bytes / 128
    }

    /// Where removing begins, and where it ends: what is written between two looks has room.
    pub(crate) fn marks(&self) -> (u64, u64) {
        (self.limit_bytes - self.limit_bytes / 32, self.limit_bytes - self.limit_bytes / 20)
    }

    /// Bytes for pinned traces, within the limit.
    pub(crate) fn pinned_bytes(&self) -> u64 {
        self.limit_bytes / 16
    }

    /// Where data is too old, milliseconds since the Unix epoch; `None` if nothing is.
    pub(crate) fn cutoff_ms(&self, now_ms: i64) -> Option<i64> {
        if self.retention_age.is_zero() {
            return None;
        }
        let age_ms = i64::try_from(self.retention_age.as_millis()).unwrap_or(i64::MAX);
        Some(now_ms.saturating_sub(age_ms))
    }
}
