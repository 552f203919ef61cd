//! Why a query is none, and why one gave nothing. Which status tells it over HTTP is the caller's business.

/// Says why a text is no query, in Loki's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// At a place in the text, counted from 1.
    #[error("parse error at line {line}, col {column}: {message}")]
    At {
        /// The line.
        line: usize,
        /// The character in that line.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// With the query as a whole.
    #[error("parse error : {message}")]
    Whole {
        /// What is wrong.
        message: String,
    },
}

impl ParseError {
    pub(crate) fn whole(message: impl Into<String>) -> Self {
        Self::Whole { message: message.into() }
    }
}

/// Says why a query gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// It is no query.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// It asks for something that cannot be: sending it again would not help.
    #[error("{0}")]
    Asked(String),
    /// It needs more than it may take.
    #[error("{0}")]
    Limit(String),
    /// Nobody waits for the answer any more.
    #[error("the query was cancelled")]
    Stopped,
    /// Lines could not be read.
    #[error("lines could not be read")]
    Source(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl QueryError {
    pub(crate) fn asked(message: impl Into<String>) -> Self {
        Self::Asked(message.into())
    }

    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::Limit(message.into())
    }
}
