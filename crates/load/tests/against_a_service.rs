//! The generator over real sockets, against a fake order service that stalls, refuses, breaks off and
//! fails when told to.
//!
//! Bounds are generous: the machine is shared. What must be exact is tested in paused time, beside
//! the code.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may panic as tests may")]

use std::{
    future::pending,
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, Uri},
    response::Response,
};
use clap::Parser;
use load::{Arguments, DemoOptions, Error, Mix, Mode, Options, Outcome, Outputs, Report, Scenario, WallClock};
use tokio::{net::TcpListener, task::JoinHandle};

#[path = "support/fake_service.rs"]
mod fake_service;

use fake_service::{Call, FakeService, Trouble};

/// What goes wrong on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Sound,
    /// Every answer takes this long.
    Stall(Duration),
    /// The connection ends in the middle of the body.
    CutBody,
    /// The body is endless.
    Endless,
    /// Every answer is the last one on its connection.
    Closing,
}

struct Server {
    service: Arc<FakeService>,
    wire: Arc<Mutex<Wire>>,
    address: String,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    async fn start() -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn listen(listener: TcpListener) -> Self {
        let service = Arc::<FakeService>::default();
        let wire = Arc::new(Mutex::new(Wire::Sound));
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().fallback(answer).with_state((Arc::clone(&service), Arc::clone(&wire)));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { service, wire, address, task }
    }

    fn set(&self, wire: Wire) {
        *self.wire.lock().unwrap() = wire;
    }

    /// Half a second of traffic.
    fn options(&self) -> Options {
        let mut options = Options::new(clock());
        options.target = format!("http://{}", self.address).parse().unwrap();
        options.mode = Mode::Open { rate_per_second: 200.0, in_flight_max: 64, lateness_max: Duration::from_secs(30) };
        options.duration = Duration::from_millis(500);
        options.warm_up = Duration::ZERO;
        options.request_timeout = Duration::from_secs(30);
        options
    }
}

type Shared = (Arc<FakeService>, Arc<Mutex<Wire>>);

async fn answer(
    State((service, wire)): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let reply = service.answer(&Call {
        method: method.as_str(),
        path_and_query: uri.path_and_query().unwrap().as_str(),
        header: &|name| Some(headers.get(name)?.to_str().unwrap().to_owned()),
        body: &body,
    });
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    let wire = *wire.lock().unwrap();
    let body = match wire {
        Wire::Sound => Body::from(reply.body),
        Wire::Closing => {
            response = response.header("connection", "close");
            Body::from(reply.body)
        }
        Wire::Stall(time) => {
            tokio::time::sleep(time).await;
            Body::from(reply.body)
        }
        Wire::CutBody => {
            response = response.header("content-length", reply.body.len() + 10);
            Body::new(Cut(Some(Bytes::from(reply.body))))
        }
        Wire::Endless => Body::new(Endless),
    };
    response.body(body).unwrap()
}

/// Some bytes, and then a broken connection.
struct Cut(Option<Bytes>);

impl hyper::body::Body for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, io::Error>>> {
        std::task::Poll::Ready(Some(self.0.take().map(hyper::body::Frame::data).ok_or_else(|| io::Error::other("cut"))))
    }
}

struct Endless;

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, io::Error>>> {
        std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(Bytes::from_static(&[b' '; 65_536])))))
    }
}

fn clock() -> WallClock {
    Arc::new(|| "2026-01-02T03:04:05Z".to_owned())
}

async fn run(options: &Options) -> Report {
    load::run(options, |_: &_| {}, pending()).await.unwrap()
}

fn kinds(report: &Report) -> Vec<&str> {
    report.errors.iter().map(|error| error.kind.as_str()).collect()
}

/// A writer whose text can be looked at.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    arguments: Arguments,
}

/// `highbeam load` with `line`; its outcome, results, and messages.
async fn execute(line: &str) -> (Outcome, String, String) {
    let arguments = Program::parse_from(std::iter::once("load").chain(line.split(' '))).arguments;
    let (results, messages) = (Paper::default(), Paper::default());
    let outputs = Outputs {
        results: Box::new(results.clone()),
        messages: Box::new(messages.clone()),
        progress: Box::new(io::sink()),
        columns: None,
    };
    let outcome = load::execute(&arguments, clock(), outputs, pending()).await;
    (outcome, results.text(), messages.text())
}

#[tokio::test]
async fn a_sound_service_gets_the_intended_rate_and_no_complaint() {
    let server = Server::start().await;
    let report = run(&server.options()).await;
    assert_eq!(kinds(&report), Vec::<&str>::new(), "{:?}", report.errors);
    assert_eq!(report.total.sent, report.rate.requests_intended);
    assert_eq!(report.total.answered, report.total.sent);
    // The knock before is the one request more.
    assert_eq!(server.service.requests(), report.total.sent + 1);
    assert_eq!((report.customers.dropped, report.customers.unfinished), (0, 0));
    assert_eq!(report.total.latency_ms.count, report.total.sent);
    assert!(report.total.latency_ms.p50 >= report.total.service_time_ms.p50);
    assert!(server.service.orders() > 5);
}

#[tokio::test]
async fn the_closed_loop_keeps_its_connections() {
    let server = Server::start().await;
    let mut options = server.options();
    options.mode = Mode::Closed { concurrency: 4 };
    let report = run(&options).await;
    assert_eq!(kinds(&report), Vec::<&str>::new(), "{:?}", report.errors);
    assert!(report.total.answered > 50, "{}", report.total.answered);
    assert_eq!(report.rate.intended, None);
}

#[tokio::test]
async fn failures_are_counted_by_kind_with_a_trace_to_look_up() {
    let server = Server::start().await;
    server.service.set(Trouble::Status(500));
    let report = run(&server.options()).await;
    assert_eq!(kinds(&report), ["unexpected_status_500"]);
    assert_eq!(report.errors[0].count, report.total.sent);
    let trace = &report.errors[0].first.trace_id;
    assert!(server.service.trace_parents().iter().any(|parent| parent.contains(trace.as_str())));
}

#[tokio::test]
async fn a_cut_and_an_endless_body_are_told_apart() {
    let server = Server::start().await;
    server.set(Wire::CutBody);
    let report = run(&server.options()).await;
    assert_eq!(kinds(&report), ["connection_lost"], "{:?}", report.errors);
    assert_eq!(report.total.answered, 0);
    server.set(Wire::Endless);
    let mut options = server.options();
    options.duration = Duration::from_millis(50);
    let report = run(&options).await;
    assert_eq!(kinds(&report), ["body_too_large"], "{:?}", report.errors);
}

#[tokio::test]
async fn a_stall_longer_than_patience_is_a_timeout() {
    let server = Server::start().await;
    let mut options = server.options();
    options.request_timeout = Duration::from_millis(100);
    server.set(Wire::Stall(Duration::from_secs(60)));
    let report = run(&options).await;
    assert_eq!(kinds(&report), ["timeout"]);
    assert_eq!(report.customers.unfinished, 0);
    assert!(report.total.latency_ms.p50 >= Some(99.0));
}

#[tokio::test]
async fn a_service_that_goes_away_leaves_connection_errors() {
    let server = Server::start().await;
    let mut options = server.options();
    options.mix = Mix::only(Scenario::Browse);
    options.duration = Duration::from_secs(1);
    let (task, wire) = (server.task.abort_handle(), Arc::clone(&server.wire));
    // The listener goes with the task, and connections already open with their next answer.
    let go_away = move |snapshot: &load::Snapshot| {
        if snapshot.answered > 0 {
            *wire.lock().unwrap() = Wire::Closing;
            task.abort();
        }
    };
    let report = load::run(&options, go_away, pending()).await.unwrap();
    assert!(report.total.answered > 0);
    assert!(kinds(&report).contains(&"connect"), "{:?}", report.errors);
    assert!(kinds(&report).iter().all(|kind| ["connect", "connection_lost"].contains(kind)), "{:?}", report.errors);
}

#[tokio::test]
async fn where_nobody_answers_there_is_no_run() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut options = Options::new(clock());
    options.target = format!("http://{address}").parse().unwrap();
    let error = load::run(&options, |_: &_| {}, pending()).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    let (outcome, results, messages) = execute(&format!("--target http://{address}")).await;
    assert_eq!((outcome, outcome.code(), results.as_str()), (Outcome::Unusable, 2, ""));
    assert!(messages.contains("cannot be reached") && messages.contains("highbeam up"), "{messages}");
}

#[tokio::test]
async fn a_wrong_base_path_and_wrong_options_are_explained() {
    let server = Server::start().await;
    let (outcome, _, messages) = execute(&format!("--target http://{}/v2", server.address)).await;
    assert_eq!(outcome, Outcome::Unusable);
    assert!(messages.contains("base path"), "{messages}");
    let (outcome, _, messages) = execute(&format!("--target http://{} --rate 0 --duration 0s", server.address)).await;
    assert_eq!(outcome, Outcome::Unusable);
    assert!(messages.contains("--rate 50") && messages.contains("--duration 30s"), "{messages}");
}

#[tokio::test]
async fn objectives_make_the_exit_code_and_the_report_is_written() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    std::fs::write(&file, "x".repeat(100_000)).unwrap();
    let line = format!(
        "--target http://{} --rate 100 --duration 300ms --warm-up 100ms --slo errors<=0 --slo p99<1h --report {}",
        server.address,
        file.display()
    );
    let (outcome, results, messages) = execute(&line).await;
    assert_eq!((outcome, messages.as_str()), (Outcome::Met, ""), "{results}");
    assert!(results.contains("met       errors<=0") && results.contains("create"), "{results}");
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(report["schema"], load::report::SCHEMA);
    assert_eq!(report["met"], true);
    assert!(report["warmUp"]["requests"].as_u64().unwrap() > 0);

    let (outcome, results, messages) = execute(&format!(
        "--target http://{} --duration 100ms --warm-up 0s --slo rate>=1000000 --report -",
        server.address
    ))
    .await;
    assert_eq!((outcome, outcome.code()), (Outcome::Violated, 1));
    assert!(messages.contains("VIOLATED"), "{messages}");
    let report: serde_json::Value = serde_json::from_str(&results).unwrap();
    assert_eq!(report["met"], false);
}

#[tokio::test]
async fn a_report_without_a_place_is_told_before_the_run() {
    let server = Server::start().await;
    let (outcome, _, messages) =
        execute(&format!("--target http://{} --report /nonexistent/folder/report.json", server.address)).await;
    assert_eq!(outcome, Outcome::Unusable);
    assert!(messages.contains("cannot be written"), "{messages}");
    assert_eq!(server.service.requests(), 0);
}

#[tokio::test]
async fn demo_traffic_waits_for_a_service_that_is_not_up_yet() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let target = format!("http://{address}").parse().unwrap();
    let mut options = DemoOptions::new(target, clock());
    options.customers_per_second = 50.0;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let demo = tokio::spawn(async move {
        load::demo_traffic(&options, async {
            let _ = stopped.await;
        })
        .await
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let server = Server::listen(TcpListener::bind(address).await.unwrap());
    let served = async {
        while server.service.orders() < 3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), served).await.unwrap();
    stop.send(()).unwrap();
    let summary = tokio::time::timeout(Duration::from_secs(10), demo).await.unwrap().unwrap();
    assert!(summary.customers > 3 && summary.failed > 0, "{summary:?}");
    assert!(!server.service.statuses().keys().any(|status| *status >= 500));
}
