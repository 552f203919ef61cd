//! How SQLite means to answer a query, for tests that pin it.

use std::path::Path;

use rusqlite::Connection;

/// The steps of the plan, parameters left open.
pub(crate) fn of(path: &Path, sql: &str) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = statement.raw_query().mapped(|row| row.get(3));
    steps.collect::<Result<_, _>>().unwrap()
}
