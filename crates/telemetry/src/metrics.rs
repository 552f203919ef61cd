//! The metrics that highbeam's services expose, by group. Which ones exist, and what they mean, is
//! written in `semconv/`; here they become counters and histograms with a fixed set of labels.

mod console;
mod exports;
mod family;
mod groups;
pub mod host;
mod process;
mod runtime;

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::logging::Dropped;
use crate::names;

pub use console::ConsoleCounts;
pub use exports::Exports;
pub(crate) use exports::Flow;
pub use groups::{Delivery, EventStore, Http, Projection, ReadModel};

/// Every metric of one process, and the registry that exposes them.
pub struct Metrics {
    registry: Registry,
    lines: OnceLock<Lines>,
    /// The HTTP server.
    pub http: Http,
    /// Commands and events of the domain.
    pub delivery: Delivery,
    /// The port to the event store.
    pub eventstore: EventStore,
    /// The projections that this process runs.
    pub projection: Projection,
    /// The ports to read model and search.
    pub readmodel: ReadModel,
    /// The exporter of spans and log lines.
    pub exports: Exports,
}

/// The log's writer counts for itself; its count becomes ours whenever somebody looks.
struct Lines {
    dropped: Dropped,
    counted: Mutex<Counter>,
}

impl Lines {
    fn count(&self) {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.inc_by(self.dropped.lines().saturating_sub(counted.get()));
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    service: String,
    version: &'static str,
}

impl Metrics {
    /// Registers everything for a service of this name.
    #[must_use]
    pub fn new(service: &str, version: &'static str) -> Self {
        Self::counting(service, version, true)
    }

    /// Counts nothing.
    #[must_use]
    pub fn disabled() -> Self {
        Self::counting("", "", false)
    }

    fn counting(service: &str, version: &'static str, is_on: bool) -> Self {
        let mut registry = Registry::default();
        // `Info` appends `_info` itself.
        let (name, help) = names::BUILD_INFO;
        registry.register(
            name.trim_end_matches("_info"),
            help,
            Info::new(Build { service: service.to_owned(), version }),
        );
        Self {
            http: Http::register(&mut registry, is_on),
            delivery: Delivery::register(&mut registry, is_on),
            eventstore: EventStore::register(&mut registry, is_on),
            projection: Projection::register(&mut registry, is_on),
            readmodel: ReadModel::register(&mut registry, is_on),
            exports: Exports::register(&mut registry),
            registry,
            lines: OnceLock::new(),
        }
    }

    /// Counts the log lines that were never written, from now on.
    pub fn count_lines(&self, dropped: Dropped) {
        // Logging is set up once in a process.
        let _ =
            self.lines.set(Lines { dropped, counted: Mutex::new(self.exports.elsewhere("log_lines", "writer_full")) });
    }

    /// The metrics as OpenMetrics 1.0 text, exemplars included.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        self.count_what_others_count();
        let mut text = String::with_capacity(16 * 1024);
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// The metrics in Prometheus' older text format, for readers that do not know OpenMetrics. It has no
    /// exemplars.
    pub fn encode_text(&self) -> Result<String, fmt::Error> {
        self.count_what_others_count();
        let mut text = String::with_capacity(16 * 1024);
        prometheus_text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    fn count_what_others_count(&self) {
        if let Some(lines) = self.lines.get() {
            lines.count();
        }
    }

    /// The content type of [`Metrics::encode_text`].
    pub const TEXT_CONTENT_TYPE: &'static str = prometheus_text::CONTENT_TYPE;

    /// The content type of [`Metrics::encode`].
    pub const CONTENT_TYPE: &'static str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TraceContext;

    #[test]
    fn a_request_is_counted_by_route_and_leads_to_its_trace() {
        let metrics = Metrics::new("delivery-api", "1.2.3");
        let trace = TraceContext::root(true);
        metrics.http.observe("GET", "/api/orders/{id}", 200, 0.003, Some(trace.trace_id()));
        let text = metrics.encode().unwrap();
        let bucket = text
            .lines()
            .find(|line| line.starts_with("http_server_request_duration_seconds_bucket") && line.contains("trace_id"))
            .unwrap();
        assert!(bucket.contains(r#"http_route="/api/orders/{id}""#), "{bucket}");
        assert!(bucket.contains(&trace.trace_id().to_string()), "{bucket}");
        assert!(text.contains(r#"build_info{service="delivery-api",version="1.2.3"} 1"#), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn the_older_format_has_the_same_values_and_types_that_it_knows() {
        let mut metrics = Metrics::new("delivery-api", "1.2.3");
        metrics.register_host(host::Options::default());
        metrics.http.observe("GET", "/api/orders/{id}", 200, 0.003, Some(TraceContext::root(true).trace_id()));
        metrics.delivery.event("ORDER_PAID");
        let text = metrics.encode_text().unwrap();
        for line in [
            "# TYPE delivery_orders_total counter",
            r#"delivery_orders_total{event="ORDER_PAID"} 1"#,
            "# TYPE build_info gauge",
        ] {
            assert!(text.lines().any(|told| told == line), "{line} is not in {text}");
        }
        for unknown in ["# EOF", " # {", " info\n", " unknown\n"] {
            assert!(!text.contains(unknown), "{unknown:?} is in {text}");
        }
    }

    #[test]
    fn gauges_of_a_projection_carry_its_name() {
        let metrics = Metrics::new("orders-projector", "1.2.3");
        metrics.projection.progress("orders", 42, 7, 0.25);
        metrics.projection.parked("orders", 3);
        metrics.projection.restarted("orders");
        let text = metrics.encode().unwrap();
        for line in [
            r#"projection_checkpoint_position{projection="orders"} 42"#,
            r#"projection_lag_events{projection="orders"} 7"#,
            r#"projection_lag_seconds{projection="orders"} 0.25"#,
            r#"projection_parked_events{projection="orders"} 3"#,
            r#"projection_restarts_total{projection="orders"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }
}
