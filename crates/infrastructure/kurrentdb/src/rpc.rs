//! The methods, one call each: what is sent with it, and nothing about what comes of it.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::stream;
use http::uri::PathAndQuery;
use prost::Message;
use secrecy::ExposeSecret;
use tonic::client::Grpc;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::failure::{Failure, Kind};
use crate::protocol::{self, AppendReq, AppendResp, ClusterInfo, Empty, ReadReq, ReadResp, SupportedMethods, path};
use crate::settings::{Credentials, Settings};

/// The largest answer taken: the engine has events of up to 16 MiB, and something goes around them.
const ANSWER_BYTES_MAX: usize = 17 << 20;

/// What every call carries.
#[derive(Clone)]
pub(crate) struct Headers {
    authorization: Option<MetadataValue<Ascii>>,
    connection_name: Option<MetadataValue<Ascii>>,
}

impl Headers {
    /// A password is not sent where anyone could read it along; a server without TLS asks for none.
    pub(crate) fn new(settings: &Settings) -> Self {
        let credentials = settings.credentials.as_ref().filter(|_| settings.tls.is_some());
        let connection_name = settings.connection_name.as_deref().and_then(|name| name.parse().ok());
        Self { authorization: credentials.and_then(authorization), connection_name }
    }
}

fn authorization(credentials: &Credentials) -> Option<MetadataValue<Ascii>> {
    let pair = format!("{}:{}", credentials.user, credentials.password.expose_secret());
    let mut value: MetadataValue<Ascii> = format!("Basic {}", BASE64_STANDARD.encode(pair)).parse().ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// One attempt at one node.
pub(crate) struct Caller {
    client: Grpc<Channel>,
    headers: Headers,
    requires_leader: bool,
    /// How long the server may take; what follows is of no use to anyone.
    timeout: Option<Duration>,
}

impl Caller {
    pub(crate) fn new(channel: Channel, headers: Headers, requires_leader: bool, timeout: Duration) -> Self {
        let client = Grpc::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
        Self { client, headers, requires_leader, timeout: Some(timeout) }
    }

    pub(crate) async fn append(mut self, messages: Vec<AppendReq>) -> Result<AppendResp, Failure> {
        self.ready().await?;
        let request = self.request(stream::iter(messages));
        let answer = self.client.client_streaming(request, method(path::APPEND), codec()).await?;
        Ok(answer.into_inner())
    }

    /// All answers to a read that ends, at most `max`.
    pub(crate) async fn read(mut self, request: ReadReq, max: usize) -> Result<Vec<ReadResp>, Failure> {
        let mut answers = self.stream(request).await?;
        let mut all = Vec::new();
        while let Some(answer) = answers.message().await? {
            // A server that sends more than it was asked for does not fill the memory here.
            if all.len() > max {
                return Err(Failure::nonsense(format!("more than the {max} events that were asked for came")));
            }
            all.push(answer);
        }
        Ok(all)
    }

    /// A subscription, once the server has confirmed it.
    pub(crate) async fn subscribe(mut self, request: ReadReq) -> Result<Streaming<ReadResp>, Failure> {
        // It goes on for as long as someone follows.
        self.timeout = None;
        let mut answers = self.stream(request).await?;
        match answers.message().await?.and_then(|answer| answer.content) {
            Some(protocol::read_resp::Content::Confirmation(_)) => Ok(answers),
            Some(_) => Err(Failure::nonsense("a subscription began without its confirmation")),
            None => Err(Failure::new(Kind::Broken, "a subscription ended before it was confirmed")),
        }
    }

    pub(crate) async fn gossip(mut self) -> Result<ClusterInfo, Failure> {
        self.unary(Empty {}, path::GOSSIP).await
    }

    pub(crate) async fn features(mut self) -> Result<SupportedMethods, Failure> {
        self.unary(Empty {}, path::FEATURES).await
    }

    async fn unary<Q, A>(&mut self, message: Q, method: &'static str) -> Result<A, Failure>
    where
        Q: Message + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        self.ready().await?;
        let request = self.request(message);
        Ok(self.client.unary(request, self::method(method), codec()).await?.into_inner())
    }

    async fn stream(&mut self, message: ReadReq) -> Result<Streaming<ReadResp>, Failure> {
        self.ready().await?;
        let request = self.request(message);
        Ok(self.client.server_streaming(request, method(path::READ), codec()).await?.into_inner())
    }

    async fn ready(&mut self) -> Result<(), Failure> {
        let ready = self.client.ready().await;
        ready.map_err(|error| Status::from_error(Box::new(error)).into())
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(timeout) = self.timeout {
            request.set_timeout(timeout);
        }
        let metadata = request.metadata_mut();
        let requires_leader = if self.requires_leader { "true" } else { "false" };
        metadata.insert(protocol::header::REQUIRES_LEADER, MetadataValue::from_static(requires_leader));
        if let Some(value) = &self.headers.authorization {
            metadata.insert(protocol::header::AUTHORIZATION, value.clone());
        }
        if let Some(value) = &self.headers.connection_name {
            metadata.insert(protocol::header::CONNECTION_NAME, value.clone());
        }
        request
    }
}

fn method(path: &'static str) -> PathAndQuery {
    PathAndQuery::from_static(path)
}

fn codec<Q, A>() -> ProstCodec<Q, A>
where
    Q: Message + 'static,
    A: Message + Default + 'static,
{
    ProstCodec::new()
}
