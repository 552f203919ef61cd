//! Errors as the genuine server tells them: a code, words, and trailers that clients go by.

use kurrentdb::protocol::trailer;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

use crate::log::Refused;

fn with(code: Code, words: String, trailers: &[(&'static str, String)]) -> Status {
    let mut metadata = MetadataMap::new();
    for (name, value) in trailers {
        // A header holds no control characters; a stream's name may.
        let plain: String = value.chars().filter(|character| (' '..='~').contains(character)).collect();
        if let Ok(value) = MetadataValue::try_from(plain) {
            metadata.insert(*name, value);
        }
    }
    Status::with_metadata(code, words, metadata)
}

fn exception(name: &'static str) -> (&'static str, String) {
    (trailer::EXCEPTION, name.to_owned())
}

pub(crate) fn not_leader(host: &str, port: u16) -> Status {
    let trailers = [
        exception(trailer::NOT_LEADER),
        (trailer::LEADER_HOST, host.to_owned()),
        (trailer::LEADER_PORT, port.to_string()),
    ];
    with(Code::NotFound, "Leader info available".to_owned(), &trailers)
}

pub(crate) fn no_leader() -> Status {
    Status::unknown("No leader info available in response")
}

pub(crate) fn too_busy() -> Status {
    Status::unavailable("Server Is Too Busy")
}

pub(crate) fn too_slow() -> Status {
    Status::aborted(
        "Operation timed out: Consumer too slow to handle event while live. Client resubscription required.",
    )
}

pub(crate) fn tombstoned(stream: &str) -> Status {
    let trailers = [exception(trailer::STREAM_DELETED), (trailer::STREAM_NAME, stream.to_owned())];
    with(Code::FailedPrecondition, format!("Event stream '{stream}' is deleted."), &trailers)
}

pub(crate) fn too_large(bytes_max: usize) -> Status {
    let trailers = [exception(trailer::TOO_LARGE), (trailer::APPEND_BYTES_MAX, bytes_max.to_string())];
    with(Code::InvalidArgument, format!("Maximum Append Size of {bytes_max} Exceeded."), &trailers)
}

pub(crate) fn missing(property: &str) -> Status {
    let words = format!("Required Metadata Property '{property}' is missing");
    with(Code::InvalidArgument, words, &[exception(trailer::MISSING_METADATA)])
}

pub(crate) fn unauthenticated() -> Status {
    Status::unauthenticated("Unauthenticated")
}

pub(crate) fn invalid_position() -> Status {
    Status::unknown("Unexpected FilteredReadAllResult: InvalidPosition")
}

/// A delete that was refused; appends tell it in their answers instead.
pub(crate) fn refused(operation: &str, stream: &str, expected: i64, refused: Refused) -> Status {
    match refused {
        Refused::Tombstoned => tombstoned(stream),
        Refused::WrongVersion(current) => {
            let current = version(current);
            let words = format!(
                "{operation} failed due to WrongExpectedVersion. Stream: {stream}, Expected version: {expected}, \
                 Actual version: {current}"
            );
            let trailers = [
                exception(trailer::WRONG_EXPECTED_VERSION),
                (trailer::STREAM_NAME, stream.to_owned()),
                (trailer::EXPECTED_VERSION, expected.to_string()),
                (trailer::ACTUAL_VERSION, current.to_string()),
            ];
            with(Code::FailedPrecondition, words, &trailers)
        }
    }
}

/// A revision as the server counts, -1 for none.
pub(crate) fn version(revision: Option<u64>) -> i64 {
    revision.and_then(|revision| i64::try_from(revision).ok()).unwrap_or(-1)
}
