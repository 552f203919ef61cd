//! The console under test: how it is spoken to, and what has to hold of it however it was treated.

use std::time::{Duration, Instant};

use eventsourcing::Clock as _;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use serde_json::Value;

use crate::console::made::{PROTOBUF, span, spans, trace_id};
use crate::support::{Reply, Service, send_bytes};

/// What the console may take in memory, whatever it is sent and asked.
const RESIDENT_MAX: u64 = 600_000_000;
/// How long a page may make anybody wait.
pub(crate) const PAGE_WAIT_MAX: Duration = Duration::from_secs(1);

/// The way of each signal over gRPC.
pub(crate) const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
pub(crate) const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
pub(crate) const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// A console on a folder of its own.
pub(crate) struct Subject {
    pub console: Service,
    folder: tempfile::TempDir,
    began: Instant,
}

impl Subject {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let console = Service::start_in(environment, folder.path(), &["console"]);
        Self { console, folder, began: Instant::now() }
    }

    /// The address of a path of the port that takes OTLP over HTTP.
    pub(crate) fn url(&self, path: &str) -> String {
        let port = if path.starts_with("/v1/") { "otlpHttp" } else { "console" };
        format!("{}{path}", self.console.address(port))
    }

    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        send_bytes(&self.console.agent, "POST", &self.url(path), headers, Some(body)).unwrap()
    }

    /// The same, by a sender that may be cut off before it has sent everything, and then sends it again later.
    pub(crate) fn try_post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Reply> {
        match send_bytes(&self.console.agent, "POST", &self.url(path), headers, Some(body)) {
            Ok(reply) => Some(reply),
            Err(ureq::Error::Io(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => None,
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// Sends protobuf, and expects a refusal with these words.
    pub(crate) fn refused(&self, path: &str, headers: &[(&str, &str)], body: &[u8], status: u16, words: &[&str]) {
        let reply = self.post(path, headers, body).expect(status);
        // The body may be protobuf, in which the text is as it is.
        let told = reply.text();
        for word in words {
            assert!(told.contains(word), "{word} is not in: {told}");
        }
        assert!(told.len() < 2_000, "an error is no essay: {} bytes", told.len());
    }

    /// Sends spans, and gives how many were not taken, and why.
    pub(crate) fn rejected(&self, path: &str, body: &[u8]) -> (i64, String) {
        let reply = self.post(path, &[PROTOBUF], body).expect(200);
        // The three signals' answers have the same form.
        let partial = ExportTraceServiceResponse::decode(&*reply.body).unwrap().partial_success.unwrap_or_default();
        (partial.rejected_spans, partial.error_message)
    }

    /// A span goes in and comes back, and pages answer, each at once.
    pub(crate) fn is_well(&self, mark: u64) {
        let number = 0xbead_0000 + mark;
        let request = spans("well", vec![span(number, 0, now_ns())]).encode_to_vec();
        self.within(|| self.post("/v1/traces", &[PROTOBUF], &request).expect(200));
        let id = hex(&trace_id(number));
        let found = self.within(|| self.console.fetch(&format!("/jaeger/api/traces/{id}")).expect(200).json());
        assert_eq!(found["data"][0]["spans"].as_array().map(Vec::len), Some(1), "{found}");
        for page in ["/readyz", "/", "/api/overview", "/metrics", "/jaeger/api/services"] {
            self.within(|| self.console.fetch(page).expect(200));
        }
    }

    /// Does it, and expects that it does not take longer than a page may.
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let done = work();
        assert!(began.elapsed() < PAGE_WAIT_MAX, "it took {:?}", began.elapsed());
        done
    }

    /// It is well, nothing panicked, its memory stayed within bounds, and it ends when it is told to.
    pub(crate) fn end(self, name: &str) {
        self.end_within(name, RESIDENT_MAX);
    }

    /// The same, with a bound of its own for memory.
    pub(crate) fn end_within(self, name: &str, resident_max: u64) {
        self.is_well(1);
        let (most, now) = (self.console.resident_max(), self.console.resident());
        let mb = |bytes: u64| bytes as f64 / 1e6;
        println!(
            "{name}: {:.1} s; RSS at most {:.1} MB, {:.1} MB at the end",
            self.began.elapsed().as_secs_f64(),
            mb(most),
            mb(now)
        );
        assert!(most < resident_max, "{:.1} MB", mb(most));
        assert!(self.console.stop().success());
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        assert!(!log.contains("panic"), "{log}");
    }
}

pub(crate) fn now_ns() -> u64 {
    u64::try_from(eventsourcing::clock::System.now().as_nanosecond()).unwrap()
}

pub(crate) fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All items of a list below these names, in an export.
pub(crate) fn items(export: &Value, [resources, scopes, items]: [&str; 3]) -> Vec<Value> {
    let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let scopes: Vec<Value> = list(export, resources).iter().flat_map(|resource| list(resource, scopes)).collect();
    scopes.iter().flat_map(|scope| list(scope, items)).collect()
}

pub(crate) const SPANS: [&str; 3] = ["resourceSpans", "scopeSpans", "spans"];
pub(crate) const RECORDS: [&str; 3] = ["resourceLogs", "scopeLogs", "logRecords"];
