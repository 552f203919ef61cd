//! Conditional requests (RFC 9110, section 13): an order's entity tag is its revision.

use axum::http::HeaderMap;
use axum::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use eventsourcing::Revision;

use crate::error::Error;

/// The `ETag` of a revision.
pub(crate) fn etag(revision: Revision) -> String {
    format!("\"{revision}\"")
}

/// What `If-Match` or `If-None-Match` say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Tags {
    /// There is no such header.
    Absent,
    /// `*`: any revision.
    Any,
    /// These. Tags that no order of ours ever had are left out.
    These(Vec<Revision>),
}

/// `If-Match`, compared strongly: a weak tag never matches.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Tags, Error> {
    tags(headers, IF_MATCH, false)
}

/// `If-None-Match`, compared weakly.
pub(crate) fn if_none_match(headers: &HeaderMap) -> Result<Tags, Error> {
    tags(headers, IF_NONE_MATCH, true)
}

fn tags(headers: &HeaderMap, name: HeaderName, weak: bool) -> Result<Tags, Error> {
    let expected = "a quoted revision such as \"3\", a list of them, or *";
    let mut values = headers.get_all(&name).iter().peekable();
    if values.peek().is_none() {
        return Ok(Tags::Absent);
    }
    let mut revisions = Vec::new();
    for value in values {
        let value = value.to_str().map_err(|_| Error::parameter(name.as_str(), expected))?.trim();
        if value == "*" {
            return Ok(Tags::Any);
        }
        for tag in value.split(',').map(str::trim) {
            let (is_weak, quoted) = tag.strip_prefix("W/").map_or((false, tag), |quoted| (true, quoted));
            let opaque = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            let opaque = opaque.ok_or_else(|| Error::parameter(name.as_str(), expected))?;
            if !is_weak || weak {
                // A tag is compared letter by letter: "00" was never one of ours.
                revisions.extend(opaque.parse().ok().map(Revision).filter(|revision| revision.to_string() == opaque));
            }
        }
    }
    Ok(Tags::These(revisions))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(value: &'static str) -> HeaderMap {
        let value = HeaderValue::from_static(value);
        HeaderMap::from_iter([(IF_MATCH, value.clone()), (IF_NONE_MATCH, value)])
    }

    #[test]
    fn lists_weak_tags_and_the_star() {
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), Tags::Absent);
        assert_eq!(if_match(&headers("*")).unwrap(), Tags::Any);
        assert_eq!(if_match(&headers("\"3\"")).unwrap(), Tags::These(vec![Revision(3)]));
        assert_eq!(if_match(&headers("W/\"3\", \"4\"")).unwrap(), Tags::These(vec![Revision(4)]));
        assert_eq!(if_none_match(&headers("W/\"3\"")).unwrap(), Tags::These(vec![Revision(3)]));
        for foreign in ["\"abc\"", "\"00\"", "\"+3\"", "\"\""] {
            assert_eq!(if_match(&headers(foreign)).unwrap(), Tags::These(vec![]), "{foreign}");
        }
    }

    #[test]
    fn what_is_not_a_tag_is_refused() {
        for bad in ["3", "\"3", "", "W/3", "\"3\" \"4"] {
            assert!(if_match(&headers(bad)).is_err(), "{bad}");
        }
    }
}
