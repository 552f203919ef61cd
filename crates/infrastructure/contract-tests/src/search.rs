//! The suite of [`OrderSearch`]: which orders a text finds, and in which pages.
#![allow(missing_docs, reason = "the name of a case says what it shows")]

pub mod words;

use std::sync::Arc;

use delivery::queries::SearchOrders;
use delivery::repository::{OrderSearch, ProjectionStore};

use crate::orders::{at_revision, view, with_items};
use crate::progress::{self, Reader};
use crate::projection::{write, write_live};

/// Runs the suite. `place` makes a fresh, empty place, `open` opens a search in it.
#[macro_export]
macro_rules! order_search_contract {
    (place: $place:expr, open: $open:expr) => {
        $crate::cases!(
            $crate::search::words,
            $place,
            $open,
            [
                an_order_is_found_by_title_and_by_description,
                the_last_word_may_be_only_begun,
                words_have_to_follow_each_other,
                words_of_two_items_are_no_phrase,
                words_of_title_and_description_are_no_phrase,
                every_item_is_searched,
                case_does_not_count,
                diacritics_do_not_count,
                punctuation_does_not_count,
                words_of_any_script_are_found,
                operators_are_plain_words,
                query_syntax_is_plain_text,
                separators_in_texts_separate_nothing_and_join_nothing,
                a_text_without_words_matches_every_order,
                a_long_text_is_answered,
            ]
        );
        $crate::cases!(
            $crate::search,
            $place,
            $open,
            [
                pages_are_newest_first_and_total_is_exact,
                a_page_behind_the_last_is_empty,
                an_order_is_found_by_its_newest_text_only,
                an_order_is_returned_as_projected,
                an_old_revision_does_not_bring_its_text_back,
                readers_see_the_old_generation_until_promotion_and_then_only_the_new,
                concurrent_searches_see_one_generation_or_the_other,
                an_open_search_answers_a_ping,
            ]
        );
        $crate::progress_contract!($crate::search, $place, $open);
    };
}

/// Runs the suite of two handles on one search: two processes, as far as the engine can tell.
#[macro_export]
macro_rules! order_search_shared_contract {
    (place: $place:expr, open: $open:expr) => {
        $crate::reopen_cases!(
            $crate::search,
            $place,
            $open,
            [
                texts_are_found_after_a_restart,
                progress_of_another_handle_is_noticed,
                a_promotion_by_another_handle_switches_readers,
            ]
        );
    };
}

/// Runs all suites of an adapter that keeps its documents: as the projector's store and as readers see it, opened again
/// and side by side. `place` and `open` are as seen from a module below the caller's.
#[macro_export]
macro_rules! order_search_adapter {
    (place: $place:expr, open: $open:expr) => {
        mod store {
            $crate::projection_store_contract!(place: $place, open: $open);
        }

        mod store_reopened {
            $crate::projection_store_reopen_contract!(place: $place, open: $open);
        }

        mod reader {
            $crate::order_search_contract!(place: $place, open: $open);
        }

        mod reader_shared {
            $crate::order_search_shared_contract!(place: $place, open: $open);
        }
    };
}

pub(crate) async fn page(search: &impl OrderSearch, text: &str, page: u64, size: u64) -> (u64, Vec<u64>) {
    let text = text.to_owned();
    let found = search.search(&SearchOrders { text, page, size }).await.unwrap();
    let positions = found.orders.into_iter().map(|view| view.created_position.0).collect();
    (found.total_count, positions)
}

/// The numbers of all orders that match, after checking the total.
pub(crate) async fn find(search: &impl OrderSearch, text: &str) -> Vec<u64> {
    let (total, found) = page(search, text, 1, 100).await;
    assert_eq!(total, found.len() as u64, "{text:?}");
    found
}

/// Writes one order for each list of items, numbered from 1.
pub(crate) async fn orders(search: &impl ProjectionStore, orders: &[&[(&str, &str)]]) {
    let views: Vec<_> = (1..).zip(orders).map(|(number, items)| with_items(view(number), items)).collect();
    let last = views.len() as u64;
    write_live(search, views, last).await;
}

/// Every text finds exactly these orders.
pub(crate) async fn assert_finds(search: &impl OrderSearch, cases: &[(&str, &[u64])]) {
    for (text, expected) in cases {
        assert_eq!(find(search, text).await, *expected, "{text:?}");
    }
}

pub async fn pages_are_newest_first_and_total_is_exact(search: Arc<impl OrderSearch + ProjectionStore>) {
    let tea = |number| with_items(view(number), &[("Tea", "x")]);
    let pot = |number| with_items(view(number), &[("Pot", "x")]);
    // Written in an order that is not that of the positions.
    write_live(&*search, (21..=40).map(pot).collect(), 40).await;
    write_live(&*search, (1..=20).map(tea).collect(), 40).await;
    write_live(&*search, (41..=43).map(tea).collect(), 43).await;
    let all: Vec<u64> = (1..=43).rev().collect();
    let matches: Vec<u64> = all.iter().copied().filter(|number| !(21..=40).contains(number)).collect();
    for (text, expected) in [("tea", &matches), ("", &all)] {
        for size in [1, 5, 23, 50] {
            let pages = expected.len().div_ceil(size) as u64;
            let mut found = Vec::new();
            for number in 1..=pages {
                let (total, positions) = page(&*search, text, number, size as u64).await;
                assert_eq!(total, expected.len() as u64);
                found.extend(positions);
            }
            assert_eq!(found, *expected, "{text:?} in pages of {size}");
        }
    }
}

pub async fn a_page_behind_the_last_is_empty(search: Arc<impl OrderSearch + ProjectionStore>) {
    write_live(&*search, (1..=3).map(view).collect(), 3).await;
    for text in ["tea", ""] {
        for (number, size) in [(2, 3), (4, 1), (1_000_000, 100), (u64::MAX, u64::MAX)] {
            assert_eq!(page(&*search, text, number, size).await, (3, vec![]), "{number} {size}");
        }
    }
}

pub async fn an_order_is_found_by_its_newest_text_only(search: Arc<impl OrderSearch + ProjectionStore>) {
    orders(&*search, &[&[("Tea", "green")], &[("Tea", "black")]]).await;
    let changed = with_items(at_revision(1, 1), &[("Coffee", "strong"), ("Milk", "fresh")]);
    write_live(&*search, vec![changed], 3).await;
    assert_finds(&*search, &[("tea", &[2]), ("green", &[]), ("coffee", &[1]), ("milk", &[1])]).await;
    // And one that moves on without its texts.
    let same = with_items(at_revision(1, 2), &[("Coffee", "strong"), ("Milk", "fresh")]);
    write_live(&*search, vec![same], 4).await;
    assert_finds(&*search, &[("tea", &[2]), ("coffee", &[1])]).await;
}

pub async fn an_order_is_returned_as_projected(search: Arc<impl OrderSearch + ProjectionStore>) {
    write_live(&*search, vec![view(1)], 1).await;
    write_live(&*search, vec![at_revision(1, 3)], 3).await;
    let text = "green".to_owned();
    let found = search.search(&SearchOrders { text, page: 1, size: 10 }).await.unwrap();
    assert_eq!(found.orders, [at_revision(1, 3)]);
}

pub async fn an_old_revision_does_not_bring_its_text_back(search: Arc<impl OrderSearch + ProjectionStore>) {
    let old = with_items(view(1), &[("Tea", "x")]);
    write_live(&*search, vec![old.clone()], 1).await;
    write_live(&*search, vec![with_items(at_revision(1, 1), &[("Coffee", "x")]), old.clone()], 2).await;
    write_live(&*search, vec![old], 1).await;
    assert_finds(&*search, &[("tea", &[]), ("coffee", &[1])]).await;
}

pub async fn readers_see_the_old_generation_until_promotion_and_then_only_the_new(
    search: Arc<impl OrderSearch + ProjectionStore>,
) {
    orders(&*search, &[&[("Tea", "old")], &[("Tea", "old")]]).await;
    let building = search.begin_rebuild().await.unwrap();
    let new = [2, 3].map(|number| with_items(view(number), &[("Tea", "new")]));
    write(&*search, building, new.to_vec(), 3).await;
    assert_finds(&*search, &[("tea", &[2, 1]), ("old", &[2, 1]), ("new", &[]), ("", &[2, 1])]).await;
    search.promote(building).await.unwrap();
    assert_finds(&*search, &[("tea", &[3, 2]), ("old", &[]), ("new", &[3, 2]), ("", &[3, 2])]).await;
    let building = search.begin_rebuild().await.unwrap();
    write(&*search, building, vec![view(4)], 4).await;
    search.discard(building).await.unwrap();
    assert_finds(&*search, &[("tea", &[3, 2]), ("", &[3, 2])]).await;
}

/// Promotes generation after generation with `writer` while tasks search through `reader`.
async fn promote_while_searching<T>(reader: Arc<T>, writer: &T)
where
    T: OrderSearch + ProjectionStore + 'static,
{
    let generation_of = |round| (1..=20).map(|number| at_revision(number, round)).collect::<Vec<_>>();
    write_live(writer, generation_of(0), 1).await;
    let readers: Vec<_> = ["green tea", ""]
        .into_iter()
        .map(|text| {
            let reader = Arc::clone(&reader);
            tokio::spawn(async move {
                loop {
                    let query = SearchOrders { text: text.to_owned(), page: 1, size: 100 };
                    let found = reader.search(&query).await.unwrap();
                    let revision = found.orders[0].revision;
                    assert_eq!((found.total_count, found.orders.len()), (20, 20));
                    assert!(found.orders.iter().all(|view| view.revision == revision));
                    if revision.0 == 10 {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for round in 1..=10 {
        let building = writer.begin_rebuild().await.unwrap();
        write(writer, building, generation_of(round), 1).await;
        writer.promote(building).await.unwrap();
        tokio::task::yield_now().await;
    }
    for reader in readers {
        let limit = std::time::Duration::from_secs(10);
        tokio::time::timeout(limit, reader).await.unwrap().unwrap();
    }
}

pub async fn concurrent_searches_see_one_generation_or_the_other<T>(search: Arc<T>)
where
    T: OrderSearch + ProjectionStore + 'static,
{
    promote_while_searching(Arc::clone(&search), &*search).await;
}

pub async fn an_open_search_answers_a_ping(search: Arc<impl OrderSearch>) {
    search.ping().await.unwrap();
}

progress::suite!(OrderSearch, Search);

pub async fn texts_are_found_after_a_restart<T>(open: impl AsyncFn() -> Arc<T>)
where
    T: OrderSearch + ProjectionStore,
{
    let search = open().await;
    orders(&*search, &[&[("Green tea", "x")]]).await;
    drop(search);
    let search = open().await;
    assert_finds(&*search, &[("green te", &[1])]).await;
    write_live(&*search, vec![with_items(at_revision(1, 1), &[("Coffee", "x")])], 2).await;
    assert_finds(&*search, &[("green te", &[]), ("coffee", &[1])]).await;
}

pub async fn a_promotion_by_another_handle_switches_readers<T>(open: impl AsyncFn() -> Arc<T>)
where
    T: OrderSearch + ProjectionStore + 'static,
{
    let (here, there) = (open().await, open().await);
    promote_while_searching(here, &*there).await;
}
