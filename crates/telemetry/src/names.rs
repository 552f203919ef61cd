//! Names of everything that is emitted, with the help texts and buckets of the metrics. Generated
//! from `semconv/` by `cargo xtask semconv --write`: change them there.

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

/// Names of spans.
pub mod span {
    /// Events of an order are appended to the event store.
    pub const APPEND_ORDER: &str = "append order";
    /// An order's events are read from the event store.
    pub const READ_ORDER: &str = "read order";
    /// Events of all orders are read from the event store.
    pub const READ_EVENTS: &str = "read events";
    /// The event store is asked for its last position.
    pub const READ_HEAD: &str = "read head";
    /// The event store is asked whether it can be used.
    pub const PING_EVENT_STORE: &str = "ping event store";
    /// An order is read from the read model.
    pub const GET_ORDER: &str = "get order";
    /// A page of orders is read from the read model.
    pub const LIST_ORDERS: &str = "list orders";
    /// Orders are looked for by their text.
    pub const SEARCH_ORDERS: &str = "search orders";
    /// The read model is asked whether it can be used.
    pub const PING_READ_MODEL: &str = "ping read model";
    /// The search is asked whether it can be used.
    pub const PING_SEARCH: &str = "ping search";
    /// A command's idempotency key is claimed, or its kept answer found.
    pub const CLAIM_IDEMPOTENCY_KEY: &str = "claim idempotency key";
    /// A command's answer is kept for retries with its key.
    pub const KEEP_IDEMPOTENT_ANSWER: &str = "keep idempotent answer";
    /// A key is given back, since its command was not carried out.
    pub const RELEASE_IDEMPOTENCY_KEY: &str = "release idempotency key";
    /// Orders and the checkpoint are written to the read model, once for a whole batch.
    pub const UPSERT_ORDER: &str = "upsert order";
    /// Orders and the checkpoint are written to the search, once for a whole batch.
    pub const INDEX_ORDER: &str = "index order";
    /// A projection reads the orders that it is about to change.
    pub const LOAD_ORDERS: &str = "load orders";
    /// Parked events are tried again, because somebody asked for it; linked to what led to them.
    pub const REPLAY_PARKED_EVENTS: &str = "replay parked events";
    /// A parked event is left out, because somebody asked for it; linked to what led to it.
    pub const SKIP_PARKED_EVENT: &str = "skip parked event";
    /// A projection's generations are read.
    pub const READ_GENERATIONS: &str = "read generations";
    /// A projection's parked events are read.
    pub const READ_PARKED_EVENTS: &str = "read parked events";
    /// An empty generation is begun.
    pub const BEGIN_REBUILD: &str = "begin rebuild";
    /// A generation becomes the live one.
    pub const PROMOTE_REBUILD: &str = "promote rebuild";
    /// A generation is given up.
    pub const DISCARD_REBUILD: &str = "discard rebuild";
}

/// Names of attributes.
pub mod attribute {
    /// What was read otherwise than it was recorded.
    pub const ADJUSTMENT: &str = "adjustment";
    /// The engine behind the port.
    pub const BACKEND: &str = "backend";
    /// The command.
    pub const COMMAND: &str = "command";
    /// Connections that were cut off, since they were at work when the grace was over.
    pub const CONNECTIONS_ABORTED: &str = "connections.aborted";
    /// The call of the port.
    pub const DB_OPERATION_NAME: &str = "db.operation.name";
    /// The engine behind the port.
    pub const DB_SYSTEM_NAME: &str = "db.system.name";
    /// How long it took, in milliseconds.
    pub const DURATION_MS: &str = "duration_ms";
    /// What failed and why, each cause after the one it led to.
    pub const ERROR_CAUSE: &str = "error.cause";
    /// The kind of failure: of a problem, its type's URI.
    pub const ERROR_TYPE: &str = "error.type";
    /// The recorded name of the event.
    pub const EVENT: &str = "event";
    /// The global position of a recorded event.
    pub const EVENT_POSITION: &str = "event.position";
    /// The recorded name of an event.
    pub const EVENT_TYPE: &str = "event.type";
    /// How many events.
    pub const EVENTS: &str = "events";
    /// How often it failed in a row.
    pub const FAILURES: &str = "failures";
    /// The generation of a projection's read model.
    pub const GENERATION: &str = "generation";
    /// The method, or _OTHER for one that is not of the standard.
    pub const HTTP_REQUEST_METHOD: &str = "http.request.method";
    /// The status of the response.
    pub const HTTP_RESPONSE_STATUS_CODE: &str = "http.response.status_code";
    /// The matched route, never the URI; unmatched for none.
    pub const HTTP_ROUTE: &str = "http.route";
    /// How many idempotency keys.
    pub const KEYS: &str = "keys";
    /// The log filter in force.
    pub const LOG_FILTER: &str = "log.filter";
    /// Records that were dropped.
    pub const LOST: &str = "lost";
    /// The version of HTTP.
    pub const NETWORK_PROTOCOL_VERSION: &str = "network.protocol.version";
    /// The call of the port.
    pub const OPERATION: &str = "operation";
    /// The order.
    pub const ORDER_ID: &str = "order.id";
    /// How the call ended.
    pub const OUTCOME: &str = "outcome";
    /// A file of the process's own.
    pub const PATH: &str = "path";
    /// The signal that the process was sent.
    pub const PROCESS_SIGNAL: &str = "process.signal";
    /// The projection.
    pub const PROJECTION: &str = "projection";
    /// Why it failed or was dropped, one of a fixed set of words.
    pub const REASON: &str = "reason";
    /// How long until the next attempt, in milliseconds.
    pub const RETRY_IN_MS: &str = "retry_in_ms";
    /// What the process runs.
    pub const ROLE: &str = "role";
    /// The service.
    pub const SERVICE: &str = "service";
    /// Names of settings.
    pub const SETTINGS: &str = "settings";
    /// What is exported.
    pub const SIGNAL: &str = "signal";
    /// The stream of events.
    pub const STREAM: &str = "stream";
    /// What the demo's customers did.
    pub const SUMMARY: &str = "summary";
    /// Lines left out before this one.
    pub const SUPPRESSED: &str = "suppressed";
    /// The sampler in force, with its share.
    pub const TRACES_SAMPLER: &str = "traces.sampler";
    /// Where the process can be reached.
    pub const URL: &str = "url";
    /// The path of the request.
    pub const URL_PATH: &str = "url.path";
    /// The scheme of the request; TLS ends before the service.
    pub const URL_SCHEME: &str = "url.scheme";
    /// The version of the program.
    pub const VERSION: &str = "version";
}
