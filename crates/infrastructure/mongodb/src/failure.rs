//! Why the engine did not do what it was asked: in words for the log, without what is in documents, which
//! the engine quotes in some of its errors.

use delivery::repository::{Error, Generation};
use mongodb::error::{ErrorKind, WriteFailure};

use crate::ENGINE;

/// What a failure came from.
pub(crate) type Source = Box<dyn std::error::Error + Send + Sync>;

/// The code of a document whose key is there already.
pub(crate) const DUPLICATE_KEY: i32 = 11_000;
/// The code of a collection that is not there.
const NAMESPACE_NOT_FOUND: i32 = 26;
/// Codes for which the driver's specification tries again: another server is becoming the primary.
const PASSING: [i32; 13] = [6, 7, 89, 91, 134, 189, 262, 9_001, 10_107, 11_600, 11_602, 13_435, 13_436];

/// A call that came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// There was no answer in time.
    #[error("{address} did not answer within {limit_ms} ms")]
    Late {
        /// Where, without user and password.
        address: String,
        limit_ms: u128,
    },
    /// The engine said no.
    #[error("the engine answered with error {code}{}", named(name))]
    Refused { code: i32, name: String },
    /// The driver could not do it.
    #[error("{0}")]
    Driver(String),
    /// There is no such generation.
    #[error("there is no generation {}", .0.0)]
    Gone(Generation),
    /// What is kept there is not what can have been written.
    #[error("{reason}")]
    Damaged {
        reason: String,
        #[source]
        source: Option<Source>,
    },
}

fn named(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" ({name})") }
}

impl From<mongodb::error::Error> for Failure {
    fn from(error: mongodb::error::Error) -> Self {
        match &*error.kind {
            ErrorKind::Command(error) => Self::Refused { code: error.code, name: error.code_name.clone() },
            ErrorKind::Write(WriteFailure::WriteError(error)) => {
                Self::Refused { code: error.code, name: error.code_name.clone().unwrap_or_default() }
            }
            ErrorKind::Write(WriteFailure::WriteConcernError(error)) => {
                Self::Refused { code: error.code, name: error.code_name.clone() }
            }
            // These are about connections, servers and the driver's own state.
            ErrorKind::Io(_)
            | ErrorKind::ServerSelection { .. }
            | ErrorKind::ConnectionPoolCleared { .. }
            | ErrorKind::Authentication { .. }
            | ErrorKind::DnsResolve { .. }
            | ErrorKind::InvalidTlsConfig { .. } => Self::Driver(error.kind.to_string()),
            // Documents may be quoted in the others.
            _ => Self::Driver("the driver could not read or write what it was given".to_owned()),
        }
    }
}

impl Failure {
    pub(crate) fn damaged(reason: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Damaged { reason: reason.into(), source: Some(source.into()) }
    }

    /// Somebody has written a document of that key already.
    pub(crate) const fn is_duplicate(&self) -> bool {
        matches!(self, Self::Refused { code: DUPLICATE_KEY, .. })
    }

    /// There was nothing to be removed.
    pub(crate) const fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { code: NAMESPACE_NOT_FOUND, .. })
    }

    /// The same call may go well in a moment.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Refused { code, .. } => PASSING.contains(code),
            Self::Driver(_) => true,
            Self::Late { .. } | Self::Gone(_) | Self::Damaged { .. } => false,
        }
    }

    /// In the words of the port; `doing` says at what.
    pub(crate) fn while_(self, doing: &str) -> Error {
        match self {
            Self::Gone(generation) => Error::UnknownGeneration(generation),
            Self::Damaged { reason, source } => Error::Corrupt { engine: ENGINE, reason, source },
            failure => Error::Unavailable { engine: ENGINE, reason: doing.to_owned(), source: Some(Box::new(failure)) },
        }
    }
}
