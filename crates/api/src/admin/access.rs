//! Who may use `/admin`: the holder of the token from anywhere, and without a token whoever sits on this
//! very machine. A browser on this machine does not count as its user: a page from elsewhere could
//! make it send requests, so a foreign `Origin` or `Host` is refused.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State as Extract};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, FORWARDED, HOST, ORIGIN};
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
    decide(peer, request.headers(), state.config.admin_token.as_ref())?;
    Ok(next.run(request).await)
}

fn decide(peer: Option<IpAddr>, headers: &HeaderMap, token: Option<&SecretString>) -> Result<(), Error> {
    if let Some(token) = token
        && bears(headers, token)
    {
        return Ok(());
    }
    let is_forwarded = headers.contains_key(FORWARDED) || headers.contains_key("x-forwarded-for");
    if peer.is_some_and(|peer| peer.to_canonical().is_loopback()) && !is_forwarded {
        return if is_from_here(headers) {
            Ok(())
        } else {
            Err(Error::new(Kind::Forbidden, "Host and Origin have to name this machine by its loopback address"))
        };
    }
    match token {
        Some(_) => {
            Err(Error::new(Kind::Unauthorized, "send the header Authorization: Bearer with the server's ADMIN_TOKEN"))
        }
        None => Err(Error::new(Kind::Forbidden, "only from the machine itself; set ADMIN_TOKEN to allow more")),
    }
}

fn bears(headers: &HeaderMap, token: &SecretString) -> bool {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some((scheme, given)) = value.split_once(' ') else {
        return false;
    };
    scheme.eq_ignore_ascii_case("bearer") && given.trim().as_bytes().ct_eq(token.expose_secret().as_bytes()).into()
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
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn verdict(peer: &str, headers: &[(&'static str, &'static str)], token: Option<&str>) -> Option<Kind> {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let token = token.map(SecretString::from);
        decide(Some(peer.parse().unwrap()), &headers.collect(), token.as_ref()).err().map(|error| error.kind)
    }

    #[test]
    fn the_matrix() {
        let token = Some("0123456789abcdef");
        let bearer = ("authorization", "Bearer 0123456789abcdef");
        let (here, far) = ("127.0.0.1", "192.0.2.1");
        let cases: [(&str, &[(&'static str, &'static str)], Option<&str>, Option<Kind>); 14] = [
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
            (far, &[bearer], token, None),
        ];
        for (peer, headers, token, expected) in cases {
            assert_eq!(verdict(peer, headers, token), expected, "{peer} {headers:?} {token:?}");
        }
    }
}
