//! Names, help texts and buckets of the metrics. Generated from `semconv/` by
//! `cargo xtask semconv --write`: change them there.

/// `delivery_commands_total`
pub(crate) const DELIVERY_COMMANDS: (&str, &str) = (
    "delivery_commands",
    "Commands to orders, by what became of them",
);

/// `delivery_orders_total`
pub(crate) const DELIVERY_ORDERS: (&str, &str) = (
    "delivery_orders",
    "Events of orders that were appended",
);

/// `eventstore_operation_duration_seconds`
pub(crate) const EVENTSTORE_OPERATION_DURATION: (&str, &str) = (
    "eventstore_operation_duration_seconds",
    "Duration of calls to the event store",
);
/// Upper bounds of `eventstore_operation_duration_seconds`, in seconds.
pub(crate) const EVENTSTORE_OPERATION_DURATION_BUCKETS: [f64; 12] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];

/// `eventstore_conflicts_total`
pub(crate) const EVENTSTORE_CONFLICTS: (&str, &str) = (
    "eventstore_conflicts",
    "Appends refused because another writer came first",
);

/// `http_server_request_duration_seconds`
pub(crate) const HTTP_SERVER_REQUEST_DURATION: (&str, &str) = (
    "http_server_request_duration_seconds",
    "Duration of HTTP server requests, until the head of the response is ready",
);
/// Upper bounds of `http_server_request_duration_seconds`, in seconds.
pub(crate) const HTTP_SERVER_REQUEST_DURATION_BUCKETS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 15.0];

/// `http_server_active_requests`
pub(crate) const HTTP_SERVER_ACTIVE_REQUESTS: (&str, &str) = (
    "http_server_active_requests",
    "HTTP server requests being served",
);

/// `build_info`
pub(crate) const BUILD_INFO: (&str, &str) = (
    "build_info",
    "What is running; always 1",
);

/// `projection_lag_events`
pub(crate) const PROJECTION_LAG_EVENTS: (&str, &str) = (
    "projection_lag_events",
    "Positions between the head of the store and the checkpoint",
);

/// `projection_lag_seconds`
pub(crate) const PROJECTION_LAG: (&str, &str) = (
    "projection_lag_seconds",
    "Age of the oldest event that is not projected yet, 0 when there is none",
);

/// `projection_event_duration_seconds`
pub(crate) const PROJECTION_EVENT_DURATION: (&str, &str) = (
    "projection_event_duration_seconds",
    "Time to project an event, which is its batch's time divided by the batch's events",
);
/// Upper bounds of `projection_event_duration_seconds`, in seconds.
pub(crate) const PROJECTION_EVENT_DURATION_BUCKETS: [f64; 12] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];

/// `projection_checkpoint_position`
pub(crate) const PROJECTION_CHECKPOINT_POSITION: (&str, &str) = (
    "projection_checkpoint_position",
    "Position up to which events are projected",
);

/// `projection_parked_events`
pub(crate) const PROJECTION_PARKED_EVENTS: (&str, &str) = (
    "projection_parked_events",
    "Events set aside for a person to look at",
);

/// `projection_restarts_total`
pub(crate) const PROJECTION_RESTARTS: (&str, &str) = (
    "projection_restarts",
    "Restarts of a projection after a failure",
);

/// `readmodel_operation_duration_seconds`
pub(crate) const READMODEL_OPERATION_DURATION: (&str, &str) = (
    "readmodel_operation_duration_seconds",
    "Duration of calls to read model, search and idempotency keys",
);
/// Upper bounds of `readmodel_operation_duration_seconds`, in seconds.
pub(crate) const READMODEL_OPERATION_DURATION_BUCKETS: [f64; 12] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];

/// `telemetry_dropped_total`
pub(crate) const TELEMETRY_DROPPED: (&str, &str) = (
    "telemetry_dropped",
    "Spans and log lines that were dropped: queue_full, undeliverable, rejected, oversized or shutdown",
);

/// `telemetry_exported_total`
pub(crate) const TELEMETRY_EXPORTED: (&str, &str) = (
    "telemetry_exported",
    "Spans and log lines that a collector took",
);

/// `telemetry_export_failures_total`
pub(crate) const TELEMETRY_EXPORT_FAILURES: (&str, &str) = (
    "telemetry_export_failures",
    "Requests to a collector that failed, whether they are tried again or not: unreachable, timeout, unavailable, throttled or rejected",
);

/// `telemetry_queue_records`
pub(crate) const TELEMETRY_QUEUE_RECORDS: (&str, &str) = (
    "telemetry_queue_records",
    "Spans and log lines that wait or are being sent",
);
