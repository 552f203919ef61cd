//! Orders by the text of their items, in memory: looks at every order, every time.

use async_trait::async_trait;
use delivery::projections::OrderView;
use delivery::queries::{SearchOrders, SearchPage};
use delivery::repository::{Error, OrderSearch};
use eventsourcing::Position;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::projection::{Kind, Projection};

/// A projection to search orders in.
pub enum Items {}

impl Kind for Items {
    const ENGINE: &'static str = "order search";
}

#[async_trait]
impl OrderSearch for Projection<Items> {
    async fn search(&self, query: &SearchOrders) -> Result<SearchPage, Error> {
        let phrase = words(&query.text);
        let skipped = query.page.saturating_sub(1).saturating_mul(query.size);
        self.read_live(|contents| {
            let found = contents.newest_first(|view| matches(view, &phrase));
            let page = found.iter().skip(to_usize(skipped)).take(to_usize(query.size));
            SearchPage { total_count: found.len() as u64, orders: page.map(|view| (*view).clone()).collect() }
        })
        .await
    }

    async fn checkpoint(&self) -> Result<Position, Error> {
        self.live_checkpoint().await
    }

    async fn reached(&self, position: Position) -> Result<(), Error> {
        self.live_reached(position).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.is_healthy().await
    }
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The words of a text: lower case, without diacritics.
fn words(text: &str) -> Vec<String> {
    let folded: String =
        text.nfd().filter(|character| !is_combining_mark(*character)).flat_map(char::to_lowercase).collect();
    folded
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn matches(view: &OrderView, phrase: &[String]) -> bool {
    let Some((last, first)) = phrase.split_last() else {
        return true;
    };
    let holds = |text: &str| {
        words(text)
            .windows(phrase.len())
            .any(|window| window.starts_with(first) && window[first.len()].starts_with(last.as_str()))
    };
    view.order.shop_items.iter().any(|item| holds(&item.title) || holds(&item.description))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    async fn open(_place: &()) -> Arc<crate::OrderSearch> {
        Arc::default()
    }

    mod store {
        contract_tests::projection_store_contract!(place: || (), open: super::open);
    }

    mod reader {
        contract_tests::order_search_contract!(place: || (), open: super::open);
    }
}
