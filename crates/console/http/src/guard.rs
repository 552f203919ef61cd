//! What holds for every answer of the console's port: who may ask by which name, and what a browser may do
//! with it.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Everything from here, nothing inline, nothing framed.
const POLICY: &str =
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'";

/// What holds for a port.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guard {
    /// It is on loopback only.
    pub(crate) is_loopback: bool,
    /// It gives answers worth reading, so that there whoever asks has to name loopback. A sender may know this
    /// machine by another name, from a container for one.
    pub(crate) has_answers: bool,
}

/// A page of some other site that resolves its own name to 127.0.0.1 is, for a browser, of one origin with
/// the console; but it asks for its own name.
pub(crate) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if guard.is_loopback && guard.has_answers && !host(&request).is_none_or(is_loopback) {
        let told = "the console listens on this machine only, and has to be asked as localhost or 127.0.0.1";
        return (StatusCode::MISDIRECTED_REQUEST, told).into_response();
    }
    if !only_reads(&request) && is_of_another_site(&request, guard.is_loopback) {
        let told = "the console takes nothing from the pages of other sites";
        return (StatusCode::FORBIDDEN, told).into_response();
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

/// Whether a browser lets a page of another site see nothing of the answer. It lets it see what comes over a
/// WebSocket.
fn only_reads(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
        && !request.headers().contains_key(header::UPGRADE)
        && !request.headers().contains_key(header::SEC_WEBSOCKET_KEY)
}

/// Whether a browser says that it asks for a page which is not one of ours, nor of this machine's where only this
/// machine asks. What is no browser has no origin.
fn is_of_another_site(request: &Request, loopback_is_ours: bool) -> bool {
    let Some(origin) = request.headers().get(header::ORIGIN) else { return false };
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    match authority {
        Some(authority) if loopback_is_ours => !is_loopback(authority),
        Some(authority) => host(request) != Some(authority),
        // `null`: a file, or a page that hides where it is from.
        None => true,
    }
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
    use axum::body::Body;

    use super::*;

    #[test]
    fn what_a_page_of_another_site_sends_is_told_from_all_else() {
        let asked = |origin: Option<&str>, host: &str| {
            let mut request = Request::builder().method("POST").header("host", host);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            request.body(Body::empty()).unwrap()
        };
        for (origin, host, loopback_is_ours, expected) in [
            (None, "localhost:4318", true, false),
            (Some("http://localhost:3000"), "localhost:4318", true, false),
            (Some("https://evil.test"), "localhost:4318", true, true),
            (Some("null"), "localhost:4318", true, true),
            // One that has its own name resolve to loopback.
            (Some("http://evil.test:4318"), "evil.test:4318", true, true),
            (Some("http://console.example"), "console.example", false, false),
            (Some("http://localhost:3000"), "console.example", false, true),
        ] {
            let request = asked(origin, host);
            assert_eq!(is_of_another_site(&request, loopback_is_ours), expected, "{origin:?} at {host}");
        }
    }

    #[test]
    fn a_web_socket_is_more_than_reading() {
        let asked = |header: Option<(&str, &str)>| {
            let request = Request::builder().method("GET");
            let request = header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
            only_reads(&request.body(Body::empty()).unwrap())
        };
        assert!(asked(None));
        assert!(!asked(Some(("upgrade", "websocket"))));
        assert!(!asked(Some(("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="))));
    }

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
