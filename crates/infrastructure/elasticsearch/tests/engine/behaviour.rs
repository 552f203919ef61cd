//! What only this adapter promises: what its indexes are like, what a reader sees behind the window of the
//! engine, and that what others have done to the indexes is noticed.

use contract_tests::orders::{at_revision, id, view, with_items};
use delivery::projections::OrderView;
use delivery::queries::SearchOrders;
use delivery::repository::{Batch, Error, Generation, OrderSearch as _, ProjectionStore};
use eventsourcing::Position;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::place::{Place, open, place};

/// A place on the engine, or nothing where there is none.
fn on_engine() -> Option<Place> {
    contract_tests::skip::unless_wanted(place())
}

fn batch(upserts: Vec<OrderView>, checkpoint: u64) -> Batch {
    Batch { upserts, checkpoint: Some(Position(checkpoint)), ..Batch::default() }
}

async fn found(search: &elasticsearch::OrderSearch, text: &str, page: u64, size: u64) -> (u64, Vec<u64>) {
    let found = search.search(&SearchOrders { text: text.to_owned(), page, size }).await.unwrap();
    (found.total_count, found.orders.iter().map(|view| view.created_position.0).collect())
}

#[tokio::test]
async fn pages_behind_the_engines_window_are_exact() {
    let Some(place) = on_engine() else { return };
    let search = open(&place).await;
    for chunk in (1..=12_345_u64).collect::<Vec<_>>().chunks(4_000) {
        let views = chunk.iter().map(|number| with_items(view(*number), &[("Tea", "")])).collect();
        search.commit(Generation(1), batch(views, *chunk.last().unwrap())).await.unwrap();
    }
    for text in ["", "te"] {
        assert_eq!(found(&search, text, 1, 2).await, (12_345, vec![12_345, 12_344]));
        assert_eq!(found(&search, text, 100, 100).await.1[99], 12_345 - 9_999);
        assert_eq!(found(&search, text, 101, 100).await.1[0], 12_345 - 10_000);
        assert_eq!(found(&search, text, 1_235, 10).await, (12_345, vec![5, 4, 3, 2, 1]));
        assert_eq!(found(&search, text, 1_236, 10).await, (12_345, vec![]));
    }
}

#[tokio::test]
async fn more_words_begin_alike_than_the_engine_expands_by_itself() {
    let Some(place) = on_engine() else { return };
    let search = open(&place).await;
    let views = (1..=300).map(|number| with_items(view(number), &[(&format!("green t{number}"), "")])).collect();
    search.commit(Generation(1), batch(views, 300)).await.unwrap();
    assert_eq!(found(&search, "green t", 1, 1).await.0, 300);
    assert_eq!(found(&search, "t", 1, 1).await.0, 300);
    assert_eq!(found(&search, "green t29", 1, 1).await.0, 11);
}

#[tokio::test]
async fn nothing_is_mapped_but_what_the_template_says() {
    let Some(place) = on_engine() else { return };
    let search = open(&place).await;
    search.commit(Generation(1), batch(vec![at_revision(1, 7)], 7)).await.unwrap();
    let index = format!("{}.v000001", place.config.name);
    let (_, mapping) = place.ask(Method::GET, &format!("/{index}/_mapping"), &Value::Null).await;
    let mapping = &mapping[&index]["mappings"];
    assert_eq!(mapping["dynamic"], "strict");
    let fields: Vec<_> = mapping["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["checkpoint", "claim", "created_position", "document", "kind", "parked", "position", "revision", "texts"];
    assert_eq!(fields, expected);
    let (_, stored) = place.ask(Method::GET, &format!("/{index}/_doc/{}", id(1)), &Value::Null).await;
    assert_eq!(stored["_version"], 7, "a revision is the engine's version");
    assert_eq!(stored["_source"]["texts"], Value::Null, "texts are kept once, in the document");
    let refused = json!({"kind": "order", "surprise": 1});
    let (status, _) = place.ask(Method::POST, &format!("/{index}/_doc"), &refused).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_late_write_makes_no_index() {
    let Some(place) = on_engine() else { return };
    let search = open(&place).await;
    let building = search.begin_rebuild().await.unwrap();
    search.discard(building).await.unwrap();
    let late = search.commit(building, batch(vec![view(1)], 1)).await;
    assert!(matches!(late, Err(Error::UnknownGeneration(_))), "{late:?}");
    let (_, indexes) = place.ask(Method::GET, &format!("/{}.*/_alias", place.config.name), &Value::Null).await;
    assert_eq!(indexes.as_object().unwrap().len(), 1, "{indexes}");
}

#[tokio::test]
async fn an_index_that_somebody_removed_is_made_anew_and_filled_from_the_start() {
    let Some(place) = on_engine() else { return };
    let search = open(&place).await;
    search.commit(Generation(1), batch(vec![view(1)], 1)).await.unwrap();
    let (status, _) = place.ask(Method::DELETE, &format!("/{}.v000001", place.config.name), &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    let late = search.commit(Generation(1), batch(vec![view(2)], 2)).await;
    assert!(matches!(late, Err(Error::UnknownGeneration(_))), "{late:?}");
    search.ping().await.unwrap();
    let all = search.generations().await.unwrap();
    assert_eq!((all.len(), all[0].checkpoint, all[0].orders), (1, Position::START, 0));
}

#[tokio::test]
async fn a_rebuild_given_up_half_way_is_cleared_away_by_the_next() {
    let Some(place) = on_engine() else { return };
    let search = open(&place).await;
    let building = search.begin_rebuild().await.unwrap();
    // As a process would leave it that died between the two steps of giving up.
    let name = &place.config.name;
    let index = format!("{name}.v{:06}", building.0);
    let actions = json!({"actions": [{"remove": {"index": index, "alias": format!("{name}.building")}}]});
    let (status, _) = place.ask(Method::POST, "/_aliases", &actions).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(search.generations().await.unwrap().len(), 1);
    // The claim runs out.
    let next = search.begin_rebuild().await.unwrap();
    assert!(next > building);
    let (status, _) = place.ask(Method::GET, &format!("/{index}"), &Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_alias_on_two_indexes_is_told_and_not_guessed_about() {
    let Some(place) = on_engine() else { return };
    let search = open(&place).await;
    search.begin_rebuild().await.unwrap();
    let name = &place.config.name;
    let actions = json!({"actions": [{"add": {"index": format!("{name}.v000002"), "alias": name.to_string()}}]});
    place.ask(Method::POST, "/_aliases", &actions).await;
    let error = search.generations().await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
    assert!(error.to_string().contains("remove it from one of them"), "{error}");
}

#[tokio::test]
async fn of_a_promotion_and_a_discard_one_happens() {
    let Some(place) = on_engine() else { return };
    let (here, there) = (open(&place).await, open(&place).await);
    for _ in 0..5 {
        let building = here.begin_rebuild().await.unwrap();
        let (promoted, discarded) = tokio::join!(here.promote(building), there.discard(building));
        assert!(promoted.is_ok() != discarded.is_ok(), "{promoted:?} {discarded:?}");
        let all = here.generations().await.unwrap();
        assert_eq!((all.len(), all[0].generation == building), (1, promoted.is_ok()));
        here.ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_large_batch_goes_in_several_requests() {
    let Some(place) = on_engine() else { return };
    let search = open(&place).await;
    let long = "word ".repeat(2_000);
    let views = (1..=1_200).map(|number| with_items(view(number), &[("Tea", &long)])).collect();
    search.commit(Generation(1), batch(views, 1_200)).await.unwrap();
    assert_eq!(found(&search, "tea", 1, 1).await, (1_200, vec![1_200]));
}

#[tokio::test]
async fn the_doctor_tells_what_is_there_and_makes_nothing() {
    let Some(place) = on_engine() else { return };
    let told = elasticsearch::check(&place.config).await.unwrap();
    assert!(told.contains("does not exist yet and will be created"), "{told}");
    open(&place).await.ping().await.unwrap();
    let told = elasticsearch::check(&place.config).await.unwrap();
    assert!(told.contains(&format!("{0} is {0}.v000001", place.config.name)), "{told}");
}
