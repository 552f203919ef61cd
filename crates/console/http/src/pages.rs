//! The pages as files: what `web/console` was built to, out of the program itself. What they show comes
//! from the APIs.

use axum::Router;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

mod files {
    include!(concat!(env!("OUT_DIR"), "/pages.rs"));
}

const START: &str = "/index.html";
/// What a browser gets where the pages were not built.
const MISSING: &str = "<!doctype html><meta charset=utf-8><title>highbeam console</title>\
    <p>This program was built without the console's pages. <code>make start</code> builds them; so does \
    <code>make web</code> before <code>cargo build</code>. The APIs are all here.";
/// Names begin with what is an API's or a sender's, and never are a page's.
const APIS: [&str; 8] =
    ["/api/", "/jaeger/", "/prometheus/", "/alertmanager/", "/loki/", "/v1/", "/opentelemetry.", "/-/"];

/// Serves the files; any other path that may be a page's is the start page's, which reads the URL itself.
pub(crate) fn router() -> Router {
    Router::new().fallback(serve)
}

async fn serve(method: Method, uri: Uri) -> Response {
    let path = uri.path();
    if APIS.iter().any(|api| path.starts_with(api)) {
        return missing(path);
    }
    if method != Method::GET && method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let find = |wanted: &str| files::FILES.iter().find(|(name, _)| *name == wanted);
    if let Some((name, bytes)) = find(path) {
        return file(name, bytes);
    }
    // The last segment of a file's name has a dot; a page's has none.
    if path.rsplit('/').next().is_some_and(|last| last.contains('.')) {
        return missing(path);
    }
    match find(START) {
        Some((name, bytes)) => file(name, bytes),
        None => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], MISSING).into_response(),
    }
}

fn missing(path: &str) -> Response {
    let shown: String = path.chars().take(200).collect();
    let message = format!("{shown} is not known here; the pages begin at /, their API at /api/openapi.json");
    (StatusCode::NOT_FOUND, axum::Json(serde_json::json!({ "error": { "message": message } }))).into_response()
}

fn file(name: &str, bytes: &'static [u8]) -> Response {
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json" | "map") => "application/json",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    };
    // Scripts and styles have a hash of their content in their name.
    let caching = if name.starts_with("/app.") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    response
}
