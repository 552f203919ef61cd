//! The port to the network, and its HTTP/1.1 adapter with kept-alive connections.
//!
//! Knows HTTP, not orders. No TLS, no redirects, no decompression, no retries but of requests that a
//! dying kept-alive connection never took: the generator shares its cores with the server.

use std::{future::Future, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{HeaderMap, Request};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};

use crate::fault::{Fault, Kind};

/// Bytes of an answer's body at most: a page of 100 orders is far below.
pub(crate) const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);

/// A whole answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The value of a header, where it has one that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Sends one request and waits for the whole answer.
///
/// An implementation MUST be cancel safe: a dropped future leaves later exchanges unharmed. It MUST
/// bound the body by [`BODY_BYTES_MAX`]. It MUST NOT bound the time: the caller does.
pub(crate) trait Transport: Send + Sync + 'static {
    /// Fails with `Connect`, `ConnectionLost` or `BodyTooLarge` only.
    fn exchange(&self, request: Request<Full<Bytes>>) -> impl Future<Output = Result<Answer, Fault>> + Send;
}

/// HTTP/1.1 over TCP.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Http {
    /// Keeps at most `connections_max` idle connections.
    pub(crate) fn new(connections_max: usize, connect_timeout: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(connect_timeout));
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(connections_max)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self { client }
    }
}

impl Transport for Http {
    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, Fault> {
        let response = self.client.request(request).await.map_err(|error| {
            let kind = if error.is_connect() { Kind::Connect } else { Kind::ConnectionLost };
            Fault::new(kind, chain(&error))
        })?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, BODY_BYTES_MAX)
            .collect()
            .await
            .map_err(|error| {
                if error.is::<LengthLimitError>() {
                    Fault::new(Kind::BodyTooLarge, format!("the body is larger than {BODY_BYTES_MAX} bytes"))
                } else {
                    Fault::new(Kind::ConnectionLost, chain(error.as_ref()))
                }
            })?
            .to_bytes();
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
    }
}

/// The error with what it rests on: hyper's own text alone ("client error (Connect)") helps nobody.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
