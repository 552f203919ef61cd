//! A collector on a real socket that answers as it is told, over OTLP/gRPC and OTLP/HTTP, and keeps
//! what it was sent.

use std::collections::VecDeque;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use telemetry::export::Protocol;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tonic::codec::CompressionEncoding;
use tonic::{Code, Status};

/// What a collector does with one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reply {
    Take,
    /// All but so many.
    TakePart(i64),
    /// Asks to be tried again, after so many seconds if told.
    Busy(Option<u64>),
    Refuse,
    /// Refuses it with a status of which there is no other.
    Teapot,
    /// Takes it and breaks the connection off before it says so.
    BreakOff,
    /// Takes its time for ever.
    Hang,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) at: Instant,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// Uncompressed bytes.
    pub(crate) size: usize,
    /// The span ids, or the messages of log lines.
    pub(crate) records: Vec<String>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Reply>>,
    received: Mutex<Vec<Received>>,
}

pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
    scheme: &'static str,
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Collector {
    /// Answers as the script says, and takes everything once it is at its end.
    pub(crate) async fn start(protocol: Protocol, script: &[Reply]) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), protocol, script).await
    }

    pub(crate) async fn start_at(address: SocketAddr, protocol: Protocol, script: &[Reply]) -> Self {
        Self::serve(address, protocol, script, None).await
    }

    /// Speaks TLS.
    pub(crate) async fn start_tls(protocol: Protocol, tls: TlsAcceptor) -> Self {
        Self::serve("127.0.0.1:0".parse().unwrap(), protocol, &[], Some(tls)).await
    }

    async fn serve(address: SocketAddr, protocol: Protocol, script: &[Reply], tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { script: Mutex::new(script.iter().copied().collect()), ..Shared::default() });
        let scheme = if tls.is_some() { "https" } else { "http" };
        let task = tokio::spawn(accept(listener, protocol, Arc::clone(&shared), tls));
        Self { address, shared, task, scheme }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        let host = if self.scheme == "https" { "localhost".to_owned() } else { self.address.ip().to_string() };
        format!("{}://{host}:{}{path}", self.scheme, self.address.port())
    }

    /// All requests so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// All records so far, as often as they came.
    pub(crate) fn records(&self) -> Vec<String> {
        self.received().into_iter().flat_map(|request| request.records).collect()
    }

    /// Closes the socket and every connection.
    pub(crate) async fn kill(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

async fn accept(listener: TcpListener, protocol: Protocol, shared: Arc<Shared>, tls: Option<TlsAcceptor>) {
    // Dropped with this task, and all connections with it.
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (shared, tls) = (Arc::clone(&shared), tls.clone());
        connections.spawn(async move {
            match tls {
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        connection(stream, protocol, shared).await;
                    }
                }
                None => connection(stream, protocol, shared).await,
            }
        });
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin + Send, protocol: Protocol, shared: Arc<Shared>) {
    let broken = Arc::new(Notify::new());
    let service = Service { shared, broken: Arc::clone(&broken), head: None };
    let stream = TokioIo::new(stream);
    let serve = async {
        match protocol {
            Protocol::HttpProtobuf => {
                let answer = service_fn(|request| {
                    let service = service.clone();
                    async move { Ok::<_, String>(service.http(request).await) }
                });
                let _ = hyper::server::conn::http1::Builder::new().serve_connection(stream, answer).await;
            }
            Protocol::Grpc => {
                let answer = service_fn(|request| service.clone().grpc(request));
                let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(stream, answer).await;
            }
        }
    };
    tokio::select! {
        () = serve => {}
        () = broken.notified() => {}
    }
}

#[derive(Clone)]
struct Service {
    shared: Arc<Shared>,
    broken: Arc<Notify>,
    head: Option<(String, HeaderMap)>,
}

impl Service {
    /// Notes a request and looks up what to say to it.
    fn note(&self, path: &str, headers: HeaderMap, size: usize, records: Vec<String>) -> Reply {
        let reply = self.shared.script.lock().unwrap().pop_front().unwrap_or(Reply::Take);
        let received = Received { at: Instant::now(), path: path.to_owned(), headers, size, records };
        self.shared.received.lock().unwrap().push(received);
        reply
    }

    async fn http(self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else { return Response::default() };
        let mut body = body.to_bytes().to_vec();
        if head.headers.get("content-encoding").is_some_and(|value| value == "gzip") {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&*body).read_to_end(&mut plain).unwrap();
            body = plain;
        }
        let path = head.uri.path().to_owned();
        let records = if path == "/v1/traces" {
            span_ids(&ExportTraceServiceRequest::decode(&*body).unwrap())
        } else {
            messages(&ExportLogsServiceRequest::decode(&*body).unwrap())
        };
        let reply = self.note(&path, head.headers, body.len(), records);
        let response = Response::builder().header("content-type", "application/x-protobuf");
        let (response, body) = match reply {
            Reply::Take => (response, Vec::new()),
            // The messages for spans and for log lines are alike on the wire.
            Reply::TakePart(rejected) => (response, partial_spans(rejected).encode_to_vec()),
            Reply::Refuse => (response.status(400), Vec::new()),
            Reply::Teapot => (response.status(418), Vec::new()),
            Reply::Busy(None) => (response.status(503), Vec::new()),
            Reply::Busy(Some(seconds)) => (response.status(503).header("retry-after", seconds), Vec::new()),
            Reply::BreakOff | Reply::Hang => self.no_answer(reply).await,
        };
        response.body(Full::new(body.into())).unwrap()
    }

    async fn grpc(
        mut self,
        request: Request<Incoming>,
    ) -> Result<Response<tonic::body::Body>, std::convert::Infallible> {
        let path = request.uri().path().to_owned();
        self.head = Some((path.clone(), request.headers().clone()));
        if path.contains("TraceService") {
            let mut server = TraceServiceServer::new(self).accept_compressed(CompressionEncoding::Gzip);
            tonic::codegen::Service::call(&mut server, request).await
        } else {
            let mut server = LogsServiceServer::new(self).accept_compressed(CompressionEncoding::Gzip);
            tonic::codegen::Service::call(&mut server, request).await
        }
    }

    async fn grpc_reply(&self, size: usize, records: Vec<String>) -> Result<i64, Status> {
        let (path, headers) = self.head.clone().unwrap();
        let reply = self.note(&path, headers, size, records);
        match reply {
            Reply::Take => Ok(0),
            Reply::TakePart(rejected) => Ok(rejected),
            Reply::Refuse | Reply::Teapot => Err(Status::invalid_argument("no")),
            Reply::Busy(None) => Err(Status::unavailable("busy")),
            Reply::Busy(Some(seconds)) => {
                Err(Status::with_details(Code::ResourceExhausted, "busy", retry_info(seconds).into()))
            }
            Reply::BreakOff | Reply::Hang => self.no_answer(reply).await,
        }
    }

    async fn no_answer<T>(&self, reply: Reply) -> T {
        if reply == Reply::BreakOff {
            self.broken.notify_one();
        }
        std::future::pending().await
    }
}

#[tonic::async_trait]
impl TraceService for Service {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, Status> {
        let request = request.into_inner();
        let rejected = self.grpc_reply(request.encoded_len(), span_ids(&request)).await?;
        Ok(tonic::Response::new(if rejected == 0 { Default::default() } else { partial_spans(rejected) }))
    }
}

#[tonic::async_trait]
impl LogsService for Service {
    async fn export(
        &self,
        request: tonic::Request<ExportLogsServiceRequest>,
    ) -> Result<tonic::Response<ExportLogsServiceResponse>, Status> {
        let request = request.into_inner();
        let rejected = self.grpc_reply(request.encoded_len(), messages(&request)).await?;
        let partial = ExportLogsPartialSuccess { rejected_log_records: rejected, error_message: "some".to_owned() };
        let partial_success = (rejected != 0).then_some(partial);
        Ok(tonic::Response::new(ExportLogsServiceResponse { partial_success }))
    }
}

fn partial_spans(rejected_spans: i64) -> ExportTraceServiceResponse {
    let partial = ExportTracePartialSuccess { rejected_spans, error_message: "some".to_owned() };
    ExportTraceServiceResponse { partial_success: Some(partial) }
}

/// A `google.rpc.Status` with a `RetryInfo`.
fn retry_info(seconds: u64) -> Vec<u8> {
    #[derive(Message)]
    struct Delay {
        #[prost(int64, tag = 1)]
        seconds: i64,
    }
    #[derive(Message)]
    struct Info {
        #[prost(message, optional, tag = 1)]
        delay: Option<Delay>,
    }
    #[derive(Message)]
    struct Any {
        #[prost(string, tag = 1)]
        url: String,
        #[prost(bytes = "vec", tag = 2)]
        value: Vec<u8>,
    }
    #[derive(Message)]
    struct RpcStatus {
        #[prost(message, repeated, tag = 3)]
        details: Vec<Any>,
    }
    let info = Info { delay: Some(Delay { seconds: seconds as i64 }) };
    let url = "type.googleapis.com/google.rpc.RetryInfo".to_owned();
    RpcStatus { details: vec![Any { url, value: info.encode_to_vec() }] }.encode_to_vec()
}

fn span_ids(request: &ExportTraceServiceRequest) -> Vec<String> {
    let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    let id = |id: &Vec<u8>| id.iter().map(|byte| format!("{byte:02x}")).collect();
    scopes.flat_map(|scope| &scope.spans).map(|span| id(&span.span_id)).collect()
}

fn messages(request: &ExportLogsServiceRequest) -> Vec<String> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let scopes = request.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
    let records = scopes.flat_map(|scope| &scope.log_records);
    records
        .map(|record| match record.body.clone().unwrap().value.unwrap() {
            // Enough to tell lines apart, however long they are.
            Value::StringValue(text) => text.chars().take(40).collect(),
            other => panic!("{other:?} is no text"),
        })
        .collect()
}

/// Waits for what can be observed.
pub(crate) async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} did not come about");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
