//! OTLP/HTTP with protobuf bodies, over HTTP/1.1.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use jiff::fmt::rfc2822::DateTimeParser;
use rustls::{ClientConfig, RootCertStore};

use super::super::{Error, Kind};
use super::{ANSWER_BYTES_MAX, Answer, CONNECT_TIMEOUT, Failure, KEEP_ALIVE, Target, chain, status};

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

pub(in crate::export) struct Client {
    client: hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    uri: Uri,
    headers: HeaderMap,
    gzip: bool,
}

impl Client {
    pub(super) fn new(target: Target, kind: Kind) -> Result<Self, Error> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_keepalive(Some(KEEP_ALIVE));
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(&target, kind)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEEP_ALIVE)
            .build(connector);
        let mut headers = target.headers;
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(super::USER_AGENT));
        headers.insert(CONTENT_TYPE, PROTOBUF);
        if target.gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(Self { client, uri: target.uri, headers, gzip: target.gzip })
    }

    pub(super) async fn send(&mut self, body: Bytes) -> Answer {
        let body = if self.gzip { compressed(&body) } else { body };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let response = match self.client.request(request).await {
            Ok(response) => response,
            Err(error) => return Answer::Failed(Failure::new("unreachable", chain(&error))),
        };
        let (head, body) = response.into_parts();
        let body = match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
            Ok(body) => body.to_bytes(),
            // The status tells what became of the request; what broke off is what it says about it.
            Err(_) => Bytes::new(),
        };
        let is_protobuf = head.headers.get(CONTENT_TYPE).is_some_and(|value| value == PROTOBUF);
        answer(head.status, &head.headers, if is_protobuf { &body } else { &[] })
    }
}

/// The program's own choice of cryptography, so that no global one has to be there.
fn tls(target: &Target, kind: Kind) -> Result<ClientConfig, Error> {
    let wrong =
        |error: Box<dyn std::error::Error + Send + Sync>| Error::Client { signal: kind.signal(), source: error };
    let provider = rustls::crypto::ring::default_provider();
    let builder = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(error.into()))?;
    let builder = match &target.certificates {
        Some((_, certificates)) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates {
                roots.add(certificate.clone()).map_err(|_| Error::Certificate(kind.signal()))?;
            }
            builder.with_root_certificates(roots)
        }
        None if target.is_tls() => builder.with_native_roots().map_err(|error| wrong(error.into()))?,
        // Reading the system's takes a while, and nobody will ask for them.
        None => builder.with_root_certificates(RootCertStore::empty()),
    };
    Ok(builder.with_no_client_auth())
}

/// Fast rather than small: it is the machine of the service that computes.
fn compressed(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4 + 64), Compression::fast());
    // Writing into memory does not fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default().into()
}

/// What a response means (<https://opentelemetry.io/docs/specs/otlp/#otlphttp-response>).
fn answer(code: StatusCode, headers: &HeaderMap, body: &[u8]) -> Answer {
    if code.is_success() {
        return status::taken(body);
    }
    let told = status::told(body);
    let cause = if told.is_empty() { code.to_string() } else { format!("{code}: {told}") };
    let reason = match code {
        StatusCode::TOO_MANY_REQUESTS => "throttled",
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => "unavailable",
        _ => return Answer::Refused(cause),
    };
    Answer::Failed(Failure { reason, cause, wait: retry_after(headers) })
}

/// Seconds, or a date, which is meant by the collector's clock and so held against its own `Date`.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let after = text(RETRY_AFTER)?;
    if let Ok(seconds) = after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let time = |text| DateTimeParser::new().parse_timestamp(text).ok();
    let wait = time(after)?.duration_since(time(text(DATE)?)?);
    Some(wait.try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn statuses_are_tried_again_as_otlp_says() {
        for code in (100..600).filter_map(|code| StatusCode::from_u16(code).ok()) {
            match answer(code, &HeaderMap::new(), &[]) {
                Answer::Taken { .. } => assert!(code.is_success(), "{code}"),
                Answer::Failed(_) => assert!([429, 502, 503, 504].contains(&code.as_u16()), "{code}"),
                Answer::Refused(_) => assert!(!code.is_success() && ![429, 502, 503, 504].contains(&code.as_u16())),
            }
        }
    }

    #[test]
    fn the_wait_is_told_in_seconds_or_as_a_date() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let wait = |pairs: &[_]| retry_after(&headers(pairs));
        assert_eq!(wait(&[("retry-after", " 7 ")]), Some(Duration::from_secs(7)));
        let later = ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT");
        assert_eq!(wait(&[later, date]), Some(Duration::from_secs(30)));
        assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"), date]), Some(Duration::ZERO));
        for nothing in [&[later][..], &[("retry-after", "soon"), date], &[date], &[("retry-after", "-1")]] {
            assert_eq!(wait(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn what_a_collector_says_is_part_of_the_cause() {
        let body = [0x08, 3, 0x12, 4, b'b', b'a', b'\n', b'd'];
        let expected = Answer::Refused("400 Bad Request: bad".to_owned());
        assert_eq!(answer(StatusCode::BAD_REQUEST, &HeaderMap::new(), &body), expected);
    }
}
