//! Version 3 of Jaeger's query API: the same questions, answered in OTLP's terms. How OTLP is written is in
//! `resource_spans`.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use super::answer::{Refusal, json, not_found, write};
use super::parameters::{self, Parameters};
use super::resource_spans::ResourceSpans;
use super::search::{self, Wanted};
use super::{OperationBody, Pairs, Shared, operations_of};

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/v3/services", get(services))
        .route("/api/v3/operations", get(operations))
        .route("/api/v3/traces", get(traces))
        .route("/api/v3/traces/{id}", get(trace))
}

#[derive(Serialize)]
struct Services {
    services: Vec<String>,
}

#[derive(Serialize)]
struct Operations {
    operations: Vec<OperationBody>,
}

#[derive(Serialize)]
struct Found<'a> {
    result: ResultBody<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultBody<'a> {
    resource_spans: Vec<ResourceSpans<'a>>,
}

async fn services(State(shared): State<Shared>) -> Result<Response, Response> {
    let services = shared.services().await.map_err(Refusal::v3)?;
    Ok(json(write(&Services { services }, false)))
}

async fn operations(State(shared): State<Shared>, Query(pairs): Query<Pairs>) -> Result<Response, Response> {
    let parameters = Parameters::new(pairs);
    let service = parameters.first("service").unwrap_or_default().to_owned();
    let kind = parameters.first("span_kind").map(str::to_owned);
    let read = shared.reads.run({
        let store = shared.store.clone();
        move |_| Ok(operations_of(&store, &service, kind.as_deref()))
    });
    let operations = read.await.map_err(|failure| Refusal::from(failure).v3())?;
    Ok(json(write(&Operations { operations }, false)))
}

async fn traces(State(shared): State<Shared>, Query(pairs): Query<Pairs>) -> Result<Response, Response> {
    let query = search::v3(&Parameters::new(pairs)).map_err(|reason| Refusal::asked(reason).v3())?;
    answer(&shared, Wanted::Like(query)).await
}

async fn trace(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Response, Response> {
    let malformed = |reason| Refusal::asked(format!("malformed parameter trace_id: {reason}")).v3();
    let trace_id = parameters::trace_id(&id).map_err(malformed)?;
    answer(&shared, Wanted::Ids(vec![(id, trace_id)])).await
}

async fn answer(shared: &Shared, wanted: Wanted) -> Result<Response, Response> {
    let store = shared.store.clone();
    let read = shared.reads.run(move |stop| {
        let found = search::find(&store, wanted, stop)?;
        if found.traces.is_empty() {
            let evicted = found.missing.into_iter().next().map(|(_, evicted)| evicted).unwrap_or_default();
            return Ok(Err(not_found("No traces found", &evicted)));
        }
        let groups = found.traces.iter().flat_map(|(_, trace)| ResourceSpans::of(&trace.batch)).collect();
        Ok(Ok(write(&Found { result: ResultBody { resource_spans: groups } }, false)))
    });
    match read.await.map_err(|failure| Refusal::from(failure).v3())? {
        Ok(body) => Ok(json(body)),
        Err(nothing) => Err(Refusal::new(StatusCode::NOT_FOUND, nothing).v3()),
    }
}
