//! Rules in Prometheus' format, the alerts they raise, and who is notified of them, as Alertmanager would.
//!
//! No query language, no store and no HTTP server belong here: queries are asked of a [`query::Querier`], what is
//! recorded goes to a [`query::Appender`], and what the APIs show is given as values. What has to be logged is
//! told to the caller.

mod duration;
pub mod links;
pub mod notify;
pub mod query;
pub mod rules;
pub mod service;
pub mod slo;
pub mod template;
#[cfg(test)]
mod testing;
pub mod time;

pub use duration::{Duration, NotADuration};

use rules::Texts;

/// What is the same for all rules of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Where it is reached, without a slash at the end.
    pub external_url: String,
    /// What templates and notifications are told of it besides.
    pub external_labels: Texts,
    /// After how long somebody is told of the same alert again.
    pub resend_delay_ms: i64,
}

impl Default for Context {
    /// Nothing is known of it, and alerts are told of every minute, as Prometheus does.
    fn default() -> Self {
        Self { external_url: String::new(), external_labels: Texts::new(), resend_delay_ms: 60_000 }
    }
}

impl Context {
    /// Where a query can be seen.
    fn generator_url(&self, query: &str) -> String {
        format!("{}{}", self.external_url, links::table(query))
    }
}
