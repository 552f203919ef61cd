//! Where the order service is: `http://host:port/base/path`, checked.

use std::str::FromStr;

use hyper::Uri;
use serde::{Serialize, Serializer};

/// Where `highbeam up` listens.
const DEFAULT: &str = "http://127.0.0.1:5007";

/// The contract's default `BASE_PATH`.
const DEFAULT_BASE_PATH: &str = "/api";

/// The service's address and base path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `http://authority/base/path`, without a slash at its end.
    base: String,
}

/// Why a text is no [`Target`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; right would be: http://127.0.0.1:5007/api")]
pub struct Error(String);

impl Target {
    pub(crate) fn base(&self) -> &str {
        &self.base
    }
}

impl Default for Target {
    fn default() -> Self {
        Self { base: format!("{DEFAULT}{DEFAULT_BASE_PATH}") }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.base)
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.base)
    }
}

impl FromStr for Target {
    type Err = Error;

    /// Without a path, the contract's default `/api` is meant; a lone `/` means none at all.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("http") => {}
            Some("https") => {
                return Err(Error(format!(
                    "'{text}' is https, and the generator speaks plain http only: point it at the service itself, \
                     behind whatever ends TLS"
                )));
            }
            _ => return Err(Error(format!("'{text}' does not begin with http://"))),
        }
        // A fragment never reaches a server; the parser drops it, so it is looked for in the text.
        if text.contains(['?', '#']) {
            return Err(Error(format!("'{text}' has a query or fragment")));
        }
        let uri: Uri = text.parse().map_err(|error| Error(format!("'{text}' is not a URL: {error}")))?;
        let authority = uri.authority().ok_or_else(|| Error(format!("'{text}' names no host")))?;
        if authority.as_str().contains('@') {
            // Not repeated: it may be a password.
            return Err(Error("the URL has a user name or password, which the service has no use for".to_owned()));
        }
        if authority.host().is_empty() {
            return Err(Error(format!("'{text}' names no host")));
        }
        let given = text.len() > "http://".len() + authority.as_str().len();
        let path = if given { uri.path() } else { DEFAULT_BASE_PATH };
        Ok(Self { base: format!("http://{authority}{}", path.trim_end_matches('/')) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_kept_and_none_means_the_default() {
        for (text, base) in [
            ("http://127.0.0.1:5007", "http://127.0.0.1:5007/api"),
            ("http://127.0.0.1:5007/", "http://127.0.0.1:5007"),
            ("http://orders.prod.svc/v2/", "http://orders.prod.svc/v2"),
            ("HTTP://[::1]:80/api", "http://[::1]:80/api"),
        ] {
            assert_eq!(text.parse::<Target>().unwrap().base(), base);
        }
        assert_eq!(Target::default().base(), "http://127.0.0.1:5007/api");
    }

    #[test]
    fn a_wrong_one_is_explained_with_a_right_one() {
        for (text, fault) in [
            ("https://example.com", "plain http only"),
            ("127.0.0.1:5007", "does not begin with http://"),
            ("http://", "is not a URL"),
            ("http://a b/", "is not a URL"),
            ("http://a/?x=1", "query"),
            ("http://a/#x", "query or fragment"),
        ] {
            let message = text.parse::<Target>().unwrap_err().to_string();
            assert!(message.contains(fault) && message.contains("right would be"), "{message}");
        }
        let message = "http://me:secret@a/".parse::<Target>().unwrap_err().to_string();
        assert!(!message.contains("secret"), "{message}");
    }
}
