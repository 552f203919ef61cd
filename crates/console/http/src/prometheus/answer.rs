//! The envelope of Prometheus' API, its kinds of errors and their statuses. What is in an answer is not known here.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use console_storage::ReadError;

use super::json::Json;
use crate::reads::ReadFailure;

/// The warning of an answer that was cut at its `limit`.
pub(super) const TRUNCATED: &str = "results truncated due to limit";

/// The kinds of errors that Prometheus tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    BadData,
    Execution,
    Timeout,
    Canceled,
    Unavailable,
    Internal,
}

impl Kind {
    /// Its name and its status.
    const fn told(self) -> (&'static str, u16) {
        match self {
            Self::BadData => ("bad_data", 400),
            Self::Execution => ("execution", 422),
            Self::Timeout => ("timeout", 503),
            // Nobody reads it, for the client has left; proxies have a number of their own for that.
            Self::Canceled => ("canceled", 499),
            Self::Unavailable => ("unavailable", 503),
            Self::Internal => ("internal", 500),
        }
    }
}

/// Why a request gets no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) kind: Kind,
    pub(super) text: String,
}

impl Refusal {
    /// The request is wrong.
    pub(super) fn bad_data(text: String) -> Self {
        Self { kind: Kind::BadData, text }
    }

    /// A parameter is wrong.
    pub(super) fn parameter(name: &str, text: String) -> Self {
        Self::bad_data(format!("invalid parameter {name:?}: {text}"))
    }

    /// The query cannot be answered.
    pub(super) fn execution(text: String) -> Self {
        Self { kind: Kind::Execution, text }
    }

    /// Later it may be.
    pub(super) fn unavailable(text: String) -> Self {
        Self { kind: Kind::Unavailable, text }
    }
}

impl From<console_promql::Error> for Refusal {
    fn from(error: console_promql::Error) -> Self {
        use console_promql::{Error, StorageError};
        let kind = match &error {
            Error::Invalid(told) if told.starts_with("invalid parameter") => return Self::bad_data(told.clone()),
            Error::Parse(_) | Error::Invalid(_) => return Self::parameter("query", error.to_string()),
            Error::Execution(_) | Error::TooManySamples | Error::TooManySeries(_) => Kind::Execution,
            Error::Storage(StorageError::TooManySeries(limit)) => {
                return Self::execution(Error::TooManySeries(*limit).to_string());
            }
            Error::Timeout => Kind::Timeout,
            Error::Canceled => Kind::Canceled,
            Error::Storage(StorageError::Failed(cause)) => {
                // What the client cannot do anything about goes to the log.
                return match cause.downcast_ref::<ReadError>() {
                    Some(ReadError::TooMany { .. }) => Self::execution(cause.to_string()),
                    // Nobody waits any more, or not in time.
                    Some(ReadError::Stopped) => Error::Timeout.into(),
                    _ => Self::store_failed(cause.as_ref()),
                };
            }
        };
        Self { kind, text: error.to_string() }
    }
}

impl Refusal {
    fn store_failed(cause: &(dyn std::error::Error + Send + Sync)) -> Self {
        let source = cause.source().map(|source| format!(": {source}")).unwrap_or_default();
        tracing::error!(error.cause = %format_args!("{cause}{source}"), "console store cannot be read");
        let text = "the store could not be read; the console's log says why".to_owned();
        Self { kind: Kind::Internal, text }
    }
}

impl From<ReadFailure> for Refusal {
    fn from(failure: ReadFailure) -> Self {
        match failure {
            ReadFailure::Busy => Self { kind: Kind::Timeout, text: "query timed out in query queue".to_owned() },
            ReadFailure::TimedOut { .. } => {
                Self { kind: Kind::Timeout, text: "query timed out in expression evaluation".to_owned() }
            }
            ReadFailure::Store(ReadError::TooMany { .. }) => Self::execution(failure.tell()),
            other => Self { kind: Kind::Internal, text: other.tell() },
        }
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        ReadFailure::from(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (name, status) = self.kind.told();
        let mut json = Json::default();
        json.raw(r#"{"status":"error","errorType":"#);
        json.text(name);
        json.raw(r#","error":"#);
        json.text(&self.text);
        json.raw("}");
        let mut response = success(json.finish());
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if self.kind == Kind::Unavailable {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// A body of JSON that was written.
pub(super) fn success(body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], Body::from(body)).into_response()
}

/// Begins an answer; what follows is its data.
pub(super) fn begin() -> Json {
    let mut json = Json::default();
    json.raw(r#"{"status":"success","data":"#);
    json
}

/// Ends an answer.
pub(super) fn end(mut json: Json, warnings: &[String], infos: &[String]) -> Vec<u8> {
    for (key, texts) in [(r#","warnings":"#, warnings), (r#","infos":"#, infos)] {
        if !texts.is_empty() {
            json.raw(key);
            json.texts(texts);
        }
    }
    json.raw("}");
    json.finish()
}

/// Ends an answer that may have been cut at its `limit`.
pub(super) fn end_cut(json: Json, is_cut: bool) -> Vec<u8> {
    let warnings = if is_cut { vec![TRUNCATED.to_owned()] } else { Vec::new() };
    end(json, &warnings, &[])
}
