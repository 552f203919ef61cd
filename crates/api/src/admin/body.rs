//! The bodies of the admin routes. Of parked events never the payload: it is personal data.

use delivery::repository::{GenerationState, ParkedEvent};
use serde::Serialize;
use utoipa::ToSchema;

use super::ProjectionStatus;

/// Projections
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StatusList {
    pub(super) projections: Vec<StatusAnswer>,
}

/// A projection
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusAnswer {
    name: &'static str,
    /// running, backing_off or stopped
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_error: Option<String>,
    restarts: u64,
    /// The store's last position
    head: u64,
    lag_events: u64,
    lag_seconds: f64,
    generations: Vec<GenerationStatusAnswer>,
}

/// A generation of a projection
#[derive(Debug, Serialize, ToSchema)]
struct GenerationStatusAnswer {
    generation: u32,
    /// live or building
    state: &'static str,
    checkpoint: u64,
    orders: u64,
    parked: u64,
}

pub(super) fn status_answer(status: ProjectionStatus) -> StatusAnswer {
    let generations = status.generations.into_iter().map(|generation| GenerationStatusAnswer {
        generation: generation.generation.0,
        state: match generation.state {
            GenerationState::Live => "live",
            GenerationState::Building => "building",
        },
        checkpoint: generation.checkpoint.0,
        orders: generation.orders,
        parked: generation.parked,
    });
    StatusAnswer {
        name: status.name,
        state: status.state,
        last_error: status.last_error,
        restarts: status.restarts,
        head: status.head.0,
        lag_events: status.lag_events,
        lag_seconds: status.lag_seconds,
        generations: generations.collect(),
    }
}

/// Which generation
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GenerationAnswer {
    pub(super) generation: u32,
}

/// How many events
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DoneAnswer {
    pub(super) events: usize,
}

/// Parked events
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ParkedList {
    pub(super) parked: Vec<ParkedAnswer>,
}

/// A parked event
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ParkedAnswer {
    position: u64,
    stream: String,
    revision: u64,
    r#type: String,
    #[schema(format = Uuid)]
    id: String,
    error: String,
    attempts: u32,
    #[schema(format = DateTime)]
    parked_at: String,
}

impl ParkedAnswer {
    pub(super) fn new(parked: &ParkedEvent) -> Self {
        Self {
            position: parked.event.position.0,
            stream: parked.event.stream.to_string(),
            revision: parked.event.revision.0,
            r#type: parked.event.event_type.to_string(),
            id: parked.event.id.0.to_string(),
            error: parked.error.clone(),
            attempts: parked.attempts,
            parked_at: parked.parked_at.to_string(),
        }
    }
}
