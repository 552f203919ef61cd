//! MongoDB behind the port of the order read model, by its official driver. No rule about orders belongs
//! here, and nothing of the engine is visible outside but its address and errors.
//!
//! It does without transactions, which a single server has not. What belongs together is in one document:
//! which generation is live, which is being built, and how far each is. Orders are written under the guard
//! of their revision before the checkpoint moves; a reader who has read makes sure that the generation is
//! live still.

mod check;
mod connection;
mod documents;
mod failure;
mod generations;
mod live;
mod read_model;
mod state;
mod store;
mod uri;
mod writes;

pub use check::{CheckError, check};
pub use uri::{Uri, UriError};

use std::collections::HashSet;
use std::sync::Mutex;

use connection::Connection;
use progress::Progress;
use secrecy::SecretString;

/// Names the port in errors.
const ENGINE: &str = "order read model";

/// Where the read model is kept.
#[derive(Debug, Clone)]
pub struct Config {
    /// The engine.
    pub uri: Uri,
    /// User and password where the URI names none.
    pub credential: Option<(String, SecretString)>,
    /// The database where the URI names none.
    pub database: String,
    /// What the names of all collections start with.
    pub name: String,
    /// Statements of one command at most.
    pub statements_max: usize,
}

/// Statements of one command, unless somebody has a reason for fewer.
pub const STATEMENTS_MAX: usize = 500;

/// The order read model, and the projection behind it. Cheap to open: the engine is asked when it is needed
/// first, so that it may come up later than this program.
pub struct OrderReadModel {
    connection: Connection,
    progress: Progress,
    /// Generations whose collections are known to have their indexes.
    prepared: Mutex<HashSet<u32>>,
    /// Changes of one process take turns: all of them end at one document.
    turns: tokio::sync::Mutex<()>,
}

impl OrderReadModel {
    /// Prepares to speak with the engine.
    #[must_use]
    pub fn open(config: Config) -> Self {
        Self {
            connection: Connection::new(config),
            progress: Progress::asking_every(live::TICK),
            prepared: Mutex::default(),
            turns: tokio::sync::Mutex::default(),
        }
    }
}
