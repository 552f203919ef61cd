//! What rules say of themselves, as it was after they were last evaluated.

use std::sync::Arc;

use super::{ActiveAlert, RuleSpec, State};
use crate::duration::Duration;

/// Whether a rule's last evaluation went well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    /// There was none yet.
    #[default]
    Unknown,
    /// It did.
    Good,
    /// It did not.
    Bad,
}

impl Health {
    /// The word that Prometheus' API has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Good => "ok",
            Self::Bad => "err",
        }
    }
}

/// A group, with its rules.
#[derive(Debug, Clone)]
pub struct GroupStatus {
    /// The file it is from.
    pub file: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// How often it is evaluated.
    pub interval: Duration,
    /// How many series or alerts one rule may give; zero is no limit.
    pub limit: u64,
    /// When it was last evaluated, milliseconds since the Unix epoch.
    pub last_evaluation_ms: Option<i64>,
    /// How long that took, in seconds.
    pub evaluation_seconds: f64,
    /// Its rules.
    pub rules: Vec<Arc<RuleStatus>>,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct RuleStatus {
    /// What it is.
    pub spec: Arc<RuleSpec>,
    /// Whether it does well.
    pub health: Health,
    /// What went wrong; empty if nothing.
    pub last_error: String,
    /// When it was last evaluated, milliseconds since the Unix epoch.
    pub last_evaluation_ms: Option<i64>,
    /// How long that took, in seconds.
    pub evaluation_seconds: f64,
    /// What only rules of one kind have.
    pub kind: RuleKind,
}

/// What only rules of one kind have.
#[derive(Debug, Clone)]
pub enum RuleKind {
    /// A rule that records.
    Recording,
    /// A rule that raises alerts.
    Alerting(AlertingStatus),
}

/// What a rule that raises alerts knows.
#[derive(Debug, Clone)]
pub struct AlertingStatus {
    /// Its alerts, those that are over but still told of included.
    pub alerts: Vec<ActiveAlert>,
}

impl AlertingStatus {
    /// The alerts that are not over.
    pub fn active(&self) -> impl Iterator<Item = &ActiveAlert> {
        self.alerts.iter().filter(|alert| alert.state != State::Inactive)
    }

    /// The highest state among its alerts.
    pub fn state(&self) -> State {
        self.alerts.iter().map(|alert| alert.state).max().unwrap_or(State::Inactive)
    }
}
