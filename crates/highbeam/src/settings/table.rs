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
    setting(
        "HOST_METRICS",
        "auto",
        "true",
        "Metrics of this machine: auto is true for up and false for serve, where a node exporter has them",
    ),
    setting("DATA_DIR", "data", "/var/lib/highbeam", "The folder for everything that a process keeps"),
    setting(
        "EVENTSTORE_CONFIG_CONNECTION_STRING",
        "sqlite:",
        "sqlite:/var/lib/highbeam/events.db",
        "The event store; sqlite: is a file in the data folder",
    ),
    setting("MONGO_URI", "sqlite:", "sqlite:/var/lib/highbeam/orders.db", "The order read model"),
    setting("ELASTIC_URL", "sqlite:", "sqlite:/var/lib/highbeam/search.db", "The order search"),
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
pub const IGNORED: &[&str] =
    &["ELASTIC_SNIFF", "ELASTIC_EXPLAIN", "ELASTIC_FETCH_SOURCE", "ELASTIC_VERSION", "ELASTIC_PRETTY", "ELASTIC_GZIP"];

/// The setting of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}
