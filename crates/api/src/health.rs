//! Whether the process lives, and whether it can serve: `/livez` and `/readyz`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use futures_util::future::join_all;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::State;
use crate::answer::Answer;
use crate::error::Error;

/// How long a part may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long an answer holds, so that many askers cost as much as one.
const HOLDS: Duration = Duration::from_millis(250);

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It works.
    Up,
    /// It works, but somebody should look.
    Degraded,
    /// It does not work.
    Down,
}

/// What a part says about itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// How it is.
    pub status: Level,
    /// Why, in words that may be shown to anybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
    /// Of a projection: how many positions it is behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub lag_events: Option<u64>,
    /// Of a projection: the age in seconds of the oldest event that it has not applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub lag_seconds: Option<f64>,
    /// Of a projection: events set aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parked_events: Option<u64>,
}

impl Health {
    /// A level and nothing more to say.
    #[must_use]
    pub const fn plain(status: Level) -> Self {
        Self { status, detail: None, lag_events: None, lag_seconds: None, parked_events: None }
    }

    /// A level with its reason.
    #[must_use]
    pub fn because(status: Level, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::plain(status) }
    }
}

/// A part that readiness depends on.
#[async_trait]
pub trait Probe: Send + Sync {
    /// What the part is called.
    fn name(&self) -> &'static str;

    /// Asks it how it is.
    async fn check(&self) -> Health;
}

/// When all parts were asked, and what each said.
type Asked = (Instant, Vec<(&'static str, Health)>);

/// All parts, and their last answer.
#[derive(Default)]
pub struct Readiness {
    probes: Vec<Arc<dyn Probe>>,
    last: Mutex<Option<Asked>>,
}

impl Readiness {
    /// Depends on these.
    #[must_use]
    pub fn new(probes: Vec<Arc<dyn Probe>>) -> Self {
        Self { probes, last: Mutex::default() }
    }

    /// Asks every part at once; an answer holds for a moment.
    pub async fn check(&self) -> Vec<(&'static str, Health)> {
        let mut last = self.last.lock().await;
        if let Some((_, parts)) = last.as_ref().filter(|(at, _)| at.elapsed() < HOLDS) {
            return parts.clone();
        }
        let ask = |probe: &Arc<dyn Probe>| {
            let probe = Arc::clone(probe);
            async move {
                let health = timeout(PATIENCE, probe.check()).await;
                (probe.name(), health.unwrap_or_else(|_| Health::because(Level::Down, "no answer within 1 s")))
            }
        };
        let parts = join_all(self.probes.iter().map(ask)).await;
        *last = Some((Instant::now(), parts.clone()));
        parts
    }

    /// Whether every part works well enough to serve.
    pub async fn is_ready(&self) -> bool {
        self.check().await.iter().all(|(_, health)| health.status != Level::Down)
    }
}

/// Whether the process can serve
#[derive(Debug, Serialize, ToSchema)]
struct ReadyAnswer {
    status: Level,
    checks: Vec<PartAnswer>,
}

/// A part
#[derive(Debug, Serialize, ToSchema)]
struct PartAnswer {
    name: &'static str,
    #[serde(flatten)]
    health: Health,
}

pub(crate) fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new().routes(routes!(livez)).routes(routes!(readyz))
}

/// Whether the process lives
#[utoipa::path(get, path = "/livez", tag = "operations", operation_id = "live",
    responses((status = 200, description = "It does", body = String, content_type = "text/plain")))]
async fn livez() -> &'static str {
    "live\n"
}

/// Whether the process can serve, part by part
#[utoipa::path(get, path = "/readyz", tag = "operations", operation_id = "ready",
    responses(
        (status = 200, description = "It can; degraded parts work, but somebody should look", body = ReadyAnswer),
        (status = 503, description = "A part is down", body = ReadyAnswer)))]
async fn readyz(Extract(state): Extract<Arc<State>>) -> Result<Answer, Error> {
    let parts = state.readiness.check().await;
    let is_draining = state.drain.has_begun();
    let any = |level| parts.iter().any(|(_, health)| health.status == level);
    let status = match () {
        () if is_draining || any(Level::Down) => Level::Down,
        () if any(Level::Degraded) => Level::Degraded,
        () => Level::Up,
    };
    let code = if status == Level::Down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let checks = parts.into_iter().map(|(name, health)| PartAnswer { name, health }).collect();
    Answer::json(code, &ReadyAnswer { status, checks })
}
