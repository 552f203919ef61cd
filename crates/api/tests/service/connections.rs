//! Connections: how many requests they carry, when they end, and what is left of them when the server
//! stops.

use std::convert::Infallible;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Version};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use server::{Drain, Drained};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Answer, Connection, PATIENCE, Service, Setup, order};

/// Shorter than anybody's patience.
const SOON: Duration = Duration::from_millis(100);
const HELD: &str = "/admin/projections";

async fn impatient() -> Service {
    let mut setup = Setup::default();
    setup.options.idle_timeout = SOON;
    Service::start(setup).await
}

/// A connection whose request has reached its handler, which waits.
async fn held(service: &Service) -> Connection {
    service.projections.close();
    let mut connection = service.connect().await;
    connection.begin("GET", HELD, &[], "").await;
    service.projections.entered().await;
    connection
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let service = Service::start(Setup::default()).await;
    let mut connection = service.connect().await;
    connection.send("GET", "/livez", &[], "").await.expect(200);
    connection.send("GET", "/nowhere", &[], "").await.expect(404);
    connection.send("POST", "/api/orders", &[], &order()).await.expect(201);
    let last = connection.send("GET", "/livez", &[("connection", "close")], "").await.expect(200);
    assert_eq!(last.header("connection"), Some("close"));
    assert!(connection.is_closed().await);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let service = Service::start(Setup::default()).await;
    let mut connection = service.connect().await;
    let request = |path| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    connection.write(["/livez", "/nowhere", "/readyz"].map(request).concat()).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(connection.read().await.status);
    }
    assert_eq!(statuses, [200, 404, 200]);
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let service = impatient().await;
    let mut connection = service.connect().await;
    connection.send("GET", "/livez", &[], "").await.expect(200);
    assert!(connection.is_closed().await, "between two requests");
    assert!(service.connect().await.is_closed().await, "before the first");
}

#[tokio::test]
async fn a_head_that_does_not_end_is_not_waited_for() {
    let service = impatient().await;
    let (mut early, mut late) = (service.connect().await, service.connect().await);
    early.write("GET /livez HTT").await;
    late.write("GET /livez HTTP/1.1\r\nhost: localhost\r\nx-slow: ").await;
    assert!(early.is_closed().await);
    assert!(late.is_closed().await);
}

#[tokio::test]
async fn a_request_at_work_is_not_idle() {
    let service = impatient().await;
    let mut connection = held(&service).await;
    assert!(service.connect().await.is_closed().await, "one that came later and asked nothing");
    service.projections.open();
    connection.read().await.expect(200);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let mut setup = Setup::default();
    setup.options.max_connections = 1;
    let service = Service::start(setup).await;
    let mut first = service.connect().await;
    first.send("GET", "/livez", &[], "").await.expect(200);
    let mut second = service.connect().await;
    second.begin("GET", "/livez", &[], "").await;
    first.send("GET", "/livez", &[], "").await.expect(200);
    assert!(second.stream.try_read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
    drop(first);
    second.read().await.expect(200);
}

#[tokio::test]
async fn a_drain_lets_a_request_finish_and_no_other_begin() {
    let service = Service::start(Setup::default()).await;
    let address = service.address;
    let mut idle = service.connect().await;
    idle.send("GET", "/livez", &[], "").await.expect(200);
    let mut busy = held(&service).await;
    let projections = service.projections.clone();
    let drained = service.stop();
    assert!(idle.is_closed().await);
    drop(idle);
    assert!(TcpStream::connect(address).await.is_err(), "the door is closed");
    projections.open();
    let last = busy.read().await.expect(200);
    assert_eq!(last.header("connection"), Some("close"));
    assert!(busy.is_closed().await);
    drop(busy);
    assert_eq!(drained.await.unwrap(), Drained { finished: 2, aborted: 0 });
}

#[tokio::test]
async fn what_is_at_work_when_the_grace_is_over_is_cut_off() {
    let mut setup = Setup::default();
    setup.options.grace = SOON;
    let service = Service::start(setup).await;
    let mut busy = held(&service).await;
    let drained = service.stop().await.unwrap();
    assert_eq!(drained, Drained { finished: 0, aborted: 1 });
    assert!(busy.is_closed().await);
}

#[tokio::test]
async fn a_drain_ends_a_stream_properly() {
    let service = Service::start(Setup::default()).await;
    let id = created(&service.send("POST", "/api/orders", &[], &order()).await.expect(201));
    let mut stream = service.connect().await;
    stream.begin("GET", &format!("/api/orders/{id}/watch"), &[], "").await;
    let head = stream.read_head().await.expect(200);
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    let first = String::from_utf8(stream.read_chunk().await.unwrap()).unwrap();
    assert!(first.contains("event: ORDER_CREATED"), "{first}");
    let drained = service.stop();
    assert_eq!(stream.read_chunk().await, None, "its last chunk says that it is complete");
    assert!(stream.is_closed().await);
    drop(stream);
    assert_eq!(drained.await.unwrap(), Drained { finished: 1, aborted: 0 });
}

#[tokio::test]
async fn a_stream_is_at_work_however_long_it_is_silent() {
    let service = impatient().await;
    let id = created(&service.send("POST", "/api/orders", &[], &order()).await.expect(201));
    let mut stream = service.connect().await;
    stream.begin("GET", &format!("/api/orders/{id}/watch"), &[], "").await;
    stream.read_head().await.expect(200);
    stream.read_chunk().await.unwrap();
    assert!(service.connect().await.is_closed().await, "one that came later and asked nothing");
    let cancel = format!("/api/orders/cancel/{id}");
    service.send("POST", &cancel, &[], r#"{"cancelReason":"too late"}"#).await.expect(200);
    let next = String::from_utf8(stream.read_chunk().await.unwrap()).unwrap();
    assert!(next.contains("event: ORDER_CANCELED"), "{next}");
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_request_along() {
    let service = Service::start(Setup::default()).await;
    let busy = held(&service).await;
    drop(busy);
    assert_eq!(service.stop().await.unwrap().aborted, 0, "nothing is left to wait for");
}

#[tokio::test]
async fn what_is_not_http_ends_its_own_connection_only() {
    let service = Service::start(Setup::default()).await;
    let mut other = service.connect().await;
    let mut strange = service.connect().await;
    strange.write("\x16\x03\x01 hello\r\n\r\n").await;
    assert_eq!(strange.read().await.status, 400);
    assert!(strange.is_closed().await);
    other.send("GET", "/livez", &[], "").await.expect(200);
}

#[tokio::test]
async fn http2_is_spoken_by_prior_knowledge_until_the_drain() {
    let service = Service::start(Setup::default()).await;
    let stream = TcpStream::connect(service.address).await.unwrap();
    let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    let (mut requests, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    for path in ["/livez", HELD] {
        let request = Request::get(format!("http://localhost{path}")).body(Empty::<Bytes>::new()).unwrap();
        let answer = requests.send_request(request).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_2), "{path}");
        assert!(!answer.into_body().collect().await.unwrap().to_bytes().is_empty());
    }
    let drained = service.stop();
    tokio::time::timeout(PATIENCE, connection).await.unwrap().unwrap().unwrap();
    assert_eq!(drained.await.unwrap(), Drained { finished: 1, aborted: 0 });
}

#[tokio::test]
async fn a_refused_body_that_is_still_being_sent_does_not_cost_the_answer() {
    let mut setup = Setup::default();
    setup.config.body_limit = 16;
    let service = Service::start(setup).await;
    let (length, mut connection) = (1024 * 1024, service.connect().await);
    let head = "POST /api/orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    connection.write(format!("{head}content-length: {length}\r\n\r\n")).await;
    // However much of it the server takes.
    let _ = connection.stream.write_all(&vec![b'x'; length]).await;
    connection.read().await.expect_problem(413, "body-too-large");
}

fn created(answer: &Answer) -> String {
    answer.json().as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_panic_ends_one_connection_and_is_logged() {
    crate::logs::listen();
    let log = crate::logs::Log::capture();
    let breaks = axum::routing::get(async || {
        Body::from_stream(futures_util::stream::poll_fn(|_| -> Poll<Option<Result<Bytes, Infallible>>> {
            panic!("while the body was written")
        }))
    });
    let router = axum::Router::new().route("/breaks", breaks).route("/works", axum::routing::get(async || "well"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let until = async {
        let _ = stopped.await;
    };
    let server = tokio::spawn(server::serve(listener, router, Drain::default(), until, PATIENCE));
    let mut broken = Connection::open(address).await;
    broken.begin("GET", "/breaks", &[], "").await;
    // The head may have been sent before; a reset is an end as well.
    let _ = broken.stream.read_to_end(&mut Vec::new()).await;
    Connection::open(address).await.send("GET", "/works", &[], "").await.expect(200);
    stop.send(()).unwrap();
    server.await.unwrap();
    assert_eq!(log.find("connection ended by a panic").len(), 1);
}
