//! What rules need of others: answers to queries, and a place for what they record. The query language and the
//! store behind it are not known here.

use std::sync::Arc;

use console_model::{Labels, Sample, SampleBatch, SeriesSamples};

/// One element of what an instant query gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// Its labels, the name included; none of a scalar.
    pub labels: Labels,
    /// Its value.
    pub value: f64,
}

/// Why a query has no answer, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QueryError(pub String);

/// Answers queries. Calls may take as long as a query may; they are made where that does no harm.
pub trait Querier: Send + Sync {
    /// The query as the language itself would write it; MUST fail exactly if [`Querier::instant`] could not even
    /// begin with it.
    ///
    /// # Errors
    /// In the words of the language's parser.
    fn check(&self, query: &str) -> Result<String, QueryError>;

    /// What the query gives at a time. A scalar MUST come as one element without labels; text or ranges MUST be
    /// an error, for rules have no use for them. Elements are sorted as the language sorts them.
    ///
    /// # Errors
    /// When the query is none, needs more than it may, or what it reads cannot be read.
    fn instant(&self, query: &str, time_ms: i64) -> Result<Vec<Evaluated>, QueryError>;

    /// The last sample of each series with all of these labels in `from_ms..=to_ms`; marks of a series' end MUST
    /// be given as the samples they are.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn last(&self, labels: &[(&str, &str)], from_ms: i64, to_ms: i64) -> Result<Vec<(Labels, Sample)>, QueryError>;
}

/// What was not taken of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Left {
    /// Samples older than what their series has.
    pub out_of_order: u64,
    /// Samples too old to be kept at all.
    pub too_old: u64,
    /// Samples for a time that has another value already.
    pub duplicate: u64,
    /// Samples of series beyond the limit of series.
    pub over_series_limit: u64,
}

/// Takes what rules record. A batch that was taken MUST be seen by queries from then on.
pub trait Appender: Send + Sync {
    /// Takes samples.
    ///
    /// # Errors
    /// When nothing at all was taken.
    fn append(&self, batch: SampleBatch) -> Result<Left, QueryError>;
}

/// What rules are given.
#[derive(Clone)]
pub struct Ports {
    /// Answers queries.
    pub querier: Arc<dyn Querier>,
    /// Takes what they record.
    pub appender: Arc<dyn Appender>,
}

/// A series with one sample.
pub(crate) fn series(labels: Labels, time_ms: i64, value: f64) -> SeriesSamples {
    SeriesSamples { labels, samples: vec![Sample { time_ms, value }], histograms: Vec::new(), exemplars: Vec::new() }
}
