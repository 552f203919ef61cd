//! Where the engine is: a connection string, checked as far as that goes without asking anybody, of which
//! nothing that is a secret can be printed.

use std::fmt;

use mongodb::options::ConnectionString;

/// A connection string in MongoDB's format, `mongodb://` or `mongodb+srv://`.
#[derive(Clone, PartialEq)]
pub struct Uri {
    parsed: ConnectionString,
    shown: String,
}

/// Why a text is not a connection string. Says what would be right, and not what was given: it may hold a
/// password, and the driver quotes what it cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// Another scheme, or none.
    #[error("must start with mongodb:// or mongodb+srv://")]
    Scheme,
    /// The rest of it.
    #[error(
        "must be a MongoDB connection string, as in mongodb://user:password@mongodb:27017/delivery?authSource=admin, \
         with signs such as @ : / % in user and password percent-encoded"
    )]
    Malformed,
}

impl Eq for Uri {}

impl Uri {
    /// Reads a connection string.
    ///
    /// # Errors
    /// When the driver would not take it.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let (scheme, rest) = text.split_once("://").ok_or(UriError::Scheme)?;
        if !matches!(scheme, "mongodb" | "mongodb+srv") {
            return Err(UriError::Scheme);
        }
        let parsed = ConnectionString::parse(text).map_err(|_| UriError::Malformed)?;
        // Hosts alone: in the path and behind it nothing is of help, and some of it may be secret.
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let hosts = authority.rsplit('@').next().unwrap_or_default();
        Ok(Self { parsed, shown: format!("{scheme}://{hosts}") })
    }

    pub(crate) const fn parsed(&self) -> &ConnectionString {
        &self.parsed
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_shown_and_nothing_else() {
        for (text, shown) in [
            ("mongodb://localhost", "mongodb://localhost"),
            ("mongodb://u:s3cret@a:1,b:2/delivery?replicaSet=rs0", "mongodb://a:1,b:2"),
            ("mongodb+srv://u:s3%40cret@cluster.example.com/?appName=s3cret", "mongodb+srv://cluster.example.com"),
        ] {
            let uri = Uri::parse(text).unwrap();
            assert_eq!((uri.to_string().as_str(), format!("{uri:?}").as_str()), (shown, shown));
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_what_was_given() {
        for (text, error) in [
            ("localhost", UriError::Scheme),
            ("http://s3cret@host", UriError::Scheme),
            ("mongodb://", UriError::Malformed),
            ("mongodb://u:s3:cret@host", UriError::Malformed),
            ("mongodb://u:s3cret%zz@host", UriError::Malformed),
            ("mongodb://host:s3cret", UriError::Malformed),
            ("mongodb://host/?connectTimeoutMS=s3cret", UriError::Malformed),
        ] {
            assert_eq!(Uri::parse(text).unwrap_err(), error, "{text}");
            assert!(!error.to_string().contains("s3cret"));
        }
    }
}
