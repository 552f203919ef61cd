//! OTLP over gRPC: the three services, whose messages are handed on as they came.
//! <https://opentelemetry.io/docs/specs/otlp/#otlpgrpc>

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Request};
use axum::routing::post;
use bytes::{Buf, BufMut, Bytes};
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, UnaryService};
use tonic::{Code, Response, Status};

use super::body::{self, BODY_BYTES_MAX};
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

async fn call(intake: Arc<Intake>, signal: Signal, request: Request<Body>) -> axum::http::Response<tonic::body::Body> {
    let (parts, body) = request.into_parts();
    // Read here, within the budget that all bodies share; a call brings one message and nothing after it.
    let (bytes, _share) = match body::receive(intake.budget(), body).await {
        Ok(read) => read,
        Err(error) => {
            intake.turned_away();
            return refused(&error).into_http();
        }
    };
    let Ok(_slot) = intake.slot().await else { return status(&Failure::Busy).into_http() };
    let mut grpc = Grpc::new(Messages)
        .max_decoding_message_size(BODY_BYTES_MAX)
        .accept_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Zstd);
    grpc.unary(Export { intake: Arc::clone(&intake), signal }, Request::from_parts(parts, Body::from(bytes))).await
}

struct Export {
    intake: Arc<Intake>,
    signal: Signal,
}

impl UnaryService<Bytes> for Export {
    type Response = Vec<u8>;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (intake, signal) = (Arc::clone(&self.intake), self.signal);
        Box::pin(async move {
            let bytes = request.into_inner();
            let length = bytes.len();
            let work = move |intake: &Intake| intake.otlp(signal, Encoding::Protobuf, &bytes);
            let rejected = intake.run(length, work).await.map_err(|failure| status(&failure))?;
            intake.rejected(rejected.count);
            Ok(Response::new(console_otlp::response::protobuf(signal, &rejected)))
        })
    }
}

/// The status that says why nothing was taken. OTLP's clients send again what is unavailable.
fn status(failure: &Failure) -> Status {
    let code = match failure {
        Failure::Malformed(_) => Code::InvalidArgument,
        Failure::Busy | Failure::Unavailable(_) => Code::Unavailable,
    };
    Status::new(code, failure.to_string())
}

fn refused(error: &body::Error) -> Status {
    let code = match error {
        body::Error::Busy => Code::Unavailable,
        body::Error::TooLarge { .. } => Code::OutOfRange,
        body::Error::Encoding(_) => Code::Unimplemented,
        body::Error::Compression(..) => Code::InvalidArgument,
        body::Error::Incomplete(_) => Code::Cancelled,
    };
    Status::new(code, error.to_string())
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
