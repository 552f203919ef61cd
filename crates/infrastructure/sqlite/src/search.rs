//! Orders by the text of their items, with SQLite's FTS5 (<https://www.sqlite.org/fts5.html>). What
//! counts as a word, and how a phrase stays within one item, is told in `search/text.rs`.

mod text;

use async_trait::async_trait;
use delivery::projections::OrderView;
use delivery::queries::{SearchOrders, SearchPage};
use delivery::repository::{Error, Generation, OrderSearch};
use eventsourcing::Position;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::database::Schema;
use crate::numbers;
use crate::projection::{Document, Kind, Previous, Projection, generations, snapshot};
use text::Texts;

/// A projection to search orders in; an order's facet is the digest of its texts, so that the index
/// is left alone while they stay the same.
pub enum Items {}

/// Keeps the index, not the texts, which the documents have. Its rowids are positions, in whose
/// order FTS5 answers without sorting.
const TEXTS: &str = "
    CREATE VIRTUAL TABLE texts_v1 USING fts5(
        title, description,
        content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
    );
";
/// A view has no hidden columns, so the one that MATCH wants gets a name.
const LIVE: &str = "
    CREATE VIEW orders_live AS SELECT created_position, document FROM orders_v1;
    CREATE VIEW texts_live AS SELECT rowid AS created_position, texts_v1 AS texts FROM texts_v1;
";

const COUNT: &str = "SELECT count(*) FROM texts_live WHERE texts MATCH ?";
const PAGE: &str = "
    SELECT document FROM (
        SELECT created_position AS found FROM texts_live WHERE texts MATCH ?3
        ORDER BY created_position DESC LIMIT ?1 OFFSET ?2
    ) CROSS JOIN orders_live ON created_position = found";
const COUNT_ALL: &str = "SELECT orders FROM generations WHERE state = 'live'";
const PAGE_OF_ALL: &str = "
    SELECT document FROM orders_live ORDER BY created_position DESC LIMIT ?1 OFFSET ?2";

impl Kind for Items {
    const ENGINE: &'static str = "order search";
    const SCHEMA: &'static Schema = &Schema {
        // "hbse" in ASCII.
        application_id: 0x6862_7365,
        name: "order search",
        migrations: &[generations::SCHEMA, generations::DOCUMENTS, TEXTS, LIVE, generations::FIRST],
        quick_check: generations::QUICK_CHECK,
    };
    const TABLES: &'static str = TEXTS;
    const DROP_TABLES: &'static str = "DROP TABLE texts_v1;";
    const VIEWS: &'static str = LIVE;
    const DROP_VIEWS: &'static str = "DROP VIEW texts_live; DROP VIEW orders_live;";

    type Facet = [u8; 16];
    type Terms = Texts;

    fn terms(view: &OrderView) -> (Self::Facet, Texts) {
        let texts = Texts::of(&view.order.shop_items);
        (texts.digest(), texts)
    }

    fn index(
        connection: &Connection,
        Generation(number): Generation,
        document: &Document<Self>,
        previous: Option<&Previous>,
    ) -> rusqlite::Result<()> {
        if let Some(previous) = previous {
            if previous.has_same_facet && previous.position == document.position {
                return Ok(());
            }
            connection
                .prepare_cached(&format!("DELETE FROM texts_v{number} WHERE rowid = ?"))?
                .execute([previous.position])?;
        }
        let Texts { titles, descriptions } = &document.terms;
        connection
            .prepare_cached(&format!("INSERT INTO texts_v{number} (rowid, title, description) VALUES (?, ?, ?)"))?
            .execute(params![document.position, titles, descriptions])?;
        Ok(())
    }
}

/// The total and the stored documents of a page.
type Found = (i64, Vec<Vec<u8>>);

fn search(connection: &Connection, phrase: Option<&str>, limit: i64, offset: i64) -> rusqlite::Result<Found> {
    let _snapshot = snapshot(connection)?;
    let total = match phrase {
        None => connection.prepare_cached(COUNT_ALL)?.query_row([], |row| row.get(0)),
        Some(phrase) => connection.prepare_cached(COUNT)?.query_row([phrase], |row| row.get(0)),
    }?;
    if offset >= total {
        return Ok((total, Vec::new()));
    }
    let document = |row: &Row<'_>| row.get::<_, Vec<u8>>(0);
    let documents: rusqlite::Result<_> = match phrase {
        None => connection.prepare_cached(PAGE_OF_ALL)?.query_map(params![limit, offset], document)?.collect(),
        Some(phrase) => connection.prepare_cached(PAGE)?.query_map(params![limit, offset, phrase], document)?.collect(),
    };
    Ok((total, documents?))
}

#[async_trait]
impl OrderSearch for Projection<Items> {
    async fn search(&self, query: &SearchOrders) -> Result<SearchPage, Error> {
        let phrase = text::phrase(&query.text);
        let limit = numbers::saturating(query.size);
        let offset = numbers::saturating(query.page.saturating_sub(1).saturating_mul(query.size));
        let (total, documents) =
            self.scan(move |connection| search(connection, phrase.as_deref(), limit, offset)).await?;
        Ok(SearchPage { total_count: numbers::unsigned(total), orders: Self::decode_all(&documents)? })
    }

    async fn checkpoint(&self) -> Result<Position, Error> {
        self.live_checkpoint().await
    }

    async fn reached(&self, position: Position) -> Result<(), Error> {
        self.live_reached(position).await
    }

    async fn ping(&self) -> Result<(), Error> {
        const ANY: &str = "SELECT created_position FROM texts_live WHERE texts MATCH 'ping' LIMIT 1";
        self.read(|connection| connection.prepare_cached(ANY)?.query_row([], |_| Ok(())).optional()).await.map(drop)
    }
}

#[cfg(test)]
mod tests;
