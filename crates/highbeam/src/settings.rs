//! The settings of a process: one typed tree, read from flags, environment and file, in this order.
//! Every fault is reported, all at once, each with the variable's name and an example of right; no
//! message repeats a value, because a value may be a secret.
//!
//! What the settings lead to is decided in `wiring`.

pub mod console;
pub mod engine;
pub mod file;
pub mod observability;
mod read;
pub mod table;

use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use engine::Port;
use secrecy::SecretString;

pub use console::Console;
pub use engine::Engine;
pub use observability::Observability;
pub use read::{Fault, Faults, Source};

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `OTEL_SERVICE_NAME`, `SERVICE_NAME` or `JAEGER_SERVICE_NAME`; `None` names each role by its
    /// contract.
    pub service_name: Option<String>,
    /// `BIND_ADDRESS`
    pub bind_address: IpAddr,
    /// `PORT`
    pub port: u16,
    /// `BASE_PATH`
    pub base_path: String,
    /// `DEVELOPMENT`
    pub is_development: bool,
    /// How to log.
    pub logger: Logger,
    /// What is told to a collector, and which traces.
    pub observability: Observability,
    /// `HOST_METRICS`; `None` leaves it to the command.
    pub host_metrics: Option<bool>,
    /// The console.
    pub console: Console,
    /// `DATA_DIR`
    pub data_dir: PathBuf,
    /// `EVENTSTORE_CONFIG_CONNECTION_STRING`
    pub event_store: Engine,
    /// `MONGO_URI`
    pub read_model: Engine,
    /// What MongoDB is told beside `MONGO_URI`.
    pub mongodb: Mongodb,
    /// `ELASTIC_URL`
    pub search: Engine,
    /// `ELASTIC_INDEXES_ORDERS`
    pub search_index: String,
    /// How projections follow the store.
    pub subscriptions: Subscriptions,
    /// `ADMIN_TOKEN`
    pub admin_token: Option<SecretString>,
    /// `CURSOR_SECRET`; `None` keeps a random one in the data directory.
    pub cursor_secret: Option<SecretString>,
    /// `SHUTDOWN_GRACE_SECONDS`
    pub shutdown_grace: Duration,
    /// `REQUEST_TIMEOUT_SECONDS`
    pub request_timeout: Duration,
    /// `RATE_LIMIT_PER_SECOND` and `RATE_LIMIT_BURST`; `None` is no limit.
    pub rate_limit: Option<RateLimit>,
    /// Settings that are accepted but do nothing, by name: told once at start.
    pub ignored: Vec<&'static str>,
}

/// How to log.
#[derive(Debug, Clone)]
pub struct Logger {
    /// `LOGGER_LEVEL`, raised to debug by `LOGGER_DEBUG`.
    pub filter: String,
    /// `LOGGER_ENCODER`; `None` is console on a terminal and JSON elsewhere.
    pub encoder: Option<telemetry::logging::Encoder>,
}

/// How projections follow the store.
#[derive(Debug, Clone)]
pub struct Subscriptions {
    /// `SUBSCRIPTIONS_POOL_SIZE`
    pub partitions: NonZeroUsize,
    /// `SUBSCRIPTIONS_ORDER_PREFIX`
    pub prefix: String,
    /// `SUBSCRIPTIONS_MONGO_PROJECTION_GROUP_NAME`
    pub orders_checkpoint: String,
    /// `SUBSCRIPTIONS_ELASTIC_PROJECTION_GROUP_NAME`
    pub search_checkpoint: String,
}

/// What MongoDB is told beside its connection string.
#[derive(Debug, Clone)]
pub struct Mongodb {
    /// `MONGO_INITDB_DATABASE`
    pub database: String,
    /// `MONGO_COLLECTIONS_ORDERS`
    pub collection: String,
    /// `MONGO_INITDB_ROOT_USERNAME` and `MONGO_INITDB_ROOT_PASSWORD`
    pub credential: Option<(String, SecretString)>,
    /// `MONGO_BATCH_SIZE`
    pub batch_size: NonZeroUsize,
}

impl Mongodb {
    fn read(reader: &mut read::Reader<'_>) -> Self {
        let user = reader.text("MONGO_INITDB_ROOT_USERNAME");
        let password = reader.secret("MONGO_INITDB_ROOT_PASSWORD", 1);
        Self {
            database: reader.name("MONGO_INITDB_DATABASE"),
            collection: reader.name("MONGO_COLLECTIONS_ORDERS"),
            credential: user.zip(password),
            batch_size: reader.value(
                "MONGO_BATCH_SIZE",
                |text| text.parse().ok().filter(|size: &NonZeroUsize| size.get() <= 10_000),
                NonZeroUsize::MIN,
            ),
        }
    }
}

/// Requests that one peer may send.
#[derive(Debug, Clone, Copy)]
pub struct RateLimit {
    /// In the long run.
    pub per_second: NonZeroU32,
    /// At once.
    pub burst: NonZeroU32,
}

impl Settings {
    /// Reads all settings, or names every fault.
    pub fn read(source: &Source) -> Result<Self, Faults> {
        let mut reader = read::Reader::new(source);
        let per_second: u32 = reader.parse("RATE_LIMIT_PER_SECOND");
        let burst: u32 = reader.parse("RATE_LIMIT_BURST");
        let rate_limit = NonZeroU32::new(per_second)
            .map(|per_second| RateLimit { per_second, burst: NonZeroU32::new(burst).unwrap_or(per_second) });
        let settings = Self {
            service_name: ["OTEL_SERVICE_NAME", "SERVICE_NAME", "JAEGER_SERVICE_NAME"]
                .into_iter()
                .find_map(|name| reader.text(name)),
            bind_address: reader.value("BIND_ADDRESS", |text| text.parse().ok(), IpAddr::from([127, 0, 0, 1])),
            port: reader.value("PORT", read::port, 0),
            base_path: reader.value("BASE_PATH", read::base_path, String::new()),
            is_development: reader.value("DEVELOPMENT", read::flag, false),
            logger: reader.logger(),
            observability: Observability::read(&mut reader),
            host_metrics: reader.automatic("HOST_METRICS"),
            console: Console::read(&mut reader),
            data_dir: reader.text("DATA_DIR").map_or_else(|| PathBuf::from("data"), PathBuf::from),
            event_store: reader.engine("EVENTSTORE_CONFIG_CONNECTION_STRING", Port::Events),
            read_model: reader.engine("MONGO_URI", Port::ReadModel),
            mongodb: Mongodb::read(&mut reader),
            search: reader.engine("ELASTIC_URL", Port::Search),
            search_index: reader.name("ELASTIC_INDEXES_ORDERS"),
            subscriptions: Subscriptions {
                partitions: reader.value(
                    "SUBSCRIPTIONS_POOL_SIZE",
                    |text| text.parse().ok().filter(|size: &NonZeroUsize| size.get() <= 256),
                    NonZeroUsize::MIN,
                ),
                prefix: reader.text("SUBSCRIPTIONS_ORDER_PREFIX").unwrap_or_default(),
                orders_checkpoint: reader.name("SUBSCRIPTIONS_MONGO_PROJECTION_GROUP_NAME"),
                search_checkpoint: reader.name("SUBSCRIPTIONS_ELASTIC_PROJECTION_GROUP_NAME"),
            },
            admin_token: reader.secret("ADMIN_TOKEN", 16),
            cursor_secret: reader.secret("CURSOR_SECRET", 16),
            shutdown_grace: reader.seconds("SHUTDOWN_GRACE_SECONDS", 3_600),
            request_timeout: reader.seconds("REQUEST_TIMEOUT_SECONDS", 600),
            rate_limit,
            ignored: reader.ignored(),
        };
        reader.check_distinct(&settings);
        reader.check_search_name(&settings);
        reader.finish(settings)
    }

    /// What the search is called on an engine that others use as well: another checkpoint is another one.
    #[must_use]
    pub fn search_name(&self) -> String {
        format!("{}-{}", self.search_index, self.subscriptions.search_checkpoint)
    }

    /// The same of the read model.
    #[must_use]
    pub fn read_model_name(&self) -> String {
        format!("{}-{}", self.mongodb.collection, self.subscriptions.orders_checkpoint)
    }
}

#[cfg(test)]
mod tests;
