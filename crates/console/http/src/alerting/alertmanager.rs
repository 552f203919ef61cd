//! Alertmanager's API, version 2: <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>.

pub(super) mod alerts;
pub(super) mod silences;
pub(super) mod status;

use axum::http::StatusCode;
use axum::response::Response;
use console_alerting::notify::Matcher;
use serde::de::DeserializeOwned;

use super::{all, json};

/// An error is a text, as JSON.
fn failure(status: StatusCode, told: &str) -> Response {
    json(status, &told)
}

/// What was sent, as JSON.
fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Box<Response>> {
    serde_json::from_slice(bytes)
        .map_err(|error| Box::new(failure(StatusCode::BAD_REQUEST, &format!("bad request: {error}"))))
}

/// The matchers of a request, all of which have to match.
fn filters(pairs: &[(String, String)]) -> Result<Vec<Matcher>, Box<Response>> {
    let parsed: Result<Vec<Matcher>, _> = all(pairs, "filter").map(Matcher::parse).collect();
    parsed.map_err(|error| Box::new(failure(StatusCode::BAD_REQUEST, &error.to_string())))
}

/// A switch that is on unless the request says otherwise.
fn is_on(pairs: &[(String, String)], name: &str) -> bool {
    super::first(pairs, name) != Some("false")
}
