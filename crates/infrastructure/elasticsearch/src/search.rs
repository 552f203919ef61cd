//! The reader's side: orders by the text of their items, through the alias of the live generation.

use async_trait::async_trait;
use delivery::queries::{SearchOrders, SearchPage};
use delivery::repository::{Error, OrderSearch as Port};
use eventsourcing::Position;
use hyper::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::OrderSearch;
use crate::documents::Order;
use crate::failure::Failure;
use crate::transport::{Client, Limit};
use crate::words;

/// How far into the results the engine goes in one request, unless it is told otherwise.
const WINDOW: u64 = 10_000;
/// How long the engine itself may search, in its own words: less than we wait for it.
const TIMEOUT: &str = "4s";
/// How many words one may begin with that is longer than what the engine keeps the beginnings of. There are
/// none, see `words`; should somebody change the mapping, these are found.
const EXPANSIONS_MAX: u32 = 1_000;

/// Words of a phrase that the engine is asked for: it takes 1,024 clauses at least, and each word is one.
const WORDS_MAX: usize = 1_000;

/// The answer to a search.
#[derive(Deserialize)]
#[serde(bound = "S: Deserialize<'de>")]
pub(crate) struct Searched<S> {
    timed_out: bool,
    #[serde(rename = "_shards")]
    shards: Shards,
    hits: Hits<S>,
}

#[derive(Deserialize)]
struct Shards {
    failed: u32,
}

#[derive(Deserialize)]
#[serde(bound = "S: Deserialize<'de>")]
pub(crate) struct Hits<S> {
    total: Option<Total>,
    pub(crate) hits: Vec<Hit<S>>,
}

#[derive(Deserialize)]
struct Total {
    value: u64,
}

#[derive(Deserialize)]
#[serde(bound = "S: Deserialize<'de>")]
pub(crate) struct Hit<S> {
    #[serde(rename = "_source")]
    pub(crate) source: Option<S>,
    #[serde(default)]
    sort: Vec<i64>,
}

impl<S> Searched<S> {
    /// The hits, if they are all that there are: half an answer would look like a whole one.
    pub(crate) fn whole(self, client: &Client) -> Result<Hits<S>, Failure> {
        if self.timed_out {
            return Err(client.late(Limit::READ));
        }
        if self.shards.failed > 0 {
            let reason = Some(format!("{} shards failed", self.shards.failed));
            return Err(Failure::Refused { status: 200, kind: String::new(), reason });
        }
        Ok(self.hits)
    }
}

impl<S> Hit<S> {
    /// Where it stands in the order of the hits.
    pub(crate) fn place(&self) -> Option<i64> {
        self.sort.first().copied()
    }
}

/// A part of the results.
#[derive(Clone, Copy, Default)]
struct Slice {
    from: u64,
    size: u64,
    /// Only what comes behind this place.
    after: Option<i64>,
    with_documents: bool,
}

fn query(phrase: Option<&str>) -> Value {
    match phrase {
        Some(phrase) => {
            json!({"match_phrase_prefix": {"texts": {"query": phrase, "max_expansions": EXPANSIONS_MAX}}})
        }
        None => json!({"term": {"kind": "order"}}),
    }
}

/// What a phrase begins with, where that is as much as the engine can be asked for.
fn beginning(phrase: &str) -> Option<&str> {
    phrase.match_indices(' ').nth(WORDS_MAX - 1).map(|(end, _)| &phrase[..end])
}

fn body(query: &Value, slice: Slice) -> Value {
    let mut body = json!({
        "query": {"bool": {"filter": [query]}},
        "sort": [{"created_position": "desc"}],
        "size": slice.size,
        "track_total_hits": slice.after.is_none(),
        "timeout": TIMEOUT,
        "_source": if slice.with_documents { json!(["document"]) } else { json!(false) },
    });
    match slice.after {
        Some(place) => body["search_after"] = json!([place]),
        None => body["from"] = json!(slice.from),
    }
    body
}

impl OrderSearch {
    async fn ask_for<S: DeserializeOwned>(&self, query: &Value, slice: Slice) -> Result<Hits<S>, Failure> {
        let path = format!("/{}/_search?allow_partial_search_results=false", self.name);
        let answer: Searched<S> = self.client.ask(Limit::READ, Method::POST, &path, body(query, slice)).await?;
        answer.whole(&self.client)
    }

    /// How many there are, and those from `from` on.
    async fn page(&self, query: &Value, from: u64, size: u64) -> Result<(u64, Vec<Order>), Failure> {
        let is_near = from.saturating_add(size) <= WINDOW;
        let near = if is_near { Slice { from, size, with_documents: true, after: None } } else { Slice::default() };
        let hits: Hits<Order> = self.ask_for(query, near).await?;
        let total = hits.total.as_ref().map_or(0, |total| total.value);
        if is_near {
            return Ok((total, hits.hits.into_iter().filter_map(|hit| hit.source).collect()));
        }
        if from >= total {
            return Ok((total, Vec::new()));
        }
        Ok((total, self.far_page(query, from, size).await?))
    }

    /// As [`Self::page`], of a phrase that is too long for the engine: it gives those that have the beginning,
    /// and which of them have all of it is found out here.
    async fn long_page(&self, phrase: &str, begin: &str, from: u64, size: u64) -> Result<(u64, Vec<Order>), Failure> {
        let query = query(Some(begin));
        let (mut total, mut orders) = (0, Vec::new());
        let mut after = Some(i64::MAX);
        while after.is_some() {
            let step = Slice { size: WINDOW / 100, after, with_documents: true, from: 0 };
            let hits: Hits<Order> = self.ask_for(&query, step).await?;
            after = hits.hits.last().and_then(Hit::place);
            for order in hits.hits.into_iter().filter_map(|hit| hit.source) {
                if order.has(phrase)? {
                    let is_wanted = (from..from.saturating_add(size)).contains(&total);
                    total += 1;
                    orders.extend(is_wanted.then_some(order));
                }
            }
        }
        Ok((total, orders))
    }

    /// Goes there in steps that the engine allows.
    async fn far_page(&self, query: &Value, from: u64, size: u64) -> Result<Vec<Order>, Failure> {
        // Everything is before it.
        let mut after = Some(i64::MAX);
        let mut left = from;
        while left > 0 {
            let step = Slice { size: left.min(WINDOW), after, ..Slice::default() };
            let hits: Hits<Order> = self.ask_for(query, step).await?;
            after = hits.hits.last().and_then(Hit::place);
            if (hits.hits.len() as u64) < step.size || after.is_none() {
                return Ok(Vec::new());
            }
            left -= step.size;
        }
        let mut orders = Vec::new();
        let mut left = size;
        while left > 0 {
            let step = Slice { size: left.min(WINDOW / 10), after, with_documents: true, from: 0 };
            let hits: Hits<Order> = self.ask_for(query, step).await?;
            after = hits.hits.last().and_then(Hit::place);
            let found = hits.hits.len() as u64;
            orders.extend(hits.hits.into_iter().filter_map(|hit| hit.source));
            if found < step.size || after.is_none() {
                break;
            }
            left -= step.size;
        }
        Ok(orders)
    }
}

#[async_trait]
impl Port for OrderSearch {
    async fn search(&self, search: &SearchOrders) -> Result<SearchPage, Error> {
        let phrase = words::words(&search.text);
        let phrase = phrase.as_deref();
        let query = query(phrase);
        let from = search.page.saturating_sub(1).saturating_mul(search.size);
        let too_long = phrase.and_then(|phrase| Some((phrase, beginning(phrase)?)));
        let query = &query;
        let pages = self.of_live(|| async move {
            match too_long {
                Some((phrase, begin)) => self.long_page(phrase, begin, from, search.size).await,
                None => self.page(query, from, search.size).await,
            }
        });
        // A page far back takes more than one request, and nobody waits longer for it.
        let page = tokio::time::timeout(Limit::READ.0, pages).await;
        let page = page.unwrap_or_else(|_| Err(self.client.late(Limit::READ)));
        let (total_count, found) = page.map_err(|failure| failure.while_("searching"))?;
        let orders = found.into_iter().map(Order::view).collect::<Result<_, _>>()?;
        Ok(SearchPage { total_count, orders })
    }

    async fn checkpoint(&self) -> Result<Position, Error> {
        let live = self.live().await.map_err(|failure| failure.while_("reading the checkpoint"))?;
        Ok(live.checkpoint)
    }

    async fn reached(&self, position: Position) -> Result<(), Error> {
        self.live_reached(position).await.map_err(|failure| failure.while_("waiting for a position"))
    }

    async fn ping(&self) -> Result<(), Error> {
        let query = json!({"term": {"kind": "order"}});
        let slice = Slice { size: 1, after: Some(i64::MAX), ..Slice::default() };
        let asked = self.of_live(|| self.ask_for::<Order>(&query, slice));
        let asked = tokio::time::timeout(Limit::PROBE.0, asked).await;
        let asked = asked.unwrap_or_else(|_| Err(self.client.late(Limit::PROBE)));
        asked.map(drop).map_err(|failure| failure.while_("being asked whether it answers"))
    }
}
