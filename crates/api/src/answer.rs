//! An answer with its whole body at hand, so that it can be kept for retries.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;

use crate::error::{Error, Kind};

pub(crate) const X_POSITION: HeaderName = HeaderName::from_static("x-position");

/// Status, headers, body.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A JSON answer.
    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::caused(Kind::Internal, &error))?;
        Ok(Self { status, headers: vec![(CONTENT_TYPE, "application/json".to_owned())], body: body.into() })
    }

    pub(crate) fn with(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        // `Bytes` announces itself as a stream of octets.
        response.headers_mut().remove(CONTENT_TYPE);
        for (name, value) in self.headers {
            // Ours are visible ASCII, and stored ones were ours.
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
