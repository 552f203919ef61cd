//! OTLP over gRPC: the three services, whose messages are handed on as they came.
//! <https://opentelemetry.io/docs/specs/otlp/#otlpgrpc>

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use bytes::{BufMut, BytesMut};
use http_body_util::{BodyExt, Full};
use tonic::{Code, Status};

use super::body::BODY_BYTES_MAX;
use super::{Encoding, Failure, Intake, Received, Signal};

/// The compressions that messages may have.
const COMPRESSIONS: &str = "identity,gzip,zstd";

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
    // A call brings one message and nothing after it.
    let taken = match intake.receive(&parts.headers, body, "").await.and_then(|call| message(call, &parts.headers)) {
        Ok(message) => intake.run(message, move |intake, bytes| intake.otlp(signal, Encoding::Protobuf, &bytes)).await,
        Err(failure) => Err(failure),
    };
    match taken {
        Ok(rejected) => answer(&console_otlp::response::protobuf(signal, &rejected)),
        Err(failure) => {
            let mut response = status(&failure).into_http::<Body>();
            if matches!(failure, Failure::Unsupported(_)) {
                response.headers_mut().insert("grpc-accept-encoding", HeaderValue::from_static(COMPRESSIONS));
            }
            response
        }
    }
}

/// The message of a call, without its frame: whether it is compressed, its length in four bytes, itself.
/// <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>
fn message(call: Received, headers: &HeaderMap) -> Result<Received, Failure> {
    let Some((frame, rest)) = call.raw.split_first_chunk::<5>() else {
        let told = "the call ended before its message, which begins with five bytes: a flag and the length";
        return Err(Failure::Malformed(told.to_owned()));
    };
    let [flag, length @ ..] = *frame;
    let announced = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if announced > BODY_BYTES_MAX {
        let told = format!("the message is announced as {announced} bytes, but {BODY_BYTES_MAX} are the most");
        return Err(Failure::TooLarge(format!("{told}; send smaller batches")));
    }
    if announced != rest.len() {
        let told = format!("the message is announced as {announced} bytes, but {} came", rest.len());
        return Err(Failure::Malformed(told));
    }
    let named = headers.get("grpc-encoding").map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let encoding = match (flag, named.unwrap_or_default().as_str()) {
        (0, _) => String::new(),
        (1, "gzip") => "gzip".to_owned(),
        (1, "zstd") => "zstd".to_owned(),
        (1, "" | "identity") => {
            let told = "the message is flagged as compressed, but grpc-encoding does not say how; use gzip or zstd";
            return Err(Failure::Malformed(told.to_owned()));
        }
        (1, other) => {
            let shown: String = other.chars().take(40).collect();
            return Err(Failure::Unsupported(format!("grpc-encoding {shown} is not known here; use gzip or zstd")));
        }
        (flag, _) => return Err(Failure::Malformed(format!("the message has the flag {flag}, but there are 0 and 1"))),
    };
    let raw = call.raw.slice(frame.len()..);
    Ok(Received { raw, encoding, ..call })
}

/// An answer that is a message, in its frame, with the status behind it.
fn answer(message: &[u8]) -> axum::response::Response {
    let mut framed = BytesMut::with_capacity(message.len() + 5);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(framed.freeze()).with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut response = axum::response::Response::new(Body::new(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-accept-encoding", HeaderValue::from_static(COMPRESSIONS));
    response
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
