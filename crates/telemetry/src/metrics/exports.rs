//! What became of the spans and log lines that were handed to the exporter.

use std::collections::BTreeMap;
use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::names;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Signal {
    signal: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    signal: &'static str,
    reason: &'static str,
}

/// The exporter of spans and log lines. Cheap to clone; clones count together.
#[derive(Clone)]
pub struct Exports {
    dropped: Family<Why, Counter>,
    exported: Family<Signal, Counter>,
    failures: Family<Why, Counter>,
    queued: Family<Signal, Gauge>,
}

impl Exports {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let exports = Self {
            dropped: Family::default(),
            exported: Family::default(),
            failures: Family::default(),
            queued: Family::default(),
        };
        let mut register = |(name, help): (&str, &str), metric: &Family<Why, Counter>| {
            registry.register(name, help, metric.clone());
        };
        register(names::TELEMETRY_DROPPED, &exports.dropped);
        register(names::TELEMETRY_EXPORT_FAILURES, &exports.failures);
        let (name, help) = names::TELEMETRY_EXPORTED;
        registry.register(name, help, exports.exported.clone());
        let (name, help) = names::TELEMETRY_QUEUE_RECORDS;
        registry.register(name, help, exports.queued.clone());
        exports
    }

    /// Records of a signal (`traces`, `logs`) that the collector took.
    #[must_use]
    pub fn exported_total(&self, signal: &'static str) -> u64 {
        self.exported.get_or_create(&Signal { signal }).get()
    }

    /// Records of a signal that were dropped for this reason.
    #[must_use]
    pub fn dropped_total(&self, signal: &'static str, reason: &'static str) -> u64 {
        self.dropped.get_or_create(&Why { signal, reason }).get()
    }

    /// Requests of a signal that failed for this reason.
    #[must_use]
    pub fn failures_total(&self, signal: &'static str, reason: &'static str) -> u64 {
        self.failures.get_or_create(&Why { signal, reason }).get()
    }

    /// Records of a signal that wait or are being sent.
    #[must_use]
    pub fn queued(&self, signal: &'static str) -> u64 {
        self.queued.get_or_create(&Signal { signal }).get().try_into().unwrap_or_default()
    }

    /// What is dropped of a signal for a reason that lies outside of the exporter.
    pub(super) fn elsewhere(&self, signal: &'static str, reason: &'static str) -> Counter {
        self.dropped.get_or_create(&Why { signal, reason }).clone()
    }

    /// The series of one signal, each of which is there from the beginning: a rate needs a first value.
    pub(crate) fn flow(&self, signal: &'static str, reasons: &[&'static str]) -> Flow {
        let dropped = reasons
            .iter()
            .map(|reason| (*reason, self.dropped.get_or_create(&Why { signal, reason }).clone()))
            .collect();
        Flow {
            signal,
            dropped: Arc::new(dropped),
            exported: self.exported.get_or_create(&Signal { signal }).clone(),
            queued: self.queued.get_or_create(&Signal { signal }).clone(),
            failures: self.failures.clone(),
        }
    }
}

/// The series of one signal, found once.
#[derive(Clone)]
pub(crate) struct Flow {
    signal: &'static str,
    dropped: Arc<BTreeMap<&'static str, Counter>>,
    exported: Counter,
    queued: Gauge,
    failures: Family<Why, Counter>,
}

impl Flow {
    /// The signal's name.
    pub(crate) const fn signal(&self) -> &'static str {
        self.signal
    }

    pub(crate) fn held(&self, records: usize) {
        self.queued.set(records.try_into().unwrap_or(i64::MAX));
    }

    pub(crate) fn exported(&self, records: u64) {
        self.exported.inc_by(records);
    }

    pub(crate) fn dropped(&self, reason: &'static str, records: u64) {
        if let Some(counter) = self.dropped.get(reason) {
            counter.inc_by(records);
        }
    }

    pub(crate) fn failed(&self, reason: &'static str) {
        self.failures.get_or_create(&Why { signal: self.signal, reason }).inc();
    }

    /// Records dropped so far, for whatever reason.
    pub(crate) fn lost_total(&self) -> u64 {
        self.dropped.values().map(|counter| counter.get()).sum()
    }
}

#[cfg(test)]
impl Flow {
    pub(crate) fn held_now(&self) -> i64 {
        self.queued.get()
    }

    pub(crate) fn exported_total(&self) -> u64 {
        self.exported.get()
    }

    pub(crate) fn dropped_total(&self, reason: &'static str) -> u64 {
        self.dropped[reason].get()
    }
}
