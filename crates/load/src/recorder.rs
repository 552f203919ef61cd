//! Keeps the measurements of a run: latency histograms and counts by operation, errors by kind.
//!
//! Numbers only; what they mean for an objective is [`crate::slo`]'s, how they are shown
//! [`crate::report`]'s.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hdrhistogram::{CreationError, Histogram};

use crate::{
    fault::Kind,
    operation::Operation,
    record::{Exchange, Record, Took},
    scenario::Scenario,
};

/// Histograms count microseconds up to ten minutes, with three significant digits.
const LATENCY_US_MAX: u64 = 600_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// What is kept of one operation, or of all together.
#[derive(Debug, Clone)]
pub(crate) struct Measurements {
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    /// Requests of customers who were turned away because too many were under way.
    pub(crate) dropped: u64,
    pub(crate) latency_us: Histogram<u64>,
    pub(crate) service_time_us: Histogram<u64>,
}

impl Measurements {
    pub(crate) fn new() -> Result<Self, CreationError> {
        let histogram = || Histogram::new_with_bounds(1, LATENCY_US_MAX, SIGNIFICANT_DIGITS);
        Ok(Self {
            sent: 0,
            answered: 0,
            failed: 0,
            dropped: 0,
            latency_us: histogram()?,
            service_time_us: histogram()?,
        })
    }

    fn take(&mut self, took: Took) {
        self.latency_us.saturating_record(microseconds(took.latency));
        self.service_time_us.saturating_record(microseconds(took.service_time));
    }

    /// Requests that were due and whose latency nobody will ever know: dropped, refused a
    /// connection, or never answered.
    pub(crate) fn missing(&self) -> u64 {
        (self.sent + self.dropped).saturating_sub(self.latency_us.len())
    }

    /// The latency below which `quantile` of all requests that were due came back, the missing ones
    /// counted as slower than any; `None` where that many did not come back.
    pub(crate) fn honest_quantile_us(&self, quantile: f64) -> Option<u64> {
        let measured = self.latency_us.len();
        let due = measured + self.missing();
        if measured == 0 {
            return None;
        }
        let rescaled = quantile * due as f64 / measured as f64;
        (rescaled <= 1.0).then(|| self.latency_us.value_at_quantile(rescaled))
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// An error kind's count, and the first of them.
#[derive(Debug, Clone)]
pub(crate) struct Errors {
    pub(crate) count: u64,
    pub(crate) operation: Operation,
    pub(crate) detail: String,
    pub(crate) trace_id: String,
    pub(crate) request_id: String,
}

/// How customers of one scenario fared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fates {
    pub(crate) started: u64,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
}

/// All that a run measures.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    pub(crate) all: Measurements,
    /// Indexed by operation.
    pub(crate) operations: Vec<Measurements>,
    pub(crate) errors: BTreeMap<Kind, Errors>,
    pub(crate) scenarios: BTreeMap<Scenario, Fates>,
}

impl Recording {
    pub(crate) fn new() -> Result<Self, CreationError> {
        Ok(Self {
            all: Measurements::new()?,
            operations: Operation::ALL.iter().map(|_| Measurements::new()).collect::<Result<_, _>>()?,
            errors: BTreeMap::new(),
            scenarios: BTreeMap::new(),
        })
    }

    pub(crate) fn operation(&self, operation: Operation) -> &Measurements {
        &self.operations[operation as usize]
    }

    fn both(&mut self, operation: Operation, change: impl Fn(&mut Measurements)) {
        change(&mut self.all);
        change(&mut self.operations[operation as usize]);
    }

    fn note_error(&mut self, exchange: &Exchange<'_>) {
        let Some(fault) = exchange.fault else { return };
        self.errors
            .entry(fault.kind)
            .or_insert_with(|| Errors {
                count: 0,
                operation: exchange.operation,
                detail: fault.detail.clone(),
                trace_id: exchange.ids.trace_id().to_owned(),
                request_id: exchange.ids.request_id.clone(),
            })
            .count += 1;
    }
}

/// A [`Recording`] in the making, shared by all customers.
#[derive(Debug)]
pub(crate) struct Recorder(Mutex<Recording>);

impl Recorder {
    pub(crate) fn new() -> Result<Self, CreationError> {
        Recording::new().map(|recording| Self(Mutex::new(recording)))
    }

    /// Counts the requests of a customer who was turned away.
    pub(crate) fn dropped(&self, operations: impl Iterator<Item = Operation>) {
        let mut recording = self.lock();
        for operation in operations {
            recording.both(operation, |measurements| measurements.dropped += 1);
        }
    }

    /// Looks at the recording so far; everybody waits meanwhile.
    pub(crate) fn peek<T>(&self, look: impl FnOnce(&Recording) -> T) -> T {
        look(&self.lock())
    }

    /// A panic while recording can at worst lose one count, so a poisoned lock is no reason to stop.
    fn lock(&self) -> MutexGuard<'_, Recording> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record for Recorder {
    fn sent(&self, operation: Operation) {
        self.lock().both(operation, |measurements| measurements.sent += 1);
    }

    fn ended(&self, exchange: &Exchange<'_>) {
        let mut recording = self.lock();
        recording.both(exchange.operation, |measurements| {
            measurements.answered += u64::from(exchange.answered);
            measurements.failed += u64::from(exchange.fault.is_some());
            if let Some(took) = exchange.took {
                measurements.take(took);
            }
        });
        recording.note_error(exchange);
    }

    fn started(&self, scenario: Scenario) {
        self.lock().scenarios.entry(scenario).or_default().started += 1;
    }

    fn finished(&self, scenario: Scenario, failed: bool) {
        let mut recording = self.lock();
        let fates = recording.scenarios.entry(scenario).or_default();
        fates.failed += u64::from(failed);
        fates.completed += u64::from(!failed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prepare::AttemptIds;

    fn took(latency_ms: u64) -> Took {
        Took { latency: Duration::from_millis(latency_ms), service_time: Duration::from_millis(1) }
    }

    #[test]
    fn missing_requests_count_as_slower_than_any() {
        let mut measurements = Measurements::new().unwrap();
        assert_eq!(measurements.honest_quantile_us(0.5), None);
        for _ in 0..98 {
            measurements.sent += 1;
            measurements.take(took(10));
        }
        let p99 = |measurements: &Measurements| measurements.honest_quantile_us(0.99).map(|us| us / 1_000);
        assert_eq!(p99(&measurements), Some(10));
        measurements.sent += 1;
        measurements.dropped += 1;
        assert_eq!(measurements.missing(), 2);
        assert_eq!(p99(&measurements), None);
        assert_eq!(measurements.honest_quantile_us(0.95).map(|us| us / 1_000), Some(10));
    }

    #[test]
    fn the_first_error_of_a_kind_is_kept() {
        let recorder = Recorder::new().unwrap();
        for detail in ["first", "second"] {
            recorder.ended(&Exchange {
                operation: Operation::Pay,
                took: None,
                answered: false,
                fault: Some(&crate::fault::Fault::new(Kind::Connect, detail)),
                ids: &AttemptIds::new("abc".to_owned()),
            });
        }
        recorder.peek(|recording| {
            let errors = &recording.errors[&Kind::Connect];
            assert_eq!((errors.count, errors.detail.as_str()), (2, "first"));
            assert_eq!(recording.operation(Operation::Pay).failed, 2);
            assert_eq!(recording.all.failed, 2);
        });
    }
}
