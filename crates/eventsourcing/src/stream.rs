//! Where an event stands: its stream, its revision there, its position in the whole store.

use std::fmt;
use std::sync::Arc;

/// The name of a stream, for instance `order-018f…`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(Arc<str>);

impl StreamId {
    /// Names a stream. Any text is a valid name to the kernel; domains give names their form.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// The zero-based place of an event in its stream. The first event has revision 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision of a stream's first event.
    pub const FIRST: Self = Self(0);

    /// The revision after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The place of an event in the whole store: strictly increasing in commit order, with gaps allowed.
/// Engines choose the scale, so only comparison means anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

impl Position {
    /// Before the first event: no event ever has this position.
    pub const START: Self = Self(0);
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a writer believes about a stream when it appends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedRevision {
    /// The stream has no event yet.
    NoStream,
    /// The stream's last event has exactly this revision.
    Exact(Revision),
}

impl ExpectedRevision {
    /// The revision that the first event appended under this expectation gets.
    #[must_use]
    pub const fn first_appended(self) -> Revision {
        match self {
            Self::NoStream => Revision::FIRST,
            Self::Exact(revision) => revision.next(),
        }
    }

    /// The expectation that holds for a stream whose last revision is `last`.
    #[must_use]
    pub const fn after(last: Option<Revision>) -> Self {
        match last {
            None => Self::NoStream,
            Some(revision) => Self::Exact(revision),
        }
    }
}
