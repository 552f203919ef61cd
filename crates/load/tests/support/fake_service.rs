//! A small order service that keeps strictly to the contract, and breaks it where it is told to.
//!
//! Pure: a request in, an answer out. Shared by the unit tests, which reach it in memory and in
//! paused time, and the integration test, which puts it behind a socket.

#![allow(dead_code, reason = "the unit tests and the integration test each use a part")]

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard},
};

use serde_json::{Value, json};

/// What goes wrong inside the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Trouble {
    #[default]
    None,
    /// Every request is answered so.
    Status(u16),
    /// A `GET` after a `POST` finds nothing.
    Forgetful,
    /// Commands answer with another order's id.
    WrongId,
    /// A retry with the same key makes a second order.
    NoReplay,
    /// Totals are a cent too high.
    WrongTotal,
    /// Reads with `minPosition` show an order as unpaid.
    Stale,
}

#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

struct Order {
    state: &'static str,
    paid: bool,
    submitted: bool,
    created_total: u64,
    total: u64,
    revision: u64,
}

#[derive(Default)]
struct Books {
    orders: BTreeMap<String, Order>,
    /// The body of the first request with the key, and its answer.
    keys: HashMap<String, (Vec<u8>, Reply)>,
    position: u64,
    requests: u64,
    statuses: BTreeMap<u16, u64>,
    trace_parents: Vec<String>,
}

#[derive(Default)]
pub(crate) struct FakeService {
    books: Mutex<Books>,
    trouble: Mutex<Trouble>,
}

pub(crate) struct Call<'a> {
    pub(crate) method: &'a str,
    /// With the base path `/api` and the query.
    pub(crate) path_and_query: &'a str,
    pub(crate) header: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) body: &'a [u8],
}

fn reply(status: u16, body: Value) -> Reply {
    Reply { status, headers: Vec::new(), body: body.to_string() }
}

fn problem(status: u16) -> Reply {
    reply(status, json!({"type": "about:blank", "title": "refused", "status": status, "traceId": "t"}))
}

impl FakeService {
    pub(crate) fn set(&self, trouble: Trouble) {
        *self.trouble.lock().unwrap() = trouble;
    }

    pub(crate) fn requests(&self) -> u64 {
        self.books().requests
    }

    pub(crate) fn orders(&self) -> usize {
        self.books().orders.len()
    }

    pub(crate) fn statuses(&self) -> BTreeMap<u16, u64> {
        self.books().statuses.clone()
    }

    pub(crate) fn trace_parents(&self) -> Vec<String> {
        self.books().trace_parents.clone()
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    pub(crate) fn answer(&self, call: &Call<'_>) -> Reply {
        let trouble = *self.trouble.lock().unwrap();
        let mut books = self.books();
        books.requests += 1;
        books.trace_parents.push((call.header)("traceparent").expect("every request carries a traceparent"));
        assert!((call.header)("x-request-id").is_some());
        let reply = match trouble {
            Trouble::Status(status) => problem(status),
            _ => books.route(call, trouble),
        };
        *books.statuses.entry(reply.status).or_default() += 1;
        reply
    }
}

impl Books {
    fn route(&mut self, call: &Call<'_>, trouble: Trouble) -> Reply {
        let (path, query) = call.path_and_query.split_once('?').unwrap_or((call.path_and_query, ""));
        let Some(path) = path.strip_prefix("/api/orders") else {
            return problem(404);
        };
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        match (call.method, segments.as_slice()) {
            ("POST", []) => self.keyed(call, trouble, Self::create),
            ("GET", []) => reply(200, json!({"orders": [], "nextCursor": null})),
            ("GET", ["search"]) => self.search(query),
            ("GET", [id]) => self.get(id, query, call, trouble),
            ("GET", [id, "events"]) if self.orders.contains_key(*id) => reply(200, json!([{"type": "ORDER_CREATED"}])),
            (_, [_]) => problem(405),
            ("PUT", [command @ ("pay" | "submit" | "cart" | "address"), id])
            | ("POST", [command @ ("cancel" | "complete"), id]) => {
                let (command, id) = ((*command).to_owned(), (*id).to_owned());
                self.keyed(call, trouble, move |books, call, trouble| books.command(&command, &id, call, trouble))
            }
            _ => problem(404),
        }
    }

    fn keyed(
        &mut self,
        call: &Call<'_>,
        trouble: Trouble,
        run: impl FnOnce(&mut Self, &Call<'_>, Trouble) -> Reply,
    ) -> Reply {
        let key = (call.header)("idempotency-key");
        if let Some((body, stored)) = key.as_ref().and_then(|key| self.keys.get(key))
            && trouble != Trouble::NoReplay
        {
            return if body == call.body { stored.clone() } else { problem(422) };
        }
        let reply = run(self, call, trouble);
        if let Some(key) = key {
            self.keys.insert(key, (call.body.to_vec(), reply.clone()));
        }
        reply
    }

    fn create(&mut self, call: &Call<'_>, _: Trouble) -> Reply {
        if (call.header)("content-type").as_deref() != Some("application/json") {
            return problem(415);
        }
        let Ok(body) = serde_json::from_slice::<Value>(call.body) else {
            return problem(400);
        };
        let filled = |name: &str| body[name].as_str().is_some_and(|text| !text.trim().is_empty());
        let email = body["accountEmail"].as_str().is_some_and(|email| email.contains('@'));
        let (Some(total), true, true) = (cart_total(&body, call.body), filled("deliveryAddress"), email) else {
            return problem(422);
        };
        let id = uuid::Uuid::new_v4().to_string();
        let order = Order { state: "draft", paid: false, submitted: false, created_total: total, total, revision: 0 };
        self.orders.insert(id.clone(), order);
        let mut reply = self.written(&id, 201);
        reply.headers.push(("location", format!("/api/orders/{id}")));
        reply
    }

    fn written(&mut self, id: &str, status: u16) -> Reply {
        self.position += 1;
        Reply {
            status,
            headers: vec![
                ("etag", format!("\"{}\"", self.orders[id].revision)),
                ("x-position", self.position.to_string()),
            ],
            body: Value::from(id).to_string(),
        }
    }

    fn command(&mut self, command: &str, id: &str, call: &Call<'_>, trouble: Trouble) -> Reply {
        let Some(order) = self.orders.get_mut(id) else {
            return problem(404);
        };
        if (call.header)("if-match").is_some_and(|wanted| wanted != format!("\"{}\"", order.revision)) {
            return problem(412);
        }
        let body: Value = serde_json::from_slice(call.body).unwrap_or_default();
        let filled = |name: &str| body[name].as_str().is_some_and(|text| !text.trim().is_empty());
        let (legal, valid) = match command {
            "pay" => (order.state == "draft", filled("paymentID") && filled("timestamp")),
            "submit" => (order.state == "paid", call.body.is_empty()),
            "complete" => (order.state == "submitted", call.body.is_empty()),
            "cart" => (order.state == "draft", cart_total(&body, call.body).is_some()),
            "address" => (!matches!(order.state, "completed" | "canceled"), filled("deliveryAddress")),
            _ => (!matches!(order.state, "completed" | "canceled"), filled("cancelReason")),
        };
        if !valid {
            return problem(422);
        }
        if !legal {
            return problem(409);
        }
        match command {
            "pay" => (order.state, order.paid) = ("paid", true),
            "submit" => (order.state, order.submitted) = ("submitted", true),
            "complete" => order.state = "completed",
            "cancel" => order.state = "canceled",
            "cart" => order.total = cart_total(&body, call.body).unwrap(),
            _ => {}
        }
        order.revision += 1;
        let mut reply = self.written(id, 200);
        if trouble == Trouble::WrongId {
            reply.body = "\"somebody-else\"".to_owned();
        }
        reply
    }

    fn get(&self, id: &str, query: &str, call: &Call<'_>, trouble: Trouble) -> Reply {
        if uuid::Uuid::try_parse(id).is_err() {
            return problem(400);
        }
        let Some(order) = self.orders.get(id).filter(|_| trouble != Trouble::Forgetful) else {
            return problem(404);
        };
        let etag = format!("\"{}\"", order.revision);
        if (call.header)("if-none-match").as_deref() == Some(&etag) {
            return Reply { status: 304, headers: vec![("etag", etag)], body: String::new() };
        }
        let mut total = if query.contains("asOfRevision=0") { order.created_total } else { order.total };
        total += u64::from(trouble == Trouble::WrongTotal);
        let stale = trouble == Trouble::Stale && query.contains("minPosition=");
        let body = format!(
            "{{\"id\":\"{id}\",\"orderId\":\"{id}\",\"totalPrice\":{}.{:02},\"paid\":{},\"submitted\":{},\"completed\":{}}}",
            total / 100,
            total % 100,
            order.paid && !stale,
            order.submitted,
            order.state == "completed",
        );
        Reply { status: 200, headers: vec![("etag", etag)], body }
    }

    fn search(&self, query: &str) -> Reply {
        if query.contains("page=-") {
            return problem(400);
        }
        let orders: Vec<_> = self.orders.keys().take(1).map(|id| json!({"id": id})).collect();
        reply(
            200,
            json!({
                "pagination": {"totalCount": orders.len(), "totalPages": 1, "page": 1, "size": 20, "hasMore": false},
                "orders": orders,
            }),
        )
    }
}

/// The total in cents of a valid cart; the prices' text is looked at, since a parsed number no longer
/// tells its decimals.
fn cart_total(body: &Value, text: &[u8]) -> Option<u64> {
    let items = body["shopItems"].as_array().filter(|items| !items.is_empty())?;
    let text = std::str::from_utf8(text).ok()?;
    let prices: Vec<u64> = text
        .split("\"price\":")
        .skip(1)
        .map(|rest| {
            let price = rest.split(['}', ',']).next()?;
            let (units, cents) = price.split_once('.')?;
            (cents.len() == 2).then(|| Some(units.parse::<u64>().ok()? * 100 + cents.parse::<u64>().ok()?))?
        })
        .collect::<Option<_>>()?;
    let mut total = 0;
    for (item, price) in items.iter().zip(prices) {
        let quantity = item["quantity"].as_u64().filter(|quantity| (1..=10_000).contains(quantity))?;
        let filled = |name: &str| item[name].as_str().is_some_and(|text| !text.is_empty());
        if !(filled("id") && filled("title") && filled("description")) {
            return None;
        }
        total += quantity * price;
    }
    Some(total)
}
