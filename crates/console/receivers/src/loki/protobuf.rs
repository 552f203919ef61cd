//! `logproto.PushRequest`: which field holds what. What is done with it is not here.

use console_model::LogRecord;
use console_wire::{Field, Fields, Malformed};

use super::request::{Entry, Request};
use super::{Decoded, labels};

/// Reads a request in protobuf. An error means that the bytes are no such message and that nothing was
/// taken. `arrival_ns` is the time of arrival, nanoseconds since the Unix epoch.
pub fn decode_protobuf(bytes: &[u8], arrival_ns: u64) -> Result<Decoded, Malformed> {
    let mut request = Request::new(arrival_ns);
    for field in Fields::new(bytes) {
        let field = field?;
        if field.number == 1 {
            read_stream(field.message()?, &mut request)?;
        }
    }
    Ok(request.finish())
}

fn read_stream(fields: Fields<'_>, request: &mut Request) -> Result<(), Malformed> {
    let mut records: Vec<LogRecord> = Vec::new();
    let mut text = "";
    for field in fields {
        let field = field?;
        match field.number {
            1 => text = field.text()?,
            2 => {
                let entry = read_entry(field.message()?)?;
                request.entry(entry, &mut records);
            }
            _ => {}
        }
    }
    match labels::parse(text) {
        Ok(pairs) => request.stream(Ok(&pairs), records),
        Err(reason) => request.stream::<String>(Err(reason), records),
    }
    Ok(())
}

fn read_entry(fields: Fields<'_>) -> Result<Entry, Malformed> {
    let mut entry = Entry { time_ns: Some(0), line: Some("".into()), ..Entry::default() };
    for field in fields {
        let field = field?;
        match field.number {
            1 => {
                entry.time_ns = read_time(field.message()?)?;
                if entry.time_ns.is_none() {
                    entry.fault = Some("has a timestamp that is not between 1970 and 2554");
                }
            }
            2 => entry.line = Some(lossy(field)?.as_ref().into()),
            3 => {
                let (name, value) = read_pair(field.message()?)?;
                entry.push(&name, &value);
            }
            _ => {}
        }
    }
    Ok(entry)
}

/// Lines may be anything; what is not UTF-8 becomes U+FFFD, as in log files.
fn lossy(field: Field<'_>) -> Result<std::borrow::Cow<'_, str>, Malformed> {
    field.bytes().map(String::from_utf8_lossy)
}

fn read_pair(fields: Fields<'_>) -> Result<(std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>), Malformed> {
    let mut pair = Default::default();
    let (name, value) = &mut pair;
    for field in fields {
        let field = field?;
        match field.number {
            1 => *name = lossy(field)?,
            2 => *value = lossy(field)?,
            _ => {}
        }
    }
    Ok(pair)
}

/// `google.protobuf.Timestamp`, in nanoseconds; `None` if it is beyond what these can hold.
fn read_time(fields: Fields<'_>) -> Result<Option<u64>, Malformed> {
    let (mut seconds, mut nanos) = (0_i64, 0_i32);
    for field in fields {
        let field = field?;
        match field.number {
            1 => seconds = field.int64()?,
            2 => nanos = field.int32()?,
            _ => {}
        }
    }
    let whole = u64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1_000_000_000));
    Ok(whole.and_then(|whole| whole.checked_add(u64::try_from(nanos).ok()?)))
}
