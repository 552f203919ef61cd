//! Elasticsearch behind the port of order search, by its REST API, in the part of it that Elasticsearch 8
//! and OpenSearch 2 have in common. No rule about orders belongs here, and nothing of the engine is
//! visible outside but its address and errors.
//!
//! A generation of the projection is an index of its own, `NAME.v000001`, which holds documents, parked
//! events and the checkpoint, so that all of them come and go at once. Readers look through the alias
//! `NAME`; promoting a generation moves it in one step. Writes go through `NAME.g1`, so that a late one
//! finds nothing where a generation is gone, instead of making an index of that name.

mod address;
mod bulk;
mod check;
mod documents;
mod failure;
mod generations;
mod live;
mod schema;
mod search;
mod store;
mod transport;
mod words;

pub use address::{Address, AddressError};
pub use check::{CheckError, check};
pub use schema::{Name, NameError};
pub use transport::OpenError;

use progress::Progress;
use transport::Client;

/// Names the port in errors.
const ENGINE: &str = "order search";

/// Where the search is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The engine.
    pub address: Address,
    /// What the aliases and indexes are called there.
    pub name: Name,
}

/// The order search, and the projection behind it. Cheap to open: the engine is asked when it is needed
/// first, so that it may come up later than this program.
pub struct OrderSearch {
    client: Client,
    name: Name,
    progress: Progress,
    /// Held by whoever makes the first index, so that others wait for that instead of trying as well.
    making: tokio::sync::Mutex<()>,
}

impl OrderSearch {
    /// Prepares to speak with the engine.
    ///
    /// # Errors
    /// When this machine's certificates are needed (`https://`) and cannot be read.
    pub fn open(config: &Config) -> Result<Self, OpenError> {
        Ok(Self {
            client: Client::new(&config.address)?,
            name: config.name.clone(),
            progress: Progress::asking_every(live::TICK),
            making: tokio::sync::Mutex::default(),
        })
    }
}
