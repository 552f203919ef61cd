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
/// Characters of an answer that is shown as it came.
const MAX_SHOWN: usize = 200;

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
    /// Nobody answers in time.
    #[error("{url} did not answer within {} s", within.as_secs())]
    Silent {
        /// Where.
        url: String,
        /// How long that is.
        within: Duration,
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

/// What was answered, whatever it says.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body, as JSON; `null` if it is none.
    pub body: Value,
    /// The body's first line if it is not JSON, cut to what fits on a line.
    pub line: String,
}

/// Sends a request without a body to `url`, and reads the JSON answer (`null` for an empty one).
pub async fn ask(method: Method, base: &str, path: &str, token: Option<&str>) -> Result<Value, Error> {
    let Answer { status, body, .. } = exchange(method, base, path, token, TIMEOUT).await?;
    if status.is_success() {
        return Ok(body);
    }
    let detail = body.get("detail").or_else(|| body.get("title")).and_then(Value::as_str);
    Err(Error::Refused { status, detail: detail.map_or_else(|| format!("the answer is {status}"), str::to_owned) })
}

/// The same, but a refusal is an answer as well, and the caller says how long to wait for it.
pub async fn exchange(
    method: Method,
    base: &str,
    path: &str,
    token: Option<&str>,
    within: Duration,
) -> Result<Answer, Error> {
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
        Ok((status, body.map_err(|error| unreachable(error.to_string()))?.to_bytes()))
    };
    let answered = tokio::time::timeout(within, exchange).await;
    let (status, bytes) = answered.map_err(|_| Error::Silent { url: base.to_owned(), within })??;
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let line = if body.is_null() { first_line(&bytes) } else { String::new() };
    Ok(Answer { status, body, line })
}

fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect()
}

fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
