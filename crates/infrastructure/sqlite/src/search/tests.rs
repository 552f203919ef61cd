//! The contract, and what only this adapter promises: FTS5 answers in order, and an unchanged text
//! is not indexed again.

use std::sync::Arc;

use contract_tests::orders::{at_revision, view, with_items};
use delivery::repository::{Batch, Generation, ProjectionStore};
use eventsourcing::Position;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{COUNT, PAGE, PAGE_OF_ALL};
use crate::{OrderSearch, query_plan};

async fn open(folder: &TempDir) -> Arc<OrderSearch> {
    Arc::new(OrderSearch::open(&folder.path().join("search.db")).unwrap())
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

contract_tests::order_search_adapter!(place: super::folder, open: super::open);

#[tokio::test]
async fn searches_use_the_index_and_sort_nothing() {
    let folder = folder();
    drop(open(&folder).await);
    let plan = |sql| query_plan::of(&folder.path().join("search.db"), sql);
    for sql in [COUNT, PAGE, PAGE_OF_ALL] {
        let plan = plan(sql);
        assert!(plan.iter().all(|step| !step.contains("TEMP B-TREE")), "{sql}: {plan:?}");
    }
    // M: the MATCH is answered by FTS5. The other number says that it gives the rows in descending order.
    assert_eq!(plan(COUNT), ["SCAN texts_v1 VIRTUAL TABLE INDEX 0:M2"]);
    let page = plan(PAGE);
    assert!(page.contains(&"SCAN texts_v1 VIRTUAL TABLE INDEX 192:M2".to_owned()), "{page:?}");
    assert!(page.contains(&"SEARCH orders_v1 USING INTEGER PRIMARY KEY (rowid=?)".to_owned()), "{page:?}");
}

/// Counts what FTS5 keeps, which grows with every row that is indexed.
fn index_size(connection: &Connection) -> i64 {
    let sql = "SELECT coalesce(sum(length(block)), 0) FROM texts_v1_data";
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn an_unchanged_text_is_not_indexed_again() {
    let folder = folder();
    let search = open(&folder).await;
    let connection = Connection::open(folder.path().join("search.db")).unwrap();
    let commit = async |order| {
        let batch = Batch { upserts: vec![order], checkpoint: Some(Position(1)), ..Batch::default() };
        search.commit(Generation(1), batch).await.unwrap();
        index_size(&connection)
    };
    let first = commit(view(1)).await;
    assert_eq!(commit(at_revision(1, 1)).await, first);
    assert!(commit(with_items(at_revision(1, 2), &[("Coffee", "strong")])).await > first);
}
