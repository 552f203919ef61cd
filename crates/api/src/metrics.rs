//! `/metrics`, as OpenMetrics text with exemplars.

use std::sync::Arc;

use axum::extract::State as Extract;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use telemetry::Metrics;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::State;
use crate::error::{Error, Kind};

pub(crate) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// The metrics of this process
#[utoipa::path(get, path = "/metrics", tag = "operations", operation_id = "metrics",
    responses((status = 200, description = "OpenMetrics 1.0", body = String, content_type = "application/openmetrics-text")))]
async fn metrics(Extract(state): Extract<Arc<State>>) -> Result<impl IntoResponse, Error> {
    // Metrics of the host are read from files and mounts, and one of those may keep a scrape waiting.
    let encoding = tokio::task::spawn_blocking(move || state.metrics.encode());
    let encoded = encoding.await.map_err(|error| Error::caused(Kind::Internal, &error))?;
    let text = encoded.map_err(|error| Error::caused(Kind::Internal, &error))?;
    Ok(([(CONTENT_TYPE, Metrics::CONTENT_TYPE)], text))
}
