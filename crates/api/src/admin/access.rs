//! Who may use `/admin`: the holder of the token from anywhere, and without a token whoever sits on this
//! very machine. A browser on this machine does not count as its user: a page from elsewhere could
//! make it send requests, so a foreign `Origin` or `Host` is refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State as Extract};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::Response;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::State;
use crate::error::{Error, Kind};

pub(super) async fn check(
    Extract(state): Extract<Arc<State>>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let authority = request.uri().authority().map(Authority::as_str);
    decide(peer, authority, request.headers(), state.config.admin_token.as_ref())?;
    Ok(next.run(request).await)
}

/// `authority` is the request target's, which HTTP/2 has in place of `Host`.
fn decide(
    peer: Option<IpAddr>,
    authority: Option<&str>,
    headers: &HeaderMap,
    token: Option<&SecretString>,
) -> Result<(), Error> {
    let is_local = peer.is_some_and(is_this_machine) && !headers.keys().any(is_of_proxies);
    let names_us = authority.is_none_or(is_loopback) && is_from_here(headers);
    match token {
        Some(token) if bears(headers, token) => Ok(()),
        _ if is_local && names_us => Ok(()),
        Some(_) => {
            Err(Error::new(Kind::Unauthorized, "send the header Authorization: Bearer with the server's ADMIN_TOKEN"))
        }
        None if is_local => {
            Err(Error::new(Kind::Forbidden, "Host and Origin have to name this machine by its loopback address"))
        }
        None => Err(Error::new(Kind::Forbidden, "only from the machine itself; set ADMIN_TOKEN to allow more")),
    }
}

/// The two addresses of a client that chose none. Others of 127.0.0.0/8 stand for somebody else: a mesh's
/// sidecar hands on what comes from other machines under 127.0.0.6.
fn is_this_machine(peer: IpAddr) -> bool {
    [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)].contains(&peer.to_canonical())
}

/// Whether a header of this name shows that somebody else stands behind the peer.
fn is_of_proxies(name: &HeaderName) -> bool {
    let name = name.as_str();
    ["x-forwarded-", "x-envoy-"].iter().any(|prefix| name.starts_with(prefix))
        || ["forwarded", "via", "x-real-ip"].contains(&name)
}

fn bears(headers: &HeaderMap, token: &SecretString) -> bool {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some((scheme, given)) = value.split_once(' ') else {
        return false;
    };
    let (given, token) = (given.trim().as_bytes(), token.expose_secret().as_bytes());
    // An empty token is none: it would let everybody in.
    scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && given.ct_eq(token).into()
}

fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(HOST).is_none_or(is_loopback);
    let origin = text(ORIGIN).is_none_or(|origin| origin.split_once("://").is_some_and(|(_, host)| is_loopback(host)));
    host && origin
}

/// `host[:port]` of this machine, by name or by number.
fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn verdict(peer: &str, headers: &[(&'static str, &'static str)], token: Option<&str>) -> Option<Kind> {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let token = token.map(SecretString::from);
        decide(Some(peer.parse().unwrap()), None, &headers.collect(), token.as_ref()).err().map(|error| error.kind)
    }

    #[test]
    fn the_matrix() {
        type Case = (&'static str, &'static [(&'static str, &'static str)], Option<&'static str>, Option<Kind>);
        const BEARER: (&str, &str) = ("authorization", "Bearer 0123456789abcdef");
        let token = Some("0123456789abcdef");
        let (here, far) = ("127.0.0.1", "192.0.2.1");
        let cases: [Case; 20] = [
            (here, &[], None, None),
            ("::1", &[("host", "[::1]:5007")], None, None),
            ("::ffff:127.0.0.1", &[("host", "localhost:5007")], None, None),
            (here, &[], token, None),
            (here, &[("x-forwarded-for", "192.0.2.1")], None, Some(Kind::Forbidden)),
            (here, &[("forwarded", "for=192.0.2.1")], token, Some(Kind::Unauthorized)),
            (here, &[("host", "evil.example:5007")], None, Some(Kind::Forbidden)),
            (here, &[("origin", "https://evil.example")], None, Some(Kind::Forbidden)),
            (here, &[("origin", "null")], None, Some(Kind::Forbidden)),
            (here, &[("origin", "http://localhost:5007")], None, None),
            (far, &[], None, Some(Kind::Forbidden)),
            (far, &[], token, Some(Kind::Unauthorized)),
            (far, &[("authorization", "Bearer wrong")], token, Some(Kind::Unauthorized)),
            (far, &[BEARER], token, None),
            (far, &[BEARER, ("x-forwarded-for", "192.0.2.7")], token, None),
            (far, &[("authorization", "Bearer ")], Some(""), Some(Kind::Unauthorized)),
            (here, &[("host", "evil.example:5007")], token, Some(Kind::Unauthorized)),
            (here, &[("x-forwarded-proto", "http")], None, Some(Kind::Forbidden)),
            (here, &[("x-envoy-attempt-count", "1")], None, Some(Kind::Forbidden)),
            ("127.0.0.6", &[("host", "localhost")], None, Some(Kind::Forbidden)),
        ];
        for (peer, headers, token, expected) in cases {
            assert_eq!(verdict(peer, headers, token), expected, "{peer} {headers:?} {token:?}");
        }
    }

    #[test]
    fn the_authority_of_http2_counts_as_host() {
        let verdict = |authority| decide(Some([127, 0, 0, 1].into()), Some(authority), &HeaderMap::new(), None);
        assert!(verdict("localhost:5007").is_ok());
        assert_eq!(verdict("evil.example").err().map(|error| error.kind), Some(Kind::Forbidden));
    }

    #[test]
    fn a_request_from_nowhere_is_refused() {
        assert!(decide(None, None, &HeaderMap::new(), None).is_err());
    }
}
