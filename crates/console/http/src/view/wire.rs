//! What the page API sends: the types of its answers, as they stand in the OpenAPI document. How they are
//! filled is not said here.
//!
//! Answers borrow from what they are made of, so that a trace of many spans is written without copies.

mod overview;
mod trace;

use std::borrow::Cow;
use std::fmt;

pub use overview::*;
use serde::{Serialize, Serializer};
pub use trace::*;
use utoipa::ToSchema;

/// A moment: nanoseconds since the Unix epoch, as decimal text, for JavaScript's numbers are too coarse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, pattern = "^[0-9]{1,20}$", example = "1795600800000000000")]
pub struct Time(pub u64);

/// A length of time, or an offset from the start of a trace: nanoseconds, as decimal text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, pattern = "^[0-9]{1,20}$", example = "1500000")]
pub struct Nanoseconds(pub u64);

impl Time {
    /// The moment of this many milliseconds since the Unix epoch; the epoch for one before it.
    pub fn from_ms(ms: i64) -> Self {
        Self(u64::try_from(ms).unwrap_or(0).saturating_mul(1_000_000))
    }

    /// The moment of a time that may be unknown, which the store writes as 0 or less.
    pub fn known(ns: i64) -> Option<Self> {
        u64::try_from(ns).ok().filter(|ns| *ns > 0).map(Self)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Serialize for Nanoseconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Something that writes itself as JSON text by its `Display`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<T>(pub T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct Failure {
    /// The one failure.
    pub error: FailureMessage,
}

/// See [`Failure`].
#[derive(Debug, Serialize, ToSchema)]
pub struct FailureMessage {
    /// What was wrong, where, and an example of what would be right.
    #[schema(value_type = String)]
    pub message: Cow<'static, str>,
}
