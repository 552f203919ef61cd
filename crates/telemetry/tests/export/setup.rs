//! What the exporter's tests share: records, settings, a collector.

use std::time::Duration;

use secrecy::SecretString;
use telemetry::export::{Batching, Endpoint, Exporter, Options, Protocol, Retry, Signal};
use telemetry::metrics::Exports;
use telemetry::record::{Kind, Log, Service, Severity, Span};
use telemetry::{Metrics, TraceContext};

pub(crate) const PROTOCOLS: [Protocol; 2] = [Protocol::Grpc, Protocol::HttpProtobuf];

/// An exporter, and what it has counted.
pub(crate) struct Setup {
    pub(crate) batching: Batching,
    pub(crate) retry: Retry,
    pub(crate) timeout: Duration,
    pub(crate) gzip: bool,
    pub(crate) certificate: Option<Vec<u8>>,
}

impl Default for Setup {
    /// As quick as a test can wish, and patient enough for a busy machine.
    fn default() -> Self {
        Self {
            batching: Batching { queue: 1_000, batch: 10, delay: Duration::from_millis(5) },
            retry: Retry {
                first: Duration::from_millis(2),
                max: Duration::from_millis(10),
                give_up: Duration::from_secs(60),
            },
            timeout: Duration::from_secs(10),
            gzip: false,
            certificate: None,
        }
    }
}

impl Setup {
    /// Sends nothing but full batches before the end, so that it is known what is in a request.
    pub(crate) fn in_full_batches() -> Self {
        let setup = Self::default();
        Self { batching: Batching { delay: Duration::from_secs(3_600), ..setup.batching }, ..setup }
    }

    /// Sends to an address without a path.
    pub(crate) fn start(self, protocol: Protocol, base: &str) -> (Exporter, Exports) {
        let exports = Metrics::new("test", "0").exports;
        let signal = |path: &str| Signal {
            endpoint: Endpoint {
                url: if protocol == Protocol::Grpc { base.to_owned() } else { format!("{base}{path}") },
                protocol,
                headers: vec![("x-api-key".to_owned(), SecretString::from("s3cret"))],
                gzip: self.gzip,
                timeout: self.timeout,
                certificate: self.certificate.clone(),
            },
            batching: self.batching,
        };
        let services = vec![vec![("service.name".to_owned(), "test".into())]];
        let options = Options { services, spans: Some(signal("/v1/traces")), logs: Some(signal("/v1/logs")) };
        let exporter = Exporter::start_with(options, self.retry, exports.clone()).unwrap();
        (exporter, exports)
    }
}

pub(crate) fn span() -> Span {
    Span {
        service: Service(0),
        context: TraceContext::root(true),
        has_remote_parent: false,
        trace_state: None,
        kind: Kind::Server,
        name: "GET /api/orders/{id}".into(),
        start_unix_nanos: 1_700_000_000_000_000_000,
        end_unix_nanos: 1_700_000_000_000_500_000,
        attributes: vec![("http.route", "/api/orders/{id}".into()), ("http.response.status_code", 200_i64.into())],
        links: Vec::new(),
        dropped_links: 0,
        failure: None,
    }
}

pub(crate) fn log(message: impl Into<String>) -> Log {
    Log {
        service: Service(0),
        unix_nanos: 1_700_000_000_000_000_000,
        severity: Severity::Info,
        message: message.into().into(),
        target: "test",
        attributes: Vec::new(),
        span: None,
    }
}

/// Every record that a signal ever lost.
pub(crate) fn dropped(exports: &Exports, signal: &'static str) -> u64 {
    ["queue_full", "undeliverable", "rejected", "oversized", "shutdown"]
        .iter()
        .map(|reason| exports.dropped_total(signal, reason))
        .sum()
}
