//! What only this adapter promises: what its documents and indexes are like, and that what others have left
//! behind is noticed.

use contract_tests::orders::{at_revision, id, view, with_status};
use delivery::aggregate::Status;
use delivery::repository::{Batch, Error, Generation, OrderReadModel as _, ProjectionStore};
use eventsourcing::Position;
use mongodb::bson::{Bson, Document, doc};

use crate::place::{Place, open, place};

/// A place on the engine, or nothing where there is none.
fn on_engine() -> Option<Place> {
    contract_tests::skip::unless_wanted(place())
}

fn batch(number: u64) -> Batch {
    Batch { upserts: vec![view(number)], checkpoint: Some(Position(number)), ..Batch::default() }
}

#[tokio::test]
async fn a_document_can_be_asked_for_in_the_engines_own_words() {
    let Some(place) = on_engine() else { return };
    let model = open(&place).await;
    let order = with_status(at_revision(1, 3), Status::Paid);
    model.commit(Generation(1), Batch { upserts: vec![order], ..Batch::default() }).await.unwrap();
    let orders = place.database().await.collection::<Document>(&format!("{}.v000001", place.config.name));
    let filter = doc! {"status": "paid", "order.accountEmail": "customer1@example.com"};
    let found = orders.find_one(filter).await.unwrap().unwrap();
    assert!(matches!(&found["_id"], Bson::Binary(binary) if binary.bytes == id(1).0.as_bytes()));
    assert_eq!(found.get_i64("revision").unwrap(), 3);
}

#[tokio::test]
async fn lists_have_their_indexes() {
    let Some(place) = on_engine() else { return };
    let model = open(&place).await;
    model.commit(Generation(1), batch(1)).await.unwrap();
    let building = model.begin_rebuild().await.unwrap();
    for generation in [Generation(1), building] {
        let name = format!("{}.v{:06}", place.config.name, generation.0);
        let orders = place.database().await.collection::<Document>(&name);
        let mut names = orders.list_index_names().await.unwrap();
        names.sort_unstable();
        assert_eq!(names, ["_id_", "createdPosition_-1", "status_1_createdPosition_-1"]);
    }
}

#[tokio::test]
async fn what_a_late_writer_left_is_cleared_away_by_the_next_rebuild() {
    let Some(place) = on_engine() else { return };
    let model = open(&place).await;
    model.ping().await.unwrap();
    let database = place.database().await;
    let left = format!("{}.v000007", place.config.name);
    database.collection::<Document>(&left).insert_one(doc! {"_id": 1}).await.unwrap();
    model.begin_rebuild().await.unwrap();
    assert!(!database.list_collection_names().await.unwrap().contains(&left));
}

#[tokio::test]
async fn of_a_promotion_and_a_discard_one_happens() {
    let Some(place) = on_engine() else { return };
    let model = open(&place).await;
    for _ in 0..5 {
        let building = model.begin_rebuild().await.unwrap();
        let (promoted, discarded) = tokio::join!(model.promote(building), model.discard(building));
        assert!(promoted.is_ok() != discarded.is_ok(), "{promoted:?} {discarded:?}");
        let all = model.generations().await.unwrap();
        assert_eq!((all.len(), all[0].generation == building), (1, promoted.is_ok()));
    }
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_told_as_damage() {
    let Some(place) = on_engine() else { return };
    let model = open(&place).await;
    model.commit(Generation(1), batch(1)).await.unwrap();
    let orders = place.database().await.collection::<Document>(&format!("{}.v000001", place.config.name));
    orders.update_one(doc! {}, doc! {"$set": {"createdAt": "yesterday"}}).await.unwrap();
    let error = model.get(id(1)).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn the_doctor_tells_what_is_there_and_makes_nothing() {
    let Some(place) = on_engine() else { return };
    let told = mongodb_adapter::check(place.config.clone()).await.unwrap();
    assert!(told.contains("does not exist yet and will be created"), "{told}");
    open(&place).await.ping().await.unwrap();
    let told = mongodb_adapter::check(place.config.clone()).await.unwrap();
    assert!(told.contains("is at generation 1"), "{told}");
}
