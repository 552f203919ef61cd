//! Writes many documents: in requests as large as the engine takes them, one at a time, and what it has no
//! room for again, later. Each item has an outcome of its own, and one that is refused does not cost the
//! others theirs.

use std::collections::VecDeque;
use std::time::Duration;

use hyper::Method;
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

use crate::documents::Operation;
use crate::failure::{Failure, Told};
use crate::transport::{Body, Client, Limit, jittered};

/// Items and bytes of a request at most: enough for the engine to be busy, little enough to be done within
/// a second.
const ITEMS_MAX: usize = 1_000;
const BYTES_MAX: usize = 4 << 20;
/// Items below which a request is not made smaller on account of a full queue.
const ITEMS_MIN: usize = 16;
/// The wait after the first refusal; it doubles up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LAST_WAIT: Duration = Duration::from_secs(2);
/// How long all of it may take while the engine has no room. What is written by then stays; the same batch
/// comes again and skips it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the items of a request ended. A field that only matters to others is left out.
#[derive(Deserialize)]
struct Answer {
    errors: bool,
    #[serde(default)]
    items: Vec<Item>,
}

/// An object with one field, called after what was done.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Item {
    Index(Outcome),
    Delete(Outcome),
    Create(Outcome),
    Update(Outcome),
}

#[derive(Deserialize)]
struct Outcome {
    status: u16,
    error: Option<Told>,
}

/// Whether readers have to find at once what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visible {
    AtOnce,
    Later,
}

/// Writes all operations to `alias`, which has to exist. None may depend on another one being done before
/// it, for one that found no room is done after others. When it fails, some of them may have been done.
pub(crate) async fn write(
    client: &Client,
    alias: &str,
    operations: Vec<Operation>,
    visible: Visible,
) -> Result<(), Failure> {
    let mut writer = Writer { client, alias, waiting: operations.into(), size: Size::default(), has_refreshed: false };
    let written = timeout(PATIENCE, writer.run(visible)).await;
    written.unwrap_or_else(|_| Err(client.late(Limit(PATIENCE))))?;
    if visible == Visible::AtOnce && !writer.has_refreshed {
        client.tell(Limit::WRITE, Method::POST, &format!("/{alias}/_refresh"), Body::Nothing).await?;
    }
    Ok(())
}

struct Writer<'a> {
    client: &'a Client,
    alias: &'a str,
    waiting: VecDeque<Operation>,
    size: Size,
    /// One request had everything, and refreshed.
    has_refreshed: bool,
}

/// How much a request may hold: less after a refusal, more again after a success.
struct Size {
    items: usize,
    bytes: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self { items: ITEMS_MAX, bytes: BYTES_MAX }
    }
}

impl Size {
    fn grow(&mut self) {
        self.items = (self.items * 2).min(ITEMS_MAX);
        self.bytes = (self.bytes * 2).min(BYTES_MAX);
    }
}

impl Writer<'_> {
    async fn run(&mut self, visible: Visible) -> Result<(), Failure> {
        let total = self.waiting.len();
        let mut wait = FIRST_WAIT;
        let begun = Instant::now();
        while !self.waiting.is_empty() {
            let request = self.take();
            let refreshes = visible == Visible::AtOnce && request.len() == total;
            match self.send(&request, refreshes).await {
                Ok(left) if left.is_empty() => {
                    self.has_refreshed = refreshes;
                    self.size.grow();
                    wait = FIRST_WAIT;
                    continue;
                }
                Ok(left) => {
                    self.size.items = (self.size.items / 2).max(ITEMS_MIN);
                    self.put_back(left);
                }
                Err(failure) if failure.is_too_large() && request.len() > 1 => {
                    let bytes: usize = request.iter().map(Operation::len).sum();
                    self.size.bytes = bytes / 2;
                    self.put_back(request);
                    // Nothing is overloaded: there is nothing to wait for.
                    continue;
                }
                // An engine that cannot be reached is for the caller to wait for; one that has no room is not.
                Err(failure @ Failure::Refused { .. }) if failure.is_passing() && begun.elapsed() < PATIENCE => {
                    self.size.items = (self.size.items / 2).max(ITEMS_MIN);
                    self.put_back(request);
                }
                Err(failure) => return Err(failure),
            }
            sleep(jittered(wait)).await;
            wait = (wait * 2).min(LAST_WAIT);
        }
        Ok(())
    }

    /// The operations of the next request; at least one, however large.
    fn take(&mut self) -> Vec<Operation> {
        let mut request = Vec::new();
        let mut bytes = 0;
        while request.len() < self.size.items
            && let Some(next) = self.waiting.front()
            && (request.is_empty() || bytes + next.len() <= self.size.bytes)
        {
            bytes += next.len();
            request.extend(self.waiting.pop_front());
        }
        request
    }

    fn put_back(&mut self, operations: Vec<Operation>) {
        for operation in operations.into_iter().rev() {
            self.waiting.push_front(operation);
        }
    }

    /// Sends a request; the operations that have to be sent again.
    async fn send(&self, request: &[Operation], refreshes: bool) -> Result<Vec<Operation>, Failure> {
        let path = format!("/{}/_bulk?require_alias=true&refresh={refreshes}", self.alias);
        let exchange = self.client.exchange(Method::POST, &path, Body::Lines(request.concat().into()));
        let exchange = timeout(Limit::WRITE.0, exchange).await;
        let answer = exchange.unwrap_or_else(|_| Err(self.client.late(Limit::WRITE)))?;
        let answer: Answer = serde_json::from_slice(&answer).map_err(Failure::unreadable)?;
        if !answer.errors {
            return Ok(Vec::new());
        }
        if answer.items.len() != request.len() {
            return Err(Failure::unreadable("a bulk answer has not one item for each operation"));
        }
        let mut left = Vec::new();
        for (operation, item) in request.iter().zip(answer.items) {
            let (Item::Index(outcome) | Item::Delete(outcome) | Item::Create(outcome) | Item::Update(outcome)) = item;
            match outcome {
                // Something as new is there, or what was to be removed is not.
                Outcome { status: 200..=299 | 409, .. } | Outcome { status: 404, error: None } => {}
                Outcome { status: 429 | 503, .. } => left.push(operation.clone()),
                Outcome { status, error: Some(told) } => return Err(told.failure(status)),
                Outcome { status, error: None } => {
                    return Err(Failure::Refused { status, kind: String::new(), reason: None });
                }
            }
        }
        Ok(left)
    }
}
