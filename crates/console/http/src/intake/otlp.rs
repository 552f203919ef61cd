//! OTLP over HTTP: `POST /v1/{traces,logs,metrics}`, as the protocol's specification has it.
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp>

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use super::{Encoding, Intake, Signal};

/// The code of gRPC that says what an HTTP status says.
const INVALID_ARGUMENT: i32 = 3;
const RESOURCE_EXHAUSTED: i32 = 8;
const UNAVAILABLE: i32 = 14;

/// The routes.
pub(crate) fn router(intake: Arc<Intake>) -> Router {
    Router::new()
        .route("/v1/traces", post(|intake, request| take(intake, request, Signal::Traces)))
        .route("/v1/logs", post(|intake, request| take(intake, request, Signal::Logs)))
        .route("/v1/metrics", post(|intake, request| take(intake, request, Signal::Metrics)))
        .with_state(intake)
}

async fn take(State(intake): State<Arc<Intake>>, request: Request<axum::body::Body>, signal: Signal) -> Response {
    let (parts, body) = request.into_parts();
    let Some(encoding) = encoding(&parts.headers) else {
        let told = "content-type must be application/x-protobuf or application/json";
        return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, Encoding::Json, told);
    };
    let taken = match intake.receive(&parts.headers, body, "").await {
        Ok(received) => intake.run(received, move |intake, bytes| intake.otlp(signal, encoding, &bytes)).await,
        Err(failure) => Err(failure),
    };
    match taken {
        Ok(rejected) => {
            let body = match encoding {
                Encoding::Protobuf => console_otlp::response::protobuf(signal, &rejected),
                Encoding::Json => console_otlp::response::json(signal, &rejected),
            };
            ([(header::CONTENT_TYPE, content_type(encoding))], body).into_response()
        }
        Err(failure) => refusal(failure.status(), encoding, &failure.to_string()),
    }
}

pub(crate) fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let name = value.split(';').next().unwrap_or_default().trim();
    if name.eq_ignore_ascii_case("application/x-protobuf") || name.eq_ignore_ascii_case("application/protobuf") {
        Some(Encoding::Protobuf)
    } else if name.eq_ignore_ascii_case("application/json") {
        Some(Encoding::Json)
    } else {
        None
    }
}

const fn content_type(encoding: Encoding) -> HeaderValue {
    match encoding {
        Encoding::Protobuf => HeaderValue::from_static("application/x-protobuf"),
        Encoding::Json => HeaderValue::from_static("application/json"),
    }
}

fn refusal(status: StatusCode, encoding: Encoding, message: &str) -> Response {
    let is_passing = status == StatusCode::SERVICE_UNAVAILABLE;
    let code = match status {
        StatusCode::SERVICE_UNAVAILABLE => UNAVAILABLE,
        StatusCode::PAYLOAD_TOO_LARGE => RESOURCE_EXHAUSTED,
        _ => INVALID_ARGUMENT,
    };
    let body = match encoding {
        Encoding::Protobuf => console_otlp::status::protobuf(code, message),
        Encoding::Json => console_otlp::status::json(code, message),
    };
    let mut response = (status, [(header::CONTENT_TYPE, content_type(encoding))], body).into_response();
    if is_passing {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
