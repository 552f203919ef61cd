//! Requests to the engine: JSON over HTTP/1.1, bounded in time and size, tried again where the fault may
//! pass. What is asked is not known here. Trying again is safe for every call that this crate makes: reads
//! change nothing, and writes carry versions or names that are taken once.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as LegacyClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::address::Address;
use crate::failure::Failure;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Connections kept for the next request, and for how long.
const IDLE_MAX: usize = 32;
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of an answer at most: a page of a hundred orders as large as the API takes them.
const ANSWER_BYTES_MAX: usize = 256 << 20;
/// How often a call is tried, and the wait before the second time; it doubles after that.
const ATTEMPTS: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// How long a call may take, trying again included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit(pub(crate) Duration);

impl Limit {
    /// For what somebody waits for.
    pub(crate) const READ: Self = Self(Duration::from_secs(5));
    /// For asking whether it is there at all.
    pub(crate) const PROBE: Self = Self(Duration::from_secs(2));
    /// For what changes documents.
    pub(crate) const WRITE: Self = Self(Duration::from_secs(30));
    /// For what changes indexes, which the engine's master does.
    pub(crate) const MANAGE: Self = Self(Duration::from_secs(30));
}

/// The client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("this machine's certificates cannot be used: install ca-certificates, or set SSL_CERT_FILE")]
pub struct OpenError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// What is sent along with a request.
#[derive(Clone)]
pub(crate) enum Body {
    Nothing,
    Json(Bytes),
    /// Lines of JSON.
    Lines(Bytes),
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self::Json(value.to_string().into())
    }
}

/// Speaks with one engine. The connections are shared by all calls.
pub(crate) struct Client {
    http: LegacyClient<HttpsConnector<HttpConnector>, Full<Bytes>>,
    address: Address,
}

impl Client {
    pub(crate) fn new(address: &Address) -> Result<Self, OpenError> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_keepalive(Some(IDLE_TIMEOUT));
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(address.is_encrypted())?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let http = LegacyClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_MAX)
            .build(connector);
        Ok(Self { http, address: address.clone() })
    }

    /// Asks, and reads the answer.
    pub(crate) async fn ask<A: DeserializeOwned>(
        &self,
        limit: Limit,
        method: Method,
        path: &str,
        body: impl Into<Body>,
    ) -> Result<A, Failure> {
        let answer = self.send(limit, method, path, body.into()).await?;
        serde_json::from_slice(&answer).map_err(Failure::unreadable)
    }

    /// Asks for something to be done, of which only matters that it was.
    pub(crate) async fn tell(
        &self,
        limit: Limit,
        method: Method,
        path: &str,
        body: impl Into<Body>,
    ) -> Result<(), Failure> {
        self.send(limit, method, path, body.into()).await.map(drop)
    }

    /// The body of a good answer. Tries again for as long as there is time.
    async fn send(&self, limit: Limit, method: Method, path: &str, body: Body) -> Result<Bytes, Failure> {
        let deadline = Instant::now() + limit.0;
        let mut wait = FIRST_WAIT;
        for attempt in 1.. {
            let left = deadline.saturating_duration_since(Instant::now());
            let exchange = timeout(left, self.exchange(method.clone(), path, body.clone())).await;
            let failure = match exchange.unwrap_or_else(|_| Err(self.late(limit))) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if attempt >= ATTEMPTS || !failure.is_passing() || Instant::now() + wait >= deadline {
                return Err(failure);
            }
            sleep(jittered(wait)).await;
            wait *= 2;
        }
        Err(self.late(limit))
    }

    /// One request, one answer.
    pub(crate) async fn exchange(&self, method: Method, path: &str, body: Body) -> Result<Bytes, Failure> {
        let request = self.request(method, path, body)?;
        let response = self.http.request(request).await.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = match body {
            Ok(body) => body.to_bytes(),
            Err(error) => return Err(Failure::Unreachable { address: self.address.to_string(), source: error }),
        };
        if status.is_success() { Ok(body) } else { Err(Failure::answered(status.as_u16(), &body)) }
    }

    fn request(&self, method: Method, path: &str, body: Body) -> Result<Request<Full<Bytes>>, Failure> {
        let uri: Uri = format!("{}{path}", self.address.base()).parse().map_err(Failure::unreadable)?;
        let (content_type, body) = match body {
            Body::Nothing => (None, Bytes::new()),
            Body::Json(body) => (Some("application/json"), body),
            Body::Lines(body) => (Some("application/x-ndjson"), body),
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let headers: &mut HeaderMap = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("highbeam/", env!("CARGO_PKG_VERSION"))));
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if let Some(authorization) = self.address.authorization() {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        Ok(request)
    }

    fn unreachable(&self, error: hyper_util::client::legacy::Error) -> Failure {
        Failure::Unreachable { address: self.address.to_string(), source: Box::new(error) }
    }

    pub(crate) fn late(&self, Limit(limit): Limit) -> Failure {
        Failure::Late { address: self.address.to_string(), limit_ms: limit.as_millis() }
    }
}

/// Between half of a wait and the whole of it, so that clients that failed together do not come back
/// together.
pub(crate) fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(rand::random_range(0.5..=1.0))
}

/// The program's own choice of cryptography, so that no global one has to be there. Without encryption
/// nobody is trusted, so that a machine without certificates can do without them.
fn tls(is_encrypted: bool) -> Result<ClientConfig, OpenError> {
    let builder = ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| OpenError(error.into()))?;
    let builder = if is_encrypted {
        builder.with_native_roots().map_err(|error| OpenError(error.into()))?
    } else {
        builder.with_root_certificates(RootCertStore::empty())
    };
    Ok(builder.with_no_client_auth())
}
