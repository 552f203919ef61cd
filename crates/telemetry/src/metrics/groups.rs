//! The metrics, one struct for each namespace of `semconv/`. Labels are fixed words or matched
//! routes, never values from outside, so the number of series is bounded. Groups that are off count
//! nothing, so that what counting costs can be measured.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use crate::names;
use crate::trace::TraceId;

/// `trace_id` of an exemplar.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Exemplar {
    trace_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    http_request_method: &'static str,
    http_route: String,
    http_response_status_code: u16,
}

type RequestHistogram = HistogramWithExemplars<Exemplar>;

/// The HTTP server.
pub struct Http {
    is_on: bool,
    duration: Family<Request, RequestHistogram, fn() -> RequestHistogram>,
    /// Requests being served right now.
    pub active: Gauge,
}

impl Http {
    pub(super) fn register(registry: &mut Registry, is_on: bool) -> Self {
        let new: fn() -> RequestHistogram =
            || HistogramWithExemplars::new(names::HTTP_SERVER_REQUEST_DURATION_BUCKETS.into_iter());
        let http = Self { is_on, duration: Family::new_with_constructor(new), active: Gauge::default() };
        register(registry, names::HTTP_SERVER_REQUEST_DURATION, http.duration.clone());
        register(registry, names::HTTP_SERVER_ACTIVE_REQUESTS, http.active.clone());
        http
    }

    /// Counts a served request. `route` is the matched route, never the URI; `exemplar` is the trace
    /// in which to look, when it is kept.
    pub fn observe(&self, method: &'static str, route: &str, status: u16, seconds: f64, exemplar: Option<TraceId>) {
        if !self.is_on {
            return;
        }
        let labels =
            Request { http_request_method: method, http_route: route.to_owned(), http_response_status_code: status };
        let exemplar = exemplar.map(|id| Exemplar { trace_id: id.to_string() });
        self.duration.get_or_create(&labels).observe(seconds, exemplar, None);
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CommandLabels {
    command: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    event: &'static str,
}

/// Commands and events of the domain.
pub struct Delivery {
    is_on: bool,
    commands: Family<CommandLabels, Counter>,
    orders: Family<EventLabels, Counter>,
}

impl Delivery {
    pub(super) fn register(registry: &mut Registry, is_on: bool) -> Self {
        let delivery = Self { is_on, commands: Family::default(), orders: Family::default() };
        register(registry, names::DELIVERY_COMMANDS, delivery.commands.clone());
        register(registry, names::DELIVERY_ORDERS, delivery.orders.clone());
        delivery
    }

    /// Counts a command; `outcome` is one of a fixed set of words.
    pub fn command(&self, command: &'static str, outcome: &'static str) {
        if !self.is_on {
            return;
        }
        self.commands.get_or_create(&CommandLabels { command, outcome }).inc();
    }

    /// Counts an appended event by its name.
    pub fn event(&self, event: &'static str) {
        if !self.is_on {
            return;
        }
        self.orders.get_or_create(&EventLabels { event }).inc();
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
    backend: &'static str,
    outcome: &'static str,
}

type OperationHistograms = Family<Operation, Histogram, fn() -> Histogram>;

/// Registers a metric under its declared name and meaning.
fn register(registry: &mut Registry, (name, help): (&str, &str), metric: impl Metric) {
    registry.register(name, help, metric);
}

/// The port to the event store.
pub struct EventStore {
    is_on: bool,
    duration: OperationHistograms,
    conflicts: Counter,
}

impl EventStore {
    pub(super) fn register(registry: &mut Registry, is_on: bool) -> Self {
        let new: fn() -> Histogram = || Histogram::new(names::EVENTSTORE_OPERATION_DURATION_BUCKETS);
        let group = Self { is_on, duration: Family::new_with_constructor(new), conflicts: Counter::default() };
        register(registry, names::EVENTSTORE_OPERATION_DURATION, group.duration.clone());
        register(registry, names::EVENTSTORE_CONFLICTS, group.conflicts.clone());
        group
    }

    /// Counts a call; `outcome` is `ok` or the error's constant word.
    pub fn observe(&self, operation: &'static str, backend: &'static str, outcome: &'static str, seconds: f64) {
        if !self.is_on {
            return;
        }
        self.duration.get_or_create(&Operation { operation, backend, outcome }).observe(seconds);
        if outcome == "conflict" {
            self.conflicts.inc();
        }
    }
}

/// The ports to read model and search.
pub struct ReadModel {
    is_on: bool,
    duration: OperationHistograms,
    /// Without a series until both could be compared.
    divergence: Family<[(&'static str, &'static str); 0], Gauge>,
}

impl ReadModel {
    pub(super) fn register(registry: &mut Registry, is_on: bool) -> Self {
        let new: fn() -> Histogram = || Histogram::new(names::READMODEL_OPERATION_DURATION_BUCKETS);
        let group = Self { is_on, duration: Family::new_with_constructor(new), divergence: Family::default() };
        register(registry, names::READMODEL_OPERATION_DURATION, group.duration.clone());
        register(registry, names::SEARCH_DIVERGENCE_ORDERS, group.divergence.clone());
        group
    }

    /// Tells by how many orders read model and search differ.
    pub fn divergence(&self, orders: u64) {
        if self.is_on {
            self.divergence.get_or_create(&[]).set(orders.try_into().unwrap_or(i64::MAX));
        }
    }

    /// Counts a call; `outcome` is `ok` or the error's constant word.
    pub fn observe(&self, operation: &'static str, backend: &'static str, outcome: &'static str, seconds: f64) {
        if !self.is_on {
            return;
        }
        self.duration.get_or_create(&Operation { operation, backend, outcome }).observe(seconds);
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Name {
    projection: &'static str,
}

type Seconds = Gauge<f64, AtomicU64>;

/// The projections that this process runs.
pub struct Projection {
    is_on: bool,
    lag_events: Family<Name, Gauge>,
    lag_seconds: Family<Name, Seconds>,
    event_duration: Family<Name, Histogram, fn() -> Histogram>,
    checkpoint: Family<Name, Gauge>,
    parked: Family<Name, Gauge>,
    restarts: Family<Name, Counter>,
}

impl Projection {
    pub(super) fn register(registry: &mut Registry, is_on: bool) -> Self {
        let new: fn() -> Histogram = || Histogram::new(names::PROJECTION_EVENT_DURATION_BUCKETS);
        let group = Self {
            is_on,
            lag_events: Family::default(),
            lag_seconds: Family::default(),
            event_duration: Family::new_with_constructor(new),
            checkpoint: Family::default(),
            parked: Family::default(),
            restarts: Family::default(),
        };
        register(registry, names::PROJECTION_LAG_EVENTS, group.lag_events.clone());
        register(registry, names::PROJECTION_LAG, group.lag_seconds.clone());
        register(registry, names::PROJECTION_EVENT_DURATION, group.event_duration.clone());
        register(registry, names::PROJECTION_CHECKPOINT_POSITION, group.checkpoint.clone());
        register(registry, names::PROJECTION_PARKED_EVENTS, group.parked.clone());
        register(registry, names::PROJECTION_RESTARTS, group.restarts.clone());
        group
    }

    /// Tells how far a projection is.
    pub fn progress(&self, projection: &'static str, checkpoint: u64, lag_events: u64, lag_seconds: f64) {
        if !self.is_on {
            return;
        }
        let name = Name { projection };
        self.checkpoint.get_or_create(&name).set(checkpoint.try_into().unwrap_or(i64::MAX));
        self.lag_events.get_or_create(&name).set(lag_events.try_into().unwrap_or(i64::MAX));
        self.lag_seconds.get_or_create(&name).set(lag_seconds);
    }

    /// Tells how many events are parked.
    pub fn parked(&self, projection: &'static str, events: u64) {
        if !self.is_on {
            return;
        }
        self.parked.get_or_create(&Name { projection }).set(events.try_into().unwrap_or(i64::MAX));
    }

    /// Counts a batch of `events` that took `seconds` in all.
    pub fn batch(&self, projection: &'static str, events: u32, seconds: f64) {
        if !self.is_on {
            return;
        }
        self.event_duration.get_or_create(&Name { projection }).observe(seconds / f64::from(events.max(1)));
    }

    /// Counts a restart.
    pub fn restarted(&self, projection: &'static str) {
        if !self.is_on {
            return;
        }
        self.restarts.get_or_create(&Name { projection }).inc();
    }
}
