//! OTLP/gRPC: one unary call for each request, with the bytes as they are.

use std::error::Error as StdError;

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use tonic::codec::{BufferSettings, Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Status};

use super::super::{Error, Kind};
use super::{ANSWER_BYTES_MAX, Answer, CONNECT_TIMEOUT, Failure, KEEP_ALIVE, Target, USER_AGENT, chain, status, words};

pub(in crate::export) struct Client {
    endpoint: Endpoint,
    /// Made within the runtime that it needs.
    channel: Option<Channel>,
    path: PathAndQuery,
    metadata: MetadataMap,
    gzip: bool,
}

impl Client {
    pub(super) fn new(target: Target, kind: Kind) -> Result<Self, Error> {
        let wrong = |error| Error::Client { signal: kind.signal(), source: Box::new(error) };
        let is_tls = target.is_tls();
        let mut endpoint = Endpoint::from(target.uri)
            .user_agent(USER_AGENT)
            .map_err(wrong)?
            .tcp_nodelay(true)
            .tcp_keepalive(Some(KEEP_ALIVE))
            .connect_timeout(CONNECT_TIMEOUT);
        if is_tls {
            let tls = match target.certificates {
                Some((pem, _)) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
                None => ClientTlsConfig::new().with_native_roots(),
            };
            endpoint = endpoint.tls_config(tls).map_err(wrong)?;
        }
        Ok(Self {
            endpoint,
            channel: None,
            path: PathAndQuery::from_static(kind.method()),
            metadata: MetadataMap::from_headers(target.headers),
            gzip: target.gzip,
        })
    }

    pub(super) fn disconnect(&mut self) {
        self.channel = None;
    }

    pub(super) async fn send(&mut self, body: Bytes) -> Answer {
        match self.call(body).await {
            Ok(response) => status::taken(&response),
            Err(status) => answer(&status),
        }
    }

    async fn call(&mut self, body: Bytes) -> Result<Bytes, Status> {
        let channel = self.channel.get_or_insert_with(|| self.endpoint.connect_lazy()).clone();
        let mut client = tonic::client::Grpc::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
        if self.gzip {
            client = client.send_compressed(CompressionEncoding::Gzip).accept_compressed(CompressionEncoding::Gzip);
        }
        client.ready().await.map_err(|error| Status::from_error(error.into()))?;
        let mut request = tonic::Request::new(body);
        *request.metadata_mut() = self.metadata.clone();
        let codec = Raw { size: request.get_ref().len() };
        Ok(client.unary(request, self.path.clone(), codec).await?.into_inner())
    }
}

/// What a status means, after OTLP's table of codes that may be tried again
/// (<https://opentelemetry.io/docs/specs/otlp/#failures>).
fn answer(status: &Status) -> Answer {
    // A status with a source was made here, of a connection that failed.
    if let Some(source) = status.source() {
        return Answer::Failed(Failure::new("unreachable", chain(source)));
    }
    let cause = format!("{:?}: {}", status.code(), words(status.message()));
    let wait = status::retry_info(status.details());
    let failed = |reason| Answer::Failed(Failure { reason, cause: cause.clone(), wait });
    match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => failed("unavailable"),
        Code::ResourceExhausted if wait.is_some() => failed("throttled"),
        _ => Answer::Refused(cause),
    }
}

/// Messages that are bytes already.
struct Raw {
    size: usize,
}

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self { size: self.size }
    }

    fn decoder(&mut self) -> Self {
        Self { size: 0 }
    }
}

/// Bytes before a message: whether it is compressed, and its length.
const PREFIX_LEN: usize = 5;

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, target: &mut EncodeBuf<'_>) -> Result<(), Status> {
        target.put(item);
        Ok(())
    }

    /// One buffer for the whole message, rather than one that grows by small steps.
    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(self.size + PREFIX_LEN, self.size + PREFIX_LEN)
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(source.copy_to_bytes(source.remaining())))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn codes_are_tried_again_as_otlp_says() {
        let again = [
            Code::Cancelled,
            Code::DeadlineExceeded,
            Code::Aborted,
            Code::OutOfRange,
            Code::Unavailable,
            Code::DataLoss,
        ];
        for code in (1..17).map(Code::from) {
            let is_tried_again = matches!(answer(&Status::new(code, "why")), Answer::Failed(_));
            assert_eq!(is_tried_again, again.contains(&code), "{code:?}");
        }
    }

    #[test]
    fn an_exhausted_collector_is_left_alone_for_as_long_as_it_says() {
        // A `Status` with a `RetryInfo` of 2.5 seconds.
        let mut info = vec![0x0a, 7, 0x08, 2, 0x10];
        info.extend([0x80, 0xca, 0xb5, 0xee, 0x01]);
        info[1] = (info.len() - 2) as u8;
        let url = b"type.googleapis.com/google.rpc.RetryInfo";
        let mut any = vec![0x0a, url.len() as u8];
        any.extend_from_slice(url);
        any.extend([0x12, info.len() as u8]);
        any.extend_from_slice(&info);
        let mut details = vec![0x08, 8, 0x1a, any.len() as u8];
        details.extend_from_slice(&any);
        let status = Status::with_details(Code::ResourceExhausted, "full", details.into());
        let Answer::Failed(failure) = answer(&status) else { panic!("{status:?} is not tried again") };
        assert_eq!((failure.reason, failure.wait), ("throttled", Some(Duration::from_millis(2_500))));
    }
}
