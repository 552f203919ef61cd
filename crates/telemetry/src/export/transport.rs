//! How a request reaches a collector, and what the collector's answer means for it: taken, to be tried
//! again, or refused. When to try again is `worker`'s business.

mod grpc;
mod http;
mod status;

use std::error::Error as StdError;
use std::fmt::Write;
use std::time::Duration;

use ::http::header::{HeaderMap, HeaderName, HeaderValue};
use ::http::uri::{Scheme, Uri};
use bytes::Bytes;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::ExposeSecret;

use super::{Endpoint, Error, Kind, Protocol};

const USER_AGENT: &str = concat!("highbeam/", env!("CARGO_PKG_VERSION"));
/// An answer holds a few numbers and a message.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// What is told of a collector's own words.
const WORDS_MAX: usize = 200;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// What came of a request.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// It was taken, except for so many records; with the collector's words about it, if any.
    Taken { rejected: u64, words: String },
    /// It is not wanted, now or later.
    Refused(String),
    /// It may be taken later.
    Failed(Failure),
}

/// A failure that may pass.
#[derive(Debug, PartialEq)]
pub(super) struct Failure {
    /// A word of a fixed set.
    pub(super) reason: &'static str,
    /// What failed and why.
    pub(super) cause: String,
    /// For how long the collector wants to be left alone.
    pub(super) wait: Option<Duration>,
}

impl Failure {
    fn new(reason: &'static str, cause: impl Into<String>) -> Self {
        Self { reason, cause: cause.into(), wait: None }
    }
}

/// A way to a collector.
pub(super) enum Transport {
    Grpc(Box<grpc::Client>),
    Http(Box<http::Client>),
}

impl Transport {
    /// Reads the settings; connects when there is something to send.
    pub(super) fn new(endpoint: &Endpoint, kind: Kind) -> Result<Self, Error> {
        let target = Target::new(endpoint, kind)?;
        Ok(match endpoint.protocol {
            Protocol::Grpc => Self::Grpc(Box::new(grpc::Client::new(target, kind)?)),
            Protocol::HttpProtobuf => Self::Http(Box::new(http::Client::new(target, kind)?)),
        })
    }

    /// Sends a request and waits for the answer, `timeout` at most.
    pub(super) async fn send(&mut self, body: Bytes, timeout: Duration) -> Answer {
        let answer = async {
            match self {
                Self::Grpc(client) => client.send(body).await,
                Self::Http(client) => client.send(body).await,
            }
        };
        if let Ok(answer) = tokio::time::timeout(timeout, answer).await {
            return answer;
        }
        self.disconnect();
        Answer::Failed(Failure::new("timeout", format!("no answer within {timeout:?}")))
    }

    /// A connection on which an answer stayed away may be dead without knowing. Over HTTP/1.1 it ends
    /// with the request.
    fn disconnect(&mut self) {
        if let Self::Grpc(client) = self {
            client.disconnect();
        }
    }
}

/// An endpoint whose settings make sense.
struct Target {
    uri: Uri,
    headers: HeaderMap,
    gzip: bool,
    /// The certificates to trust, as PEM and as they are; `None` for the system's.
    certificates: Option<(Vec<u8>, Vec<CertificateDer<'static>>)>,
}

impl Target {
    fn new(endpoint: &Endpoint, kind: Kind) -> Result<Self, Error> {
        let wrong = |problem| Error::Url { signal: kind.signal(), problem, example: kind.example(endpoint.protocol) };
        let uri: Uri = endpoint.url.parse().map_err(|_| wrong("cannot be read"))?;
        let authority = uri.authority().ok_or_else(|| wrong("has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("has a user in it, who belongs into a header"));
        }
        if authority.host().is_empty() {
            return Err(wrong("has no host"));
        }
        if !uri.scheme().is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS) {
            return Err(wrong("is neither http:// nor https://"));
        }
        if endpoint.protocol == Protocol::Grpc && uri.path_and_query().is_some_and(|path| path != "/") {
            return Err(wrong("has a path, which gRPC does not know"));
        }
        let certificates = endpoint.certificate.as_ref().map(|pem| {
            let certificates: Vec<_> =
                CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().unwrap_or_default();
            if certificates.is_empty() {
                Err(Error::Certificate(kind.signal()))
            } else {
                Ok((pem.clone(), certificates))
            }
        });
        Ok(Self {
            uri,
            headers: headers(endpoint, kind)?,
            gzip: endpoint.gzip,
            certificates: certificates.transpose()?,
        })
    }

    fn is_tls(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }
}

fn headers(endpoint: &Endpoint, kind: Kind) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in &endpoint.headers {
        let wrong = || Error::Header { signal: kind.signal(), name: name.clone() };
        let header = HeaderName::try_from(name.as_str()).map_err(|_| wrong())?;
        // gRPC would take its value for bytes in base64.
        if endpoint.protocol == Protocol::Grpc && header.as_str().ends_with("-bin") {
            return Err(wrong());
        }
        let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.append(header, value);
    }
    Ok(headers)
}

/// An error and what led to it, each once.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.ends_with(&cause) {
            let _ = write!(text, ": {cause}");
        }
        source = error.source();
    }
    text
}

/// What a collector says, in reasonable length and without what would garble a terminal.
fn words(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(WORDS_MAX).collect()
}

#[cfg(test)]
mod tests;
