//! Commands: `POST /orders` and everything that changes an order.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{OriginalUri, State as Extract};
use axum::http::header::{ETAG, LOCATION};
use axum::http::{HeaderMap, Request, StatusCode};
use delivery::commands::{Command, Context};
use delivery::models::{AccountEmail, CancelReason, DeliveryAddress, OrderId, Violations};
use delivery::services::{self, Receipt};
use eventsourcing::Revision;
use telemetry::names::attribute;
use telemetry::tracer::Span;
use telemetry::{record, scope};

use super::orders;
use crate::answer::{Answer, X_POSITION};
use crate::conditional::{Tags, etag, if_match};
use crate::context::RequestContext;
use crate::dto::{AddressBody, CancelBody, CartBody, CreateBody, PayBody, cart};
use crate::error::{Error, Kind};
use crate::idempotency::{self, Claim};
use crate::parameters::{IdempotencyHeader, PreconditionHeader, Segments, order_id};
use crate::{Orders, State, body};

type Outcome = Result<Answer, Error>;

/// Place an order
#[utoipa::path(
    post, path = "/orders", tag = "commands", operation_id = "createOrder",
    params(IdempotencyHeader),
    request_body(content = inline(CreateBody<'static>), content_type = "application/json"),
    responses((status = 201, description = "The order's id", body = String, content_type = "application/json", headers(
        ("Location" = String, description = "Where the order is"),
        ("ETag" = String, description = "Its revision"),
        ("X-Position" = String, description = "For `minPosition` of reads")))),
)]
pub(crate) async fn create(Extract(state): Extract<Arc<State>>, request: Request<Body>) -> Outcome {
    run(&state, None, request, HasBody::Yes, |bytes| {
        let body: CreateBody<'_> = body::parse(bytes)?;
        let mut violations = Violations::default();
        let cart = violations.collect(cart(body.shop_items));
        let account_email = violations.collect(AccountEmail::new(body.account_email));
        let delivery_address = violations.collect(DeliveryAddress::new(body.delivery_address));
        match (cart, account_email, delivery_address) {
            (Some(cart), Some(account_email), Some(delivery_address)) => {
                Ok(Command::Create { cart, account_email, delivery_address })
            }
            _ => Err(violations.into()),
        }
    })
    .await
}

/// Record an order's payment
#[utoipa::path(
    put, path = "/orders/pay/{id}", tag = "commands", operation_id = "payOrder",
    params(("id" = uuid::Uuid, Path, description = "The order"),
        IdempotencyHeader, PreconditionHeader),
    request_body(content = PayBody, content_type = "application/json"),
    responses((status = 200, description = "The order's id", body = String, content_type = "application/json")),
)]
pub(crate) async fn pay(
    Extract(state): Extract<Arc<State>>,
    Segments(id): Segments<String>,
    request: Request<Body>,
) -> Outcome {
    run(&state, Some(id), request, HasBody::Yes, |bytes| {
        let body: PayBody = body::parse(bytes)?;
        Ok(Command::Pay(body.payment()?))
    })
    .await
}

/// Hand an order to delivery
#[utoipa::path(
    put, path = "/orders/submit/{id}", tag = "commands", operation_id = "submitOrder",
    params(("id" = uuid::Uuid, Path, description = "The order"),
        IdempotencyHeader, PreconditionHeader),
    responses((status = 200, description = "The order's id", body = String, content_type = "application/json")),
)]
pub(crate) async fn submit(
    Extract(state): Extract<Arc<State>>,
    Segments(id): Segments<String>,
    request: Request<Body>,
) -> Outcome {
    run(&state, Some(id), request, HasBody::No, |_| Ok(Command::Submit)).await
}

/// Replace what an order orders
#[utoipa::path(
    put, path = "/orders/cart/{id}", tag = "commands", operation_id = "updateCart",
    params(("id" = uuid::Uuid, Path, description = "The order"),
        IdempotencyHeader, PreconditionHeader),
    request_body(content = inline(CartBody<'static>), content_type = "application/json"),
    responses((status = 200, description = "The order's id", body = String, content_type = "application/json")),
)]
pub(crate) async fn update_cart(
    Extract(state): Extract<Arc<State>>,
    Segments(id): Segments<String>,
    request: Request<Body>,
) -> Outcome {
    run(&state, Some(id), request, HasBody::Yes, |bytes| {
        let body: CartBody<'_> = body::parse(bytes)?;
        Ok(Command::UpdateCart(cart(body.shop_items)?))
    })
    .await
}

/// Call an order off
#[utoipa::path(
    post, path = "/orders/cancel/{id}", tag = "commands", operation_id = "cancelOrder",
    params(("id" = uuid::Uuid, Path, description = "The order"),
        IdempotencyHeader, PreconditionHeader),
    request_body(content = CancelBody, content_type = "application/json"),
    responses((status = 200, description = "The order's id", body = String, content_type = "application/json")),
)]
pub(crate) async fn cancel(
    Extract(state): Extract<Arc<State>>,
    Segments(id): Segments<String>,
    request: Request<Body>,
) -> Outcome {
    run(&state, Some(id), request, HasBody::Yes, |bytes| {
        let body: CancelBody = body::parse(bytes)?;
        Ok(Command::Cancel(CancelReason::new(body.cancel_reason)?))
    })
    .await
}

/// Record an order's delivery
#[utoipa::path(
    post, path = "/orders/complete/{id}", tag = "commands", operation_id = "completeOrder",
    params(("id" = uuid::Uuid, Path, description = "The order"),
        IdempotencyHeader, PreconditionHeader),
    responses((status = 200, description = "The order's id", body = String, content_type = "application/json")),
)]
pub(crate) async fn complete(
    Extract(state): Extract<Arc<State>>,
    Segments(id): Segments<String>,
    request: Request<Body>,
) -> Outcome {
    let now = state.clock.now();
    run(&state, Some(id), request, HasBody::No, |_| Ok(Command::Complete(now))).await
}

/// Send an order elsewhere
#[utoipa::path(
    put, path = "/orders/address/{id}", tag = "commands", operation_id = "changeAddress",
    params(("id" = uuid::Uuid, Path, description = "The order"),
        IdempotencyHeader, PreconditionHeader),
    request_body(content = AddressBody, content_type = "application/json"),
    responses((status = 200, description = "The order's id", body = String, content_type = "application/json")),
)]
pub(crate) async fn change_address(
    Extract(state): Extract<Arc<State>>,
    Segments(id): Segments<String>,
    request: Request<Body>,
) -> Outcome {
    run(&state, Some(id), request, HasBody::Yes, |bytes| {
        let body: AddressBody = body::parse(bytes)?;
        Ok(Command::ChangeAddress(DeliveryAddress::new(body.delivery_address)?))
    })
    .await
}

/// Whether the content of the body counts.
#[derive(PartialEq, Eq)]
enum HasBody {
    Yes,
    No,
}

/// What all commands have in common. `id` is absent for a new order, which gets its command's id.
async fn run(
    state: &State,
    id: Option<String>,
    request: Request<Body>,
    has_body: HasBody,
    command: impl FnOnce(&[u8]) -> Result<Command, Error>,
) -> Outcome {
    let orders = orders(state)?;
    let id = id.map(|id| order_id(&id)).transpose()?;
    let (parts, raw_body) = request.into_parts();
    let context = parts.extensions.get::<RequestContext>().cloned();
    let context =
        context.ok_or_else(|| Error::new(Kind::Internal, "the failure has been logged under the trace id"))?;
    // Of the whole path: that of a nested route begins behind BASE_PATH.
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
    let (headers, method, path) = (parts.headers.clone(), parts.method.clone(), uri.path().to_owned());
    let request = Request::from_parts(parts, raw_body);
    let limit = state.config.body_limit;
    let bytes = match has_body {
        HasBody::Yes => body::read(request, limit).await?,
        HasBody::No => body::read_any(request, limit).await?,
    };
    let identity = idempotency::Request { method: method.as_str(), path: &path, headers: &headers, body: &bytes };
    idempotency::run(state, orders, &identity, &context, async |claim| {
        let command = command(&bytes)?;
        let order = id.unwrap_or(OrderId(claim.command_id));
        let if_match = match id {
            Some(id) => expected_revision(orders, id, &headers).await?,
            None => None,
        };
        let receipt =
            execute(state, orders, order, &command, &context, command_context(&context, claim, if_match)).await?;
        let status = if id.is_none() { StatusCode::CREATED } else { StatusCode::OK };
        answer(state, status, &receipt)
    })
    .await
}

async fn execute(
    state: &State,
    orders: &Orders,
    id: OrderId,
    command: &Command,
    request: &RequestContext,
    context: Context,
) -> Result<Receipt, Error> {
    let span = state.tracer.child(record::Kind::Internal, &request.trace);
    // Events name this span as what led to them: the append is one of its parts, and may be tried twice.
    let context = Context { traceparent: Some(span.context().to_traceparent()), ..context };
    let done = scope::within(Some(span.scope()), orders.commands.execute(id, command, &context)).await;
    let outcome = match &done {
        Ok(Receipt { replayed: true, .. }) => "replayed",
        Ok(_) => "ok",
        Err(services::Error::Rejected(_) | services::Error::PreconditionFailed { .. }) => "rejected",
        Err(services::Error::Conflict { .. }) => "conflict",
        Err(_) => "failed",
    };
    state.metrics.delivery.command(command.name(), outcome);
    finish(span, id, command, outcome);
    let receipt = done?;
    if !receipt.replayed {
        state.metrics.delivery.event(command.leads_to());
    }
    orders.recent.remember(receipt.id, receipt.revision);
    Ok(receipt)
}

/// A refusal is an answer; giving up and failing are not what anybody wanted.
fn finish(mut span: Span, id: OrderId, command: &Command, outcome: &'static str) {
    let failure = matches!(outcome, "conflict" | "failed").then_some(outcome);
    if let Some(failure) = failure {
        span.fail(failure);
    }
    span.finish(|attributes| {
        attributes.push((attribute::ORDER_ID, id.to_string().into()));
        attributes.push((attribute::COMMAND, command.name().into()));
        attributes.push((attribute::OUTCOME, outcome.into()));
        attributes.extend(failure.map(|failure| (attribute::ERROR_TYPE, failure.into())));
        format!("order {}", command.name())
    });
}

fn command_context(context: &RequestContext, claim: Claim, if_match: Option<Revision>) -> Context {
    Context {
        command_id: claim.command_id,
        may_be_retry: claim.may_be_retry,
        if_match,
        traceparent: None,
        tracestate: context.tracestate.clone(),
        correlation_id: Some(context.request_id.clone()),
        idempotency_key: claim.key,
    }
}

/// The revision that `If-Match` demands. Of several, the one that the order is at now.
async fn expected_revision(orders: &Orders, id: OrderId, headers: &HeaderMap) -> Result<Option<Revision>, Error> {
    let revisions = match if_match(headers)? {
        Tags::Absent | Tags::Any => return Ok(None),
        Tags::These(revisions) => revisions,
    };
    if let [revision] = revisions[..] {
        return Ok(Some(revision));
    }
    let current = orders.queries.get_as_of(id, Revision(u64::MAX)).await?.ok_or_else(super::no_such_order)?.revision;
    if revisions.contains(&current) {
        return Ok(Some(current));
    }
    Err(Error::new(
        Kind::PreconditionFailed,
        format!("the order is at revision {current}, which If-Match does not name"),
    ))
}

fn answer(state: &State, status: StatusCode, receipt: &Receipt) -> Outcome {
    let id = receipt.id.to_string();
    let mut answer =
        Answer::json(status, &id)?.with(ETAG, etag(receipt.revision)).with(X_POSITION, receipt.position.to_string());
    if status == StatusCode::CREATED {
        answer = answer.with(LOCATION, format!("{}/orders/{id}", state.config.base_path));
    }
    Ok(answer)
}
