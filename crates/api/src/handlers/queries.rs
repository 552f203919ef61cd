//! Queries: an order, pages of orders, searches.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as Extract;
use axum::http::header::ETAG;
use axum::http::{HeaderMap, StatusCode, Uri};
use bytes::Bytes;
use delivery::aggregate::Status;
use delivery::projections::OrderView;
use delivery::queries::{ListOrders, SearchOrders};
use delivery::services;
use eventsourcing::{Position, Revision};

use super::{no_such_order, orders};
use crate::answer::Answer;
use crate::conditional::{Tags, etag, if_none_match};
use crate::dto::{ListAnswer, Order, Pagination, SearchAnswer};
use crate::error::{Error, Kind};
use crate::parameters::{Parameters, Segments, ValidatorHeader, WaitParameters, order_id};
use crate::{State, cursor};

/// Characters of a search text at most.
const MAX_SEARCH: usize = 1_000;

/// Read an order
#[utoipa::path(
    get, path = "/orders/{id}", tag = "queries", operation_id = "getOrder",
    params(("id" = uuid::Uuid, Path, description = "The order"),
        ("asOfRevision" = Option<u64>, Query, description = "As it was right after this revision", maximum = 9_223_372_036_854_775_807_i64),
        WaitParameters, ValidatorHeader),
    responses(
        (status = 200, description = "The order", body = Order<'static>, headers(("ETag" = String, description = "Its revision"))),
        (status = 304, description = "It is still at the revision that If-None-Match names")),
)]
pub(crate) async fn get(
    Extract(state): Extract<Arc<State>>,
    Segments(id): Segments<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Answer, Error> {
    let queries = &orders(&state)?.queries;
    let id = order_id(&id)?;
    let parameters = Parameters::read(&uri)?;
    let known = if_none_match(&headers)?;
    let as_of = parameters.number("asOfRevision", 0..=i64::MAX as u64)?;
    let wanted = parameters.wait()?;
    let view = match as_of {
        Some(revision) => queries.get_as_of(id, Revision(revision)).await?,
        None => {
            wait(wanted, |position| queries.reached(position)).await?;
            queries.get(id, orders(&state)?.recent.at_least(id)).await?
        }
    };
    let view = view.filter(|view| view.order.created).ok_or_else(no_such_order)?;
    let is_known = match known {
        Tags::Absent => false,
        Tags::Any => true,
        Tags::These(revisions) => revisions.contains(&view.revision),
    };
    if is_known {
        let answer = Answer { status: StatusCode::NOT_MODIFIED, headers: Vec::new(), body: Bytes::new() };
        return Ok(answer.with(ETAG, etag(view.revision)));
    }
    Ok(Answer::json(StatusCode::OK, &Order::new(&view))?.with(ETAG, etag(view.revision)))
}

/// List orders, newest first
#[utoipa::path(
    get, path = "/orders", tag = "queries", operation_id = "listOrders",
    params(
        ("state" = Option<String>, Query, description = "Only orders that stand here: draft, paid, submitted, completed or cancelled", pattern = "^(draft|paid|submitted|completed|cancelled)?$"),
        ("cursor" = Option<String>, Query, description = "The nextCursor of the page before", pattern = "^[A-Za-z0-9_-]*$"),
        ("limit" = Option<u64>, Query, description = "Orders on a page; 20 unless said", minimum = 1, maximum = 100),
        WaitParameters),
    responses((status = 200, description = "A page of orders", body = ListAnswer<'static>)),
)]
pub(crate) async fn list(Extract(state): Extract<Arc<State>>, uri: Uri) -> Result<Answer, Error> {
    let queries = &orders(&state)?.queries;
    let parameters = Parameters::read(&uri)?;
    let filter = parameters.get("state").unwrap_or_default();
    let status = match filter {
        "" => None,
        name => Some(
            Status::from_name(name)
                .ok_or_else(|| Error::parameter("state", "draft, paid, submitted, completed or cancelled"))?,
        ),
    };
    let key = &state.config.cursor_key;
    let before = parameters
        .get("cursor")
        .filter(|text| !text.is_empty())
        .map(|text| cursor::decode(key, text, filter))
        .transpose();
    let before = before.map_err(|_| Error::parameter("cursor", "the nextCursor of a page with the same state"))?;
    let limit = usize::try_from(parameters.number("limit", 1..=100)?.unwrap_or(20)).unwrap_or(20);
    wait(parameters.wait()?, |position| queries.reached(position)).await?;
    // One more than the page tells whether there is another page.
    let mut views = queries.list(&ListOrders { status, before, limit: limit + 1 }).await?;
    let has_more = views.len() > limit;
    views.truncate(limit);
    let last = views.last().filter(|_| has_more);
    let next_cursor = last.map(|view| cursor::encode(key, view.created_position, filter));
    Answer::json(StatusCode::OK, &ListAnswer { orders: bodies(&views), next_cursor })
}

/// Find orders by the text of their items
#[utoipa::path(
    get, path = "/orders/search", tag = "queries", operation_id = "searchOrders",
    params(
        ("search" = Option<String>, Query, description = "Words that follow each other in an item's title or description, the last possibly only begun", max_length = 1_000),
        ("page" = Option<u64>, Query, description = "Counted from 1", minimum = 1, maximum = 1_000_000),
        ("size" = Option<u64>, Query, description = "Orders on a page; 10 unless said", minimum = 1, maximum = 100),
        WaitParameters),
    responses((status = 200, description = "A page of orders, newest first", body = SearchAnswer<'static>)),
)]
pub(crate) async fn search(Extract(state): Extract<Arc<State>>, uri: Uri) -> Result<Answer, Error> {
    let queries = &orders(&state)?.queries;
    let parameters = Parameters::read(&uri)?;
    let text = parameters.get("search").unwrap_or_default();
    if text.chars().count() > MAX_SEARCH {
        return Err(Error::parameter("search", "1,000 characters at most"));
    }
    let page = parameters.number("page", 1..=1_000_000)?.unwrap_or(1);
    let size = parameters.number("size", 1..=100)?.unwrap_or(10);
    wait(parameters.wait()?, |position| queries.search_reached(position)).await?;
    let found = queries.search(&SearchOrders { text: text.to_owned(), page, size }).await?;
    let pagination = Pagination {
        total_count: found.total_count,
        total_pages: found.total_count.div_ceil(size),
        page,
        size,
        has_more: page.saturating_mul(size) < found.total_count,
    };
    Answer::json(StatusCode::OK, &SearchAnswer { pagination, orders: bodies(&found.orders) })
}

/// The bodies of orders. One whose very first event an operator chose to skip has no state to show.
fn bodies(views: &[OrderView]) -> Vec<Order<'_>> {
    views.iter().filter(|view| view.order.created).map(Order::new).collect()
}

/// Waits for the read side to come to a position, if the request asks for one.
async fn wait<F: Future<Output = Result<(), services::Error>>>(
    wanted: Option<(Position, Duration)>,
    reached: impl FnOnce(Position) -> F,
) -> Result<(), Error> {
    let Some((position, patience)) = wanted else {
        return Ok(());
    };
    match tokio::time::timeout(patience, reached(position)).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Error::new(
            Kind::PositionNotReached,
            format!("the read side did not come to position {position} within {} ms", patience.as_millis()),
        )),
    }
}
