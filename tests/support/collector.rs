//! A collector that keeps what it is sent: OTLP over HTTP, protobuf, decoded with the definitions that
//! OpenTelemetry publishes. It judges nothing.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use prost::Message;

/// A span as it came, with the service whose it is.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub service: String,
    pub name: String,
    pub kind: i32,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub links: Vec<String>,
    pub attributes: Vec<(String, String)>,
    pub start: u64,
    pub end: u64,
    pub failed: bool,
}

impl Span {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A log record as it came.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub service: String,
    pub message: String,
    /// The module that logged it.
    pub target: String,
    pub trace: String,
    pub attributes: Vec<(String, String)>,
}

/// How a collector answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It takes everything.
    #[default]
    Good,
    /// It takes nothing now.
    Busy,
    /// It takes all but one record of each request.
    Picky,
}

#[derive(Default)]
struct Kept {
    mood: Mood,
    spans: Vec<Span>,
    logs: Vec<Log>,
    resources: Vec<Vec<(String, String)>>,
}

/// Listens until the test ends.
pub(crate) struct Collector {
    pub url: String,
    kept: Arc<Mutex<Kept>>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let kept = Arc::new(Mutex::new(Kept::default()));
        let keeper = Arc::clone(&kept);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let keeper = Arc::clone(&keeper);
                std::thread::spawn(move || serve(stream.unwrap(), &keeper));
            }
        });
        Self { url, kept }
    }

    /// How requests are answered from now on.
    pub(crate) fn answer(&self, mood: Mood) {
        self.kept.lock().unwrap().mood = mood;
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        self.kept.lock().unwrap().spans.clone()
    }

    pub(crate) fn logs(&self) -> Vec<Log> {
        self.kept.lock().unwrap().logs.clone()
    }

    /// The attributes of each resource that was named.
    pub(crate) fn resources(&self) -> Vec<Vec<(String, String)>> {
        self.kept.lock().unwrap().resources.clone()
    }
}

/// One request after the other; a client that leaves ends it.
fn serve(stream: TcpStream, keeper: &Mutex<Kept>) {
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    while let Some((path, body)) = request(&mut reader) {
        let mut kept = keeper.lock().unwrap();
        // A partial success of one record, by hand: field 1, which holds a field 1, which is 1.
        let (status, answer): (_, &[u8]) = match kept.mood {
            Mood::Good => ("200 OK", &[]),
            Mood::Busy => ("503 Service Unavailable", &[]),
            Mood::Picky => ("200 OK", &[0x0a, 0x02, 0x08, 0x01]),
        };
        if kept.mood != Mood::Busy {
            keep(&path, &body, &mut kept);
        }
        drop(kept);
        let length = answer.len();
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-type: application/x-protobuf\r\ncontent-length: {length}\r\n\r\n");
        if writer.write_all(&[head.as_bytes(), answer].concat()).is_err() {
            return;
        }
    }
}

fn request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|length| *length > 0)?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, body))
}

fn keep(path: &str, body: &[u8], kept: &mut Kept) {
    match path {
        "/v1/traces" => {
            for resource in ExportTraceServiceRequest::decode(body).unwrap().resource_spans {
                let attributes = pairs(&resource.resource.unwrap().attributes);
                let service = find(&attributes, "service.name");
                kept.resources.push(attributes);
                for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                    kept.spans.push(Span {
                        service: service.clone(),
                        name: span.name,
                        kind: span.kind,
                        trace: hex(&span.trace_id),
                        id: hex(&span.span_id),
                        parent: hex(&span.parent_span_id),
                        links: span.links.iter().map(|link| hex(&link.trace_id)).collect(),
                        attributes: pairs(&span.attributes),
                        start: span.start_time_unix_nano,
                        end: span.end_time_unix_nano,
                        failed: span.status.is_some_and(|status| status.code == 2),
                    });
                }
            }
        }
        "/v1/logs" => {
            for resource in ExportLogsServiceRequest::decode(body).unwrap().resource_logs {
                let service = find(&pairs(&resource.resource.unwrap().attributes), "service.name");
                for scope in resource.scope_logs {
                    let target = scope.scope.map(|scope| scope.name).unwrap_or_default();
                    kept.logs.extend(scope.log_records.into_iter().map(|record| Log {
                        service: service.clone(),
                        target: target.clone(),
                        message: record.body.map(text).unwrap_or_default(),
                        trace: hex(&record.trace_id),
                        attributes: pairs(&record.attributes),
                    }));
                }
            }
        }
        other => panic!("nothing is taken at {other}"),
    }
}

fn find(attributes: &[(String, String)], name: &str) -> String {
    attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
}

fn pairs(attributes: &[KeyValue]) -> Vec<(String, String)> {
    let pair = |pair: &KeyValue| (pair.key.clone(), pair.value.clone().map(text).unwrap_or_default());
    attributes.iter().map(pair).collect()
}

fn text(value: AnyValue) -> String {
    match value.value {
        Some(any_value::Value::StringValue(text)) => text,
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        Some(any_value::Value::DoubleValue(number)) => number.to_string(),
        Some(any_value::Value::BoolValue(flag)) => flag.to_string(),
        other => panic!("nothing of ours has such a value: {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
