//! `/api/services` and `/api/operations`: what a search can name.

use std::sync::Arc;

use axum::extract;
use axum::http::Uri;
use utoipa::IntoParams;

use super::Shared;
use super::error::Error;
use super::parameters::Parameters;
use super::reads::Answer;
use super::wire::{OperationName, Operations, ServiceOperations, Services};

/// The services that have spans.
#[utoipa::path(
    get,
    path = "/api/services",
    operation_id = "services",
    tag = "traces",
    responses((status = 200, description = "The services, by name", body = Services), Error)
)]
pub(super) async fn services(extract::State(shared): extract::State<Arc<Shared>>, uri: Uri) -> Result<Answer, Error> {
    Parameters::read(&uri, &[])?;
    let store = shared.state.store.clone();
    let work = move || {
        let count = |name: &str| store.operations(name).len();
        let services = store.trace_services().into_iter();
        let services = services.map(|name| ServiceOperations { operations: count(&name), name: name.into_string() });
        Answer::of(&Services { services: services.collect() })
    };
    shared.reads.run(work).await
}

/// How these are described; they are read by [`Parameters`].
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "a description")]
pub(super) struct OperationsParameters {
    /// Whose operations
    service: String,
}

/// The operations of a service; none for one that is not known.
#[utoipa::path(
    get,
    path = "/api/operations",
    operation_id = "operations",
    tag = "traces",
    params(OperationsParameters),
    responses((status = 200, description = "The operations, by name", body = Operations), Error)
)]
pub(super) async fn operations(extract::State(shared): extract::State<Arc<Shared>>, uri: Uri) -> Result<Answer, Error> {
    let parameters = Parameters::read(&uri, &["service"])?;
    let missing = || Error::missing("service", "the name of a service, as in service=api");
    let service = parameters.get("service").ok_or_else(missing)?.to_owned();
    let store = shared.state.store.clone();
    let work = move || {
        let operations = store.operations(&service).into_iter();
        let operations = operations.map(|it| OperationName { name: it.name.into_string(), kind: it.kind.into() });
        Answer::of(&Operations { operations: operations.collect() })
    };
    shared.reads.run(work).await
}
