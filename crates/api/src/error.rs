//! Everything that can go wrong, in one table: it makes the answers and it makes their description in
//! OpenAPI, so that the two cannot drift apart.
//!
//! A problem is turned into its answer by the middleware, which knows the request.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use delivery::aggregate::Rejection;
use delivery::models::{Violation, Violations};
use delivery::{repository, services};
use eventsourcing::{store, with_causes};

/// A kind of problem (RFC 9457).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The body is not JSON.
    MalformedJson,
    /// A parameter or header cannot be read.
    InvalidParameter,
    /// `/admin` needs the token.
    Unauthorized,
    /// `/admin` is not for this peer.
    Forbidden,
    /// There is no such order, projection or parked event.
    NotFound,
    /// There is no such route.
    UnknownRoute,
    /// The route does not know the method.
    MethodNotAllowed,
    /// The order's status does not allow the command.
    IllegalTransition,
    /// The order is already as the command would make it.
    AlreadyApplied,
    /// The order exists already.
    AlreadyExists,
    /// Other writers kept coming first.
    ConcurrentChange,
    /// The first request with this idempotency key is still running.
    KeyInUse,
    /// The projection is not in a state for this.
    ProjectionState,
    /// `If-Match` names another revision.
    PreconditionFailed,
    /// The body is too large.
    BodyTooLarge,
    /// The body is not announced as JSON.
    UnsupportedMediaType,
    /// Fields of the body are wrong.
    Validation,
    /// The idempotency key was used for another request.
    KeyReused,
    /// Too many requests.
    RateLimited,
    /// Our fault.
    Internal,
    /// An engine cannot be used right now.
    Unavailable,
    /// The request took too long.
    DeadlineExceeded,
    /// The read side is not at the position that was asked for.
    PositionNotReached,
}

/// A row of the table.
struct Row {
    slug: &'static str,
    status: StatusCode,
    title: &'static str,
    /// Seconds after which trying again makes sense.
    retry_after: Option<u32>,
}

const fn row(slug: &'static str, status: StatusCode, title: &'static str, retry_after: Option<u32>) -> Row {
    Row { slug, status, title, retry_after }
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 23] = [
        Self::MalformedJson,
        Self::InvalidParameter,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::UnknownRoute,
        Self::MethodNotAllowed,
        Self::IllegalTransition,
        Self::AlreadyApplied,
        Self::AlreadyExists,
        Self::ConcurrentChange,
        Self::KeyInUse,
        Self::ProjectionState,
        Self::PreconditionFailed,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::Validation,
        Self::KeyReused,
        Self::RateLimited,
        Self::Internal,
        Self::Unavailable,
        Self::DeadlineExceeded,
        Self::PositionNotReached,
    ];

    const fn row(self) -> Row {
        use StatusCode as S;
        match self {
            Self::MalformedJson => row("malformed-json", S::BAD_REQUEST, "The body is not JSON", None),
            Self::InvalidParameter => row("invalid-parameter", S::BAD_REQUEST, "A parameter cannot be read", None),
            Self::Unauthorized => row("unauthorized", S::UNAUTHORIZED, "The admin token is missing or wrong", None),
            Self::Forbidden => row("forbidden", S::FORBIDDEN, "Not allowed from here", None),
            Self::NotFound => row("not-found", S::NOT_FOUND, "There is no such thing", None),
            Self::UnknownRoute => row("unknown-route", S::NOT_FOUND, "There is no such route", None),
            Self::MethodNotAllowed => {
                row("method-not-allowed", S::METHOD_NOT_ALLOWED, "The route does not know this method", None)
            }
            Self::IllegalTransition => {
                row("illegal-transition", S::CONFLICT, "The order's status does not allow this", None)
            }
            Self::AlreadyApplied => row("already-applied", S::CONFLICT, "The order is like this already", None),
            Self::AlreadyExists => row("already-exists", S::CONFLICT, "The order exists already", None),
            Self::ConcurrentChange => row("concurrent-change", S::CONFLICT, "Others kept changing the order", Some(1)),
            Self::KeyInUse => {
                row("idempotency-key-in-use", S::CONFLICT, "The first request with this key is still running", Some(1))
            }
            Self::ProjectionState => row("projection-state", S::CONFLICT, "The projection cannot do this now", None),
            Self::PreconditionFailed => {
                row("precondition-failed", S::PRECONDITION_FAILED, "The order is at another revision", None)
            }
            Self::BodyTooLarge => row("body-too-large", S::PAYLOAD_TOO_LARGE, "The body is too large", None),
            Self::UnsupportedMediaType => {
                row("unsupported-media-type", S::UNSUPPORTED_MEDIA_TYPE, "The body has to be application/json", None)
            }
            Self::Validation => row("validation", S::UNPROCESSABLE_ENTITY, "Fields of the body are wrong", None),
            Self::KeyReused => row(
                "idempotency-key-reused",
                S::UNPROCESSABLE_ENTITY,
                "The idempotency key was used for another request",
                None,
            ),
            Self::RateLimited => row("rate-limited", S::TOO_MANY_REQUESTS, "Too many requests", Some(1)),
            Self::Internal => row("internal", S::INTERNAL_SERVER_ERROR, "Something went wrong here", None),
            Self::Unavailable => row("unavailable", S::SERVICE_UNAVAILABLE, "The service cannot do this now", Some(1)),
            Self::DeadlineExceeded => {
                row("deadline-exceeded", S::SERVICE_UNAVAILABLE, "The request took too long", Some(1))
            }
            Self::PositionNotReached => {
                row("position-not-reached", S::SERVICE_UNAVAILABLE, "The read side has not come so far yet", Some(1))
            }
        }
    }

    /// The `type` of the problem: a relative URI that tells kinds of the same status apart.
    #[must_use]
    pub fn uri(self) -> String {
        format!("/problems/{}", self.row().slug)
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.row().status
    }

    /// What is wrong, the same for every problem of the kind.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().title
    }

    /// `Retry-After`, in seconds.
    #[must_use]
    pub const fn retry_after(self) -> Option<u32> {
        self.row().retry_after
    }
}

/// A problem with one request.
#[derive(Debug, Clone)]
pub(crate) struct Error {
    pub(crate) kind: Kind,
    /// What is wrong with this very request, for the client. Never an inner cause.
    pub(crate) detail: String,
    pub(crate) violations: Vec<Violation>,
    /// The inner causes, for the log.
    pub(crate) cause: Option<String>,
}

impl Error {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), violations: Vec::new(), cause: None }
    }

    /// A parameter that cannot be read, with what would be right.
    pub(crate) fn parameter(name: &str, expected: &str) -> Self {
        let mut error = Self::new(Kind::InvalidParameter, format!("{name} must be {expected}"));
        error.violations.push(Violation { pointer: name.to_owned(), detail: format!("must be {expected}") });
        error
    }

    /// Fixed text outside, the causes inside.
    pub(crate) fn caused(kind: Kind, cause: &dyn std::error::Error) -> Self {
        let mut error = Self::new(kind, fixed_detail(kind));
        error.cause = Some(with_causes(cause));
        error
    }
}

const fn fixed_detail(kind: Kind) -> &'static str {
    match kind {
        Kind::Unavailable => "a part that this request needs cannot be reached; try again later",
        Kind::DeadlineExceeded => "the request was given up; a command may have been carried out all the same",
        _ => "the failure has been logged under the trace id",
    }
}

impl From<Violations> for Error {
    fn from(violations: Violations) -> Self {
        Self {
            violations: violations.0,
            ..Self::new(Kind::Validation, "each entry of errors names a field and its fault")
        }
    }
}

impl From<services::Error> for Error {
    fn from(error: services::Error) -> Self {
        match &error {
            services::Error::Rejected(rejection) => {
                let kind = match rejection {
                    Rejection::NotFound => Kind::NotFound,
                    Rejection::AlreadyExists => Kind::AlreadyExists,
                    Rejection::AlreadyApplied { .. } => Kind::AlreadyApplied,
                    Rejection::IllegalTransition { .. } => Kind::IllegalTransition,
                };
                Self::new(kind, rejection.to_string())
            }
            services::Error::Conflict { .. } => Self::new(Kind::ConcurrentChange, error.to_string()),
            services::Error::PreconditionFailed { .. } => Self::new(Kind::PreconditionFailed, error.to_string()),
            services::Error::Store(store::Error::Unavailable { .. })
            | services::Error::Repository(repository::Error::Unavailable { .. }) => {
                Self::caused(Kind::Unavailable, &error)
            }
            _ => Self::caused(Kind::Internal, &error),
        }
    }
}

impl From<repository::Error> for Error {
    fn from(error: repository::Error) -> Self {
        services::Error::from(error).into()
    }
}

impl IntoResponse for Error {
    /// Only the status, and the problem itself for the middleware to write.
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_has_a_type_of_its_own() {
        let uris: HashSet<_> = Kind::ALL.into_iter().map(Kind::uri).collect();
        assert_eq!(uris.len(), Kind::ALL.len());
    }

    #[test]
    fn whoever_is_told_to_come_back_is_told_when() {
        for kind in Kind::ALL {
            let must = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&kind.status());
            assert!(!must || kind.retry_after().is_some(), "{kind:?}");
        }
    }

    #[test]
    fn an_inner_cause_is_for_the_log_only() {
        let inner = store::Error::unavailable("disk sda1 is full");
        let error = Error::from(services::Error::from(inner));
        assert_eq!(error.kind, Kind::Unavailable);
        assert!(!error.detail.contains("sda1"));
        assert!(error.cause.unwrap().contains("sda1"));
    }
}
