//! The envelopes that Jaeger's APIs put around data and errors. What is in them is not known here.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use console_storage::Evicted;
use serde::Serialize;

use crate::reads::ReadFailure;

/// Why a request gets no data, in the terms of either API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

impl Refusal {
    /// The request is wrong.
    pub(super) fn asked(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// As the older API tells it.
    pub(super) fn classic(self) -> Response {
        let error = StructuredError { code: Some(self.status.as_u16()), msg: self.message, trace_id: None };
        let body = Envelope { data: (), total: 0, limit: 0, offset: 0, errors: Some(vec![error]) };
        refused(self.status, &body)
    }

    /// As version 3 tells it.
    pub(super) fn v3(self) -> Response {
        #[derive(Serialize)]
        struct Outer {
            error: Inner,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Inner {
            http_code: u16,
            message: String,
        }
        refused(self.status, &Outer { error: Inner { http_code: self.status.as_u16(), message: self.message } })
    }
}

impl From<ReadFailure> for Refusal {
    fn from(failure: ReadFailure) -> Self {
        Self { status: failure.status(), message: failure.tell() }
    }
}

/// Jaeger sends errors as plain text that holds JSON and ends with a newline.
fn refused(status: StatusCode, body: &impl Serialize) -> Response {
    let mut text = write(body, false);
    text.push(b'\n');
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (status, headers, text).into_response()
}

/// A body of JSON that was written.
pub(super) fn json(body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// The older API's envelope.
#[derive(Debug, Serialize)]
pub(super) struct Envelope<T> {
    pub(super) data: T,
    pub(super) total: usize,
    pub(super) limit: usize,
    pub(super) offset: usize,
    pub(super) errors: Option<Vec<StructuredError>>,
}

impl<T> Envelope<T> {
    /// Data, with the total that Jaeger tells for it, which is 0 for traces.
    pub(super) fn of(data: T, total: usize) -> Self {
        Self { data, total, limit: 0, offset: 0, errors: None }
    }
}

/// An error beside data, or in place of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct StructuredError {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<u16>,
    pub(super) msg: String,
    #[serde(rename = "traceID", skip_serializing_if = "Option::is_none")]
    pub(super) trace_id: Option<String>,
}

/// Writes JSON, indented by four where a person wants to read it.
pub(super) fn write(value: &impl Serialize, is_pretty: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let written = if is_pretty {
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
        value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, formatter))
    } else {
        value.serialize(&mut serde_json::Serializer::new(&mut out))
    };
    // Writing to memory does not fail, and no value here has keys that JSON lacks.
    debug_assert!(written.is_ok(), "{written:?}");
    out
}

/// What to say of a trace of which nothing is kept: that it was here once, if it was.
pub(super) fn not_found(nothing: &str, evicted: &[Evicted]) -> String {
    if evicted.is_empty() {
        return nothing.to_owned();
    }
    format!("{nothing}: {}", evictions(evicted))
}

/// Says what was removed and when.
pub(super) fn evictions(evicted: &[Evicted]) -> String {
    let one = |evicted: &Evicted| {
        let at = jiff::Timestamp::from_millisecond(evicted.at_ms).map(|at| at.to_string());
        format!("spans of {} were evicted at {}", evicted.service, at.unwrap_or_default())
    };
    let shown: Vec<String> = evicted.iter().take(10).map(one).collect();
    format!("{} to stay within the store's bounds", shown.join(", "))
}
