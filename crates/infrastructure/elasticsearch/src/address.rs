//! Where the engine is, and as whom it is spoken to: read from a connection string, of which nothing that
//! is a secret can be printed. How requests are sent is `transport`'s business.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;
use hyper::header::HeaderValue;

/// An engine's address: `http://` or `https://`, optionally `USER:PASSWORD@` (percent-encoded where need
/// be), a host, a port, and a path for engines behind a proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    base: String,
    authorization: Option<HeaderValue>,
}

/// Why a text is not an address. Says what would be right, and not what was given: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither `http://` nor `https://`.
    #[error("must start with http:// or https://")]
    Scheme,
    /// No host, or one that cannot be one, or a port that is none.
    #[error("must name a host after the scheme, and may name a port, as in https://elasticsearch:9200")]
    Host,
    /// User and password cannot be read.
    #[error("must have user and password as user:password@, with %40 for an @ in them and %25 for a %")]
    Credentials,
    /// There is more than an address.
    #[error("must not have a query or a fragment (? or #; in a password, write %3F or %23)")]
    Query,
}

impl Address {
    /// Reads a connection string.
    ///
    /// # Errors
    /// When it is not a URL of this form.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => "http",
            "https" => "https",
            _ => return Err(AddressError::Scheme),
        };
        if rest.contains(['?', '#']) {
            return Err(AddressError::Query);
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user_info, host) = match authority.rsplit_once('@') {
            Some((user_info, host)) => (Some(user_info), host),
            None => (None, authority),
        };
        let path = path.trim_end_matches('/');
        let separator = if path.is_empty() { "" } else { "/" };
        let base = format!("{scheme}://{host}{separator}{path}");
        let uri: Uri = base.parse().map_err(|_| AddressError::Host)?;
        // A port that is no number is taken for a part of the host, and read as none.
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
        if uri.host().is_none_or(str::is_empty) || (has_port && uri.port_u16().is_none()) {
            return Err(AddressError::Host);
        }
        let authorization = user_info.map(authorization).transpose()?;
        Ok(Self { base, authorization })
    }

    /// What paths are put behind. Without user and password.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.base.starts_with("https:")
    }

    pub(crate) const fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

/// The header for `user:password`, as RFC 7617 has it.
fn authorization(user_info: &str) -> Result<HeaderValue, AddressError> {
    let (user, password) = user_info.split_once(':').ok_or(AddressError::Credentials)?;
    let decoded = |text| percent_decoded(text).ok_or(AddressError::Credentials);
    let (user, password) = (decoded(user)?, decoded(password)?);
    // The header has a colon between the two, so that the user cannot have one.
    if user.is_empty() || user.contains(&b':') {
        return Err(AddressError::Credentials);
    }
    let pair = STANDARD.encode([&user[..], b":", &password[..]].concat());
    let mut value = HeaderValue::from_str(&format!("Basic {pair}")).map_err(|_| AddressError::Credentials)?;
    value.set_sensitive(true);
    Ok(value)
}

fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (high, low) = (rest.next()?, rest.next()?);
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        bytes.push(digit(high)? << 4 | digit(low)?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Result<(String, Option<String>), AddressError> {
        let address = Address::parse(text)?;
        let header = address.authorization().map(|value| value.to_str().unwrap().to_owned());
        Ok((address.base().to_owned(), header))
    }

    #[test]
    fn an_address_has_a_host_and_may_have_more() {
        for (text, base) in [
            ("http://localhost", "http://localhost"),
            ("HTTPS://search.example.com:9243/", "https://search.example.com:9243"),
            ("https://proxy/elastic/", "https://proxy/elastic"),
            ("http://[::1]:9200", "http://[::1]:9200"),
            ("http://[::1]", "http://[::1]"),
        ] {
            assert_eq!(parts(text), Ok((base.to_owned(), None)), "{text}");
        }
    }

    #[test]
    fn user_and_password_are_decoded_and_sent_as_a_header() {
        // "us er" and "p@:/%" in base64.
        let expected = Some("Basic dXMgZXI6cEA6LyU=".to_owned());
        assert_eq!(parts("http://us%20er:p%40:%2f%25@host:1"), Ok(("http://host:1".to_owned(), expected)));
    }

    #[test]
    fn what_is_wrong_is_told_without_what_was_given() {
        for (text, error) in [
            ("localhost:9200", AddressError::Scheme),
            ("mongodb://host", AddressError::Scheme),
            ("http://", AddressError::Host),
            ("http://u:s3cret@", AddressError::Host),
            ("http://host:port", AddressError::Host),
            ("http://host:70000", AddressError::Host),
            ("http://ho st", AddressError::Host),
            ("http://s3cret@host", AddressError::Credentials),
            ("http://:s3cret@host", AddressError::Credentials),
            ("http://u:s3cret%zz@host", AddressError::Credentials),
            ("http://u:s3cret%4@host", AddressError::Credentials),
            ("http://host/?a=s3cret", AddressError::Query),
            ("http://u:s3#cret@host", AddressError::Query),
        ] {
            assert_eq!(Address::parse(text), Err(error), "{text}");
            assert!(!error.to_string().contains("s3cret"));
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let address = Address::parse("https://user:s3cret@host:9200").unwrap();
        let shown = format!("{address} {address:?} {:?}", address.authorization());
        assert!(!shown.contains("s3cret") && !shown.contains("dXNlcjpzM2NyZXQ"), "{shown}");
    }
}
