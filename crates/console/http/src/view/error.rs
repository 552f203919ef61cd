//! What can go wrong with a request of a page: one table of statuses, which the OpenAPI document has too.

use std::collections::BTreeMap;
use std::fmt;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use console_storage::ReadError;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};

use super::wire;

/// Characters of a value that are repeated to the one who sent it.
const VALUE_CHARS_MAX: usize = 120;

/// Why a page gets no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Something in the request is not as it has to be.
    #[error("{0}")]
    Invalid(String),
    /// What was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// Too many are reading already.
    #[error("the console is busy with other requests for its store; try again in a few seconds")]
    Busy,
    /// It took too long.
    #[error("reading the store took too long; ask for less, as in limit=20 or a later start")]
    Slow,
    /// The console's own fault, told in its log.
    #[error("the console could not read its store; its log says why")]
    Internal,
}

/// Every status with what it means. Not found is what names a thing in its path only, and says so itself.
const STATUSES: [(StatusCode, &str); 4] = [
    (StatusCode::BAD_REQUEST, "A parameter is not as it has to be."),
    (StatusCode::INTERNAL_SERVER_ERROR, "The store could not be read."),
    (StatusCode::SERVICE_UNAVAILABLE, "Too many are reading already."),
    (StatusCode::GATEWAY_TIMEOUT, "Reading took too long."),
];

impl Error {
    /// A parameter with a value that is not as it has to be. `expected` completes "it has to be".
    pub(crate) fn parameter(name: &str, value: &str, expected: impl fmt::Display) -> Self {
        let shown: String = value.chars().take(VALUE_CHARS_MAX).collect();
        let more = if shown.len() < value.len() { "…" } else { "" };
        Self::Invalid(format!("parameter {name} is \"{shown}{more}\"; it has to be {expected}"))
    }

    /// A parameter that is not there. `expected` completes "it has to be".
    pub(crate) fn missing(name: &str, expected: impl fmt::Display) -> Self {
        Self::Invalid(format!("parameter {name} is missing; it has to be {expected}"))
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Slow => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Something that the reader of the log has to know and the page has not.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        tracing::error!(error.cause = %format_args!("{error}{cause}"), "console store cannot be read");
        Self::Internal
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let failure = wire::Failure { error: wire::FailureMessage { message: self.to_string().into() } };
        let body = serde_json::to_vec(&failure).unwrap_or_default();
        let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
        (self.status(), headers, body).into_response()
    }
}

impl utoipa::IntoResponses for Error {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let body = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Failure"))).build();
        let response =
            |text: &str| ResponseBuilder::new().description(text).content("application/json", body()).build();
        STATUSES.iter().map(|(status, text)| (status.as_str().to_owned(), response(text).into())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_is_in_the_table() {
        let all = [Error::Invalid("".into()), Error::Busy, Error::Slow, Error::Internal];
        for error in all {
            assert!(STATUSES.iter().any(|(status, _)| *status == error.status()), "{error:?}");
        }
    }

    #[test]
    fn a_value_without_end_is_not_repeated_whole() {
        let text = Error::parameter("limit", &"ä".repeat(10_000), "a number").to_string();
        assert!(text.len() < 400 && text.contains("…\"; it has to be a number"), "{text}");
    }
}
