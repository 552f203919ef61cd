//! The statements of the event store.

use std::borrow::Cow;

use bytes::Bytes;
use eventsourcing::store::{Error, Page};
use eventsourcing::{Appended, EventId, ExpectedRevision, NewEvent, Position, RecordedEvent, Revision, StreamId};
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};
use uuid::Uuid;

/// Rows that one page looks at, so that a filter which keeps nothing does not read the whole store at
/// once.
const MAX_SCAN: usize = 100_000;

/// The outcome that the caller is told: a refusal has written nothing.
type Outcome<T> = rusqlite::Result<Result<T, Error>>;

/// Appends under an expectation; see [`eventsourcing::EventStore::append`].
pub(super) fn append(
    connection: &Connection,
    stream: &StreamId,
    expected: ExpectedRevision,
    events: &[NewEvent],
    now: Timestamp,
) -> Outcome<Appended> {
    // A new stream needs no look: its first insert fails on the index when the stream is there.
    if let ExpectedRevision::Exact(_) = expected
        && ExpectedRevision::after(last_revision(connection, stream)?) != expected
    {
        return repeated_or_conflict(connection, stream, expected, events);
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO events (stream, revision, id, type, data, metadata, recorded_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let mut revision = expected.first_appended();
    let mut position = 0;
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            revision = revision.next();
        }
        let inserted = insert.insert(params![
            stream.as_str(),
            to_integer(revision.0),
            event.id.0.as_bytes(),
            event.event_type,
            &event.data[..],
            &event.metadata[..],
            now.as_microsecond(),
        ]);
        position = match inserted {
            Ok(position) => position,
            // Only the first can meet an event that is there: revisions have no gaps.
            Err(error) if index == 0 && error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                return repeated_or_conflict(connection, stream, expected, events);
            }
            Err(error) => return Err(error),
        };
    }
    Ok(Ok(Appended { revision, position: Position(from_integer(position)), duplicate: false }))
}

/// The stream is not where the writer thought: because an earlier attempt of the same append got
/// there, or because another writer did.
fn repeated_or_conflict(
    connection: &Connection,
    stream: &StreamId,
    expected: ExpectedRevision,
    events: &[NewEvent],
) -> Outcome<Appended> {
    let mut statement =
        connection.prepare_cached("SELECT position, id FROM events WHERE stream = ?1 AND revision = ?2")?;
    let mut last = None;
    for (event, revision) in events.iter().zip(expected.first_appended().0..) {
        let found = statement
            .query_row(params![stream.as_str(), to_integer(revision)], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 16]>(1)?))
            })
            .optional()?;
        match found {
            Some((position, id)) if id == *event.id.0.as_bytes() => last = Some((revision, position)),
            _ => {
                let current = last_revision(connection, stream)?;
                return Ok(Err(Error::Conflict { stream: stream.clone(), current }));
            }
        }
    }
    let (revision, position) = last.unwrap_or_default();
    Ok(Ok(Appended { revision: Revision(revision), position: Position(from_integer(position)), duplicate: true }))
}

fn last_revision(connection: &Connection, stream: &StreamId) -> rusqlite::Result<Option<Revision>> {
    connection
        .prepare_cached("SELECT revision FROM events WHERE stream = ?1 ORDER BY revision DESC LIMIT 1")?
        .query_row([stream.as_str()], |row| Ok(Revision(from_integer(row.get(0)?))))
        .optional()
}

/// A run of one stream's events.
pub(super) fn read(
    connection: &Connection,
    stream: &StreamId,
    from: Revision,
    max: usize,
) -> rusqlite::Result<Vec<RecordedEvent>> {
    let mut statement = connection.prepare_cached(
        "SELECT position, revision, id, type, data, metadata, recorded_at FROM events
         WHERE stream = ?1 AND revision >= ?2 ORDER BY revision LIMIT ?3",
    )?;
    let rows = statement
        .query_map(params![stream.as_str(), to_integer(from.0), limit(max)], |row| event(row, stream.clone()))?;
    rows.collect()
}

/// A run of the whole store. The filter runs here and not in the statement, so that the page knows how
/// far it has looked.
pub(super) fn read_all(connection: &Connection, after: Position, max: usize, prefix: &str) -> rusqlite::Result<Page> {
    let mut statement = connection.prepare_cached(
        "SELECT position, revision, id, type, data, metadata, recorded_at, stream FROM events
         WHERE position > ?1 ORDER BY position",
    )?;
    let mut rows = statement.query([to_integer(after.0)])?;
    let mut page = Page { events: Vec::with_capacity(max.min(1_024)), next: after };
    let mut looked_at = 0;
    while page.events.len() < max
        && looked_at < MAX_SCAN
        && let Some(row) = rows.next()?
    {
        looked_at += 1;
        page.next = Position(from_integer(row.get(0)?));
        let stream = row.get_ref(7)?.as_str()?;
        if stream.starts_with(prefix) {
            page.events.push(event(row, StreamId::new(stream))?);
        }
    }
    Ok(page)
}

/// The last position.
pub(super) fn head(connection: &Connection) -> rusqlite::Result<Position> {
    connection
        .prepare_cached("SELECT coalesce(max(position), 0) FROM events")?
        .query_row([], |row| Ok(Position(from_integer(row.get(0)?))))
}

fn event(row: &Row<'_>, stream: StreamId) -> rusqlite::Result<RecordedEvent> {
    let bytes = |index: usize| Ok::<_, rusqlite::Error>(Bytes::copy_from_slice(row.get_ref(index)?.as_blob()?));
    Ok(RecordedEvent {
        stream,
        position: Position(from_integer(row.get(0)?)),
        revision: Revision(from_integer(row.get(1)?)),
        id: EventId(Uuid::from_bytes(row.get(2)?)),
        event_type: Cow::Owned(row.get_ref(3)?.as_str()?.to_owned()),
        data: bytes(4)?,
        raw_metadata: bytes(5)?,
        recorded_at: Timestamp::from_microsecond(row.get(6)?).unwrap_or_default(),
    })
}

/// SQLite's integers are signed. What does not fit is behind every event there can be.
fn to_integer(value: u64) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

/// Only what [`to_integer`] made is ever stored.
fn from_integer(value: i64) -> u64 {
    value.try_into().unwrap_or_default()
}

fn limit(max: usize) -> i64 {
    max.try_into().unwrap_or(i64::MAX)
}
