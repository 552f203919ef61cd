//! A small HTTP client for highbeam's own operations routes: one request, one JSON answer, bounded in
//! size and time. Traffic is `load`'s business.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Bytes of an answer at most.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// A rebuild or a replay answers at once; what takes longer than this is stuck.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL is not one.
    #[error("{url} is not an http URL; for example http://127.0.0.1:5007")]
    Url {
        /// As it was given, without what may be a password.
        url: String,
    },
    /// Nobody answers there.
    #[error("{url} does not answer ({reason}); is highbeam running there?")]
    Unreachable {
        /// Where.
        url: String,
        /// What the network said.
        reason: String,
    },
    /// The answer is a refusal.
    #[error("{detail}")]
    Refused {
        /// The status of the answer.
        status: StatusCode,
        /// What the answer says about it.
        detail: String,
    },
}

/// Sends a request without a body to `url`, and reads the JSON answer (`null` for an empty one).
pub async fn ask(method: Method, base: &str, path: &str, token: Option<&str>) -> Result<Value, Error> {
    if !base.starts_with("http://") || base.contains('@') {
        return Err(Error::Url { url: base.rsplit('@').next().unwrap_or_default().to_owned() });
    }
    let url = format!("{}{path}", base.trim_end_matches('/'));
    let mut request = Request::builder().method(method).uri(&url).header("accept", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Full::<Bytes>::default()).map_err(|_| Error::Url { url: url.clone() })?;
    let unreachable = |reason: String| Error::Unreachable { url: base.to_owned(), reason };
    let exchange = async {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let response = client.request(request).await.map_err(|error| unreachable(reason(&error)))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        let body = body.map_err(|error| unreachable(error.to_string()))?.to_bytes();
        Ok((status, serde_json::from_slice::<Value>(&body).unwrap_or(Value::Null)))
    };
    let answered = tokio::time::timeout(TIMEOUT, exchange).await;
    let (status, body) = answered.map_err(|_| unreachable("no answer in 20 s".to_owned()))??;
    if status.is_success() {
        return Ok(body);
    }
    let detail = body.get("detail").or_else(|| body.get("title")).and_then(Value::as_str);
    Err(Error::Refused { status, detail: detail.map_or_else(|| format!("the answer is {status}"), str::to_owned) })
}

fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
