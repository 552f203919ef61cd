//! Answers uncompressed where a client's `Accept-Encoding` leaves nothing else. The alternative that the
//! standard offers, 406, would come after a command has been carried out.

use axum::http::header::ACCEPT_ENCODING;
use axum::http::{HeaderMap, HeaderValue};

/// Takes back a refusal of `identity`, said by name or by `*`; what else the client wishes stays.
pub(super) fn permit_identity(headers: &mut HeaderMap) {
    let given: Vec<_> = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).collect();
    if !given.iter().any(|value| value.contains("identity") || value.contains('*')) {
        return;
    }
    let wishes = given.iter().flat_map(|value| value.split(',')).map(str::trim);
    let mut kept: Vec<_> = wishes.filter(|wish| !is_refusal_of_identity(wish)).collect();
    kept.push("identity;q=0.001");
    if let Ok(value) = HeaderValue::from_str(&kept.join(", ")) {
        headers.insert(ACCEPT_ENCODING, value);
    }
}

fn is_refusal_of_identity(wish: &str) -> bool {
    let (coding, weight) = wish.split_once(';').unwrap_or((wish, ""));
    let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok());
    matches!(coding.trim().to_ascii_lowercase().as_str(), "identity" | "*")
        && weight.is_some_and(|weight| weight <= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_of_identity_is_taken_back() {
        for (given, kept) in [
            ("gzip, br;q=0.5", "gzip, br;q=0.5"),
            ("*;q=0", "identity;q=0.001"),
            ("gzip, identity;q=0", "gzip, identity;q=0.001"),
            ("gzip;q=0, *;q=0.0", "gzip;q=0, identity;q=0.001"),
            ("*;q=0.2", "*;q=0.2, identity;q=0.001"),
        ] {
            let mut headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(given))]);
            permit_identity(&mut headers);
            assert_eq!(headers[ACCEPT_ENCODING], kept, "{given}");
        }
    }
}
