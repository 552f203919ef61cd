//! Whether a connection is serving a request, and since when it has not been. What follows from that is
//! the server's to decide.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::time::Instant;

pub(super) struct Activity {
    opened: Instant,
    requests: AtomicUsize,
    /// When the last request ended, or the connection began, in milliseconds after `opened`.
    idle_since_ms: AtomicU64,
}

impl Default for Activity {
    fn default() -> Self {
        Self { opened: Instant::now(), requests: AtomicUsize::new(0), idle_since_ms: AtomicU64::new(0) }
    }
}

impl Activity {
    /// When the connection became idle, unless it is serving a request.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let is_idle = self.requests.load(Ordering::Acquire) == 0;
        let since = Duration::from_millis(self.idle_since_ms.load(Ordering::Acquire));
        is_idle.then(|| self.opened + since)
    }
}

/// One request, from its head to the end of its answer's body.
pub(super) struct Busy(Arc<Activity>);

impl Busy {
    pub(super) fn new(activity: &Arc<Activity>) -> Self {
        activity.requests.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(activity))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.idle_since_ms.store(now, Ordering::Release);
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The body of an answer; its request is over when it is.
pub(super) struct Tracked {
    body: Body,
    _busy: Busy,
}

impl Tracked {
    pub(super) fn new(body: Body, busy: Busy) -> Self {
        Self { body, _busy: busy }
    }
}

impl hyper::body::Body for Tracked {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
