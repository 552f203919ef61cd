//! The HTTP server itself: connections, their limits, and how they end. It knows no route.

mod activity;
mod lingering;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tower::ServiceExt;

use activity::{Activity, Busy, Tracked};
use lingering::Lingering;

/// Connections at once, unless said otherwise.
const MAX_CONNECTIONS: usize = 8_192;
/// How long a connection may be without a request, unless said otherwise.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of a request's head at most; 431 beyond.
const MAX_HEAD: usize = 1024 * 1024;
/// How long to wait after accepting failed, for want of file descriptors most likely.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);
/// How long a connection that was asked to end for idleness may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// How long to wait for connections that are being cut off.
const ABORT: Duration = Duration::from_secs(1);

/// Limits of a server. Made from its grace, the others are what suits most.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long requests in flight may take once the server is to stop.
    pub grace: Duration,
    /// How long a connection may be without a request: silent, idle between requests, or with a head
    /// that does not come to its end.
    pub idle_timeout: Duration,
    /// Connections at once; more wait to be accepted.
    pub max_connections: usize,
}

impl From<Duration> for Options {
    fn from(grace: Duration) -> Self {
        Self { grace, idle_timeout: IDLE_TIMEOUT, max_connections: MAX_CONNECTIONS }
    }
}

/// Tells long-lived answers that the server is about to stop. Cheap to clone.
#[derive(Clone)]
pub struct Drain(Arc<watch::Sender<bool>>);

impl Default for Drain {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Drain {
    /// From now on nothing new is to begin.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Whether it has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it begins.
    pub async fn begun(&self) {
        // The sender is held here, so the wait cannot fail.
        let _ = self.0.subscribe().wait_for(|begun| *begun).await;
    }
}

/// How the connections ended that were open when the server was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// In order, within the grace.
    pub finished: usize,
    /// Cut off, since they were still at work when the grace was over.
    pub aborted: usize,
}

/// Serves until `shutdown`, then lets requests in flight finish, as long as the grace in `options`
/// (or just the grace) allows.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    drain: Drain,
    shutdown: impl Future<Output = ()>,
    options: impl Into<Options>,
) -> Drained {
    let Options { grace, idle_timeout, max_connections } = options.into();
    let server = Arc::new(Server { builder: builder(), router, drain, idle_timeout });
    let slots = Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS)));
    let mut door = Door { listener, slots, refused: 0 };
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => report(ended),
            accepted = door.accept() => if let Some((stream, peer, slot)) = accepted {
                connections.spawn(Arc::clone(&server).connection(stream, peer, slot));
            },
        }
    }
    drop(door);
    server.drain.begin();
    let open = connections.len();
    let all = async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    };
    let _ = timeout(grace, all).await;
    let aborted = connections.len();
    // Waited for, since a request that is dropped has things to put in order, its idempotency key for
    // one. Not for long: a handler that never yields cannot be cut off.
    let _ = timeout(ABORT, connections.shutdown()).await;
    Drained { finished: open - aborted, aborted }
}

fn report(ended: Result<(), JoinError>) {
    if ended.is_err_and(|error| error.is_panic()) {
        tracing::error!("connection ended by a panic");
    }
}

struct Server {
    builder: Builder<TokioExecutor>,
    router: Router,
    drain: Drain,
    idle_timeout: Duration,
}

impl Server {
    /// Serves one connection to its end: the client's, the drain's, or that of our patience.
    async fn connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, _slot: OwnedSemaphorePermit) {
        let activity = Arc::new(Activity::default());
        let answering = Arc::clone(&activity);
        let router = self.router.clone();
        let service = service_fn(move |request| answer(router.clone(), request, peer, Busy::new(&answering)));
        let connection = self.builder.serve_connection_with_upgrades(TokioIo::new(Lingering::new(stream)), service);
        let (begun, patience) = (self.drain.begun(), sleep(self.idle_timeout));
        tokio::pin!(connection, begun, patience);
        let (mut is_draining, mut is_leaving) = (false, false);
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(error.cause = &*error, "connection ended badly");
                    }
                    return;
                }
                () = &mut begun, if !is_draining => {
                    is_draining = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = &mut patience => {
                    let now = Instant::now();
                    let due = activity.idle_since().unwrap_or(now) + self.idle_timeout;
                    if due > now {
                        patience.as_mut().reset(due);
                    } else if is_leaving {
                        return;
                    } else {
                        is_leaving = true;
                        connection.as_mut().graceful_shutdown();
                        patience.as_mut().reset(now + GOODBYE);
                    }
                }
            }
        }
    }
}

async fn answer(
    router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
    busy: Busy,
) -> Result<Response<Tracked>, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = router.oneshot(request).await?;
    Ok(response.map(|body| Tracked::new(body, busy)))
}

/// There is no timeout for heads here, since it would not cover the time in which a connection has not
/// yet said which protocol it speaks: see [`Server::connection`].
fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // Without `pipeline_flush`: hyper would not send its 431 while bytes of the head are unread.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
        .max_concurrent_streams(256)
        .keep_alive_interval(Some(Duration::from_secs(20)));
    builder
}

/// Where connections come in.
struct Door {
    listener: TcpListener,
    slots: Arc<Semaphore>,
    /// Failures in a row.
    refused: u64,
}

impl Door {
    /// The next connection and its slot, or `None` after a failure that has been waited out.
    async fn accept(&mut self) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok()?;
        match self.listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are small: waiting for more to send with them only delays them.
                let _ = stream.set_nodelay(true);
                if self.refused > 0 {
                    tracing::info!(failures = self.refused, "connections are accepted again");
                    self.refused = 0;
                }
                Some((stream, peer, slot))
            }
            // The client's affair: it left before it was its turn.
            Err(error) if is_of_connection(&error) => None,
            Err(error) => {
                self.refused += 1;
                if self.refused == 1 {
                    tracing::error!(error.cause = %error, "connections cannot be accepted");
                }
                sleep(ACCEPT_RETRY).await;
                None
            }
        }
    }
}

fn is_of_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind as Kind;
    matches!(error.kind(), Kind::ConnectionRefused | Kind::ConnectionAborted | Kind::ConnectionReset)
}
