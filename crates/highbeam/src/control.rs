//! The admin routes' view of the projectors: finds them by name and puts their errors into its words.

use api::admin::{ControlError, ProjectionStatus, Projections};
use async_trait::async_trait;
use delivery::repository::{Generation, ParkedEvent};
use eventsourcing::Position;
use projector::{Error, Projector, RunState};

/// The projections of this process.
pub(crate) struct Control(Vec<Projector>);

impl Control {
    /// Over these; none is fine.
    #[must_use]
    pub(crate) fn new(projectors: Vec<Projector>) -> Self {
        Self(projectors)
    }

    fn find(&self, name: &str) -> Result<&Projector, ControlError> {
        self.0.iter().find(|projector| projector.name() == name).ok_or_else(|| {
            let names: Vec<_> = self.0.iter().map(Projector::name).collect();
            let known =
                if names.is_empty() { "it runs none".to_owned() } else { format!("it runs {}", names.join(" and ")) };
            ControlError::NotFound(format!("this process runs no projection of this name; {known}"))
        })
    }
}

fn failed(error: Error) -> ControlError {
    match error {
        Error::NotParked(_) => ControlError::NotFound(error.to_string()),
        Error::Blocked(_) | Error::RebuildRunning | Error::NoRebuild | Error::NotCaughtUp { .. } => {
            ControlError::State(error.to_string())
        }
        Error::Store(_) | Error::Target(_) | Error::Stopped => ControlError::Unavailable(Box::new(error)),
    }
}

/// The word for a state in answers.
const fn word(state: RunState) -> &'static str {
    match state {
        RunState::Running => "running",
        RunState::BackingOff => "backing_off",
        RunState::Stopped => "stopped",
    }
}

#[async_trait]
impl Projections for Control {
    async fn status(&self) -> Result<Vec<ProjectionStatus>, ControlError> {
        let mut list = Vec::with_capacity(self.0.len());
        for projector in &self.0 {
            let status = projector.status().await.map_err(failed)?;
            list.push(ProjectionStatus {
                name: status.name,
                state: word(status.health.state),
                last_error: status.health.last_error,
                restarts: status.health.restarts,
                head: status.head,
                lag_events: status.lag.events,
                lag_seconds: status.lag.seconds,
                generations: status.generations,
            });
        }
        Ok(list)
    }

    async fn rebuild(&self, name: &str, promote: bool) -> Result<Generation, ControlError> {
        self.find(name)?.rebuild(promote).await.map_err(failed)
    }

    async fn promote(&self, name: &str) -> Result<Generation, ControlError> {
        self.find(name)?.promote().await.map_err(failed)
    }

    async fn discard(&self, name: &str) -> Result<Generation, ControlError> {
        self.find(name)?.discard().await.map_err(failed)
    }

    async fn parked(&self, name: &str, max: usize) -> Result<Vec<ParkedEvent>, ControlError> {
        self.find(name)?.parked(max).await.map_err(failed)
    }

    async fn replay(&self, name: &str, position: Position) -> Result<usize, ControlError> {
        self.find(name)?.replay(position).await.map_err(failed)
    }

    async fn skip(&self, name: &str, position: Position) -> Result<usize, ControlError> {
        self.find(name)?.skip(position).await.map_err(failed)
    }
}
