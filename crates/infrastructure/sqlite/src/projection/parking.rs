//! The parked events of a generation. Few, so they are written for people to read: times as text.

use std::borrow::Cow;

use delivery::repository::{Error, Generation, ParkedEvent};
use eventsourcing::{EventId, Position, RecordedEvent, Revision, StreamId};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::Kind;
use crate::numbers;

/// Releases events, then parks events: one that a batch names twice stays parked. Returns by how many
/// there are more.
pub(super) fn apply(
    connection: &Connection,
    Generation(generation): Generation,
    release: &[Position],
    park: &[ParkedEvent],
) -> rusqlite::Result<i64> {
    let mut added = 0;
    let mut delete = connection.prepare_cached("DELETE FROM parked WHERE generation = ? AND position = ?")?;
    let mut delete = |position: Position| delete.execute(params![generation, numbers::saturating(position.0)]);
    for position in release {
        added -= i64::from(delete(*position)? > 0);
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO parked (generation, position, stream, revision, event_id, event_type, data, metadata,
             recorded_at, error, attempts, parked_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    for parked in park {
        let event = &parked.event;
        added += i64::from(delete(event.position)? == 0);
        insert.execute(params![
            generation,
            numbers::saturating(event.position.0),
            event.stream.as_str(),
            numbers::saturating(event.revision.0),
            event.id.0.as_bytes(),
            event.event_type,
            &event.data[..],
            &event.raw_metadata[..],
            event.recorded_at.to_string(),
            parked.error,
            parked.attempts,
            parked.parked_at.to_string(),
        ])?;
    }
    Ok(added)
}

/// The first parked events, by position.
pub(super) fn list<K: Kind>(
    connection: &Connection,
    Generation(generation): Generation,
    max: usize,
) -> rusqlite::Result<Vec<Result<ParkedEvent, Error>>> {
    connection
        .prepare_cached(
            "SELECT position, stream, revision, event_id, event_type, data, metadata, recorded_at, error,
                 attempts, parked_at
             FROM parked WHERE generation = ?1 ORDER BY position LIMIT ?2",
        )?
        .query_map(params![generation, numbers::saturating(max as u64)], read::<K>)?
        .collect()
}

pub(super) fn clear(connection: &Connection, Generation(generation): Generation) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM parked WHERE generation = ?", [generation])?;
    Ok(())
}

fn read<K: Kind>(row: &Row<'_>) -> rusqlite::Result<Result<ParkedEvent, Error>> {
    let position = numbers::position(row.get(0)?);
    let time = |column| -> rusqlite::Result<_> {
        Ok(row.get_ref(column)?.as_str()?.parse().map_err(|error: jiff::Error| Error::Corrupt {
            engine: K::ENGINE,
            reason: format!("the event parked at {position} has an unreadable time"),
            source: Some(error.into()),
        }))
    };
    let (recorded_at, parked_at) = match (time(7)?, time(10)?) {
        (Ok(recorded_at), Ok(parked_at)) => (recorded_at, parked_at),
        (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
    };
    Ok(Ok(ParkedEvent {
        event: RecordedEvent {
            stream: StreamId::new(row.get::<_, String>(1)?),
            revision: Revision(numbers::unsigned(row.get(2)?)),
            position,
            id: EventId(Uuid::from_bytes(row.get(3)?)),
            event_type: Cow::Owned(row.get(4)?),
            data: row.get::<_, Vec<u8>>(5)?.into(),
            raw_metadata: row.get::<_, Vec<u8>>(6)?.into(),
            recorded_at,
        },
        error: row.get(8)?,
        attempts: row.get(9)?,
        parked_at,
    }))
}
