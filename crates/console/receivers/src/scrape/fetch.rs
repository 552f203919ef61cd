//! Gets the text of a target over HTTP, within bounds of time and size. What is in it is not asked here.

use std::io::Read;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::{Client as LegacyClient, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// The formats that are read here, as Prometheus asks for them.
const FORMATS: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
     application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
     text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

pub(super) type Client = LegacyClient<HttpConnector, Empty<Bytes>>;

pub(super) fn client() -> Client {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    LegacyClient::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(60))
        .pool_max_idle_per_host(1)
        .build(connector)
}

/// What a target answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) content_type: Option<String>,
    pub(super) text: String,
}

pub(super) async fn fetch(client: &Client, uri: &Uri, timeout: Duration, bytes_max: usize) -> Result<Answer, String> {
    let request = Request::get(uri.clone())
        .header(ACCEPT, FORMATS)
        .header(ACCEPT_ENCODING, "gzip")
        .header(USER_AGENT, concat!("highbeam/", env!("CARGO_PKG_VERSION")))
        .header("x-prometheus-scrape-timeout-seconds", timeout.as_secs_f64().to_string())
        .body(Empty::new())
        .map_err(|error| error.to_string())?;
    let response = client.request(request).await.map_err(|error| described(&error))?;
    if response.status() != StatusCode::OK {
        return Err(format!("server returned HTTP status {}", response.status()));
    }
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let content_type = header(CONTENT_TYPE);
    let is_gzip = match header(CONTENT_ENCODING).as_deref() {
        None | Some("identity" | "") => false,
        Some(encoding) if encoding.eq_ignore_ascii_case("gzip") => true,
        Some(other) => return Err(format!("the response is encoded as {other:?}, but gzip was offered")),
    };
    let too_long = || format!("body size limit exceeded: the response has more than {bytes_max} bytes");
    let body = Limited::new(response.into_body(), bytes_max)
        .collect()
        .await
        .map_err(|error| if error.is::<LengthLimitError>() { too_long() } else { described(&*error) })?;
    let mut bytes = Vec::from(body.to_bytes());
    if is_gzip {
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
        let mut unpacked = Vec::new();
        let mut reader = flate2::read::MultiGzDecoder::new(bytes.as_slice()).take(limit);
        reader.read_to_end(&mut unpacked).map_err(|error| format!("the response is no gzip: {error}"))?;
        if unpacked.len() > bytes_max {
            return Err(too_long());
        }
        bytes = unpacked;
    }
    let text = String::from_utf8(bytes)
        .map_err(|error| format!("the response is not UTF-8 from byte {} on", error.utf8_error().valid_up_to()))?;
    Ok(Answer { content_type, text })
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
