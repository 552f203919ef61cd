//! Why the engine did not do what it was asked: in words for the log, without what is in documents, which
//! the engine quotes in some of its errors.

use delivery::repository::Error;
use serde::Deserialize;

use crate::ENGINE;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A call that came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// There is no connection, or it broke off.
    #[error("{address} cannot be reached")]
    Unreachable {
        /// Where, without user and password.
        address: String,
        #[source]
        source: Source,
    },
    /// There was no answer in time, or not the whole one.
    #[error("{address} did not answer within {limit_ms} ms")]
    Late { address: String, limit_ms: u128 },
    /// The engine said no.
    #[error("the engine answered {status}{}{}", spaced(kind), reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    Refused {
        /// The HTTP status, of the answer or of one item in it.
        status: u16,
        /// The engine's word for it, such as `index_not_found_exception`; empty if there is none.
        kind: String,
        /// What it says beyond that, where that cannot be part of a document.
        reason: Option<String>,
    },
    /// The answer is not what the engine's documentation says.
    #[error("the engine's answer cannot be read")]
    Unreadable(#[source] Source),
    /// What is kept there is not what can have been written.
    #[error("{0}")]
    Damaged(String),
}

fn spaced(kind: &str) -> String {
    if kind.is_empty() { String::new() } else { format!(" {kind}") }
}

/// Errors whose explanations are about the engine and its indexes, never about what is in documents.
const EXPLAINED: [&str; 12] = [
    "aliases_not_found_exception",
    "circuit_breaking_exception",
    "cluster_block_exception",
    "es_rejected_execution_exception",
    "index_not_found_exception",
    "master_not_discovered_exception",
    "no_shard_available_action_exception",
    "process_cluster_event_timeout_exception",
    "rejected_execution_exception",
    "resource_already_exists_exception",
    "security_exception",
    "validation_exception",
];
/// Characters of an explanation that are kept.
const REASON_MAX: usize = 300;

/// What the engine says is wrong.
#[derive(Debug, Deserialize)]
pub(crate) struct Told {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    root_cause: Vec<Told>,
}

impl Told {
    /// The failure, with the root's kind where the outermost one says only that there was one.
    pub(crate) fn failure(mut self, status: u16) -> Failure {
        let told = match self.root_cause.pop() {
            Some(root) if self.kind == "search_phase_execution_exception" => root,
            _ => self,
        };
        let explains = EXPLAINED.contains(&told.kind.as_str());
        let reason = told.reason.filter(|_| explains).map(|reason| reason.chars().take(REASON_MAX).collect());
        Failure::Refused { status, kind: told.kind, reason }
    }
}

/// An answer that is an error.
#[derive(Deserialize)]
struct Answered {
    error: Told,
}

impl Failure {
    /// What an answer with an error's status says.
    pub(crate) fn answered(status: u16, body: &[u8]) -> Self {
        match serde_json::from_slice::<Answered>(body) {
            Ok(answered) => answered.error.failure(status),
            // From a proxy, most likely, whose page is of no use in a log.
            Err(_) => Self::Refused { status, kind: String::new(), reason: None },
        }
    }

    pub(crate) fn unreadable(error: impl Into<Source>) -> Self {
        Self::Unreadable(error.into())
    }

    fn is(&self, wanted: &[&str]) -> bool {
        matches!(self, Self::Refused { kind, .. } if wanted.contains(&kind.as_str()))
    }

    /// There is no such index or alias.
    pub(crate) fn is_missing(&self) -> bool {
        self.is(&["index_not_found_exception", "aliases_not_found_exception"])
    }

    /// There is one, but not yet, or no longer, anybody who answers for it.
    pub(crate) fn is_unready(&self) -> bool {
        self.is(&["no_shard_available_action_exception"])
    }

    /// Somebody else was first.
    pub(crate) fn is_taken(&self) -> bool {
        matches!(self, Self::Refused { status: 409, .. }) || self.is(&["resource_already_exists_exception"])
    }

    /// The same call may go well in a moment.
    pub(crate) const fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Refused { status: 429 | 502..=504, .. })
    }

    /// The request is larger than the engine takes.
    pub(crate) const fn is_too_large(&self) -> bool {
        matches!(self, Self::Refused { status: 413, .. })
    }

    /// In the words of the port; `doing` says at what.
    pub(crate) fn while_(self, doing: &str) -> Error {
        match self {
            Self::Damaged(reason) => Error::Corrupt { engine: ENGINE, reason, source: None },
            failure => Error::Unavailable { engine: ENGINE, reason: doing.to_owned(), source: Some(Box::new(failure)) },
        }
    }
}

/// A stored document that cannot be read.
pub(crate) fn corrupt(reason: impl Into<String>, source: impl Into<Source>) -> Error {
    Error::Corrupt { engine: ENGINE, reason: reason.into(), source: Some(source.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_is_kept_only_where_it_cannot_quote_a_document() {
        let answer = |kind: &str, reason: &str| {
            let body = format!(r#"{{"error":{{"type":"{kind}","reason":"{reason}"}},"status":400}}"#);
            Failure::answered(400, body.as_bytes()).to_string()
        };
        let quoted = answer("document_parsing_exception", "failed to parse: 'jane@example.com'");
        assert_eq!(quoted, "the engine answered 400 document_parsing_exception");
        let told = answer("security_exception", "unable to authenticate user [a]");
        assert_eq!(told, "the engine answered 400 security_exception: unable to authenticate user [a]");
        assert_eq!(Failure::answered(502, b"<html>").to_string(), "the engine answered 502");
        assert_eq!(Failure::answered(400, br#"{"error":"no handler"}"#).to_string(), "the engine answered 400");
    }

    #[test]
    fn a_failed_search_is_called_by_its_root_cause() {
        let body = br#"{"error":{"type":"search_phase_execution_exception","reason":"all shards failed",
            "root_cause":[{"type":"no_shard_available_action_exception","reason":"x"}]},"status":503}"#;
        let failure = Failure::answered(503, body);
        assert!(failure.is_unready() && failure.is_passing() && !failure.is_missing(), "{failure}");
    }
}
