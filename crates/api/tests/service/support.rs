//! A service on a free port, and a client that sees every byte. Waits are for events, never for a while.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::{Config, Orders, State};
use delivery::services::{OrderCommands, OrderQueries};
use eventsourcing::clock;
use serde_json::{Value, json};
use server::{Drain, Drained, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::fakes::{Keys, Projections};
use crate::logs;

/// For what has to happen at all: only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What a test may set before the service starts.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) probes: Vec<Arc<dyn api::health::Probe>>,
    pub(crate) options: Options,
    /// Kept over a restart.
    pub(crate) events: memory::EventStore,
    pub(crate) keys: Arc<Keys>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            config: Config {
                base_path: "/api".to_owned(),
                request_timeout: PATIENCE,
                body_limit: 64 * 1024,
                rate_limit: None,
                admin_token: None,
                cursor_key: [7; 32],
            },
            probes: Vec::new(),
            options: PATIENCE.into(),
            events: memory::EventStore::new(Arc::new(clock::System)),
            keys: Arc::default(),
        }
    }
}

/// A running service.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) drain: Drain,
    pub(crate) projections: Arc<Projections>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Drained>,
}

impl Service {
    pub(crate) async fn start(setup: Setup) -> Self {
        logs::listen();
        let events: Arc<dyn eventsourcing::EventStore> = Arc::new(setup.events);
        let (orders, search) = (Arc::<memory::OrderReadModel>::default(), Arc::<memory::OrderSearch>::default());
        let hub = api::watch::Hub::default();
        tokio::spawn(hub.clone().follow(Arc::clone(&events), "order-".to_owned()));
        let projections = Arc::<Projections>::default();
        let drain = Drain::default();
        let state = Arc::new(State {
            config: setup.config,
            orders: Some(Orders {
                commands: OrderCommands::new(Arc::clone(&events)),
                queries: OrderQueries::new(events, orders, search),
                idempotency: setup.keys,
                recent: api::Recent::default(),
                hub,
            }),
            clock: Arc::new(clock::System),
            readiness: api::health::Readiness::new(setup.probes),
            projections: Arc::clone(&projections) as _,
            metrics: Arc::new(telemetry::Metrics::new("delivery-api", "0.0.0")),
            tracer: telemetry::Tracer::disabled(),
            telemetry: telemetry::Control::default(),
            drain: drain.clone(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            let _ = stopped.await;
        };
        let router = api::router(state);
        let server = tokio::spawn(server::serve(listener, router, drain.clone(), stopped, setup.options));
        Self { address, drain, projections, stop, server }
    }

    pub(crate) async fn connect(&self) -> Connection {
        Connection::open(self.address).await
    }

    /// Sends a request on a connection of its own.
    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.connect().await.send(method, path, headers, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// Asks the server to stop; what it says in the end.
    pub(crate) fn stop(self) -> JoinHandle<Drained> {
        let _ = self.stop.send(());
        self.server
    }
}

/// An HTTP/1.1 connection.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    read: Vec<u8>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?} {}", self.headers, self.text());
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Checks that it is a problem of this type; its status is checked as well.
    pub(crate) fn expect_problem(self, status: u16, slug: &str) -> Value {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let problem = answer.json();
        assert_eq!(problem["type"], format!("/problems/{slug}"));
        assert_eq!(problem["status"], status);
        problem
    }
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), read: Vec::new() }
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    pub(crate) async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.begin(method, path, headers, body).await;
        if method == "HEAD" { self.read_head().await } else { self.read().await }
    }

    /// Sends a request and does not wait for its answer.
    pub(crate) async fn begin(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) {
        let mut request = format!("{method} {path} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            request.push_str("host: localhost\r\n");
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            request.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        request.push_str(body);
        self.write(request).await;
    }

    /// Reads an answer with its body.
    pub(crate) async fn read(&mut self) -> Answer {
        let mut answer = self.read_head().await;
        match answer.header("content-length").map(|length| length.parse().unwrap()) {
            Some(length) => {
                self.fill(length).await;
                answer.body = self.read.drain(..length).collect();
            }
            None if answer.header("transfer-encoding") == Some("chunked") => {
                while let Some(chunk) = self.read_chunk().await {
                    answer.body.extend(chunk);
                }
            }
            None => {}
        }
        answer
    }

    /// Reads an answer without its body: of `HEAD`, or of a stream.
    pub(crate) async fn read_head(&mut self) -> Answer {
        let end = self.find(b"\r\n\r\n").await;
        let head = String::from_utf8(self.read.drain(..end + 4).collect()).unwrap();
        let mut lines = head.trim_end().lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        Answer { status, headers: headers.collect(), body: Vec::new() }
    }

    /// Reads a chunk of a stream; `None` at its proper end.
    pub(crate) async fn read_chunk(&mut self) -> Option<Vec<u8>> {
        let end = self.find(b"\r\n").await;
        let length = usize::from_str_radix(std::str::from_utf8(&self.read[..end]).unwrap(), 16).unwrap();
        self.read.drain(..end + 2);
        self.fill(length + 2).await;
        let chunk: Vec<u8> = self.read.drain(..length + 2).take(length).collect();
        (!chunk.is_empty()).then_some(chunk)
    }

    /// Whether the server has closed the connection without another byte; waits until there is one or
    /// the other.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let closed = async {
            let mut byte = [0];
            // A reset is an end as well.
            self.read.is_empty() && self.stream.read(&mut byte).await.is_ok_and(|read| read == 0)
        };
        tokio::time::timeout(PATIENCE, closed).await.unwrap()
    }

    async fn find(&mut self, wanted: &[u8]) -> usize {
        loop {
            if let Some(at) = self.read.windows(wanted.len()).position(|window| window == wanted) {
                return at;
            }
            self.fill(self.read.len() + 1).await;
        }
    }

    async fn fill(&mut self, length: usize) {
        while self.read.len() < length {
            let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await.unwrap().unwrap();
            assert_ne!(read, 0, "the connection ended after {}", String::from_utf8_lossy(&self.read));
        }
    }
}

/// An order to create.
pub(crate) fn order() -> String {
    json!({
        "shopItems": [{ "id": "1", "title": "Tea", "description": "Green", "quantity": 1, "price": 12.5 }],
        "accountEmail": "jane@example.com",
        "deliveryAddress": "1 Main Street"
    })
    .to_string()
}
