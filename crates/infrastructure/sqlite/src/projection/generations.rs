//! The generations of a projection: rows of one table, each with a table of documents, and views that
//! point readers at the live one. All in SQL, so that other processes switch with us.

use delivery::repository::{Error, Generation, GenerationState, GenerationStatus};
use eventsourcing::Position;
use progress::Live;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Answer, Kind, parking};
use crate::numbers;

/// What every generation is entered in. Numbers are never used again (AUTOINCREMENT), so that a late
/// commit to a generation that is gone fails; a state is used once, so that one generation is live and
/// at most one is being built. The counters spare readers from counting.
pub(crate) const SCHEMA: &str = "
    CREATE TABLE generations (
        generation INTEGER PRIMARY KEY AUTOINCREMENT,
        state TEXT NOT NULL UNIQUE CHECK (state IN ('live', 'building')),
        checkpoint INTEGER NOT NULL DEFAULT 0,
        orders INTEGER NOT NULL DEFAULT 0,
        parked INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE parked (
        generation INTEGER NOT NULL,
        position INTEGER NOT NULL,
        stream TEXT NOT NULL,
        revision INTEGER NOT NULL,
        event_id BLOB NOT NULL,
        event_type TEXT NOT NULL,
        data BLOB NOT NULL,
        metadata BLOB NOT NULL,
        recorded_at TEXT NOT NULL,
        error TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        parked_at TEXT NOT NULL,
        PRIMARY KEY (generation, position)
    ) STRICT, WITHOUT ROWID;
";

/// The documents of a generation. They lie in the order in which the orders were created: what changes
/// together lies together, and a list needs no index. An order's position is its own, because no two
/// events share one. `facet` is [`Kind::Facet`].
pub(crate) const DOCUMENTS: &str = "
    CREATE TABLE orders_v1 (
        created_position INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        revision INTEGER NOT NULL,
        facet ANY,
        document BLOB NOT NULL
    ) STRICT;
";

/// Enters the first generation.
pub(crate) const FIRST: &str = "INSERT INTO generations (state) VALUES ('live');";

/// Gives a row on a file that readers cannot use.
pub(crate) const QUICK_CHECK: &str = "SELECT 1 WHERE (SELECT count(*) FROM generations WHERE state = 'live') <> 1
     UNION ALL SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'view' AND name = 'orders_live')";

/// What a batch has changed about its generation.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) checkpoint: i64,
    pub(super) orders: i64,
    pub(super) parked: i64,
}

pub(super) fn live(connection: &Connection) -> rusqlite::Result<Live> {
    connection
        .prepare_cached("SELECT generation, checkpoint FROM generations WHERE state = 'live'")?
        .query_row([], |row| {
            Ok(Live { generation: Generation(row.get(0)?), checkpoint: numbers::position(row.get(1)?) })
        })
}

pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<GenerationStatus>> {
    connection
        .prepare_cached("SELECT generation, state, checkpoint, orders, parked FROM generations ORDER BY generation")?
        .query_map([], |row| {
            Ok(GenerationStatus {
                generation: Generation(row.get(0)?),
                state: if row.get_ref(1)?.as_str()? == name(GenerationState::Live) {
                    GenerationState::Live
                } else {
                    GenerationState::Building
                },
                checkpoint: numbers::position(row.get(2)?),
                orders: numbers::unsigned(row.get(3)?),
                parked: numbers::unsigned(row.get(4)?),
            })
        })?
        .collect()
}

/// Where a generation stands, or the refusal to do anything with it.
pub(super) fn state(connection: &Connection, generation: Generation) -> Answer<GenerationState> {
    let state = connection
        .prepare_cached("SELECT state = 'live' FROM generations WHERE generation = ?")?
        .query_row([generation.0], |row| row.get(0))
        .optional()?;
    Ok(match state {
        Some(true) => Ok(GenerationState::Live),
        Some(false) => Ok(GenerationState::Building),
        None => Err(Error::UnknownGeneration(generation)),
    })
}

/// Enters what a batch has changed; returns the checkpoint after it.
pub(super) fn enter(connection: &Connection, generation: Generation, change: &Change) -> rusqlite::Result<Position> {
    connection
        .prepare_cached(
            "UPDATE generations
             SET checkpoint = max(checkpoint, ?2), orders = orders + ?3, parked = parked + ?4
             WHERE generation = ?1
             RETURNING checkpoint",
        )?
        .query_row(params![generation.0, change.checkpoint, change.orders, change.parked], |row| {
            row.get(0).map(numbers::position)
        })
}

pub(super) fn begin<K: Kind>(connection: &Connection) -> Answer<Generation> {
    let running = connection
        .prepare_cached("SELECT generation FROM generations WHERE state = 'building'")?
        .query_row([], |row| row.get(0).map(Generation))
        .optional()?;
    match running {
        Some(running) => Ok(Err(Error::RebuildRunning(running))),
        None => create::<K>(connection, GenerationState::Building).map(Ok),
    }
}

/// Points readers at the building generation and removes the one they were pointed at.
pub(super) fn promote<K: Kind>(connection: &Connection, generation: Generation) -> Answer<Live> {
    match state(connection, generation)? {
        Ok(GenerationState::Building) => {}
        Ok(GenerationState::Live) => return Ok(Err(Error::UnknownGeneration(generation))),
        Err(unknown) => return Ok(Err(unknown)),
    }
    connection.execute_batch(K::DROP_VIEWS)?;
    remove::<K>(connection, live(connection)?.generation)?;
    connection.execute("UPDATE generations SET state = 'live' WHERE generation = ?", [generation.0])?;
    connection.execute_batch(&of(generation, K::VIEWS))?;
    live(connection).map(Ok)
}

pub(super) fn discard<K: Kind>(connection: &Connection, generation: Generation) -> Answer<()> {
    match state(connection, generation)? {
        Ok(GenerationState::Building) => remove::<K>(connection, generation).map(Ok),
        Ok(GenerationState::Live) => Ok(Err(Error::UnknownGeneration(generation))),
        Err(unknown) => Ok(Err(unknown)),
    }
}

const fn name(state: GenerationState) -> &'static str {
    match state {
        GenerationState::Live => "live",
        GenerationState::Building => "building",
    }
}

fn create<K: Kind>(connection: &Connection, state: GenerationState) -> rusqlite::Result<Generation> {
    let generation = connection.query_row(
        "INSERT INTO generations (state) VALUES (?) RETURNING generation",
        [name(state)],
        |row| row.get(0).map(Generation),
    )?;
    connection.execute_batch(&of(generation, DOCUMENTS))?;
    connection.execute_batch(&of(generation, K::TABLES))?;
    Ok(generation)
}

fn remove<K: Kind>(connection: &Connection, generation: Generation) -> rusqlite::Result<()> {
    connection.execute_batch(&of(generation, K::DROP_TABLES))?;
    connection.execute_batch(&of(generation, "DROP TABLE orders_v1;"))?;
    parking::clear(connection, generation)?;
    connection.execute("DELETE FROM generations WHERE generation = ?", [generation.0])?;
    Ok(())
}

/// Statements written for the first generation, for another one.
fn of(Generation(number): Generation, statements: &str) -> String {
    statements.replace("_v1", &format!("_v{number}"))
}
