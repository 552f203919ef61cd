//! Staying within the bounds: which segment goes next, and what is remembered of it.
//!
//! Fair means: while the store is over its limit, the service that keeps the most bytes, over all signals,
//! gives its oldest segment of the signal it keeps the most of. So a service below its equal share loses
//! nothing, whatever others send.

use std::io;
use std::sync::{Arc, PoisonError};

use console_model::TraceId;
use hashbrown::{HashMap, HashSet};

use crate::facts::{Fact, FactKind, Signal};
use crate::shelf::Segment;
use crate::store::Inner;

/// After this many removed segments it is looked for series of which nothing is left.
const EVICTIONS_BETWEEN_LOOKS: u64 = 16;

impl Inner {
    pub(crate) fn keep_within_bounds(&self) -> io::Result<()> {
        let now_ms = self.now_ms();
        self.metrics.settle(now_ms);
        if let Some(cutoff_ms) = self.options.cutoff_ms(now_ms) {
            self.remove_expired(now_ms, cutoff_ms)?;
        }
        self.remove_excess(now_ms)?;
        self.bound_pinned(now_ms)?;
        if self.metric_evictions.load(std::sync::atomic::Ordering::Relaxed) >= EVICTIONS_BETWEEN_LOOKS {
            self.metric_evictions.store(0, std::sync::atomic::Ordering::Relaxed);
            self.metrics.forget_series(now_ms)?;
        }
        Ok(())
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

    fn remove_excess(&self, now_ms: i64) -> io::Result<()> {
        // A little below the limit, so that it is not met again at once.
        let target = self.options.limit_bytes - self.options.limit_bytes / 64;
        let mut total = self.bytes();
        if total <= self.options.limit_bytes {
            return Ok(());
        }
        while total > target {
            let Some((signal, segment)) = self.next_to_go() else { return Ok(()) };
            self.evict(signal, &segment, FactKind::EvictedForSize, now_ms)?;
            total = self.bytes();
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
        // A segment that could not be closed grows on, and is no segment to remove.
        segment.filter(|segment| segment.is_sealed()).map(|segment| (signal, segment))
    }

    fn bound_pinned(&self, now_ms: i64) -> io::Result<()> {
        let shelf = &self.traces.pinned;
        while shelf.bytes() > self.options.pinned_bytes() {
            let largest = shelf.usage().into_iter().max_by_key(|(_, bytes)| *bytes);
            let segment = largest.and_then(|(service, _)| shelf.oldest(&service));
            let Some(segment) = segment.filter(|segment| segment.is_sealed()) else { return Ok(()) };
            self.evict(Signal::Pinned, &segment, FactKind::EvictedForSize, now_ms)?;
        }
        Ok(())
    }

    fn evict(&self, signal: Signal, segment: &Arc<Segment>, kind: FactKind, now_ms: i64) -> io::Result<()> {
        match signal {
            Signal::Traces => self.traces.evict(segment, &self.pinned_traces(), now_ms)?,
            Signal::Pinned => self.traces.pinned.remove(segment, None)?,
            Signal::Logs => {
                self.logs.shelf.remove(segment, None)?;
                self.logs.forget_streams();
            }
            Signal::Metrics => {
                self.metrics.evict(segment)?;
                self.count_metric_eviction();
            }
        }
        self.counters.change(|counts| {
            counts.segments_evicted += 1;
            counts.bytes_evicted += segment.bytes();
        });
        let extent = segment.extent();
        self.facts.add(Fact {
            at_ms: now_ms,
            kind,
            signal,
            service: segment.service().as_ref().into(),
            from_ns: extent.min,
            to_ns: extent.max,
            items: segment.rows(),
            bytes: segment.bytes(),
            detail: "".into(),
        });
        Ok(())
    }

    /// The traces that are pinned, by exemplars or by name.
    fn pinned_traces(&self) -> HashSet<TraceId> {
        let mut pins = self.metrics.pins();
        pins.extend(self.pins.lock().unwrap_or_else(PoisonError::into_inner).keys().copied());
        pins
    }
}
