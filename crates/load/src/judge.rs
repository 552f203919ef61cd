//! Holds an answer against what the contract promises for the request.
//!
//! Pure: sees one answer, knows neither time nor network.

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{
    fault::{Clause, Fault, Kind},
    payload::Cents,
    session::{Learned, Progress},
    transport::Answer,
};

/// What must come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expectation {
    /// 201 and a new order's id; a replay's is known.
    Created { same_as: Option<String> },
    /// As [`Self::Created`], or 409: the same create, with the same key, is still running beside it.
    CreatedOrRunning,
    /// 200 and the id.
    Changed { id: String },
    /// 200 and the order.
    Order { id: String, check: OrderCheck },
    /// 200 and a page of a search.
    Page { size: usize },
    /// 200 and any JSON object or array.
    Json,
    /// This status, with a problem document that says the same.
    Refused(u16),
}

/// What of an order is looked at, besides its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderCheck {
    /// Nothing: somebody else's order.
    IdOnly,
    /// It is there, though written a moment ago.
    AfterWrite,
    /// It shows all that was written.
    Fresh { progress: Progress, total: Cents },
    /// It shows what was created, and nothing later.
    AsCreated { total: Cents },
    /// 304 will do.
    MayBeUnchanged,
}

/// What the answer tells, or why it is wrong.
pub(crate) fn judge(expectation: &Expectation, answer: &Answer) -> Result<Learned, Fault> {
    match expectation {
        Expectation::Created { same_as } => created(answer, same_as.as_deref()),
        Expectation::CreatedOrRunning if answer.status == 409 => refused(409, answer),
        Expectation::CreatedOrRunning => created(answer, None),
        Expectation::Changed { id } => changed(answer, id),
        Expectation::Order { id, check } => order(answer, id, *check),
        Expectation::Page { size } => page(answer, *size),
        Expectation::Json => {
            status(answer, 200)?;
            parse::<&RawValue>(answer).and_then(|raw| {
                if raw.get().starts_with(['{', '[']) {
                    Ok(Learned::default())
                } else {
                    Err(malformed(answer, "neither an object nor an array"))
                }
            })
        }
        Expectation::Refused(wanted) => refused(*wanted, answer),
    }
}

fn created(answer: &Answer, same_as: Option<&str>) -> Result<Learned, Fault> {
    status(answer, 201)?;
    let id: String = parse(answer)?;
    if Uuid::try_parse(&id).is_err() {
        return Err(malformed(answer, "the id is not a UUID"));
    }
    if same_as.is_some_and(|wanted| wanted != id) {
        return Err(Fault::contract(
            Clause::Idempotency,
            format!("the retry made order {id} instead of replaying {}", same_as.unwrap_or_default()),
        ));
    }
    if !answer.header("location").is_some_and(|location| location.ends_with(&id)) {
        return Err(Fault::contract(Clause::Headers, "Location does not name the new order"));
    }
    let mut learned = command_headers(answer)?;
    learned.order_id = Some(id);
    Ok(learned)
}

fn changed(answer: &Answer, wanted: &str) -> Result<Learned, Fault> {
    status(answer, 200)?;
    let id: String = parse(answer)?;
    same_id(&id, wanted)?;
    let mut learned = command_headers(answer)?;
    learned.order_id = Some(id);
    Ok(learned)
}

fn command_headers(answer: &Answer) -> Result<Learned, Fault> {
    let required = |name: &str| {
        answer
            .header(name)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .ok_or_else(|| Fault::contract(Clause::Headers, format!("the answer to a command has no {name}")))
    };
    Ok(Learned { etag: Some(required("etag")?), position: Some(required("x-position")?), ..Learned::default() })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderView<'a> {
    id: String,
    #[serde(borrow, default)]
    total_price: Option<&'a RawValue>,
    #[serde(default)]
    paid: bool,
    #[serde(default)]
    submitted: bool,
    #[serde(default)]
    completed: bool,
    #[serde(default)]
    canceled: bool,
}

fn order(answer: &Answer, wanted: &str, check: OrderCheck) -> Result<Learned, Fault> {
    match (check, answer.status) {
        (OrderCheck::MayBeUnchanged, 304) => return Ok(Learned::default()),
        (OrderCheck::IdOnly, _) => {}
        (_, 404) => {
            return Err(Fault::contract(
                Clause::ReadAfterWrite,
                format!("order {wanted} was written and is not found"),
            ));
        }
        _ => {}
    }
    status(answer, 200)?;
    let view: OrderView<'_> = parse(answer)?;
    same_id(&view.id, wanted)?;
    let shown =
        Progress { paid: view.paid, submitted: view.submitted, completed: view.completed, canceled: view.canceled };
    match check {
        OrderCheck::Fresh { progress, total } => {
            if shown != progress {
                return Err(Fault::contract(
                    Clause::MinPosition,
                    format!("order {wanted} should be {progress:?} and is shown as {shown:?}"),
                ));
            }
            same_total(&view, total)?;
        }
        OrderCheck::AsCreated { total } => {
            same_total(&view, total)?;
        }
        OrderCheck::IdOnly | OrderCheck::AfterWrite | OrderCheck::MayBeUnchanged => {}
    }
    Ok(Learned::default())
}

fn same_total(view: &OrderView<'_>, wanted: Cents) -> Result<(), Fault> {
    let shown = view.total_price.map_or("nothing", RawValue::get);
    if Cents::parse(shown) == Some(wanted) {
        Ok(())
    } else {
        Err(Fault::contract(
            Clause::Total,
            format!("totalPrice of order {} should be {wanted} and is {shown}", view.id),
        ))
    }
}

fn same_id(id: &str, wanted: &str) -> Result<(), Fault> {
    if id == wanted {
        Ok(())
    } else {
        Err(Fault::contract(Clause::WrongId, format!("asked about {wanted}, answered about {id}")))
    }
}

#[derive(Deserialize)]
struct PageView {
    #[expect(dead_code, reason = "parsing it is the check")]
    pagination: Pagination,
    orders: Vec<Found>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "parsing it is the check")]
struct Pagination {
    total_count: u64,
    total_pages: u64,
    page: u64,
    size: u64,
    has_more: bool,
}

#[derive(Deserialize)]
struct Found {
    id: String,
}

fn page(answer: &Answer, size: usize) -> Result<Learned, Fault> {
    status(answer, 200)?;
    let view: PageView = parse(answer)?;
    if view.orders.len() > size {
        return Err(malformed(answer, &format!("the page has more than {size} orders")));
    }
    Ok(Learned { found: view.orders.into_iter().next().map(|order| order.id), ..Learned::default() })
}

#[derive(Deserialize)]
struct Problem {
    status: u16,
}

fn refused(wanted: u16, answer: &Answer) -> Result<Learned, Fault> {
    status(answer, wanted)?;
    let problem: Problem = parse(answer)?;
    if problem.status == wanted {
        Ok(Learned::default())
    } else {
        Err(malformed(answer, "the problem document tells another status"))
    }
}

fn status(answer: &Answer, wanted: u16) -> Result<(), Fault> {
    if answer.status == wanted {
        Ok(())
    } else {
        Err(Fault::new(
            Kind::UnexpectedStatus(answer.status),
            format!("expected {wanted}, got {}: {}", answer.status, excerpt(answer)),
        ))
    }
}

fn parse<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<T, Fault> {
    serde_json::from_slice(&answer.body).map_err(|error| malformed(answer, &error.to_string()))
}

fn malformed(answer: &Answer, why: &str) -> Fault {
    Fault::new(Kind::MalformedBody, format!("status {}, {why}: {}", answer.status, excerpt(answer)))
}

/// The beginning of the body, on one line: enough to see what it is.
fn excerpt(answer: &Answer) -> String {
    const CHARACTERS_MAX: usize = 200;
    String::from_utf8_lossy(&answer.body[..answer.body.len().min(4 * CHARACTERS_MAX)])
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(CHARACTERS_MAX)
        .collect()
}

#[cfg(test)]
mod tests;
