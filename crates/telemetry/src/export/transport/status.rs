//! What stands in an answer's body: the export responses of OTLP, and `google.rpc.Status` with its
//! `RetryInfo`. All of it comes from outside and may be anything.

use std::time::Duration;

use super::super::wire::{Field, Fields};
use super::{Answer, words};

/// A message inside a message.
fn message(bytes: &[u8], field: u64) -> Option<&[u8]> {
    Fields(bytes).filter_map(|found| matching(found, field)).last()
}

fn matching((number, value): (u64, Field<'_>), field: u64) -> Option<&[u8]> {
    match value {
        Field::Bytes(bytes) if number == field => Some(bytes),
        _ => None,
    }
}

fn number(bytes: &[u8], field: u64) -> u64 {
    let matching = |(number, value)| match value {
        Field::Number(value) if number == field => Some(value),
        _ => None,
    };
    Fields(bytes).filter_map(matching).last().unwrap_or_default()
}

fn text(bytes: &[u8], field: u64) -> String {
    words(&String::from_utf8_lossy(message(bytes, field).unwrap_or_default()))
}

/// Reads an `Export…ServiceResponse`: a request that was taken, in part perhaps.
pub(super) fn taken(response: &[u8]) -> Answer {
    let partial = message(response, 1).unwrap_or_default();
    // A negative number makes no sense.
    let rejected = number(partial, 1).cast_signed().max(0).cast_unsigned();
    Answer::Taken { rejected, words: text(partial, 2) }
}

/// The message of a `google.rpc.Status`.
pub(super) fn told(status: &[u8]) -> String {
    text(status, 2)
}

/// The delay of the `google.rpc.RetryInfo` in a `google.rpc.Status`; `None` without one.
pub(super) fn retry_info(status: &[u8]) -> Option<Duration> {
    let info = Fields(status)
        .filter_map(|found| matching(found, 3))
        .find(|any| message(any, 1).is_some_and(|url| url.ends_with(b"/google.rpc.RetryInfo")))?;
    let delay = message(message(info, 2).unwrap_or_default(), 1).unwrap_or_default();
    let seconds = u64::try_from(number(delay, 1).cast_signed()).unwrap_or_default();
    let nanos = u32::try_from(number(delay, 2)).unwrap_or_default().min(999_999_999);
    Some(Duration::new(seconds, nanos))
}
