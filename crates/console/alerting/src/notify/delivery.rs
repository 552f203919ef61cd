//! HTTP out: posts JSON to a URL, within bounds of time and size. What is posted is not known here.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{CONTENT_TYPE, USER_AGENT};
use hyper::{Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client as LegacyClient, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::Outcome;

/// How long a receiver may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer that are looked at.
const ANSWER_BYTES_MAX: usize = 64 << 10;
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Posts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client(LegacyClient<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// What a receiver answered, in words for a person; `None` if it took what it was sent.
pub type Told = Option<String>;

impl Client {
    /// One that trusts the machine's certificates.
    ///
    /// # Errors
    /// When these cannot be read.
    pub fn new() -> std::io::Result<Self> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(TIMEOUT));
        // The program's own choice of cryptography, so that no global one has to be there.
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = LegacyClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(2)
            .build(connector);
        Ok(Self(client))
    }

    /// Posts JSON.
    pub async fn post(&self, url: &str, body: Bytes) -> (Outcome, Told) {
        let uri = match url.parse::<Uri>() {
            Ok(uri) => uri,
            Err(error) => return (Outcome::Refused, Some(format!("the URL is none: {error}"))),
        };
        let request = Request::post(uri)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("highbeam/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(body));
        let request = match request {
            Ok(request) => request,
            Err(error) => return (Outcome::Refused, Some(error.to_string())),
        };
        match tokio::time::timeout(TIMEOUT, self.answer(request)).await {
            Ok(answer) => answer,
            Err(_) => (Outcome::Failed, Some(format!("no answer within {TIMEOUT:?}"))),
        }
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> (Outcome, Told) {
        let response = match self.0.request(request).await {
            Ok(response) => response,
            Err(error) => return (Outcome::Failed, Some(described(&error))),
        };
        let status = response.status();
        // The connection is used again only if the answer was read; what is in it is told of failures only.
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        if status.is_success() {
            return (Outcome::Arrived, None);
        }
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        let text: String = String::from_utf8_lossy(&body).trim().chars().take(200).collect();
        let told = if text.is_empty() { format!("answered {status}") } else { format!("answered {status}: {text}") };
        // A request that is wrong stays wrong; one that came at the wrong time may come again.
        let is_final = status.is_client_error() && !matches!(status.as_u16(), 408 | 425 | 429);
        (if is_final { Outcome::Refused } else { Outcome::Failed }, Some(told))
    }
}

/// An error with its causes, for the first alone says nothing but "client error (Connect)".
fn described(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
