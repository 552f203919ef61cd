//! Orders by id and in pages, newest first. How they get here is the projection's business.

use async_trait::async_trait;
use delivery::aggregate::Status;
use delivery::models::OrderId;
use delivery::projections::OrderView;
use delivery::queries::ListOrders;
use delivery::repository::{Error, Generation, OrderReadModel};
use eventsourcing::Position;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::database::Schema;
use crate::numbers;
use crate::projection::{Document, Kind, Previous, Projection, generations};

/// A projection to read orders from; an order's facet is the name of its status.
pub enum Orders {}

/// Each entry ends with the rowid, which is the position: it serves filter and order alike.
const BY_STATUS: &str = "CREATE INDEX orders_v1_by_status ON orders_v1 (facet);";
const LIVE: &str = "
    CREATE VIEW orders_live AS
    SELECT created_position, id, facet AS status, document FROM orders_v1;
";

const GET: &str = "SELECT document FROM orders_live WHERE id = ?";
const LIST: &str = "
    SELECT document FROM orders_live WHERE created_position < ?1
    ORDER BY created_position DESC LIMIT ?2";
const LIST_BY_STATUS: &str = "
    SELECT document FROM orders_live WHERE status = ?3 AND created_position < ?1
    ORDER BY created_position DESC LIMIT ?2";

impl Kind for Orders {
    const ENGINE: &'static str = "order read model";
    const SCHEMA: &'static Schema = &Schema {
        // "hbor" in ASCII.
        application_id: 0x6862_6f72,
        name: "order read model",
        migrations: &[generations::SCHEMA, generations::DOCUMENTS, BY_STATUS, LIVE, generations::FIRST],
        quick_check: generations::QUICK_CHECK,
    };
    const TABLES: &'static str = BY_STATUS;
    // Indexes go with their table.
    const DROP_TABLES: &'static str = "";
    const VIEWS: &'static str = LIVE;
    const DROP_VIEWS: &'static str = "DROP VIEW orders_live;";

    type Facet = Option<&'static str>;
    type Terms = ();

    fn terms(view: &OrderView) -> (Self::Facet, ()) {
        (view.order.status().map(Status::name), ())
    }

    fn index(_: &Connection, _: Generation, _: &Document<Self>, _: Option<&Previous>) -> rusqlite::Result<()> {
        Ok(())
    }
}

fn list(connection: &Connection, query: &ListOrders) -> rusqlite::Result<Vec<Vec<u8>>> {
    let before = query.before.map_or(i64::MAX, |before| numbers::saturating(before.0));
    let limit = numbers::saturating(query.limit as u64);
    let document = |row: &Row<'_>| row.get(0);
    match query.status.map(Status::name) {
        None => connection.prepare_cached(LIST)?.query_map(params![before, limit], document)?.collect(),
        Some(status) => {
            connection.prepare_cached(LIST_BY_STATUS)?.query_map(params![before, limit, status], document)?.collect()
        }
    }
}

#[async_trait]
impl OrderReadModel for Projection<Orders> {
    async fn get(&self, id: OrderId) -> Result<Option<OrderView>, Error> {
        let key = id.0.into_bytes();
        let found = self
            .read(move |connection| connection.prepare_cached(GET)?.query_row([key], |row| row.get(0)).optional())
            .await?;
        found.map(|document: Vec<u8>| Self::decode(&document)).transpose()
    }

    async fn list(&self, query: &ListOrders) -> Result<Vec<OrderView>, Error> {
        let query = *query;
        Self::decode_all(&self.scan(move |connection| list(connection, &query)).await?)
    }

    async fn checkpoint(&self) -> Result<Position, Error> {
        self.live_checkpoint().await
    }

    async fn reached(&self, position: Position) -> Result<(), Error> {
        self.live_reached(position).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.live_checkpoint().await.map(drop)
    }
}

#[cfg(test)]
mod tests;
