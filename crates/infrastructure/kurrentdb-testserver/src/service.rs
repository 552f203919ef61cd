//! From a request's path to a method. What methods share: who may call, who must lead, and the faults
//! that every call has.

mod append;
mod delete;
mod read;
mod subscription;

use std::pin::Pin;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::Stream;
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use kurrentdb::protocol::{Empty, SupportedMethod, SupportedMethods, header, path};
use tokio::sync::Notify;
use tonic::Status;
use tonic::body::Body;
use tonic::server::Grpc;
use tonic_prost::ProstCodec;
use tower::service_fn;

use crate::batch;
use crate::cluster::{HOST, Shared};
use crate::faults::Faults;
use crate::status;

/// What the genuine server takes at most in one message.
const MESSAGE_BYTES_MAX: usize = 17 << 20;
/// As which version it behaves.
const VERSION: &str = "24.10.0";

/// Answers that come one after another.
pub(crate) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The methods, as one connection sees them.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) shared: Arc<Shared>,
    pub(crate) index: usize,
    pub(crate) faults: Faults,
    /// Breaks the connection.
    pub(crate) broken: Arc<Notify>,
}

impl Service {
    pub(crate) async fn answer(self, request: Request<Incoming>) -> Response<Body> {
        if let Err(status) = self.admit(request.uri().path(), request.headers()).await {
            return status.into_http();
        }
        let requires_leader = request.headers().get(header::REQUIRES_LEADER).is_some_and(|value| value == "true");
        match request.uri().path() {
            path::APPEND => {
                let method = service_fn(move |request| self.clone().append(request));
                grpc().client_streaming(method, request).await
            }
            batch::PATH => {
                let method = service_fn(move |request| self.clone().batch_append(request));
                grpc().streaming(method, request).await
            }
            path::READ => {
                let method = service_fn(move |request| self.clone().read(request, requires_leader));
                grpc().server_streaming(method, request).await
            }
            path::DELETE => grpc().unary(service_fn(move |request| self.clone().delete(request, false)), request).await,
            path::TOMBSTONE => {
                grpc().unary(service_fn(move |request| self.clone().delete(request, true)), request).await
            }
            path::GOSSIP => {
                let info = self.shared.gossip();
                let method = service_fn(move |_: tonic::Request<Empty>| {
                    let info = info.clone();
                    async move { Ok::<_, Status>(tonic::Response::new(info)) }
                });
                grpc().unary(method, request).await
            }
            path::FEATURES => {
                let method =
                    service_fn(|_: tonic::Request<Empty>| async { Ok::<_, Status>(tonic::Response::new(features())) });
                grpc().unary(method, request).await
            }
            other => Status::unimplemented(format!("{other} is not known")).into_http(),
        }
    }

    async fn admit(&self, method: &str, headers: &HeaderMap) -> Result<(), Status> {
        if self.faults.is_refused().await {
            return Err(status::too_busy());
        }
        if headers.contains_key(header::AUTHORIZATION) {
            self.faults.saw_authorization();
        }
        let options = &self.shared.options;
        let Some((user, password)) = options.user.as_ref().filter(|_| options.tls.is_some()) else { return Ok(()) };
        // Gossip and features are for everyone, as by default in the genuine server.
        if [path::GOSSIP, path::FEATURES].contains(&method) {
            return Ok(());
        }
        let expected = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
        let is_known = headers.get(header::AUTHORIZATION).is_some_and(|value| value == expected.as_str());
        if is_known { Ok(()) } else { Err(status::unauthenticated()) }
    }

    /// Whether this node may do what only the leader does.
    pub(crate) fn lead(&self) -> Result<(), Status> {
        if self.shared.leads(self.index) {
            return Ok(());
        }
        Err(self.shared.leader_port().map_or_else(status::no_leader, |port| status::not_leader(HOST, port)))
    }

    /// What goes wrong between storing an append and saying so.
    pub(crate) async fn acknowledge(&self) {
        if self.faults.loses_acknowledgement() {
            self.broken.notify_one();
            std::future::pending::<()>().await;
        }
        let delay = self.faults.acknowledgement_delay();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }
}

fn grpc<A, Q>() -> Grpc<ProstCodec<A, Q>>
where
    A: prost::Message + 'static,
    Q: prost::Message + Default + 'static,
{
    Grpc::new(ProstCodec::new()).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

fn features() -> SupportedMethods {
    let method = |service: &str, name: &str, features: &[&str]| SupportedMethod {
        method_name: name.to_owned(),
        service_name: service.to_owned(),
        features: features.iter().map(|feature| (*feature).to_owned()).collect(),
    };
    let streams = "event_store.client.streams.streams";
    SupportedMethods {
        methods: vec![
            method(streams, "append", &[]),
            method(streams, "batchappend", &["deadline_duration"]),
            method(streams, "read", &["position", "events"]),
            method(streams, "delete", &[]),
            method(streams, "tombstone", &[]),
            method("event_store.client.gossip.gossip", "read", &[]),
            method("event_store.client.server_features.serverfeatures", "getsupportedmethods", &[]),
        ],
        event_store_server_version: VERSION.to_owned(),
    }
}
