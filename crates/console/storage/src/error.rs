//! What can go wrong, in words for the person who can do something about it.

use std::io;
use std::path::PathBuf;

use crate::facts::Signal;

/// Why the store's folder was not opened. Nothing was changed in it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder belongs to something else.
    #[error("{} holds files but no console store; choose an empty folder, or the one of a store", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// A store of another version of this program.
    #[error("{} holds a console store of format {found}, this program reads format {expected}; \
        open it with the program that wrote it, or choose an empty folder", path.display())]
    Version {
        /// The folder.
        path: PathBuf,
        /// What its file `FORMAT` says.
        found: String,
        /// What it would have to say.
        expected: u32,
    },
    /// Another process has it.
    #[error("the console store in {} is in use by another process; stop that one, or choose another folder", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// It may be read at best.
    #[error("the console store in {} cannot be written; give this user the right to, or choose another folder", path.display())]
    ReadOnly {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Anything else that the system refused.
    #[error("the console store in {} cannot be opened", path.display())]
    Io {
        /// What could not be opened.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    pub(crate) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path, source },
            _ => Self::Io { path, source },
        }
    }
}

/// Why a batch was not taken. The sender may try again later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// The disk takes nothing, and what waits in memory has reached its bound.
    #[error("{signal} cannot be written to disk: {reason}; nothing is taken until it can")]
    Unavailable {
        /// Of what kind the batch was.
        signal: Signal,
        /// What the system said.
        reason: String,
    },
}

/// Why a read gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refused a file.
    #[error("the console store cannot be read at {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// More was selected than may be read at once.
    #[error("more than {limit} {what} were selected; narrow the selection")]
    TooMany {
        /// What there was too much of.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// Whoever asked has it stopped.
    #[error("the read was stopped before its end")]
    Stopped,
}
