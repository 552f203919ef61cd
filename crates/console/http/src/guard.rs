//! What holds for every answer of the console's port: who may ask by which name, and what a browser may do
//! with it.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Everything from here, nothing inline, nothing framed.
const POLICY: &str =
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'";

/// Whether the port is on loopback only, so that whoever asks has to name loopback.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guard {
    pub(crate) is_loopback: bool,
}

/// A page of some other site that resolves its own name to 127.0.0.1 is, for a browser, of one origin with
/// the console; but it asks for its own name.
pub(crate) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if guard.is_loopback && !host(&request).is_none_or(is_loopback) {
        let told = "the console listens on this machine only, and has to be asked as localhost or 127.0.0.1";
        return (StatusCode::MISDIRECTED_REQUEST, told).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let told = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in told {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn host(request: &Request) -> Option<&str> {
    let header = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    header.or_else(|| request.uri().authority().map(axum::http::uri::Authority::as_str))
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let name = name.trim_end_matches('.');
    name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_has_several_names_and_other_names_are_not_among_them() {
        for name in
            ["localhost", "localhost:5017", "LOCALHOST.", "127.0.0.1:5017", "127.8.0.1", "[::1]:5017", "app.localhost"]
        {
            assert!(is_loopback(name), "{name}");
        }
        for name in ["example.com", "localhost.example.com:5017", "10.0.0.1", "[2001:db8::1]:80", "", "evil.test:5017"]
        {
            assert!(!is_loopback(name), "{name}");
        }
    }
}
