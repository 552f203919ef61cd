//! Why a query has no answer. What a status code is made of it is the caller's business.

use crate::StorageError;

/// Why a query has no answer. The texts are those of Prometheus where it has one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is no PromQL, or does not fit its types: `1:5: parse error: unexpected end of input`.
    #[error("{0}")]
    Parse(String),
    /// What was asked beside the query is wrong: a step of zero, an end before the start, too many steps.
    #[error("{0}")]
    Invalid(String),
    /// The evaluation came upon what has no answer, such as two series of the same labels.
    #[error("{0}")]
    Execution(String),
    /// More samples than may be in memory at once.
    #[error("query processing would load too many samples into memory in query execution")]
    TooManySamples,
    /// More series than a query may touch.
    #[error("query touches more than {0} series; narrow its selectors, for example by a label: {{job=\"api\"}}")]
    TooManySeries(usize),
    /// It took longer than it may.
    #[error("query timed out in expression evaluation")]
    Timeout,
    /// The one who asked has left.
    #[error("query was canceled in expression evaluation")]
    Canceled,
    /// The storage failed.
    #[error("the storage failed to read the series that the query selects")]
    Storage(#[source] StorageError),
}
