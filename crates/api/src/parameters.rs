//! Parameters of paths and queries: read, bounded, and refused by name.

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::extract::path::{ErrorKind, Path};
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Query};
use axum::http::Uri;
use axum::http::request::Parts;
use delivery::models::OrderId;
use eventsourcing::Position;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use crate::error::Error;

/// Milliseconds that a read waits for its position at most.
const MAX_WAIT_MS: u64 = 10_000;

pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(crate) fn read(uri: &Uri) -> Result<Self, Error> {
        let query =
            Query::try_from_uri(uri).map_err(|_| Error::parameter("query", "of the form name=value&name=value"))?;
        let pairs: Vec<(String, String)> = query.0;
        let mut names: Vec<_> = pairs.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        // Which of two values counts is nothing to guess about.
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(twice) => Err(Error::parameter(twice[0], "given once")),
            None => Ok(Self(pairs)),
        }
    }

    /// The value of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn number(&self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, Error> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && range.contains(number));
        let expected = || format!("a whole number from {} to {}", range.start(), range.end());
        number.map(Some).ok_or_else(|| Error::parameter(name, &expected()))
    }

    /// `minPosition` and `waitMs`: what a read has to include, and how long it may wait for it.
    pub(crate) fn wait(&self) -> Result<Option<(Position, Duration)>, Error> {
        let position = self.number("minPosition", 0..=i64::MAX as u64)?;
        let wait = self.number("waitMs", 0..=MAX_WAIT_MS)?.unwrap_or(1_000);
        Ok(position.map(|position| (Position(position), Duration::from_millis(wait))))
    }
}

/// How these are described in OpenAPI; they are read by [`Parameters::wait`].
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "a description")]
pub(crate) struct WaitParameters {
    /// Include everything up to here: the X-Position of a command
    #[param(rename = "minPosition", maximum = 9_223_372_036_854_775_807_i64)]
    min_position: Option<u64>,
    /// How long to wait for minPosition; 1,000 unless said
    #[param(rename = "waitMs", minimum = 0, maximum = 10_000)]
    wait_ms: Option<u64>,
}

/// How this is described; it is read by `idempotency`.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "a description")]
pub(crate) struct IdempotencyHeader {
    /// Repeats with this key are one command
    #[param(rename = "Idempotency-Key", pattern = "^[!-~]{1,255}$")]
    idempotency_key: Option<String>,
}

/// How this is described; it is read by `conditional`.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "a description")]
pub(crate) struct PreconditionHeader {
    /// Only if the order is at this revision, in quotes; `*` for any
    #[param(rename = "If-Match", pattern = r#"^([*]|(W/)?"[0-9]{1,19}"(, ?(W/)?"[0-9]{1,19}")*)$"#)]
    if_match: Option<String>,
}

/// How this is described; it is read by `conditional`.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "a description")]
pub(crate) struct ValidatorHeader {
    /// 304 if the order is still at this revision, in quotes
    #[param(rename = "If-None-Match", pattern = r#"^([*]|(W/)?"[0-9]{1,19}"(, ?(W/)?"[0-9]{1,19}")*)$"#)]
    if_none_match: Option<String>,
}

/// The variable parts of a path. Unlike axum's own, what cannot be read becomes a problem.
pub(crate) struct Segments<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Segments<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path(segments) = Path::<T>::from_request_parts(parts, state).await.map_err(|rejection| {
            let name = match &rejection {
                PathRejection::FailedToDeserializePathParams(failed) => match failed.kind() {
                    ErrorKind::InvalidUtf8InPathParam { key } => key.as_str(),
                    _ => "path",
                },
                _ => "path",
            };
            Error::parameter(name, "UTF-8 behind its percent signs")
        })?;
        Ok(Self(segments))
    }
}

/// The id in a path.
pub(crate) fn order_id(text: &str) -> Result<OrderId, Error> {
    text.parse().map_err(|_| Error::parameter("id", "a UUID such as 0191e2a4-7c5e-7b3a-9f10-3f6f0c1d2e3f"))
}
