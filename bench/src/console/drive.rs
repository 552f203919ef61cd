//! Sends requests over a few connections that stay open, as fast as they are answered, until the time is
//! over or there are no more; and asks what of it was stored.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::parties::{Party, Signal};
use super::pushed::Requests;
use super::template::Template;
use crate::client::Connection;

pub const SENDERS: u32 = 4;
/// How long a party that takes in what it has not stored yet may take to store it.
const DRAIN: Duration = Duration::from_secs(20);
/// Of one in so many requests a trace is looked for afterwards.
const SAMPLED: u64 = 8;

/// What is sent.
#[derive(Clone)]
pub enum Feed {
    /// OTLP over HTTP, without end.
    Http(Vec<Template>),
    /// OTLP's traces over gRPC, without end.
    Grpc(Vec<Template>),
    /// Requests made before, by sender.
    Made(Arc<Vec<Requests>>),
}

/// When sending ends.
#[derive(Clone, Copy)]
pub struct Until {
    pub time: Duration,
    /// Requests of one sender.
    pub requests: u64,
}

impl Until {
    pub const fn seconds(seconds: u64) -> Self {
        Self { time: Duration::from_secs(seconds), requests: u64::MAX }
    }
}

/// What became of what was sent.
#[derive(Default)]
pub struct Sent {
    /// Requests that were answered with success.
    pub taken: u64,
    /// Requests that were not.
    pub refused: u64,
    /// The first answer that was none of success.
    pub reason: Option<String>,
    /// Numbers of some of the requests.
    pub sample: Vec<u64>,
}

impl Sent {
    fn add(&mut self, other: Self) {
        self.taken += other.taken;
        self.refused += other.refused;
        self.reason = self.reason.take().or(other.reason);
        self.sample.extend(other.sample);
    }

    async fn count(&mut self, failure: Option<String>, number: u64) {
        match failure {
            None => {
                self.taken += 1;
                if number.is_multiple_of(SAMPLED) {
                    self.sample.push(number);
                }
            }
            Some(reason) => {
                self.refused += 1;
                self.reason.get_or_insert(reason);
                // As a client would that is told to come again later, if sooner.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// Sends all of it, over [`SENDERS`] connections.
pub async fn send(feed: &Feed, address: SocketAddr, until: Until) -> Sent {
    let begun = Instant::now();
    let is_over = move |requests: u64| begun.elapsed() >= until.time || requests >= until.requests;
    let tasks: Vec<_> = (0..SENDERS as usize)
        .map(|sender| match feed {
            Feed::Http(templates) => tokio::spawn(over_http(own(templates, sender), address, is_over)),
            Feed::Grpc(templates) => tokio::spawn(over_grpc(own(templates, sender), address, is_over)),
            Feed::Made(made) => tokio::spawn(as_made(Arc::clone(made), sender, address, is_over)),
        })
        .collect();
    let mut sent = Sent::default();
    for task in tasks {
        sent.add(task.await.unwrap());
    }
    sent
}

/// Each sender has templates of its own.
fn own(templates: &[Template], sender: usize) -> Vec<Template> {
    templates.iter().skip(sender).step_by(SENDERS as usize).cloned().collect()
}

async fn over_http(mut templates: Vec<Template>, address: SocketAddr, is_over: impl Fn(u64) -> bool) -> Sent {
    let mut connection = Connection::open(address).await.unwrap();
    let mut sent = Sent::default();
    for turn in 0.. {
        if is_over(turn) {
            break;
        }
        let index = turn as usize % templates.len();
        let template = &mut templates[index];
        let number = template.fill();
        let failure = failure(&mut connection, template.request()).await;
        sent.count(failure, number).await;
    }
    sent
}

async fn as_made(made: Arc<Vec<Requests>>, sender: usize, address: SocketAddr, is_over: impl Fn(u64) -> bool) -> Sent {
    let mut connection = Connection::open(address).await.unwrap();
    let mut sent = Sent::default();
    for (turn, request) in made[sender].iter().enumerate() {
        if is_over(turn as u64) {
            break;
        }
        let failure = failure(&mut connection, request).await;
        sent.count(failure, 1).await;
    }
    sent
}

async fn failure(connection: &mut Connection, request: &[u8]) -> Option<String> {
    match connection.send(request).await {
        Ok(answer) if (200..300).contains(&answer.status) => None,
        Ok(answer) => Some(format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body))),
        Err(error) => Some(error.to_string()),
    }
}

async fn over_grpc(mut templates: Vec<Template>, address: SocketAddr, is_over: impl Fn(u64) -> bool) -> Sent {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
        .max_send_buf_size(2 << 20)
        .handshake::<_, Full<Bytes>>(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let uri = format!("http://{address}/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    let mut sent = Sent::default();
    for turn in 0.. {
        if is_over(turn) {
            break;
        }
        let index = turn as usize % templates.len();
        let template = &mut templates[index];
        let number = template.fill();
        let mut message = Vec::with_capacity(template.body().len() + 5);
        message.push(0);
        message.extend_from_slice(&u32::try_from(template.body().len()).unwrap().to_be_bytes());
        message.extend_from_slice(template.body());
        let request = hyper::Request::post(&uri).header("content-type", "application/grpc").header("te", "trailers");
        let request = request.body(Full::new(Bytes::from(message))).unwrap();
        let failure = match sender.send_request(request).await {
            Ok(answer) => status(answer).await,
            Err(error) => Some(error.to_string()),
        };
        sent.count(failure, number).await;
    }
    sent
}

async fn status(answer: hyper::Response<hyper::body::Incoming>) -> Option<String> {
    let (head, body) = answer.into_parts();
    let trailers = body.collect().await.ok().and_then(|body| body.trailers().cloned()).unwrap_or_default();
    let value = |name: &str| trailers.get(name).or_else(|| head.headers.get(name)).map(|it| it.as_bytes().to_vec());
    let text = |name: &str| String::from_utf8_lossy(&value(name).unwrap_or_default()).into_owned();
    match text("grpc-status").as_str() {
        "0" => None,
        code => Some(format!("status {code}: {}", text("grpc-message"))),
    }
}

/// Items a second that were stored, by the party's own count.
pub struct Rate {
    pub per_second: f64,
    pub stored: u64,
    pub sent: Sent,
    /// Items that were answered with success and are not counted as stored.
    pub missing: u64,
}

/// Sends, and waits until everything that was taken is stored, which counts as time that it took.
pub async fn rate(party: &Party, signal: Signal, items: u64, feed: &Feed, until: Until) -> Rate {
    let address = match (feed, signal) {
        (Feed::Http(_), _) => party.otlp_http,
        (Feed::Grpc(_), _) => party.otlp_grpc,
        (Feed::Made(_), _) => party.query,
    };
    let before = party.stored(signal).await;
    let begun = Instant::now();
    let sent = send(feed, address, until).await;
    let mut took = begun.elapsed();
    let taken = sent.taken * items;
    let mut stored = party.stored(signal).await - before;
    let drain = Instant::now();
    while stored < taken && drain.elapsed() < DRAIN {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = party.stored(signal).await - before;
        if now > stored {
            took = begun.elapsed();
        }
        stored = now;
    }
    // The console scrapes itself meanwhile.
    let stored = stored.min(taken);
    Rate { per_second: stored as f64 / took.as_secs_f64(), stored, missing: taken - stored, sent }
}
