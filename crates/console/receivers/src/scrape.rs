//! Scrapes targets as Prometheus does: each on its own schedule, with `up` and the other series about the
//! scrape itself, and with marks where a series ends. What a text of metrics means is `exposition`'s business.

mod discovery;
mod fetch;
mod manager;
mod series;
mod target;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use console_model::{Labels, Text};

pub use manager::Scraper;

/// What to scrape, and within which bounds.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// The bounds.
    pub limits: Limits,
}

/// Targets that are instances of the same thing.
#[derive(Debug, Clone)]
pub struct Job {
    /// The label `job` of their series, unless a target has one of its own.
    pub name: String,
    /// How often each is scraped. Prometheus' own default is a minute.
    pub interval: Duration,
    /// How long one scrape may take; no longer than the interval.
    pub timeout: Duration,
    /// Where they are.
    pub source: Source,
}

impl Job {
    /// A job that is scraped every five seconds.
    pub fn new(name: impl Into<String>, source: Source) -> Self {
        let interval = Duration::from_secs(5);
        Self { name: name.into(), interval, timeout: interval, source }
    }
}

/// Where targets are.
#[derive(Debug, Clone)]
pub enum Source {
    /// At these places, for good.
    Static(Vec<Endpoint>),
    /// At the places that a file lists: JSON in the form of Prometheus' `file_sd`, or a URL a line. It is read
    /// again when it changes.
    File(PathBuf),
    /// In this process.
    InProcess(InProcess),
}

/// A target that is reached over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Endpoint {
    /// Such as `http://localhost:9100/metrics`, or `localhost:9100` for the same.
    pub url: String,
    /// Labels of all its series.
    pub labels: BTreeMap<String, String>,
}

/// A target in this process.
#[derive(Clone)]
pub struct InProcess {
    /// The label `instance` of its series.
    pub instance: String,
    /// Labels of all its series.
    pub labels: BTreeMap<String, String>,
    /// The content type of what it exposes, which tells the format.
    pub content_type: String,
    /// Gives what it exposes. Called from a thread that may block, but not cancelled when it takes too long.
    pub expose: Arc<dyn Fn() -> String + Send + Sync>,
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").field("instance", &self.instance).finish_non_exhaustive()
    }
}

/// Bounds of a scrape; beyond any of them the scrape fails as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Targets of all jobs together; those beyond are not scraped.
    pub targets_max: usize,
    /// Bytes of a response, unpacked.
    pub body_bytes_max: usize,
    /// Samples of one scrape.
    pub samples_max: usize,
    /// Labels of a series, those of the target and the name included.
    pub labels_max: usize,
    /// Bytes of the name of a label.
    pub label_name_bytes_max: usize,
    /// Bytes of the value of a label.
    pub label_value_bytes_max: usize,
    /// How often files of targets are looked at.
    pub reload_interval: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            targets_max: 1_000,
            body_bytes_max: 64 << 20,
            samples_max: 500_000,
            labels_max: 64,
            label_name_bytes_max: 512,
            label_value_bytes_max: 4_096,
            reload_interval: Duration::from_secs(5),
        }
    }
}

/// What is wrong with a configuration, all of it, a line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Invalid(pub Vec<String>);

/// Whether the last scrape went well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    /// There was none yet.
    #[default]
    Unknown,
    /// It did.
    Up,
    /// It did not.
    Down,
}

impl Health {
    /// The word that Prometheus' API has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What is known of a target, as `/api/v1/targets` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetStatus {
    /// The job it belongs to.
    pub job: Text,
    /// Where it is scraped.
    pub url: String,
    /// Labels of all its series.
    pub labels: Labels,
    /// What was known of it before.
    pub discovered_labels: Labels,
    /// How often it is scraped.
    pub interval: Duration,
    /// How long a scrape may take.
    pub timeout: Duration,
    /// Whether the last scrape went well.
    pub health: Health,
    /// What went wrong in the last scrape; empty if nothing.
    pub last_error: String,
    /// When it was scraped last, milliseconds since the Unix epoch.
    pub last_scrape_ms: Option<i64>,
    /// How long that took.
    pub last_duration: Duration,
    /// How many samples it gave.
    pub last_samples: u64,
}
