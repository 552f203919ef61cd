//! Turns an action of a customer into the request that the contract wants for it, together with what
//! must come back.
//!
//! The one place that knows routes, methods and request headers. Nothing is sent here.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, header};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    judge::{Expectation, OrderCheck},
    operation::Operation,
    payload::{Cancellation, Cents, NewAddress, NewOrder, Payment},
    planner::Action,
    scenario::Mistake,
    session::Session,
};

/// Orders a page of a search or a list has.
const PAGE_SIZE: usize = 20;

/// How long the service may hold a `minPosition` read.
const WAIT_MS_MAX: u32 = 2_000;

const JSON: &str = "application/json";

/// A request in the making: all but where it goes and the ids of the single attempt.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) operation: Operation,
    pub(crate) method: Method,
    /// Below the base path; with the query.
    pub(crate) path: String,
    pub(crate) body: Option<Bytes>,
    pub(crate) content_type: &'static str,
    pub(crate) key: Option<String>,
    pub(crate) if_match: Option<String>,
    pub(crate) if_none_match: Option<String>,
    pub(crate) expectation: Expectation,
}

impl Prepared {
    fn get(operation: Operation, path: String, expectation: Expectation) -> Self {
        Self {
            operation,
            method: Method::GET,
            path,
            body: None,
            content_type: JSON,
            key: None,
            if_match: None,
            if_none_match: None,
            expectation,
        }
    }

    fn send(operation: Operation, method: Method, path: String, body: Option<Bytes>, expectation: Expectation) -> Self {
        Self { method, body, ..Self::get(operation, path, expectation) }
    }

    /// The HTTP request of one attempt. `base` is `http://authority/base/path`.
    pub(crate) fn request(&self, base: &str, ids: &AttemptIds) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let mut builder = Request::builder()
            .method(self.method.clone())
            .uri(format!("{base}{}", self.path))
            .header(header::USER_AGENT, concat!("highbeam-load/", env!("CARGO_PKG_VERSION")))
            .header(header::ACCEPT, JSON)
            .header("traceparent", &*ids.traceparent)
            .header("x-request-id", &ids.request_id);
        if self.body.is_some() {
            builder = builder.header(header::CONTENT_TYPE, self.content_type);
        }
        for (name, value) in
            [("idempotency-key", &self.key), ("if-match", &self.if_match), ("if-none-match", &self.if_none_match)]
        {
            if let Some(value) = value {
                builder = builder.header(name, value);
            }
        }
        builder.body(Full::new(self.body.clone().unwrap_or_default()))
    }
}

/// The ids of one attempt: its place in the journey's trace, and a request id of its own.
#[derive(Debug, Clone)]
pub(crate) struct AttemptIds {
    traceparent: String,
    pub(crate) request_id: String,
}

impl AttemptIds {
    /// `traceparent` as W3C Trace Context has it.
    pub(crate) fn new(traceparent: String) -> Self {
        Self { traceparent, request_id: Uuid::new_v4().to_string() }
    }

    /// The trace's id, 32 hexadecimal digits.
    pub(crate) fn trace_id(&self) -> &str {
        self.traceparent.get(3..35).unwrap_or_default()
    }
}

/// What preparing needs besides the customer's knowledge.
pub(crate) struct Manner<'a> {
    /// Whether commands carry an `Idempotency-Key`.
    pub(crate) keyed: bool,
    /// Whether commands carry `If-Match`.
    pub(crate) guarded: bool,
    /// The wall clock, RFC 3339: the contract wants it from who pays.
    pub(crate) now: &'a dyn Fn() -> String,
}

/// The request of `action`; of [`Action::CreateTwice`], the first of both.
pub(crate) fn prepare(action: &Action, session: &Session, manner: &Manner<'_>) -> Result<Prepared, serde_json::Error> {
    let id = session.order_id.as_str();
    let command = |operation, method, path: &str, body| {
        let expectation = Expectation::Changed { id: id.to_owned() };
        let mut prepared = Prepared::send(operation, method, format!("/orders/{path}/{id}"), body, expectation);
        prepared.key = manner.keyed.then(new_key);
        prepared.if_match = session.etag.clone().filter(|_| manner.guarded);
        prepared
    };
    Ok(match action {
        Action::Create(order) => create(order, manner.keyed.then(new_key), Expectation::Created { same_as: None })?,
        Action::CreateTwice(order) => create(order, Some(new_key()), Expectation::CreatedOrRunning)?,
        Action::Repeat => repeat(session),
        Action::UpdateCart(cart) => command(Operation::Cart, Method::PUT, "cart", json(cart)?),
        Action::ChangeAddress(address) => {
            let body = json(&NewAddress { delivery_address: address })?;
            command(Operation::Address, Method::PUT, "address", body)
        }
        Action::Pay { payment_id } => {
            let body = payment(payment_id, manner)?;
            command(Operation::Pay, Method::PUT, "pay", body)
        }
        Action::Submit => command(Operation::Submit, Method::PUT, "submit", None),
        Action::Complete => command(Operation::Complete, Method::POST, "complete", None),
        Action::Cancel { reason } => {
            let body = json(&Cancellation { cancel_reason: reason })?;
            command(Operation::Cancel, Method::POST, "cancel", body)
        }
        Action::Invalid(mistake, order) => invalid(*mistake, order, session, manner)?,
        _ => read(action, session),
    })
}

fn read(action: &Action, session: &Session) -> Prepared {
    let id = session.order_id.as_str();
    let own = |check: OrderCheck| Expectation::Order { id: id.to_owned(), check };
    match action {
        Action::Search(phrase) => {
            let path = format!("/orders/search?search={}&page=1&size={PAGE_SIZE}", percent_encode(phrase));
            Prepared::get(Operation::Search, path, Expectation::Page { size: PAGE_SIZE })
        }
        Action::GetFresh => {
            let position = percent_encode(session.position.as_deref().unwrap_or_default());
            let path = format!("/orders/{id}?minPosition={position}&waitMs={WAIT_MS_MAX}");
            let check = OrderCheck::Fresh { progress: session.progress, total: session.total };
            Prepared::get(Operation::GetFresh, path, own(check))
        }
        Action::GetUnchanged => {
            let mut prepared = Prepared::get(Operation::Get, format!("/orders/{id}"), own(OrderCheck::MayBeUnchanged));
            prepared.if_none_match.clone_from(&session.etag);
            prepared
        }
        Action::GetAsCreated => {
            let revision = session.created_etag.as_deref().unwrap_or_default().trim_matches('"');
            let path = format!("/orders/{id}?asOfRevision={}", percent_encode(revision));
            let check = OrderCheck::AsCreated { total: session.created_total };
            Prepared::get(Operation::History, path, own(check))
        }
        Action::History => Prepared::get(Operation::History, format!("/orders/{id}/events"), Expectation::Json),
        Action::GetFound => match &session.found {
            Some(found) => {
                let expectation = Expectation::Order { id: found.clone(), check: OrderCheck::IdOnly };
                Prepared::get(Operation::Get, format!("/orders/{found}"), expectation)
            }
            None => Prepared::get(Operation::List, format!("/orders?limit={PAGE_SIZE}"), Expectation::Json),
        },
        // Every command is prepared by the caller: what is left is the plain read.
        _ => Prepared::get(Operation::Get, format!("/orders/{id}"), own(OrderCheck::AfterWrite)),
    }
}

fn create(order: &NewOrder, key: Option<String>, expectation: Expectation) -> Result<Prepared, serde_json::Error> {
    let mut prepared = Prepared::send(Operation::Create, Method::POST, "/orders".to_owned(), json(order)?, expectation);
    prepared.key = key;
    Ok(prepared)
}

/// The last command once more, to the byte.
fn repeat(session: &Session) -> Prepared {
    let Some(last) = &session.last_command else {
        return read(&Action::Get, session);
    };
    let mut again = last.clone();
    again.operation = Operation::Retry;
    if matches!(last.expectation, Expectation::Created { .. } | Expectation::CreatedOrRunning) {
        again.expectation = Expectation::Created { same_as: Some(session.order_id.clone()) };
    }
    again
}

fn invalid(
    mistake: Mistake,
    order: &NewOrder,
    session: &Session,
    manner: &Manner<'_>,
) -> Result<Prepared, serde_json::Error> {
    let refused = Expectation::Refused(mistake.status());
    let get = |path: String| Prepared::get(Operation::Invalid, path, refused.clone());
    let post = |body| Prepared::send(Operation::Invalid, Method::POST, "/orders".to_owned(), body, refused.clone());
    let put = |path, body| Prepared::send(Operation::Invalid, Method::PUT, path, body, refused.clone());
    let mut altered = order.clone();
    let id = session.order_id.as_str();
    Ok(match mistake {
        Mistake::MalformedJson => post(Some(Bytes::from_static(b"{\"shopItems\":["))),
        Mistake::BadId => get("/orders/not-a-uuid".to_owned()),
        Mistake::NegativePage => get("/orders/search?search=desk&page=-1".to_owned()),
        Mistake::UnknownOrder => get(format!("/orders/{}", Uuid::new_v4())),
        Mistake::UnknownRoute => get(format!("/orders/{}/invoice", Uuid::new_v4())),
        Mistake::WrongMethod => {
            let path = format!("/orders/{}", Uuid::new_v4());
            Prepared::send(Operation::Invalid, Method::DELETE, path, None, refused)
        }
        Mistake::WrongContentType => Prepared { content_type: "text/plain", ..post(json(order)?) },
        Mistake::NoItems => {
            altered.cart.shop_items.clear();
            post(json(&altered)?)
        }
        Mistake::BadEmail => {
            altered.account_email = altered.account_email.replace('@', " at ");
            post(json(&altered)?)
        }
        Mistake::QuantityZero => {
            altered.cart.shop_items.iter_mut().for_each(|item| item.quantity = 0);
            post(json(&altered)?)
        }
        Mistake::ThreeDecimals => {
            // Cents cannot express it, which is their purpose: one more digit is put in as text.
            let marker = Cents(u64::MAX);
            altered.cart.shop_items.iter_mut().for_each(|item| item.price = marker);
            let text = serde_json::to_string(&altered)?.replace(&marker.to_string(), "9.995");
            post(Some(Bytes::from(text)))
        }
        Mistake::SubmitUnpaid => put(format!("/orders/submit/{id}"), None),
        Mistake::StaleRevision => Prepared {
            if_match: Some("\"999999999\"".to_owned()),
            ..put(format!("/orders/pay/{id}"), payment("pay-too-late", manner)?)
        },
        Mistake::KeyReused => Prepared { key: session.create_key.clone(), ..post(json(order)?) },
    })
}

fn payment(payment_id: &str, manner: &Manner<'_>) -> Result<Option<Bytes>, serde_json::Error> {
    let timestamp = (manner.now)();
    json(&Payment { payment_id, timestamp: &timestamp })
}

fn json(value: &impl Serialize) -> Result<Option<Bytes>, serde_json::Error> {
    serde_json::to_vec(value).map(|text| Some(Bytes::from(text)))
}

/// Unique beyond this run: the service keeps keys for a day.
fn new_key() -> String {
    Uuid::new_v4().to_string()
}

/// RFC 3986, section 2.1: all but the unreserved characters.
fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
