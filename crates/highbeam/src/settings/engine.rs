//! Which engine stands behind a port: chosen by the scheme of its connection string.

use std::path::{Path, PathBuf};

/// An engine, as a connection string names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// `sqlite:` or `sqlite:PATH`: a file; without a path, one in the data folder.
    Sqlite(Option<PathBuf>),
    /// `memory:`: gone with the process.
    Memory,
}

impl Engine {
    /// Reads a connection string; the error says what would be right, and not what was given.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err("must start with a scheme; this build knows sqlite: and memory:".to_owned());
        };
        match scheme {
            "sqlite" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                if path.contains(['?', '\0']) {
                    return Err("takes a plain path after sqlite:, without parameters".to_owned());
                }
                Ok(Self::Sqlite((!path.is_empty()).then(|| PathBuf::from(path))))
            }
            "memory" if rest.is_empty() || rest == "//" => Ok(Self::Memory),
            "memory" => Err("takes nothing after memory:".to_owned()),
            // The scheme alone: what follows may hold a password.
            _ => Err("has a scheme that this build does not know; it knows sqlite: and memory:".to_owned()),
        }
    }

    /// The file of an SQLite engine, `default` in `data_dir` when none is named.
    #[must_use]
    pub fn file(&self, data_dir: &Path, default: &str) -> Option<PathBuf> {
        match self {
            Self::Sqlite(Some(path)) => Some(path.clone()),
            Self::Sqlite(None) => Some(data_dir.join(default)),
            Self::Memory => None,
        }
    }

    /// The engine's name in metrics.
    #[must_use]
    pub const fn backend(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Memory => "memory",
        }
    }
}
