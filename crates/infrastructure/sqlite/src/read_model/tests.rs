//! The contract, and what only this adapter promises: indexes are used, foreign files are refused.

use std::sync::Arc;

use rusqlite::Connection;
use tempfile::TempDir;

use super::{GET, LIST, LIST_BY_STATUS};
use crate::{OpenError, OrderReadModel, OrderSearch, query_plan};

async fn open(folder: &TempDir) -> Arc<OrderReadModel> {
    Arc::new(OrderReadModel::open(&folder.path().join("orders.db")).unwrap())
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

contract_tests::order_read_model_adapter!(place: super::folder, open: super::open);

#[tokio::test]
async fn reads_use_indexes_and_sort_nothing() {
    let folder = folder();
    drop(open(&folder).await);
    let path = folder.path().join("orders.db");
    for (sql, index) in [
        (GET, "USING INDEX sqlite_autoindex_orders_v1_1 (id=?)"),
        (LIST, "USING INTEGER PRIMARY KEY (rowid<?)"),
        (LIST_BY_STATUS, "USING INDEX orders_v1_by_status (facet=? AND rowid<?)"),
    ] {
        assert_eq!(query_plan::of(&path, sql), [format!("SEARCH orders_v1 {index}")]);
    }
}

#[tokio::test]
async fn a_foreign_file_is_refused_and_left_alone() {
    let folder = folder();
    let path = folder.path().join("search.db");
    drop(OrderSearch::open(&path).unwrap());
    let other = OrderReadModel::open(&path).err();
    assert!(matches!(other, Some(OpenError::Foreign { .. })), "{other:?}");
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "not a database, and much longer than a header").unwrap();
    let other = OrderReadModel::open(&path).err();
    assert!(matches!(other, Some(OpenError::NotADatabase { .. })), "{other:?}");
    assert_eq!(std::fs::read(&path).unwrap(), b"not a database, and much longer than a header");
}

#[tokio::test]
async fn a_file_without_a_live_generation_is_refused() {
    let folder = folder();
    drop(open(&folder).await);
    let path = folder.path().join("orders.db");
    Connection::open(&path).unwrap().execute("DELETE FROM generations", []).unwrap();
    let damaged = OrderReadModel::open(&path).err();
    assert!(matches!(damaged, Some(OpenError::Damaged { .. })), "{damaged:?}");
}

#[tokio::test]
async fn an_unreadable_document_is_reported_as_damage() {
    use contract_tests::orders::{id, view};
    use delivery::repository::{Batch, Error, Generation, OrderReadModel as _, ProjectionStore};

    let folder = folder();
    let model = open(&folder).await;
    let upserts = vec![view(1), view(2)];
    let batch = Batch { upserts, ..Batch::default() };
    model.commit(Generation(1), batch).await.unwrap();
    let connection = Connection::open(folder.path().join("orders.db")).unwrap();
    let sql = "UPDATE orders_v1 SET document = x'7b' WHERE created_position = 1";
    connection.execute(sql, []).unwrap();
    let found = model.get(id(1)).await;
    assert!(matches!(found, Err(Error::Corrupt { .. })), "{found:?}");
    assert_eq!(model.get(id(2)).await.unwrap(), Some(view(2)));
}

/// Well before this process would have asked the file.
#[tokio::test]
async fn progress_of_this_process_is_told_at_once() {
    use delivery::repository::{Batch, Generation, OrderReadModel as _, ProjectionStore};
    use eventsourcing::Position;
    use std::time::{Duration, Instant};

    let folder = folder();
    let model = open(&folder).await;
    let mut fastest = Duration::MAX;
    for position in (1..=10).map(Position) {
        let waiting = Arc::clone(&model);
        let waiter = tokio::spawn(async move { waiting.reached(position).await });
        // Lets the waiter ask the file once, in vain.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let batch = Batch { checkpoint: Some(position), ..Batch::default() };
        model.commit(Generation(1), batch).await.unwrap();
        let committed = Instant::now();
        waiter.await.unwrap().unwrap();
        fastest = fastest.min(committed.elapsed());
    }
    assert!(fastest < Duration::from_millis(5), "{fastest:?}");
}
