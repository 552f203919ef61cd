//! The list of all settings: their names, defaults, and what they mean, in one place that flags, help,
//! error messages and documentation share.

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The environment variable; as a flag in lower case with hyphens.
    pub name: &'static str,
    /// What holds when it is not set; empty for nothing.
    pub default: &'static str,
    /// An example of right, for error messages.
    pub example: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
}

impl Setting {
    /// The flag without its leading hyphens, for instance `bind-address`.
    #[must_use]
    pub fn flag(&self) -> String {
        self.name.to_ascii_lowercase().replace('_', "-")
    }
}

const fn setting(name: &'static str, default: &'static str, example: &'static str, about: &'static str) -> Setting {
    Setting { name, default, example, about }
}

/// All settings that have an effect.
pub const SETTINGS: &[Setting] = &[
    setting("SERVICE_NAME", "", "delivery-api", "The service's name in logs; unset, each role has its own"),
    setting("PORT", "5007", "5007", "The API's port; 0 takes a free one"),
    setting("BIND_ADDRESS", "127.0.0.1", "0.0.0.0", "The address to listen on"),
    setting("BASE_PATH", "/api", "/api", "What the paths of the order routes start with"),
    setting("DEVELOPMENT", "false", "true", "Log for eyes, not for machines"),
    setting("LOGGER_LEVEL", "info", "info", "The least level that is logged: error, warn, info, debug or trace"),
    setting("LOGGER_DEBUG", "false", "true", "Log from debug upwards, whatever the level says"),
    setting("LOGGER_ENCODER", "", "json", "json or console; unset, console on a terminal and json elsewhere"),
    setting("OTEL_SDK_DISABLED", "false", "true", "No spans, no metrics, no log lines for a collector"),
    setting("OTEL_SERVICE_NAME", "", "delivery-api", "As SERVICE_NAME, and wins over it"),
    setting(
        "OTEL_RESOURCE_ATTRIBUTES",
        "",
        "deployment.environment.name=staging,team=orders",
        "What else is known about this process; sent with spans and log lines",
    ),
    setting(
        "OTEL_TRACES_SAMPLER",
        "parentbased_always_on",
        "parentbased_traceidratio",
        "Which traces are kept: always_on, always_off or traceidratio, the caller's decision first with parentbased_",
    ),
    setting("OTEL_TRACES_SAMPLER_ARG", "1", "0.1", "The share of traces that the ratio samplers keep"),
    setting("OTEL_TRACES_EXPORTER", "otlp", "none", "otlp sends spans where an endpoint is set; none never does"),
    setting("OTEL_LOGS_EXPORTER", "otlp", "none", "The same for log lines, which are on standard error anyway"),
    setting("OTEL_METRICS_EXPORTER", "prometheus", "none", "prometheus serves /metrics; none counts nothing"),
    setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        "http://localhost:4318",
        "The collector for spans and log lines; unset, none are sent",
    ),
    setting(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "",
        "http://localhost:4318/v1/traces",
        "Another collector for spans, with the whole path",
    ),
    setting(
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        "",
        "http://localhost:4318/v1/logs",
        "Another collector for log lines, with the whole path",
    ),
    setting("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "grpc", "http/protobuf (port 4318) or grpc (port 4317)"),
    setting("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "", "grpc", "Another protocol for spans"),
    setting("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "", "grpc", "Another protocol for log lines"),
    setting(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "",
        "authorization=Bearer%20abc",
        "Headers of each request to the collector; values are secrets, percent-encoded",
    ),
    setting("OTEL_EXPORTER_OTLP_TIMEOUT", "10000", "10000", "Milliseconds that a request to the collector may take"),
    setting("OTEL_EXPORTER_OTLP_COMPRESSION", "none", "gzip", "none or gzip"),
    setting(
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        "",
        "/etc/ssl/collector.pem",
        "A file of certificates to trust instead of the system's",
    ),
    setting("OTEL_BSP_MAX_QUEUE_SIZE", "32768", "32768", "Spans that may wait; more are dropped and counted"),
    setting("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096", "4096", "Spans in one request"),
    setting("OTEL_BSP_SCHEDULE_DELAY", "1000", "1000", "Milliseconds that a span waits for others"),
    setting("OTEL_BLRP_MAX_QUEUE_SIZE", "8192", "8192", "Log lines that may wait; more are dropped and counted"),
    setting("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "2048", "2048", "Log lines in one request"),
    setting("OTEL_BLRP_SCHEDULE_DELAY", "1000", "1000", "Milliseconds that a log line waits for others"),
    setting("JAEGER_ENABLE", "false", "true", "Send spans to JAEGER_HOST_PORT, over OTLP, unless an endpoint is set"),
    setting(
        "JAEGER_HOST_PORT",
        "localhost:4317",
        "localhost:4317",
        "Where Jaeger takes OTLP over gRPC; the ports of its former agent are read as 4317",
    ),
    setting("JAEGER_SERVICE_NAME", "", "delivery-api", "As SERVICE_NAME, which wins over it"),
    setting(
        "HOST_METRICS",
        "auto",
        "true",
        "Metrics of this machine: auto is true for up and false for serve, where a node exporter has them",
    ),
    setting("CONSOLE_PORT", "5017", "5017", "The console's port: pages and query APIs; 0 takes a free one"),
    setting("OTLP_GRPC_PORT", "4317", "4317", "The console's port for OTLP over gRPC; 0 takes a free one"),
    setting("OTLP_HTTP_PORT", "4318", "4318", "The console's port for OTLP over HTTP; 0 takes a free one"),
    setting(
        "RETENTION_BYTES",
        "1GiB",
        "500MiB",
        "How much telemetry the console keeps on disk, of all signals together",
    ),
    setting("RETENTION_AGE", "7d", "36h", "How long the console keeps telemetry; 0 keeps, and takes, data of any age"),
    setting(
        "SCRAPE_TARGETS",
        "",
        "http://localhost:9100/metrics",
        "What the console scrapes beside its own process: URLs, or file:PATH for a file of targets, with commas between them",
    ),
    setting("SCRAPE_INTERVAL", "5s", "15s", "How often the console scrapes a target"),
    setting(
        "RULE_FILES",
        "",
        "builtin,rules/*.yaml",
        "Files of rules (Prometheus') and objectives (OpenSLO's), with commas between them; builtin are the order service's, which up has by itself, and none is none",
    ),
    setting("EVALUATION_INTERVAL", "15s", "1m", "How often rules are evaluated whose group does not say"),
    setting(
        "ALERT_WEBHOOKS",
        "",
        "http://localhost:9000/alerts",
        "Who is told of alerts, in Alertmanager's form: URLs with commas between them",
    ),
    setting(
        "ALERTMANAGER_URLS",
        "",
        "http://alertmanager:9093",
        "Alertmanagers that alerts are sent to, with commas between them",
    ),
    setting(
        "EXTERNAL_URL",
        "",
        "https://console.example.com",
        "Where others reach the console, for links in notifications; unset, its own address",
    ),
    setting("DATA_DIR", "data", "/var/lib/highbeam", "The folder for everything that a process keeps"),
    setting(
        "EVENTSTORE_CONFIG_CONNECTION_STRING",
        "sqlite:",
        "esdb://user:password@kurrentdb:2113?tls=true",
        "The event store: a file (sqlite: is one in the data folder), or KurrentDB by its connection string",
    ),
    setting(
        "MONGO_URI",
        "sqlite:",
        "mongodb://user:password@mongodb:27017/delivery?authSource=admin",
        "The order read model: a file, or MongoDB by its connection string",
    ),
    setting("MONGO_INITDB_DATABASE", "delivery", "delivery", "The database in MongoDB, where MONGO_URI names none"),
    setting(
        "MONGO_COLLECTIONS_ORDERS",
        "orders",
        "orders",
        "What the collections in MongoDB are called, with the checkpoint's name behind it: orders-orders",
    ),
    setting(
        "MONGO_INITDB_ROOT_USERNAME",
        "",
        "highbeam",
        "The user in MongoDB, where MONGO_URI names none; it needs no more than readWrite on the database",
    ),
    setting("MONGO_INITDB_ROOT_PASSWORD", "", "a-long-random-text", "The password of that user"),
    setting(
        "MONGO_BATCH_SIZE",
        "500",
        "50",
        "Orders in one command to MongoDB at most, 1 to 10000; FerretDB 1 takes no more than 50",
    ),
    setting(
        "ELASTIC_URL",
        "sqlite:",
        "https://user:password@elasticsearch:9200",
        "The order search: a file, or Elasticsearch 8 or OpenSearch 2 by its URL",
    ),
    setting(
        "ELASTIC_INDEXES_ORDERS",
        "orders",
        "orders",
        "What the alias in Elasticsearch is called, with the checkpoint's name behind it: orders-search",
    ),
    setting("SUBSCRIPTIONS_POOL_SIZE", "2", "2", "Partitions in which a projection folds orders, 1 to 256"),
    setting("SUBSCRIPTIONS_ORDER_PREFIX", "order-", "order-", "What the names of the streams to follow start with"),
    setting(
        "SUBSCRIPTIONS_MONGO_PROJECTION_GROUP_NAME",
        "orders",
        "orders",
        "The name of the read model's checkpoint; another name starts from the first event",
    ),
    setting(
        "SUBSCRIPTIONS_ELASTIC_PROJECTION_GROUP_NAME",
        "search",
        "search",
        "The name of the search's checkpoint; another name starts from the first event",
    ),
    setting(
        "ADMIN_TOKEN",
        "",
        "a-long-random-text",
        "Bearer token for /admin from other machines, 16 characters at least",
    ),
    setting(
        "CURSOR_SECRET",
        "",
        "a-long-random-text",
        "Signs page cursors, 16 characters at least; unset, one is kept in the data folder",
    ),
    setting("SHUTDOWN_GRACE_SECONDS", "10", "10", "How long requests may finish after SIGTERM"),
    setting("REQUEST_TIMEOUT_SECONDS", "15", "15", "How long a request may take"),
    setting("RATE_LIMIT_PER_SECOND", "0", "100", "Requests a second that one peer may send; 0 is no limit"),
    setting("RATE_LIMIT_BURST", "0", "200", "Requests that one peer may send at once; 0 is as many as a second's"),
];

/// Settings of the service's older program that are read without effect, so that its environment files
/// go on to work.
pub const IGNORED: &[&str] = &[
    "JAEGER_LOG_SPANS",
    "ELASTIC_SNIFF",
    "ELASTIC_EXPLAIN",
    "ELASTIC_FETCH_SOURCE",
    "ELASTIC_VERSION",
    "ELASTIC_PRETTY",
    "ELASTIC_GZIP",
];

/// The setting of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}
