//! Between the kernel's terms and the protocol's.

use std::borrow::Cow;
use std::collections::BTreeMap;

use eventsourcing::store::Error;
use eventsourcing::{ExpectedRevision, NewEvent, Position, RecordedEvent, Revision, StreamId};
use jiff::Timestamp;
use serde::de::IgnoredAny;

use crate::failure::Failure;
use crate::names::{self, NOTHING};
use crate::protocol::append_req::Content;
use crate::protocol::read_req::{
    AllOption, AllOptions, CountOption, Direction, FilterOption, FilterOptions, Options, RevisionOption, StreamOption,
    StreamOptions, UuidContent, UuidOption,
};
use crate::protocol::{self, AppendReq, Expected, ProposedMessage, ReadReq, Uuid, WriteOptions, metadata, read_resp};

/// The engine's numbers are signed, and what is beyond stands for something else.
pub(crate) const NUMBER_MAX: u64 = i64::MAX.unsigned_abs();
/// Nanoseconds in a tick.
const TICK: i128 = 100;

/// The requests of an append; `None` for an id that is not to be had.
pub(crate) fn append(stream: &StreamId, expected: ExpectedRevision, events: Vec<NewEvent>) -> Option<Vec<AppendReq>> {
    let expected = match expected {
        ExpectedRevision::NoStream => Expected::NoStream(NOTHING),
        ExpectedRevision::Exact(revision) => Expected::Revision(revision.0),
    };
    let options = WriteOptions { stream_identifier: Some(names::stream_identifier(stream)), expected: Some(expected) };
    let mut requests = Vec::with_capacity(1 + events.len());
    requests.push(AppendReq { content: Some(Content::Options(options)) });
    for event in events {
        requests.push(AppendReq { content: Some(Content::ProposedMessage(proposed(event)?)) });
    }
    Some(requests)
}

fn proposed(event: NewEvent) -> Option<ProposedMessage> {
    // The engine believes it, and its own pages and projections show what they are told is JSON.
    let is_json = serde_json::from_slice::<IgnoredAny>(&event.data).is_ok();
    let content_type = if is_json { metadata::JSON } else { metadata::OCTETS };
    Some(ProposedMessage {
        id: Some(Uuid::structured(names::wire_id(event.id)?)),
        metadata: BTreeMap::from([
            (metadata::TYPE.to_owned(), names::wire_type(&event.event_type)),
            (metadata::CONTENT_TYPE.to_owned(), content_type.to_owned()),
        ]),
        custom_metadata: event.metadata,
        data: event.data,
    })
}

/// The request for a page of a stream.
pub(crate) fn read(stream: &StreamId, from: RevisionOption, direction: Direction, count: u64) -> ReadReq {
    let stream = StreamOptions { stream_identifier: Some(names::stream_identifier(stream)), revision: Some(from) };
    request(StreamOption::Stream(stream), direction, CountOption::Count(count), None)
}

/// The request for a page of the whole store. `from` is itself part of the page.
pub(crate) fn read_all(from: AllOption, direction: Direction, count: u64, filter: FilterOptions) -> ReadReq {
    let all = AllOptions { from: Some(from) };
    request(StreamOption::All(all), direction, CountOption::Count(count), Some(filter))
}

/// The request for what follows a position, without an end.
pub(crate) fn subscribe(after: Position, prefix: &str) -> ReadReq {
    let all = AllOptions { from: Some(all_from(after)) };
    let count = CountOption::Subscription(NOTHING);
    request(StreamOption::All(all), Direction::Forwards, count, Some(names::filter(prefix)))
}

/// A position as a place to read from.
pub(crate) fn all_from(position: Position) -> AllOption {
    match position {
        Position::START => AllOption::Start(NOTHING),
        Position(position) => {
            AllOption::Position(protocol::Position { commit_position: position, prepare_position: position })
        }
    }
}

fn request(stream: StreamOption, direction: Direction, count: CountOption, filter: Option<FilterOptions>) -> ReadReq {
    let options = Options {
        stream: Some(stream),
        read_direction: direction.into(),
        resolve_links: false,
        count: Some(count),
        filter: Some(filter.map_or(FilterOption::NoFilter(NOTHING), FilterOption::Filter)),
        uuid_option: Some(UuidOption { content: Some(UuidContent::Structured(NOTHING)) }),
        control_option: None,
    };
    ReadReq { options: Some(options) }
}

/// An event as it was read.
pub(crate) fn recorded(event: read_resp::ReadEvent) -> Result<RecordedEvent, Error> {
    let mut event = event.event.ok_or_else(|| damaged("an event without content", None))?;
    let stream = event.stream_identifier.as_ref().and_then(names::stream);
    let stream = stream.ok_or_else(|| damaged("an event whose stream has no readable name", None))?;
    let id = event.id.as_ref().and_then(Uuid::read);
    let damaged = |what: &str| damaged(what, Some((&stream, event.stream_revision)));
    let id = id.ok_or_else(|| damaged("an event without a readable id"))?;
    let recorded_at = event.metadata.get(metadata::CREATED).and_then(|ticks| created(ticks));
    let recorded_at = recorded_at.ok_or_else(|| damaged("an event without a readable time"))?;
    let (commit, prepare) = (event.commit_position, event.prepare_position);
    if commit > NUMBER_MAX {
        return Err(Error::Invalid(
            "this EventStoreDB tells no positions when a stream is read: version 22.6 or later is needed".to_owned(),
        ));
    }
    // Only the transactions of the TCP protocol, which is gone since 2023, commit apart from their events.
    // Their positions are not in the order of their events.
    if commit != prepare {
        return Err(damaged("an event of an explicit transaction, whose position cannot be followed"));
    }
    let event_type = event.metadata.remove(metadata::TYPE).unwrap_or_default();
    Ok(RecordedEvent {
        revision: Revision(event.stream_revision),
        position: Position(commit),
        id: names::event_id(id),
        event_type: Cow::Owned(names::event_type(event_type)),
        data: event.data,
        raw_metadata: event.custom_metadata,
        recorded_at,
        stream,
    })
}

/// Ticks of 100 ns since 1970.
fn created(ticks: &str) -> Option<Timestamp> {
    let ticks: i64 = ticks.parse().ok()?;
    Timestamp::from_nanosecond(i128::from(ticks) * TICK).ok()
}

fn damaged(what: &str, place: Option<(&StreamId, u64)>) -> Error {
    let reason = match place {
        Some((stream, revision)) => format!("{what}: revision {revision} of stream {stream}"),
        None => what.to_owned(),
    };
    Error::Corrupt { reason, source: None }
}

/// The events of a page; `None` when there is no such stream.
pub(crate) fn page(answers: Vec<protocol::ReadResp>) -> Result<Option<Vec<read_resp::ReadEvent>>, Failure> {
    let mut events = Vec::with_capacity(answers.len());
    for answer in answers {
        match answer.content {
            Some(read_resp::Content::Event(event)) => events.push(event),
            Some(read_resp::Content::StreamNotFound(_)) => return Ok(None),
            // Where a stream begins and ends, and whatever later servers add.
            _ => {}
        }
    }
    Ok(Some(events))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use eventsourcing::EventId;

    use super::*;

    fn event() -> read_resp::RecordedEvent {
        read_resp::RecordedEvent {
            id: Some(Uuid::string(uuid::Uuid::from_u128(7))),
            stream_identifier: Some(names::stream_identifier(&StreamId::new("order-1"))),
            stream_revision: 3,
            prepare_position: 1_000,
            commit_position: 1_000,
            metadata: BTreeMap::from([
                ("type".to_owned(), "ORDER_PAID".to_owned()),
                ("created".to_owned(), "16094592001234567".to_owned()),
                ("content-type".to_owned(), "application/json".to_owned()),
            ]),
            custom_metadata: Bytes::from_static(b"{}"),
            data: Bytes::from_static(b"{\"paymentID\":\"p\"}"),
        }
    }

    fn read(event: read_resp::RecordedEvent) -> Result<RecordedEvent, Error> {
        recorded(read_resp::ReadEvent { event: Some(event), ..read_resp::ReadEvent::default() })
    }

    #[test]
    fn an_event_of_the_wire_is_read_in_full() {
        let found = read(event()).unwrap();
        assert_eq!((found.stream.as_str(), found.revision, found.position), ("order-1", Revision(3), Position(1_000)));
        assert_eq!((found.id, &*found.event_type), (EventId(uuid::Uuid::from_u128(7)), "ORDER_PAID"));
        assert_eq!(found.recorded_at.to_string(), "2021-01-01T00:00:00.1234567Z");
    }

    #[test]
    fn an_event_that_cannot_be_read_is_told_with_its_place() {
        let mut without_time = event();
        without_time.metadata.remove("created");
        let mut of_transaction = event();
        of_transaction.prepare_position = 900;
        for (odd, told) in [
            (read_resp::RecordedEvent { id: None, ..event() }, "readable id"),
            (without_time, "readable time"),
            (of_transaction, "explicit transaction"),
        ] {
            let error = read(odd).unwrap_err();
            assert_eq!(error.outcome(), "corrupt");
            assert!(error.to_string().contains(told) && error.to_string().contains("revision 3 of stream order-1"));
        }
    }

    #[test]
    fn a_server_that_tells_no_positions_is_told_to_be_too_old() {
        let old = read_resp::RecordedEvent { commit_position: u64::MAX, prepare_position: u64::MAX, ..event() };
        assert!(read(old).unwrap_err().to_string().contains("22.6"));
    }

    #[test]
    fn only_json_is_called_json() {
        let content_type = |data: &'static [u8]| {
            let event = NewEvent {
                id: EventId(uuid::Uuid::from_u128(1)),
                event_type: "A".into(),
                data: Bytes::from_static(data),
                metadata: Bytes::new(),
            };
            proposed(event).unwrap().metadata["content-type"].clone()
        };
        assert_eq!(content_type(b"{\"a\":[1,2]}"), "application/json");
        for other in [&b""[..], b"{", b"\xff", b"{} x"] {
            assert_eq!(content_type(other), "application/octet-stream");
        }
    }
}
