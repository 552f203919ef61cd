//! The request log. What went wrong is always told; what went well at most so many times a second,
//! with a count of what was left out.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::http::StatusCode;

/// Lines about successes, a second.
const LINES: u64 = 50;

pub(super) struct LogLimit {
    began: Instant,
    /// The second that is being counted, and how many successes it has seen: 40 and 24 bits.
    window: AtomicU64,
    suppressed: AtomicU64,
}

impl Default for LogLimit {
    fn default() -> Self {
        Self { began: Instant::now(), window: AtomicU64::new(0), suppressed: AtomicU64::new(0) }
    }
}

const COUNT_BITS: u32 = 24;

impl LogLimit {
    pub(super) fn request(&self, method: &'static str, route: &str, status: StatusCode, seconds: f64) {
        // In whole microseconds, for people read it: a plain product would end in 0.09612699999999999.
        let http = (status.as_u16(), (seconds * 1e6).round() / 1e3);
        if status.is_server_error() {
            tracing::error!(
                http.request.method = method,
                http.route = route,
                http.response.status_code = http.0,
                duration_ms = http.1,
                "request failed"
            );
        } else if self.admit() {
            let suppressed = self.suppressed.swap(0, Ordering::Relaxed);
            tracing::info!(
                http.request.method = method,
                http.route = route,
                http.response.status_code = http.0,
                duration_ms = http.1,
                suppressed,
                "request served"
            );
        } else {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn admit(&self) -> bool {
        let second = self.began.elapsed().as_secs();
        let count_mask = (1 << COUNT_BITS) - 1;
        let admitted = self.window.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |window| {
            if window >> COUNT_BITS != second {
                Some((second << COUNT_BITS) | 1)
            } else if window & count_mask < LINES {
                Some(window + 1)
            } else {
                None
            }
        });
        admitted.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_cut() {
        let log = LogLimit::default();
        let admitted = (0..10_000).filter(|_| log.admit()).count() as u64;
        // The burst may run over a few seconds on a busy machine.
        assert!((LINES..=LINES * (log.began.elapsed().as_secs() + 1)).contains(&admitted), "{admitted}");
    }
}
