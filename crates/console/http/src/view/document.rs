//! The description of the page API, made of the handlers and their types.

use axum::http::Uri;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use super::error::Error;
use super::parameters::Parameters;
use super::reads::Answer;
use super::{overview, services, trace, traces, wire};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "highbeam console",
        description = "What the console's own pages read. Times and lengths of time are nanoseconds in decimal text."
    ),
    paths(overview::overview, services::services, services::operations, traces::traces, trace::trace, crate::graph::graph, document),
    components(schemas(wire::Failure)),
    tags(
        (name = "overview", description = "Who sends what, and how the store is"),
        (name = "traces", description = "Search and look at traces"),
        (name = "document", description = "This document")
    )
)]
struct Description;

/// This document.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    operation_id = "document",
    tag = "document",
    responses((status = 200, description = "An OpenAPI document", body = Object), Error)
)]
pub(super) async fn document(uri: Uri) -> Result<Answer, Error> {
    Parameters::read(&uri, &[])?;
    Answer::of(&openapi())
}

/// The description of all routes. Other parts of the page API are merged into it here.
#[must_use]
pub fn openapi() -> OpenApi {
    let mut description = Description::openapi();
    env!("CARGO_PKG_VERSION").clone_into(&mut description.info.version);
    description
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// The web pages' types are made from this file.
    #[test]
    fn the_document_beside_the_pages_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../web/console/src/api/openapi.json");
        let current = super::openapi().to_pretty_json().unwrap() + "\n";
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &current).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == current, "{} is out of date: run this test with UPDATE_GOLDEN=1", path.display());
    }
}
