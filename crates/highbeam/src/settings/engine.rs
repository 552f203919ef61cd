//! Which engine stands behind a port: chosen by the scheme of its connection string.

use std::path::{Path, PathBuf};

use elasticsearch::Address;
use mongodb_adapter::Uri;

/// What an engine is to do; not every one can do everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// Keeps the events.
    Events,
    /// Keeps orders to be read by id and in lists.
    ReadModel,
    /// Finds orders by text.
    Search,
}

impl Port {
    /// The schemes that this port takes, for error messages.
    const fn schemes(self) -> &'static str {
        match self {
            Self::Events => "sqlite:, esdb://, kurrentdb:// (either with +discover) and memory:",
            Self::ReadModel => "sqlite:, mongodb://, mongodb+srv:// and memory:",
            Self::Search => "sqlite:, http://, https:// (Elasticsearch) and memory:",
        }
    }
}

/// An engine, as a connection string names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// `sqlite:` or `sqlite:PATH`: a file; without a path, one in the data folder.
    Sqlite(Option<PathBuf>),
    /// `esdb://`, `kurrentdb://`: a KurrentDB server or cluster.
    KurrentDb(Box<kurrentdb::Settings>),
    /// `mongodb://` or `mongodb+srv://`: MongoDB.
    Mongodb(Box<Uri>),
    /// `http://` or `https://`: Elasticsearch or OpenSearch.
    Elasticsearch(Address),
    /// `memory:`: gone with the process.
    Memory,
}

impl Engine {
    /// Reads a connection string; the error says what would be right, and not what was given.
    pub fn parse(text: &str, port: Port) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(format!("must start with a scheme; it knows {}", port.schemes()));
        };
        match (scheme, port) {
            ("sqlite", _) => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                if path.contains(['?', '\0']) {
                    return Err("takes a plain path after sqlite:, without parameters".to_owned());
                }
                Ok(Self::Sqlite((!path.is_empty()).then(|| PathBuf::from(path))))
            }
            ("memory", _) if rest.is_empty() || rest == "//" => Ok(Self::Memory),
            ("memory", _) => Err("takes nothing after memory:".to_owned()),
            (scheme, Port::Events) if kurrentdb::Settings::knows_scheme(scheme) => {
                let settings = kurrentdb::Settings::parse(text).map_err(|error| error.to_string())?;
                Ok(Self::KurrentDb(Box::new(settings)))
            }
            ("mongodb" | "mongodb+srv", Port::ReadModel) => {
                Uri::parse(text).map(Box::new).map(Self::Mongodb).map_err(|error| error.to_string())
            }
            ("http" | "https", Port::Search) => {
                Address::parse(text).map(Self::Elasticsearch).map_err(|error| error.to_string())
            }
            // The scheme alone: what follows may hold a password.
            _ => Err(format!("has a scheme that it does not know; it knows {}", port.schemes())),
        }
    }

    /// The file of an SQLite engine, `default` in `data_dir` when none is named.
    #[must_use]
    pub fn file(&self, data_dir: &Path, default: &str) -> Option<PathBuf> {
        match self {
            Self::Sqlite(Some(path)) => Some(path.clone()),
            Self::Sqlite(None) => Some(data_dir.join(default)),
            Self::KurrentDb(_) | Self::Mongodb(_) | Self::Elasticsearch(_) | Self::Memory => None,
        }
    }

    /// The engine's name in metrics.
    #[must_use]
    pub const fn backend(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::KurrentDb(_) => "kurrentdb",
            Self::Mongodb(_) => "mongodb",
            Self::Elasticsearch(_) => "elasticsearch",
            Self::Memory => "memory",
        }
    }
}
