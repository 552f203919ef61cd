//! The port through which journeys tell what they see, so that measuring, warming up and demo
//! traffic share them.
//!
//! The measuring implementation is [`crate::recorder`]; here is only the one that just counts.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{fault::Fault, operation::Operation, prepare::AttemptIds, scenario::Scenario};

/// How long a request took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Took {
    /// From when it was meant to start: what a customer feels.
    pub(crate) latency: Duration,
    /// From when it was sent: what the service can be blamed for.
    pub(crate) service_time: Duration,
}

/// One request's end.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) operation: Operation,
    /// `None` where there was neither an answer nor a wait for one worth measuring.
    pub(crate) took: Option<Took>,
    /// Whether a whole answer came, right or wrong.
    pub(crate) answered: bool,
    pub(crate) fault: Option<&'a Fault>,
    pub(crate) ids: &'a AttemptIds,
}

/// Takes note of what journeys do. Called from many tasks at once; MUST NOT block for long.
pub(crate) trait Record: Send + Sync + 'static {
    /// A request is about to be sent.
    fn sent(&self, operation: Operation);
    /// A request has ended; each one sent ends at most once, and not at all if it is aborted.
    fn ended(&self, exchange: &Exchange<'_>);
    /// A customer begins.
    fn started(&self, scenario: Scenario);
    /// A customer is through; `failed` where he had to break off.
    fn finished(&self, scenario: Scenario, failed: bool);
}

/// Counts and nothing else.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    sent: AtomicU64,
    failed: AtomicU64,
    customers: AtomicU64,
}

impl Counts {
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    pub(crate) fn customers(&self) -> u64 {
        self.customers.load(Ordering::Relaxed)
    }
}

impl Record for Counts {
    fn sent(&self, _: Operation) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    fn ended(&self, exchange: &Exchange<'_>) {
        if exchange.fault.is_some() {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn started(&self, _: Scenario) {
        self.customers.fetch_add(1, Ordering::Relaxed);
    }

    fn finished(&self, _: Scenario, _: bool) {}
}
