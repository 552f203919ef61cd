//! The description of the API: routes and bodies come from the handlers, problems from the table in
//! `error`. What a route can answer is declared here, and held against what it answers in the tests.

use std::sync::Arc;

use axum::Router;
use utoipa::OpenApi as _;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{ContentBuilder, ObjectBuilder, OpenApi, PathItem, Ref, RefOr, Schema, Type};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::dto::{FieldProblem, Problem};
use crate::error::Kind;
use crate::handlers::{commands, history, queries};
use crate::{State, admin, health, metrics};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "highbeam order delivery", description = "Orders from the cart to the door, event-sourced and observable."),
    components(schemas(Problem, FieldProblem)),
    tags(
        (name = "commands", description = "Change orders"),
        (name = "queries", description = "Read orders"),
        (name = "operations", description = "Look after the process")
    )
)]
struct Description;

/// All routes with their description.
pub(crate) fn routes(state: &Arc<State>) -> (Router<Arc<State>>, OpenApi) {
    let mut router = OpenApiRouter::with_openapi(Description::openapi());
    if state.orders.is_some() {
        let orders = OpenApiRouter::new()
            .routes(routes!(commands::create, queries::list))
            .routes(routes!(queries::search))
            .routes(routes!(commands::pay))
            .routes(routes!(commands::submit))
            .routes(routes!(commands::update_cart))
            .routes(routes!(commands::cancel))
            .routes(routes!(commands::complete))
            .routes(routes!(commands::change_address))
            .routes(routes!(queries::get))
            .routes(routes!(history::events))
            .routes(routes!(history::watch));
        router = match state.config.base_path.as_str() {
            "" => router.merge(orders),
            base_path => router.nest(base_path, orders),
        };
    }
    let operations = health::routes().merge(metrics::routes()).merge(admin::routes(state));
    let (router, mut description) = router.merge(operations).split_for_parts();
    env!("CARGO_PKG_VERSION").clone_into(&mut description.info.version);
    declare_problems(&mut description);
    deny_null(&mut description);
    (router, description)
}

/// The description itself and the page that shows it.
pub(crate) fn swagger(description: OpenApi) -> Router<Arc<State>> {
    Router::from(SwaggerUi::new("/swagger").url("/openapi.json", description))
}

/// The problems that an operation can answer, by its id.
#[must_use]
pub fn problems(operation: &str) -> Vec<Kind> {
    const ANY: [Kind; 3] = [Kind::RateLimited, Kind::Internal, Kind::DeadlineExceeded];
    const KEYED: [Kind; 4] = [Kind::KeyInUse, Kind::KeyReused, Kind::InvalidParameter, Kind::BodyTooLarge];
    const BODY: [Kind; 3] = [Kind::MalformedJson, Kind::UnsupportedMediaType, Kind::Validation];
    const CHANGE: [Kind; 5] = [
        Kind::NotFound,
        Kind::IllegalTransition,
        Kind::AlreadyApplied,
        Kind::ConcurrentChange,
        Kind::PreconditionFailed,
    ];
    const READ: [Kind; 2] = [Kind::InvalidParameter, Kind::Unavailable];
    const CONTROL: [Kind; 5] =
        [Kind::Unauthorized, Kind::Forbidden, Kind::NotFound, Kind::InvalidParameter, Kind::Unavailable];
    let own: Vec<&[Kind]> = match operation {
        "createOrder" => vec![&KEYED, &BODY, &[Kind::AlreadyExists, Kind::ConcurrentChange, Kind::Unavailable]],
        "submitOrder" | "completeOrder" => vec![&KEYED, &CHANGE, &[Kind::MalformedJson, Kind::Unavailable]],
        "payOrder" | "updateCart" | "cancelOrder" | "changeAddress" => {
            vec![&KEYED, &BODY, &CHANGE, &[Kind::Unavailable]]
        }
        "getOrder" => vec![&READ, &[Kind::NotFound, Kind::PositionNotReached]],
        "listOrders" | "searchOrders" => vec![&READ, &[Kind::PositionNotReached]],
        "getOrderEvents" | "watchOrder" => vec![&READ, &[Kind::NotFound]],
        "rebuildProjection" | "promoteProjection" | "discardProjection" | "replayParked" | "skipParked" => {
            vec![&CONTROL, &[Kind::ProjectionState]]
        }
        "listProjections" | "listParked" => vec![&CONTROL],
        "getTelemetry" => vec![&[Kind::Unauthorized, Kind::Forbidden]],
        "changeTelemetry" => vec![&BODY, &[Kind::Unauthorized, Kind::Forbidden, Kind::BodyTooLarge]],
        // Liveness, readiness and metrics are outside of the limit on requests.
        _ => return vec![Kind::Internal, Kind::DeadlineExceeded],
    };
    own.into_iter().flatten().copied().chain(ANY).collect()
}

fn declare_problems(description: &mut OpenApi) {
    for item in description.paths.paths.values_mut() {
        for operation in operations(item) {
            let kinds = problems(operation.operation_id.as_deref().unwrap_or_default());
            for kind in &kinds {
                let status = kind.status().as_str().to_owned();
                let same: Vec<_> = kinds.iter().filter(|other| other.status() == kind.status()).copied().collect();
                operation.responses.responses.entry(status).or_insert_with(|| RefOr::T(problem(&same).into()));
            }
        }
    }
}

/// Parameters that may be left out are described as nullable, since they are options here. But there is
/// no way to write null in a query or a header.
fn deny_null(description: &mut OpenApi) {
    let parameters = description.paths.paths.values_mut().flat_map(operations).filter_map(|it| it.parameters.as_mut());
    for parameter in parameters.flatten() {
        if let RefOr::T(parameter) = parameter
            && let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema
            && let SchemaType::Array(types) = &mut schema.schema_type
        {
            types.retain(|r#type| *r#type != Type::Null);
            if let [only] = types.as_slice() {
                schema.schema_type = SchemaType::Type(only.clone());
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let item = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
    item.into_iter().filter_map(Option::as_mut)
}

/// One status, and all the problems that share it.
fn problem(kinds: &[Kind]) -> ResponseBuilder {
    let description: Vec<_> = kinds.iter().map(|kind| format!("`{}`: {}", kind.uri(), kind.title())).collect();
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let mut response =
        ResponseBuilder::new().description(description.join("; ")).content("application/problem+json", content);
    if kinds.iter().any(|kind| kind.retry_after().is_some()) {
        let seconds = HeaderBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(Type::Integer)))
            .description(Some("Seconds after which trying again makes sense"));
        response = response.header("Retry-After", seconds.build());
    }
    response
}
