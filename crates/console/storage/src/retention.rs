//! Staying within the bounds: which segment goes next, and what is remembered of it.
//!
//! Fair means: while the store is over its limit, the service that keeps the most bytes, over all signals,
//! gives its oldest segment of the signal it keeps the most of. So a service below its equal share loses
//! nothing, whatever others send.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use console_model::TraceId;
use hashbrown::{HashMap, HashSet};

use crate::facts::{Fact, FactKind, Signal};
use crate::shelf::Segment;
use crate::store::{Inner, Task};

/// After this many removed segments it is looked for series of which nothing is left.
const EVICTIONS_BETWEEN_LOOKS: u64 = 16;
/// The same while there is little room for new series.
const EVICTIONS_BETWEEN_LOOKS_PRESSED: u64 = 4;

impl Inner {
    pub(crate) fn keep_within_bounds(&self) -> io::Result<()> {
        let now_ms = self.now_ms();
        self.metrics.settle(now_ms);
        {
            let _turn = self.removing.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(cutoff_ms) = self.options.cutoff_ms(now_ms) {
                self.remove_expired(now_ms, cutoff_ms)?;
            }
            self.remove_excess(now_ms, 0)?;
            self.bound_pinned(now_ms)?;
        }
        let looks = self.make_room_for_series(now_ms)?;
        if self.metric_evictions.load(Ordering::Relaxed) >= looks {
            self.metric_evictions.store(0, Ordering::Relaxed);
            self.metrics.forget_series(now_ms)?;
        }
        Ok(())
    }

    /// Series that take no more samples are known for as long as samples of them are kept. When they leave no
    /// room for new ones, the oldest go a segment at a time; else a service that was busy once would show
    /// nothing new for as long as data is kept. Gives after how many removed segments to look for series of
    /// which nothing is left.
    fn make_room_for_series(&self, now_ms: i64) -> io::Result<u64> {
        let Some(service) = self.metrics.crowded() else { return Ok(EVICTIONS_BETWEEN_LOOKS) };
        let _turn = self.removing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(segment) = self.metrics.shelf.oldest(&service) else {
            self.metrics.shelf.seal_open(&service, now_ms);
            return Ok(1);
        };
        let detail = "to make room for new series";
        self.evict_because(Signal::Metrics, &segment, FactKind::EvictedForSize, now_ms, detail)?;
        Ok(EVICTIONS_BETWEEN_LOOKS_PRESSED)
    }

    /// What whoever writes calls after it: it removes what is too much once a little has been written, so
    /// that the limit holds at any time and senders are slowed down by no more than removing takes.
    pub(crate) fn make_room(&self) {
        let is_due = || {
            let written = self.disk.written();
            let since = written.saturating_sub(self.looked_at.load(Ordering::Relaxed));
            (since >= self.options.step_bytes()).then_some(written)
        };
        if is_due().is_none() {
            return;
        }
        let _turn = self.removing.lock().unwrap_or_else(PoisonError::into_inner);
        // Another may have done it meanwhile.
        let Some(written) = is_due() else { return };
        self.looked_at.store(written, Ordering::Relaxed);
        self.note(Task::MakeRoom, &self.remove_excess(self.now_ms(), 0));
    }

    /// The same before much is written at once.
    pub(crate) fn make_room_for(&self, bytes: u64) {
        if bytes > self.options.step_bytes() {
            let _turn = self.removing.lock().unwrap_or_else(PoisonError::into_inner);
            self.note(Task::MakeRoom, &self.remove_excess(self.now_ms(), bytes));
        }
    }

    fn remove_expired(&self, now_ms: i64, cutoff_ms: i64) -> io::Result<()> {
        let grow_ms = i64::try_from(self.options.retention_age.as_millis() / 16).unwrap_or(i64::MAX).max(1);
        let expired = [
            (Signal::Traces, self.traces.shelf.expire(now_ms, cutoff_ms, grow_ms)),
            (Signal::Logs, self.logs.shelf.expire(now_ms, cutoff_ms, grow_ms)),
            (Signal::Metrics, self.metrics.shelf.expire(now_ms, cutoff_ms, grow_ms)),
        ];
        for (signal, segments) in expired {
            for segment in segments {
                self.evict(signal, &segment, FactKind::EvictedForAge, now_ms)?;
            }
        }
        Ok(())
    }

    /// `coming` is what has to fit in addition.
    fn remove_excess(&self, now_ms: i64, coming: u64) -> io::Result<()> {
        let (begin, target) = self.options.marks();
        let mut total = self.bytes() + coming;
        if total <= begin {
            return Ok(());
        }
        while total > target {
            let Some((signal, segment)) = self.next_to_go() else { return Ok(()) };
            self.evict(signal, &segment, FactKind::EvictedForSize, now_ms)?;
            total = self.bytes() + coming;
        }
        Ok(())
    }

    fn next_to_go(&self) -> Option<(Signal, Arc<Segment>)> {
        let mut usage: HashMap<Arc<str>, [(Signal, u64); 3]> = HashMap::new();
        let all = [(0, self.traces.shelf.usage()), (1, self.logs.shelf.usage()), (2, self.metrics.shelf.usage())];
        for (place, services) in all {
            for (service, bytes) in services {
                let of_service =
                    usage.entry(service).or_insert([(Signal::Traces, 0), (Signal::Logs, 0), (Signal::Metrics, 0)]);
                if let Some((_, of_signal)) = of_service.get_mut(place) {
                    *of_signal = bytes;
                }
            }
        }
        let (service, signals) =
            usage.into_iter().max_by_key(|(_, signals)| signals.iter().map(|(_, bytes)| bytes).sum::<u64>())?;
        let (signal, _) = signals.into_iter().max_by_key(|(_, bytes)| *bytes).filter(|(_, bytes)| *bytes > 0)?;
        let segment = match signal {
            Signal::Logs => self.logs.shelf.oldest(&service),
            Signal::Metrics => self.metrics.shelf.oldest(&service),
            Signal::Traces | Signal::Pinned => self.traces.shelf.oldest(&service),
        };
        segment.map(|segment| (signal, segment))
    }

    fn bound_pinned(&self, now_ms: i64) -> io::Result<()> {
        let shelf = &self.traces.pinned;
        while shelf.bytes() > self.options.pinned_bytes() {
            let largest = shelf.usage().into_iter().max_by_key(|(_, bytes)| *bytes);
            let segment = largest.and_then(|(service, _)| shelf.oldest(&service));
            let Some(segment) = segment else { return Ok(()) };
            self.evict(Signal::Pinned, &segment, FactKind::EvictedForSize, now_ms)?;
        }
        Ok(())
    }

    fn evict(&self, signal: Signal, segment: &Arc<Segment>, kind: FactKind, now_ms: i64) -> io::Result<()> {
        self.evict_because(signal, segment, kind, now_ms, "")
    }

    fn evict_because(
        &self,
        signal: Signal,
        segment: &Arc<Segment>,
        kind: FactKind,
        now_ms: i64,
        detail: &str,
    ) -> io::Result<()> {
        match signal {
            Signal::Traces => self.traces.evict(segment, &self.pinned_traces(), now_ms)?,
            Signal::Pinned => self.traces.pinned.remove(segment, None)?,
            Signal::Logs => {
                self.logs.shelf.remove(segment, None)?;
                self.logs.forget_streams(segment.service());
            }
            Signal::Metrics => {
                self.metrics.evict(segment)?;
                self.count_metric_eviction();
            }
        }
        let items = match signal {
            Signal::Metrics => segment.blocks().iter().map(|meta| meta.extent.high).sum(),
            Signal::Traces | Signal::Logs | Signal::Pinned => segment.rows(),
        };
        self.counters.evicted(signal, segment.service(), items, segment.bytes(), now_ms);
        let extent = segment.extent();
        self.facts.add(Fact {
            at_ms: now_ms,
            kind,
            signal,
            service: segment.service().as_ref().into(),
            from_ns: extent.min,
            to_ns: extent.max,
            items,
            bytes: segment.bytes(),
            detail: detail.into(),
        });
        Ok(())
    }

    /// The traces that are pinned, by exemplars or by name.
    fn pinned_traces(&self) -> HashSet<TraceId> {
        let mut pins = self.metrics.pins();
        pins.extend(self.pins.all().into_iter().map(|(_, id)| id));
        pins
    }
}
