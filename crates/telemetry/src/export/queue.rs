//! Where records wait for the worker: bounded, never holding up who hands one over, and knowing at
//! every moment what has become of each record.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Batching;
use crate::metrics::Flow;

/// Records in one request at most, whatever the settings say.
const BATCH_MAX: usize = 8 * 1024;
/// Emptied batches that are kept to be filled again.
const SPARE_MAX: usize = 4;

/// Why a record never left.
pub(super) mod reason {
    /// More came than could be sent.
    pub(in crate::export) const QUEUE_FULL: &str = "queue_full";
    /// Tried for as long as is reasonable.
    pub(in crate::export) const UNDELIVERABLE: &str = "undeliverable";
    /// The collector does not want it.
    pub(in crate::export) const REJECTED: &str = "rejected";
    /// Larger than a request may be.
    pub(in crate::export) const OVERSIZED: &str = "oversized";
    /// The process ends.
    pub(in crate::export) const SHUTDOWN: &str = "shutdown";
    /// Each of them.
    pub(in crate::export) const ALL: [&str; 5] = [QUEUE_FULL, UNDELIVERABLE, REJECTED, OVERSIZED, SHUTDOWN];
}

/// Holds records until they have been sent or given up.
pub(super) struct Queue<T> {
    inner: Mutex<Inner<T>>,
    /// A batch is full, or there will be no more.
    pub(super) wake: Notify,
    bound: usize,
    batch: usize,
    pub(super) flow: Flow,
}

/// Batches are handed over whole, so that the lock is held for a moment only however many wait.
struct Inner<T> {
    full: VecDeque<Vec<T>>,
    open: Vec<T>,
    spare: Vec<Vec<T>>,
    /// Records that wait or are being sent.
    held: usize,
    is_closed: bool,
}

impl<T> Queue<T> {
    pub(super) fn new(batching: Batching, flow: Flow) -> Self {
        let bound = batching.queue.max(1);
        let inner = Inner { full: VecDeque::new(), open: Vec::new(), spare: Vec::new(), held: 0, is_closed: false };
        let batch = batching.batch.clamp(1, bound.min(BATCH_MAX));
        Self { inner: Mutex::new(inner), wake: Notify::new(), bound, batch, flow }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a record, or drops and counts it.
    pub(super) fn push(&self, record: T) {
        let mut inner = self.lock();
        let refused = if inner.is_closed {
            reason::SHUTDOWN
        } else if inner.held >= self.bound {
            reason::QUEUE_FULL
        } else {
            inner.held += 1;
            self.flow.held(inner.held);
            inner.open.push(record);
            if inner.open.len() < self.batch {
                return;
            }
            let next = inner.spare.pop().unwrap_or_else(|| Vec::with_capacity(self.batch));
            let full = std::mem::replace(&mut inner.open, next);
            inner.full.push_back(full);
            drop(inner);
            self.wake.notify_one();
            return;
        };
        // Neither counting nor freeing a record is to hold up others.
        drop(inner);
        self.flow.dropped(refused, 1);
    }

    /// The oldest full batch; with `even_partial` what there is when none is full.
    pub(super) fn take(&self, even_partial: bool) -> Option<Vec<T>> {
        let mut inner = self.lock();
        inner.full.pop_front().or_else(|| {
            let is_wanted = even_partial && !inner.open.is_empty();
            is_wanted.then(|| {
                let next = inner.spare.pop().unwrap_or_default();
                std::mem::replace(&mut inner.open, next)
            })
        })
    }

    /// Gives an emptied batch back to be filled again.
    pub(super) fn recycle(&self, mut batch: Vec<T>) {
        batch.clear();
        let mut inner = self.lock();
        if inner.spare.len() < SPARE_MAX {
            inner.spare.push(batch);
        }
    }

    /// Records that were taken have arrived, except for some that the collector did not want.
    pub(super) fn exported(&self, records: u64, rejected: u64) {
        let rejected = rejected.min(records);
        self.settle(records, |flow| {
            flow.exported(records - rejected);
            flow.dropped(reason::REJECTED, rejected);
        });
    }

    /// Records that were taken are given up.
    pub(super) fn dropped(&self, reason: &'static str, records: u64) {
        self.settle(records, |flow| flow.dropped(reason, records));
    }

    /// Counts under the lock, so that a record is never in two places or in none.
    fn settle(&self, records: u64, count: impl FnOnce(&Flow)) {
        let mut inner = self.lock();
        inner.held = inner.held.saturating_sub(usize::try_from(records).unwrap_or(usize::MAX));
        count(&self.flow);
        self.flow.held(inner.held);
    }

    /// Takes no more records, and has the worker look.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.wake.notify_one();
    }

    /// Gives everything up that has neither been sent nor given up.
    pub(super) fn abandon(&self) {
        let mut inner = self.lock();
        inner.is_closed = true;
        let waiting = (std::mem::take(&mut inner.full), std::mem::take(&mut inner.open));
        self.flow.dropped(reason::SHUTDOWN, inner.held as u64);
        inner.held = 0;
        self.flow.held(0);
        drop(inner);
        drop(waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metrics;

    fn queue(queue: usize, batch: usize) -> Queue<usize> {
        let metrics = Metrics::new("test", "0");
        let batching = Batching { queue, batch, delay: std::time::Duration::from_secs(1) };
        Queue::new(batching, metrics.exports.flow("traces", &reason::ALL))
    }

    #[test]
    fn a_full_queue_drops_what_is_new() {
        let queue = queue(3, 2);
        (0..5).for_each(|record| queue.push(record));
        assert_eq!(queue.take(false), Some(vec![0, 1]));
        assert_eq!(queue.take(false), None);
        assert_eq!(queue.take(true), Some(vec![2]));
        assert_eq!(queue.take(true), None);
        assert_eq!(queue.flow.dropped_total(reason::QUEUE_FULL), 2);
    }

    #[test]
    fn what_is_being_sent_counts_until_it_is_settled() {
        let queue = queue(2, 2);
        (0..2).for_each(|record| queue.push(record));
        queue.take(false).unwrap();
        queue.push(2);
        assert_eq!((queue.flow.held_now(), queue.flow.dropped_total(reason::QUEUE_FULL)), (2, 1));
        queue.exported(2, 1);
        queue.push(3);
        assert_eq!((queue.flow.held_now(), queue.flow.exported_total()), (1, 1));
        assert_eq!(queue.flow.dropped_total(reason::REJECTED), 1);
    }

    #[test]
    fn what_is_left_at_the_end_is_counted() {
        let queue = queue(10, 4);
        (0..6).for_each(|record| queue.push(record));
        queue.take(false).unwrap();
        queue.close();
        queue.push(6);
        queue.abandon();
        assert_eq!((queue.flow.held_now(), queue.flow.dropped_total(reason::SHUTDOWN)), (0, 7));
        assert_eq!(queue.take(true), None);
    }

    #[test]
    fn settings_that_make_no_sense_are_brought_into_bounds() {
        let queue = queue(0, 0);
        queue.push(0);
        assert_eq!(queue.take(false), Some(vec![0]));
    }
}
