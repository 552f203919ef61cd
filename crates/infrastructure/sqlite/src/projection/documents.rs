//! The documents of a generation: prepared before the writer takes them, written under the guard of
//! their revision, read back.

use delivery::models::OrderId;
use delivery::projections::OrderView;
use delivery::repository::{Error, Generation};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::Kind;
use crate::numbers;

/// An order, ready to be written.
pub(crate) struct Document<K: Kind> {
    pub(crate) position: i64,
    id: [u8; 16],
    revision: i64,
    pub(crate) facet: K::Facet,
    pub(crate) terms: K::Terms,
    json: Vec<u8>,
}

/// What the writer finds in a document's place.
pub(crate) struct Previous {
    pub(crate) position: i64,
    revision: i64,
    /// It has the facet of the document that takes its place.
    pub(crate) has_same_facet: bool,
}

impl<K: Kind> Document<K> {
    fn new(view: &OrderView) -> Result<Self, Error> {
        let corrupt = |reason: String, source| Error::Corrupt { engine: K::ENGINE, reason, source };
        let too_large = |_| corrupt(format!("order {} has a number beyond 2^63", view.id), None);
        let (facet, terms) = K::terms(view);
        Ok(Self {
            position: numbers::signed(view.created_position.0).map_err(too_large)?,
            id: view.id.0.into_bytes(),
            revision: numbers::signed(view.revision.0).map_err(too_large)?,
            facet,
            terms,
            json: view
                .to_json()
                .map_err(|error| corrupt(format!("order {} cannot be written as JSON", view.id), Some(error.into())))?,
        })
    }
}

/// Prepares the documents of a batch, in the order in which they lie in the file.
pub(super) fn prepare<K: Kind>(upserts: &[OrderView]) -> Result<Vec<Document<K>>, Error> {
    let mut documents = upserts.iter().map(Document::new).collect::<Result<Vec<_>, _>>()?;
    documents.sort_unstable_by_key(|document| (document.position, document.revision));
    Ok(documents)
}

/// Writes documents; returns how many orders are new.
pub(super) fn write<K: Kind>(
    connection: &Connection,
    generation: Generation,
    documents: &[Document<K>],
) -> rusqlite::Result<i64> {
    if documents.is_empty() {
        return Ok(0);
    }
    let mut writer = Writer::new(connection, generation)?;
    let mut added = 0;
    for document in documents {
        added += i64::from(writer.upsert(document)?);
    }
    Ok(added)
}

struct Writer<'c> {
    connection: &'c Connection,
    generation: Generation,
    find: CachedStatement<'c>,
    insert: CachedStatement<'c>,
    update: CachedStatement<'c>,
}

impl<'c> Writer<'c> {
    fn new(connection: &'c Connection, generation: Generation) -> rusqlite::Result<Self> {
        let Generation(number) = generation;
        let prepare = |sql: String| connection.prepare_cached(&sql);
        Ok(Self {
            connection,
            generation,
            find: prepare(format!(
                "SELECT created_position, revision, facet IS ?2 FROM orders_v{number} WHERE id = ?1"
            ))?,
            insert: prepare(format!(
                "INSERT INTO orders_v{number} (created_position, id, revision, facet, document)
                 VALUES (?1, ?2, ?3, ?4, ?5)"
            ))?,
            update: prepare(format!(
                "UPDATE orders_v{number} SET revision = ?2, facet = ?3, document = ?4 WHERE created_position = ?1"
            ))?,
        })
    }

    /// Writes a document, unless the one in its place is as new; returns whether the order is new.
    fn upsert<K: Kind>(&mut self, document: &Document<K>) -> rusqlite::Result<bool> {
        let previous = self.find.query_row(params![document.id, document.facet], |row| {
            Ok(Previous { position: row.get(0)?, revision: row.get(1)?, has_same_facet: row.get(2)? })
        });
        let previous: Option<Previous> = previous.optional()?;
        let Document { position, id, revision, facet, json, .. } = document;
        match &previous {
            Some(previous) if previous.revision >= *revision => return Ok(false),
            Some(previous) if previous.position == *position => {
                self.update.execute(params![position, revision, facet, json])?;
            }
            previous => {
                if let Some(previous) = previous {
                    self.remove(previous.position)?;
                }
                self.insert.execute(params![position, id, revision, facet, json])?;
            }
        }
        K::index(self.connection, self.generation, document, previous.as_ref())?;
        Ok(previous.is_none())
    }

    /// Makes room for an order that was created somewhere else than was thought.
    fn remove(&self, position: i64) -> rusqlite::Result<()> {
        let Generation(number) = self.generation;
        let sql = format!("DELETE FROM orders_v{number} WHERE created_position = ?");
        self.connection.execute(&sql, [position])?;
        Ok(())
    }
}

/// The documents of these orders, as they are stored.
pub(super) fn load(
    connection: &Connection,
    Generation(number): Generation,
    ids: &[[u8; 16]],
) -> rusqlite::Result<Vec<Vec<u8>>> {
    let mut find = connection.prepare_cached(&format!("SELECT document FROM orders_v{number} WHERE id = ?"))?;
    let mut documents = Vec::with_capacity(ids.len());
    for id in ids {
        documents.extend(find.query_row([id], |row| row.get(0)).optional()?);
    }
    Ok(documents)
}

/// The ids as they are stored, in the order of the index.
pub(super) fn keys(ids: &[OrderId]) -> Vec<[u8; 16]> {
    let mut keys: Vec<_> = ids.iter().map(|id| id.0.into_bytes()).collect();
    keys.sort_unstable();
    keys
}

/// Reads a stored document.
pub(crate) fn read<K: Kind>(json: &[u8]) -> Result<OrderView, Error> {
    OrderView::from_json(json).map_err(|error| Error::Corrupt {
        engine: K::ENGINE,
        reason: "a document cannot be read".to_owned(),
        source: Some(error.into()),
    })
}
