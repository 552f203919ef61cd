//! What a failed call means: whether the same call may succeed later, elsewhere, or never. Whether it is
//! made again is decided in `call`.

use std::error::Error as StdError;
use std::fmt::Write;

use eventsourcing::store::Error;
use tonic::{Code, Status};

use crate::protocol::trailer;
use crate::settings::Address;

/// What is told of a server's own words.
const WORDS_MAX: usize = 200;

/// A call that did not do what it should.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    /// What was said, or seen.
    words: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only the leader does this; where it is, if that is known.
    NotLeader(Option<Address>),
    /// There is no connection, or it broke: whether the server did it is unknown.
    Broken,
    /// The server cannot now: it is starting, electing, or has too much to do.
    Busy,
    /// Nothing came in time.
    TimedOut,
    /// The user may not, or is not known.
    Denied,
    /// The stream is not where it was expected; -1 is before the first event.
    WrongRevision(Option<i64>),
    /// The stream has been tombstoned.
    StreamDeleted,
    StreamNotFound,
    /// The call is wrong, and will be.
    Refused,
    /// The server does not know the method.
    Unsupported,
    /// What was answered makes no sense.
    Nonsense,
}

impl Failure {
    pub(crate) fn new(kind: Kind, words: impl Into<String>) -> Self {
        Self { kind, words: words.into() }
    }

    /// The answer is not what the protocol says.
    pub(crate) fn nonsense(words: impl Into<String>) -> Self {
        Self::new(Kind::Nonsense, words)
    }

    /// Whether the same call may succeed later, on this node or on another.
    pub(crate) const fn may_pass(&self) -> bool {
        matches!(self.kind, Kind::NotLeader(_) | Kind::Broken | Kind::Busy | Kind::TimedOut)
    }

    /// Whether the connection is of no more use.
    pub(crate) const fn is_of_connection(&self) -> bool {
        matches!(self.kind, Kind::NotLeader(_) | Kind::Broken | Kind::TimedOut)
    }

    /// As the port tells it; `doing` is what was being done.
    pub(crate) fn into_error(self, doing: &str) -> Error {
        let reason = |why: &str| format!("{doing}: {why}");
        let unavailable = |why: &str, words| Error::Unavailable { reason: reason(why), source: Some(said(words)) };
        match self.kind {
            Kind::NotLeader(_) => unavailable("no node leads", self.words),
            Kind::Broken => unavailable("KurrentDB cannot be reached", self.words),
            Kind::Busy => unavailable("KurrentDB cannot do it now", self.words),
            Kind::TimedOut => unavailable("KurrentDB did not answer in time", self.words),
            Kind::Denied => {
                unavailable("KurrentDB refuses the user; see user and password of the connection string", self.words)
            }
            Kind::Unsupported => unavailable("the server does not speak KurrentDB's protocol", self.words),
            Kind::StreamDeleted => Error::Corrupt {
                reason: reason("the stream has been deleted for good"),
                source: Some(said(self.words)),
            },
            Kind::Nonsense => {
                Error::Corrupt { reason: reason("the answer cannot be understood"), source: Some(said(self.words)) }
            }
            Kind::WrongRevision(_) | Kind::StreamNotFound | Kind::Refused => Error::Invalid(reason(&self.words)),
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let kind = kind(&status);
        let words = match status.source() {
            // Made here, of a connection: its message is the first link of the chain.
            Some(source) => chain(source),
            None => format!("{:?}: {}", status.code(), status.message()),
        };
        Self { kind, words: plain(&words) }
    }
}

fn kind(status: &Status) -> Kind {
    let trailer = |name| status.metadata().get(name).and_then(|value| value.to_str().ok());
    match trailer(trailer::EXCEPTION) {
        Some(trailer::NOT_LEADER) => {
            let port = trailer(trailer::LEADER_PORT).and_then(|port| port.parse().ok());
            let leader = trailer(trailer::LEADER_HOST).filter(|host| !host.is_empty()).zip(port);
            return Kind::NotLeader(leader.map(|(host, port)| Address::new(host, port)));
        }
        Some(trailer::WRONG_EXPECTED_VERSION) => {
            return Kind::WrongRevision(trailer(trailer::ACTUAL_VERSION).and_then(|version| version.parse().ok()));
        }
        Some(trailer::STREAM_DELETED) => return Kind::StreamDeleted,
        Some(trailer::STREAM_NOT_FOUND) => return Kind::StreamNotFound,
        Some(trailer::TOO_LARGE) => return Kind::Refused,
        Some(trailer::ACCESS_DENIED) => return Kind::Denied,
        _ => {}
    }
    if status.source().is_some() {
        return Kind::Broken;
    }
    match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => Kind::Denied,
        Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition | Code::AlreadyExists | Code::NotFound => {
            Kind::Refused
        }
        Code::Unimplemented => Kind::Unsupported,
        Code::DeadlineExceeded => Kind::TimedOut,
        // A follower that does not know who leads; what a server's election looks like from outside.
        Code::Unknown if status.message().contains("No leader info") => Kind::NotLeader(None),
        // What servers before 25.1 say of a position at which no event begins.
        Code::Unknown if status.message().contains("InvalidPosition") => Kind::Refused,
        Code::Internal | Code::Unknown | Code::DataLoss => Kind::Broken,
        _ => Kind::Busy,
    }
}

/// What an engine said.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Said(String);

fn said(words: String) -> Box<dyn StdError + Send + Sync> {
    Box::new(Said(words))
}

/// An error and what led to it, each once.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.ends_with(&cause) {
            // Writing to a text cannot fail.
            let _ = write!(text, ": {cause}");
        }
        source = error.source();
    }
    text
}

/// In reasonable length and without what would garble a terminal.
fn plain(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(WORDS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use tonic::metadata::MetadataMap;

    use super::*;

    fn status(code: Code, trailers: &[(&'static str, &'static str)]) -> Status {
        let mut metadata = MetadataMap::new();
        for (name, value) in trailers {
            metadata.insert(*name, value.parse().unwrap());
        }
        Status::with_metadata(code, "words", metadata)
    }

    #[test]
    fn a_follower_names_the_leader() {
        let trailers = [("exception", "not-leader"), ("leader-endpoint-host", "b"), ("leader-endpoint-port", "2114")];
        let failure = Failure::from(status(Code::NotFound, &trailers));
        assert_eq!(failure.kind, Kind::NotLeader(Some(Address::new("b", 2114))));
        assert!(failure.may_pass() && failure.is_of_connection());
        for trailers in [&trailers[..1], &trailers[..2], &[trailers[0], trailers[1], ("leader-endpoint-port", "x")]] {
            assert_eq!(Failure::from(status(Code::NotFound, trailers)).kind, Kind::NotLeader(None));
        }
        let unknown = Status::unknown("No leader info available in response");
        assert_eq!(Failure::from(unknown).kind, Kind::NotLeader(None));
    }

    #[test]
    fn what_may_pass_is_unavailable_and_what_may_not_is_something_else() {
        let outcome = |status: Status| {
            let failure = Failure::from(status);
            (failure.may_pass(), failure.into_error("append").outcome())
        };
        for code in [Code::Unavailable, Code::Aborted, Code::DeadlineExceeded, Code::ResourceExhausted, Code::Internal]
        {
            assert_eq!(outcome(status(code, &[])), (true, "unavailable"), "{code:?}");
        }
        for (code, trailers, told) in [
            (Code::PermissionDenied, &[("exception", "access-denied")][..], "unavailable"),
            (Code::Unauthenticated, &[], "unavailable"),
            (Code::Unimplemented, &[], "unavailable"),
            (Code::FailedPrecondition, &[("exception", "stream-deleted")], "corrupt"),
            (Code::InvalidArgument, &[("exception", "maximum-append-size-exceeded")], "invalid"),
            (Code::InvalidArgument, &[], "invalid"),
        ] {
            assert_eq!(outcome(status(code, trailers)), (false, told), "{code:?}");
        }
    }

    #[test]
    fn the_words_of_a_server_are_kept_short_and_plain() {
        let long = Failure::from(Status::unavailable(format!("a\x1b[2J{}", "b".repeat(1_000))));
        assert!(long.words.len() <= WORDS_MAX && !long.words.contains('\x1b'), "{}", long.words);
        let error = long.into_error("append");
        assert!(error.source().unwrap().to_string().starts_with("Unavailable: a[2Jbb"), "{error:?}");
    }
}
