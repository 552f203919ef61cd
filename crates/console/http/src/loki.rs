//! Loki's query API over the console's store: what Grafana, logcli and scripts ask Loki. Push, which is part of
//! the same API, is the intake's. How queries are read and evaluated is not known here.
//! <https://grafana.com/docs/loki/latest/reference/loki-http-api/>

mod answer;
mod detected;
mod drain;
mod index;
mod labels;
mod metadata;
mod parameters;
mod patterns;
mod query;
mod source;
mod tail;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use console_logql::QueryError;
use console_storage::{ReadError, Store};
use eventsourcing::Clock;

use crate::reads::{Reads, Stop};
use answer::{Refusal, json};
use parameters::Parameters;
pub use tail::Tails;

/// Reads at a time; more wait, so that slow ones take neither every thread nor all memory.
const READS_AT_ONCE: usize = 4;
const READ_LIMIT: Duration = Duration::from_secs(60);

#[derive(Clone)]
struct Shared {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    reads: Reads,
    tails: Arc<Tails>,
    version: &'static str,
}

impl Shared {
    fn now_ns(&self) -> u64 {
        u64::try_from(self.clock.now().as_nanosecond()).unwrap_or(0)
    }

    /// Reads the store on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Store>, &Stop) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let store = Arc::clone(&self.store);
        let read = self.reads.run(move |stop| match work(&store, stop) {
            // What the store could not read is told as for every other API.
            Err(QueryError::Source(error)) => match error.downcast::<ReadError>() {
                Ok(error) => Err(*error),
                Err(error) => Ok(Err(QueryError::Source(error))),
            },
            other => Ok(other),
        });
        Ok(read.await??)
    }
}

/// Serves Loki's query API, with paths that begin with `/loki/api/v1`.
pub fn router(store: Arc<Store>, clock: Arc<dyn Clock>, tails: Arc<Tails>, version: &'static str) -> Router {
    let reads = Reads::new(READS_AT_ONCE, READ_LIMIT);
    let shared = Shared { store, clock, reads, tails, version };
    let api = Router::new()
        .route("/query", get(query::instant).post(query::instant))
        .route("/query_range", get(query::range).post(query::range))
        .route("/labels", get(labels::names).post(labels::names))
        .route("/label", get(labels::names).post(labels::names))
        .route("/label/{name}/values", get(labels::values).post(labels::values))
        .route("/series", get(labels::series).post(labels::series))
        .route("/index/stats", get(index::stats).post(index::stats))
        .route("/index/volume", get(index::volume).post(index::volume))
        .route("/index/volume_range", get(index::volume_range).post(index::volume_range))
        .route("/detected_labels", get(detected::labels).post(detected::labels))
        .route("/detected_fields", get(detected::fields).post(detected::fields))
        .route("/detected_field/{name}/values", get(detected::values).post(detected::values))
        .route("/patterns", get(patterns::patterns).post(patterns::patterns))
        .route("/format_query", get(format_query).post(format_query))
        .route("/status/buildinfo", get(build_info))
        .route("/drilldown-limits", get(drilldown_limits))
        .route("/tail", get(tail::tail));
    Router::new().nest("/loki/api/v1", api).with_state(shared)
}

async fn format_query(parameters: Parameters) -> Result<Response, Refusal> {
    let expr = console_logql::parse(parameters.query()?).map_err(QueryError::from)?;
    Ok(json(&serde_json::json!({ "status": "success", "data": console_logql::ast::pretty(&expr) })))
}

/// What clients ask to learn what they talk to. They take a version of Loki's for granted, so that the console's
/// own stands beside it.
async fn build_info(State(shared): State<Shared>) -> Response {
    json(&serde_json::json!({
        "version": "3.5.0",
        "revision": format!("highbeam-{}", shared.version),
        "branch": "",
        "buildDate": "",
        "buildUser": "highbeam",
        "goVersion": "",
    }))
}

/// What Grafana's log pages ask before they show fields and patterns.
async fn drilldown_limits(State(shared): State<Shared>) -> Response {
    json(&serde_json::json!({
        "limits": {
            "discover_log_levels": true,
            "discover_service_name": ["service_name"],
            "max_entries_limit_per_query": query::LINES_MAX,
            "max_query_series": console_logql::Limits::default().series,
            "retention_period": "0s",
            "volume_enabled": true,
            "volume_max_series": index::SERIES_MAX,
        },
        "pattern_ingester_enabled": true,
        "version": shared.version,
    }))
}

/// That there is no answer now, as Loki's clients know it.
pub(crate) fn unavailable(told: String) -> Response {
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, told).into_response()
}

/// A status for what a query gave instead of an answer.
fn status_of(error: &QueryError) -> StatusCode {
    match error {
        QueryError::Parse(_) | QueryError::Asked(_) | QueryError::Limit(_) => StatusCode::BAD_REQUEST,
        QueryError::Stopped => StatusCode::SERVICE_UNAVAILABLE,
        QueryError::Source(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
