//! The description of the page API, made of the handlers and their types.

use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use super::wire;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "highbeam console",
        description = "What the console's own pages read. Times and lengths of time are nanoseconds in decimal text."
    ),
    components(schemas(
        wire::Failure,
        wire::Overview,
        wire::Services,
        wire::Operations,
        wire::Traces,
        wire::TraceView<'static>,
    ))
)]
struct Description;

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
