//! `/admin`: looking after projections and telemetry. For loopback, or for whoever holds the token.

mod access;
mod body;
mod telemetry;

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::State as Extract;
use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use delivery::repository::{Generation, GenerationStatus, ParkedEvent};
use eventsourcing::Position;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::State;
use crate::answer::Answer;
use crate::error::{Error, Kind};
use crate::parameters::{Parameters, Segments};
use body::{DoneAnswer, GenerationAnswer, ParkedAnswer, ParkedList, StatusList, status_answer};

/// Everything there is to know about a projection.
#[derive(Debug, Clone)]
pub struct ProjectionStatus {
    /// Its name in routes.
    pub name: &'static str,
    /// `running`, `backing_off` or `stopped`.
    pub state: &'static str,
    /// The last failure, until the next success.
    pub last_error: Option<String>,
    /// Restarts since the process started.
    pub restarts: u64,
    /// The store's last position.
    pub head: Position,
    /// Positions that the live generation is behind.
    pub lag_events: u64,
    /// The age of the oldest event that is not projected, in seconds.
    pub lag_seconds: f64,
    /// Its generations.
    pub generations: Vec<GenerationStatus>,
}

/// Why something about a projection cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// There is no such projection, or no such parked event.
    #[error("{0}")]
    NotFound(String),
    /// Not in this state.
    #[error("{0}")]
    State(String),
    /// A part that it needs failed.
    #[error("the projection's engines failed")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The projections of this process.
#[async_trait]
pub trait Projections: Send + Sync {
    /// All of them.
    async fn status(&self) -> Result<Vec<ProjectionStatus>, ControlError>;
    /// Begins a rebuild; with `promote`, it becomes live by itself.
    async fn rebuild(&self, name: &str, promote: bool) -> Result<Generation, ControlError>;
    /// Makes the rebuild live.
    async fn promote(&self, name: &str) -> Result<Generation, ControlError>;
    /// Gives the rebuild up.
    async fn discard(&self, name: &str) -> Result<Generation, ControlError>;
    /// The parked events of the live generation, by position.
    async fn parked(&self, name: &str, max: usize) -> Result<Vec<ParkedEvent>, ControlError>;
    /// Applies a parked event again; how many were applied.
    async fn replay(&self, name: &str, position: Position) -> Result<usize, ControlError>;
    /// Goes on without a parked event; how many are no longer parked.
    async fn skip(&self, name: &str, position: Position) -> Result<usize, ControlError>;
}

impl From<ControlError> for Error {
    fn from(error: ControlError) -> Self {
        match &error {
            ControlError::NotFound(detail) => Self::new(Kind::NotFound, detail.clone()),
            ControlError::State(detail) => Self::new(Kind::ProjectionState, detail.clone()),
            ControlError::Unavailable(_) => Self::caused(Kind::Unavailable, &error),
        }
    }
}

pub(crate) fn routes(state: &Arc<State>) -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(rebuild))
        .routes(routes!(promote))
        .routes(routes!(discard))
        .routes(routes!(parked))
        .routes(routes!(replay))
        .routes(routes!(skip))
        .routes(routes!(telemetry::get))
        .routes(routes!(telemetry::change))
        .route_layer(from_fn_with_state(Arc::clone(state), access::check))
}

/// The projections of this process
#[utoipa::path(get, path = "/admin/projections", tag = "operations", operation_id = "listProjections",
    responses((status = 200, description = "All of them", body = StatusList)))]
async fn list(Extract(state): Extract<Arc<State>>) -> Result<Answer, Error> {
    let projections = state.projections.status().await?.into_iter().map(status_answer).collect();
    Answer::json(StatusCode::OK, &StatusList { projections })
}

/// Build a new generation beside the live one
#[utoipa::path(post, path = "/admin/projections/{name}/rebuild", tag = "operations", operation_id = "rebuildProjection",
    params(("name" = String, Path, description = "orders or search"),
        ("promote" = Option<String>, Query, description = "auto (unless said) or manual", pattern = "^(auto|manual)$")),
    responses((status = 202, description = "It has begun", body = GenerationAnswer)))]
async fn rebuild(
    Extract(state): Extract<Arc<State>>,
    Segments(name): Segments<String>,
    uri: Uri,
) -> Result<Answer, Error> {
    let promote = match Parameters::read(&uri)?.get("promote") {
        None | Some("auto") => true,
        Some("manual") => false,
        Some(_) => return Err(Error::parameter("promote", "auto or manual")),
    };
    let generation = state.projections.rebuild(&name, promote).await?;
    Answer::json(StatusCode::ACCEPTED, &GenerationAnswer { generation: generation.0 })
}

/// Make the rebuilt generation the live one
#[utoipa::path(post, path = "/admin/projections/{name}/promote", tag = "operations", operation_id = "promoteProjection",
    params(("name" = String, Path, description = "orders or search")),
    responses((status = 200, description = "It is live", body = GenerationAnswer)))]
async fn promote(Extract(state): Extract<Arc<State>>, Segments(name): Segments<String>) -> Result<Answer, Error> {
    let generation = state.projections.promote(&name).await?;
    Answer::json(StatusCode::OK, &GenerationAnswer { generation: generation.0 })
}

/// Give a rebuild up
#[utoipa::path(post, path = "/admin/projections/{name}/discard", tag = "operations", operation_id = "discardProjection",
    params(("name" = String, Path, description = "orders or search")),
    responses((status = 200, description = "It is gone", body = GenerationAnswer)))]
async fn discard(Extract(state): Extract<Arc<State>>, Segments(name): Segments<String>) -> Result<Answer, Error> {
    let generation = state.projections.discard(&name).await?;
    Answer::json(StatusCode::OK, &GenerationAnswer { generation: generation.0 })
}

/// The events that could not be applied
#[utoipa::path(get, path = "/admin/projections/{name}/parked", tag = "operations", operation_id = "listParked",
    params(("name" = String, Path, description = "orders or search"),
        ("limit" = Option<u64>, Query, description = "Events at most; 100 unless said", minimum = 1, maximum = 1_000)),
    responses((status = 200, description = "By position; never with their payload", body = ParkedList)))]
async fn parked(
    Extract(state): Extract<Arc<State>>,
    Segments(name): Segments<String>,
    uri: Uri,
) -> Result<Answer, Error> {
    let limit = Parameters::read(&uri)?.number("limit", 1..=1_000)?.unwrap_or(100);
    let parked = state.projections.parked(&name, usize::try_from(limit).unwrap_or(100)).await?;
    Answer::json(StatusCode::OK, &ParkedList { parked: parked.iter().map(ParkedAnswer::new).collect() })
}

/// Apply a parked event again, and those of its order that wait behind it
#[utoipa::path(post, path = "/admin/projections/{name}/parked/{position}/replay", tag = "operations", operation_id = "replayParked",
    params(("name" = String, Path, description = "orders or search"), ("position" = u64, Path, description = "The event", maximum = 9_223_372_036_854_775_807_i64)),
    responses((status = 200, description = "It went well", body = DoneAnswer)))]
async fn replay(
    Extract(state): Extract<Arc<State>>,
    Segments((name, position)): Segments<(String, String)>,
) -> Result<Answer, Error> {
    let events = state.projections.replay(&name, parse_position(&position)?).await?;
    Answer::json(StatusCode::OK, &DoneAnswer { events })
}

/// Go on without a parked event
#[utoipa::path(post, path = "/admin/projections/{name}/parked/{position}/skip", tag = "operations", operation_id = "skipParked",
    params(("name" = String, Path, description = "orders or search"), ("position" = u64, Path, description = "The event", maximum = 9_223_372_036_854_775_807_i64)),
    responses((status = 200, description = "It went well", body = DoneAnswer)))]
async fn skip(
    Extract(state): Extract<Arc<State>>,
    Segments((name, position)): Segments<(String, String)>,
) -> Result<Answer, Error> {
    let events = state.projections.skip(&name, parse_position(&position)?).await?;
    Answer::json(StatusCode::OK, &DoneAnswer { events })
}

fn parse_position(text: &str) -> Result<Position, Error> {
    let position = text.parse().ok().filter(|position| *position <= i64::MAX as u64);
    position.map(Position).ok_or_else(|| Error::parameter("position", "a whole number such as 42"))
}
