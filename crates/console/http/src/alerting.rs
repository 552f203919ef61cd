//! Rules and alerts over HTTP: what Prometheus' API tells of them, and Alertmanager's API for alerts and silences.
//! When an alert fires and who is told is `console_alerting`'s business.

mod alertmanager;
pub mod ports;
mod prometheus;

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use console_alerting::service::Service;
use serde::Serialize;

/// Bytes of a body at most: alerts and silences are small.
const BODY_BYTES_MAX: usize = 4 << 20;

/// What handlers share.
struct Shared {
    service: Arc<Service>,
    version: &'static str,
}

/// Serves the API, with paths that begin with `/prometheus` and `/alertmanager`.
pub fn router(service: Arc<Service>, version: &'static str) -> Router {
    use alertmanager::{alerts, silences, status};
    Router::new()
        .route("/prometheus/api/v1/rules", get(prometheus::rules))
        .route("/prometheus/api/v1/alerts", get(prometheus::alerts))
        .route("/prometheus/api/v1/alertmanagers", get(prometheus::alertmanagers))
        .route("/prometheus/graph", get(prometheus::graph))
        .route("/prometheus/-/reload", post(prometheus::reload).put(prometheus::reload))
        .route("/api/rule-files", get(prometheus::files))
        .route("/alertmanager/-/healthy", get(|| async { "OK" }))
        .route("/alertmanager/-/ready", get(|| async { "OK" }))
        .route("/alertmanager/api/v2/status", get(status::status))
        .route("/alertmanager/api/v2/receivers", get(status::receivers))
        .route("/alertmanager/api/v2/alerts", get(alerts::alerts).post(alerts::post))
        .route("/alertmanager/api/v2/alerts/groups", get(alerts::groups))
        .route("/alertmanager/api/v2/silences", get(silences::silences).post(silences::post))
        .route("/alertmanager/api/v2/silence/{id}", get(silences::silence).delete(silences::delete))
        .layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::new(Shared { service, version }))
}

/// The pairs of a request's query, in order.
type Pairs = axum::extract::Query<Vec<(String, String)>>;

fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(found, value)| found == name && !value.is_empty()).map(|(_, value)| value.as_str())
}

fn all<'a>(pairs: &'a [(String, String)], name: &'a str) -> impl Iterator<Item = &'a str> {
    pairs.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    // Texts and numbers: there is nothing that JSON could not have.
    (status, headers, serde_json::to_vec(value).unwrap_or_default()).into_response()
}

#[cfg(test)]
mod tests;
