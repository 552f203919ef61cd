//! What senders push that do not speak OTLP: Prometheus' remote write and Loki's push, each with the answers
//! that its clients expect.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use super::otlp::encoding;
use super::{Encoding, Failure, Intake};

/// The parameter of the content type that says which message it is, in its second version.
const SECOND_VERSION: &str = "io.prometheus.write.v2.request";

/// The routes.
pub(crate) fn router(intake: Arc<Intake>) -> Router {
    Router::new()
        .route("/prometheus/api/v1/write", post(remote_write))
        .route("/loki/api/v1/push", post(loki))
        .with_state(intake)
}

/// The version that a content type names: 1 without a parameter.
fn version(headers: &HeaderMap) -> Result<u8, String> {
    let told = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let told = told.to_ascii_lowercase();
    let mut parts = told.split(';').map(str::trim);
    if parts.next() != Some("application/x-protobuf") {
        return Err("content-type must be application/x-protobuf, with snappy as its content-encoding".to_owned());
    }
    match parts.find_map(|part| part.strip_prefix("proto=")) {
        None | Some("prometheus.writerequest") => Ok(1),
        Some(SECOND_VERSION) => Ok(2),
        Some(other) => {
            Err(format!("{other} is not known here; use prometheus.WriteRequest or io.prometheus.write.v2.Request"))
        }
    }
}

async fn remote_write(State(intake): State<Arc<Intake>>, request: Request<axum::body::Body>) -> Response {
    let (parts, body) = request.into_parts();
    let version = match version(&parts.headers) {
        Ok(version) => version,
        Err(told) => return (StatusCode::UNSUPPORTED_MEDIA_TYPE, told).into_response(),
    };
    let taken = match intake.receive(&parts.headers, body, "snappy").await {
        Ok(received) => intake.run(received, move |intake, bytes| intake.remote_write(version, &bytes)).await,
        Err(failure) => Err(failure),
    };
    match taken {
        Ok((decoded, rejected)) => {
            let not_taken = decoded.rejects.count() + rejected.count;
            let told = [decoded.rejects.to_string(), rejected.message].into_iter().filter(|text| !text.is_empty());
            let mut response = match not_taken {
                0 => StatusCode::NO_CONTENT.into_response(),
                // As Prometheus answers: what could be taken was, and sending it again would not help.
                _ => (StatusCode::BAD_REQUEST, told.collect::<Vec<_>>().join("\n")).into_response(),
            };
            let mut written = decoded.written;
            written.take_off(rejected.count);
            for (name, count) in written.headers() {
                if let Ok(name) = HeaderName::try_from(name) {
                    response.headers_mut().insert(name, HeaderValue::from(count));
                }
            }
            response
        }
        Err(failure) => refusal(&failure),
    }
}

async fn loki(State(intake): State<Arc<Intake>>, request: Request<axum::body::Body>) -> Response {
    let (parts, body) = request.into_parts();
    let Some(encoding) = encoding(&parts.headers) else {
        let told =
            "content-type must be application/json, or application/x-protobuf with snappy as its content-encoding";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, told).into_response();
    };
    let compression = if encoding == Encoding::Protobuf { "snappy" } else { "" };
    let taken = match intake.receive(&parts.headers, body, compression).await {
        Ok(received) => intake.run(received, move |intake, bytes| intake.loki(encoding, &bytes)).await,
        Err(failure) => Err(failure),
    };
    match taken {
        Ok(told) if told.is_empty() => StatusCode::NO_CONTENT.into_response(),
        Ok(told) => (StatusCode::BAD_REQUEST, told).into_response(),
        Err(failure) => refusal(&failure),
    }
}

fn refusal(failure: &Failure) -> Response {
    let mut response = (failure.status(), failure.to_string()).into_response();
    if failure.is_passing() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
