//! What the outside asks of the domain: `OrderCommands` changes orders, `OrderQueries` reads them.

pub mod commands;
pub mod queries;

pub use commands::{OrderCommands, Receipt};
pub use queries::OrderQueries;

use eventsourcing::{Revision, store};

use crate::aggregate::Rejection;
use crate::{events, projections, repository};

/// Why a service could not do what it was asked. `Rejected`, `Conflict` and `Unavailable` are
/// different things: change the request, try again at once, try again later.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The order's rules refuse it.
    #[error("the command was refused")]
    Rejected(#[from] Rejection),
    /// Other writers kept changing the order.
    #[error("the order changed {attempts} times while the command was decided")]
    Conflict {
        /// How often it was tried.
        attempts: u32,
    },
    /// The order is not at the revision the client named.
    #[error("the order is at revision {}, not at {expected}", .current.map_or("none".to_owned(), |r| r.to_string()))]
    PreconditionFailed {
        /// What the client named.
        expected: Revision,
        /// Where the order is.
        current: Option<Revision>,
    },
    /// The event store could not do it.
    #[error("the event store failed")]
    Store(#[from] store::Error),
    /// A read-side engine could not do it.
    #[error("the read side failed")]
    Repository(#[from] repository::Error),
    /// The order's own history cannot be read.
    #[error("the order's history cannot be read")]
    UnreadableHistory(#[from] projections::Error),
    /// An event of the order's history cannot be read.
    #[error("an event of the order's history cannot be read")]
    UnreadableEvent(#[from] events::codec::Error),
}
