//! OTLP over gRPC: the three services, whose messages are handed on as they came.
//! <https://opentelemetry.io/docs/specs/otlp/#otlpgrpc>

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use bytes::{Buf, BufMut, Bytes};
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, UnaryService};
use tonic::{Code, Response, Status};

use super::body::BODY_BYTES_MAX;
use super::{Encoding, Failure, Intake, Signal};

/// Where each signal's calls go.
const PATHS: [(&str, Signal); 3] = [
    ("/opentelemetry.proto.collector.trace.v1.TraceService/Export", Signal::Traces),
    ("/opentelemetry.proto.collector.logs.v1.LogsService/Export", Signal::Logs),
    ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", Signal::Metrics),
];

/// The routes.
pub(crate) fn router(intake: &Arc<Intake>) -> Router {
    PATHS.into_iter().fold(Router::new(), |router, (path, signal)| {
        let intake = Arc::clone(intake);
        router.route(path, post(move |request| call(Arc::clone(&intake), signal, request)))
    })
}

/// Whether a request is a call of gRPC.
pub(crate) fn is_call(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// The answer to a call of what there is not. OTLP's clients do not send it again.
pub(crate) fn unimplemented(told: String) -> axum::response::Response {
    Status::new(Code::Unimplemented, told).into_http()
}

async fn call(intake: Arc<Intake>, signal: Signal, request: Request<Body>) -> axum::response::Response {
    // Which also keeps out what a browser sends for a page of another site.
    if !is_call(request.headers()) {
        let told = "content-type must be application/grpc; OTLP over HTTP goes to /v1/traces, /v1/logs, /v1/metrics";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, told).into_response();
    }
    let (parts, body) = request.into_parts();
    // Read here, within the budget that all bodies share; a call brings one message and nothing after it.
    let received = match intake.receive(&parts.headers, body, "").await {
        Ok(received) => received.without_encoding(),
        Err(failure) => return status(&failure).into_http(),
    };
    // The message is whole, so nothing waits in there but for the work itself.
    let runtime = tokio::runtime::Handle::current();
    let answered = intake.run(received, move |intake, bytes| {
        let mut grpc = Grpc::new(Messages)
            .max_decoding_message_size(BODY_BYTES_MAX)
            .accept_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Zstd);
        let request = Request::from_parts(parts, Body::from(bytes));
        let mut failure = None;
        let answer = runtime.block_on(grpc.unary(Export { intake, signal, failure: &mut failure }, request));
        failure.or_else(|| refused(&answer)).map_or(Ok(answer), Err)
    });
    match answered.await {
        Ok(answer) => answer.map(Body::new),
        Err(failure) => status(&failure).into_http(),
    }
}

/// Why the library refused a message before anybody saw it. Of one that is too large it would say what OTLP's
/// clients send again.
fn refused(answer: &axum::http::Response<tonic::body::Body>) -> Option<Failure> {
    let status = Status::from_header_map(answer.headers()).filter(|status| status.code() != Code::Ok)?;
    let told = status.message().to_owned();
    Some(match status.code() {
        Code::OutOfRange => Failure::TooLarge(told),
        Code::Unimplemented => Failure::Unsupported(told),
        _ => Failure::Malformed(told),
    })
}

struct Export<'a> {
    intake: &'a Intake,
    signal: Signal,
    failure: &'a mut Option<Failure>,
}

impl UnaryService<Bytes> for Export<'_> {
    type Response = Vec<u8>;
    type Future = std::future::Ready<Result<Response<Vec<u8>>, Status>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let taken = self.intake.otlp(self.signal, Encoding::Protobuf, &request.into_inner());
        std::future::ready(match taken {
            Ok(rejected) => Ok(Response::new(console_otlp::response::protobuf(self.signal, &rejected))),
            Err(failure) => {
                let status = status(&failure);
                *self.failure = Some(failure);
                Err(status)
            }
        })
    }
}

/// The status that says why nothing was taken. OTLP's clients send again what is unavailable, and what is
/// exhausted only where they are told when.
fn status(failure: &Failure) -> Status {
    let code = match failure {
        Failure::Malformed(_) => Code::InvalidArgument,
        Failure::TooLarge(_) => Code::ResourceExhausted,
        Failure::Unsupported(_) => Code::Unimplemented,
        Failure::Incomplete(_) => Code::Cancelled,
        Failure::Busy | Failure::Unavailable(_) => Code::Unavailable,
        Failure::Broken => Code::Internal,
    };
    Status::new(code, failure.to_string())
}

/// Messages as the bytes that they are.
#[derive(Debug, Clone, Copy, Default)]
struct Messages;

impl Codec for Messages {
    type Encode = Vec<u8>;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Messages {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Messages {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = message.remaining();
        Ok(Some(message.copy_to_bytes(length)))
    }
}
