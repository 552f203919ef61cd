//! Rules: read from files in Prometheus' format, evaluated in groups, and what they say of themselves. Who is
//! notified of an alert is `notify`'s business.

mod active;
mod alerting;
pub mod check;
mod evaluate;
pub mod file;
mod files;
mod group;
mod manager;
mod recording;
mod restore;
mod status;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::duration::Duration;

pub use active::{ActiveAlert, State};
pub use evaluate::Counts;
pub use files::{FileState, Source, groups};
pub use group::{Group, Means};
pub use manager::{Configuration, Due, Reloaded, Rules};
pub use restore::{FOR_GRACE_MS, OUTAGE_TOLERANCE_MS};
pub use status::{AlertingStatus, GroupStatus, Health, RuleKind, RuleStatus};

/// Names and values that a person gave.
pub type Texts = BTreeMap<String, String>;

/// A group as its file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupSpec {
    /// The file, as it was named.
    pub file: Arc<str>,
    /// The name, unique in the file.
    pub name: Arc<str>,
    /// How often its rules are evaluated.
    pub interval: Duration,
    /// How far in the past they are evaluated, so that late samples are there.
    pub query_offset: Duration,
    /// How many series or alerts one rule may give; zero is no limit.
    pub limit: u64,
    /// Its rules, in the order in which they are evaluated.
    pub rules: Vec<Arc<RuleSpec>>,
}

/// A rule as its file has it, the labels of its group included.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSpec {
    /// The name of the series, or of the alert.
    pub name: String,
    /// The query, as the language itself writes it.
    pub query: String,
    /// Labels that it sets.
    pub labels: Texts,
    /// What it is for.
    pub kind: Kind,
}

/// What a rule is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// It keeps what the query gives under its name.
    Recording,
    /// It raises an alert for each element that the query gives.
    Alerting {
        /// How long an element has to be there before its alert fires.
        hold: Duration,
        /// How long its alert goes on to fire when the element is gone.
        keep_firing: Duration,
        /// What is told with the alert.
        annotations: Texts,
    },
}
