//! The requests that real SDKs sent, sent again as they were recorded: what the console gives back is what
//! was sent, to the nanosecond and the attribute.

use std::path::PathBuf;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::Value;

use super::canonical;
use super::grpc::Client;
use crate::support::{Service, send_bytes};

/// A request as it was recorded.
pub(crate) struct Recording {
    /// As `go-grpc-traces`.
    pub name: String,
    pub path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Those of one signal, in the order in which they were sent.
pub(crate) fn recordings(signal: &str) -> Vec<Recording> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/otlp");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().unwrap() == "json" && path.to_str().unwrap().contains(signal));
    paths.sort();
    let read = |path: &PathBuf| {
        let told: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let headers = told["headers"].as_object().unwrap();
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        Recording {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            path: told["path"].as_str().unwrap().to_owned(),
            headers,
            body: std::fs::read(path.with_extension("bin")).unwrap(),
        }
    };
    paths.iter().map(read).collect()
}

impl Recording {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_json(&self) -> bool {
        self.header("content-type") == Some("application/json")
    }

    fn is_grpc(&self) -> bool {
        self.path.starts_with("/opentelemetry")
    }

    /// The message, decompressed.
    pub(crate) fn message(&self) -> Vec<u8> {
        match self.header("content-encoding") {
            Some("gzip") => {
                let mut bytes = Vec::new();
                let mut decoder = flate2::read::GzDecoder::new(&self.body[..]);
                std::io::Read::read_to_end(&mut decoder, &mut bytes).unwrap();
                bytes
            }
            None => self.body.clone(),
            other => panic!("{}: {other:?}", self.name),
        }
    }

    /// The message as values, read with the definitions that OpenTelemetry publishes.
    fn values<M: Message + Default + serde::Serialize>(&self) -> Value {
        if self.is_json() {
            let mut values: Value = serde_json::from_slice(&self.message()).unwrap();
            // Node.js writes the schema a second time, where there is no such field.
            for resource in ["resourceSpans", "resourceLogs"] {
                for group in values[resource].as_array_mut().into_iter().flatten() {
                    group["resource"].as_object_mut().unwrap().remove("schemaUrl");
                }
            }
            return values;
        }
        serde_json::to_value(M::decode(&self.message()[..]).unwrap()).unwrap()
    }

    /// Sends it as it was sent; nothing of it may be rejected.
    pub(crate) fn send(&self, console: &Service) {
        if self.is_grpc() {
            let called = Client::connect(console.address("otlpGrpc")).call(&self.path, &self.body, None);
            assert_eq!((called.code, &called.message[..]), (0, &b""[..]), "{}: {}", self.name, called.told);
            return;
        }
        // How the body is cut into pieces is the client's business here.
        let headers = self.headers.iter().filter(|(name, _)| name != "transfer-encoding" && name != "content-length");
        let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let url = format!("{}{}", console.address("otlpHttp"), self.path);
        let reply = send_bytes(&console.agent, "POST", &url, &headers, Some(&self.body)).unwrap().expect(200);
        assert_eq!(reply.header("content-type"), self.header("content-type"), "{}", self.name);
        let nothing: &[u8] = if self.is_json() { b"{}" } else { b"" };
        assert_eq!(reply.body, nothing, "{}: {}", self.name, reply.text());
    }
}

/// Sends each recording of a signal to a console of its own, for all SDKs say the same, and compares what it
/// then has, before and after a restart.
fn check(signal: &str, values: impl Fn(&Recording) -> Value, items: impl Fn(&Value) -> Vec<Value>) {
    let recordings = recordings(signal);
    assert!(recordings.len() >= 13, "SDKs by transports: {}", recordings.len());
    for recording in &recordings {
        let folder = tempfile::tempdir().unwrap();
        let console = Service::console(folder.path(), &["--retention-age", "0"]);
        recording.send(&console);
        let sent = items(&values(recording));
        let selection = format!("signal={signal}");
        compare(&recording.name, &sent, &items(&console.export(&selection)));
        assert!(console.stop().success());
        let console = Service::console(folder.path(), &["--retention-age", "0"]);
        compare(&recording.name, &sent, &items(&console.export(&selection)));
    }
}

fn compare(name: &str, sent: &[Value], given: &[Value]) {
    assert!(!sent.is_empty(), "{name}");
    for (sent, given) in sent.iter().zip(given) {
        assert!(sent == given, "{name}: sent\n{sent:#}\nand given back\n{given:#}");
    }
    assert_eq!(sent.len(), given.len(), "{name}");
}

#[test]
fn what_sdks_send_as_traces_comes_back() {
    check("traces", Recording::values::<ExportTraceServiceRequest>, canonical::spans);
}

#[test]
fn what_sdks_send_as_logs_comes_back() {
    check("logs", Recording::values::<ExportLogsServiceRequest>, canonical::records);
}
