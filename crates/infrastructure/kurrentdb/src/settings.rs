//! Connection strings: `esdb://` and `kurrentdb://`, as the engine's own clients read them. What an
//! option does is decided where it is used; here is what may stand there, and what stands for nothing.
//!
//! No error repeats what was given, apart from the name of an option: any of it may be a password.

mod parse;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

/// The port of a server that names none.
pub const PORT: u16 = 2113;
/// More seeds than any cluster has nodes.
pub(crate) const HOSTS_MAX: usize = 16;

/// Why a connection string cannot be used, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub(crate) String);

/// How to reach a server or a cluster.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    pub(crate) hosts: Vec<Address>,
    /// The one host is a name whose addresses are those of the cluster's nodes.
    pub(crate) discovers: bool,
    pub(crate) credentials: Option<Credentials>,
    /// `None` for plain text.
    pub(crate) tls: Option<Tls>,
    pub(crate) node_preference: NodePreference,
    pub(crate) connection_name: Option<String>,
    pub(crate) discover_attempts_max: u32,
    pub(crate) discovery_interval: Duration,
    pub(crate) gossip_timeout: Duration,
    pub(crate) deadline: Duration,
    /// `None` for never.
    pub(crate) keep_alive_interval: Option<Duration>,
    pub(crate) keep_alive_timeout: Duration,
}

/// Where a node is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// What its certificate is for, when that is not the host.
    pub(crate) certificate_name: Option<String>,
}

impl Address {
    pub(crate) fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, certificate_name: None }
    }

    /// As it stands in a URL.
    pub(crate) fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

/// Who asks.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: SecretString,
}

impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        self.user == other.user && self.password.expose_secret() == other.password.expose_secret()
    }
}

impl Eq for Credentials {}

/// How to trust, and be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tls {
    /// Whether the server has to prove who it is.
    pub(crate) verifies: bool,
    /// The certificates to trust; `None` for the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// A certificate of the client's own, and its key.
    pub(crate) user: Option<(PathBuf, PathBuf)>,
}

/// Which nodes are to be followed. Everything else is the leader's: it alone has what was written last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodePreference {
    Leader,
    Follower,
    ReadOnlyReplica,
    Random,
}

impl Settings {
    /// Reads a connection string:
    /// `esdb://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]…][?OPTION=VALUE[&…]]`, with `kurrentdb`,
    /// `kurrent` or `kdb` for `esdb`, and `+discover` behind it for a name that stands for a cluster.
    /// Several hosts are gossip seeds of one cluster.
    ///
    /// Options, in any case: `tls` (true), `tlsVerifyCert` (true), `tlsCaFile`, `userCertFile` and
    /// `userKeyFile`, `connectionName`, `nodePreference` (leader), `maxDiscoverAttempts` (10),
    /// `discoveryInterval` (100 ms), `gossipTimeout` (5 s), `defaultDeadline` (10 000 ms),
    /// `keepAliveInterval` and `keepAliveTimeout` (10 000 ms; -1 for never), `dnsDiscover` (false) and
    /// `throwOnAppendFailure`, which has no meaning here.
    ///
    /// # Errors
    /// When it is none, or has an option that is not known; see [`Error`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        parse::connection_string(text)
    }

    /// Whether a scheme is one of this engine's.
    #[must_use]
    pub fn knows_scheme(scheme: &str) -> bool {
        let name = scheme.strip_suffix(parse::DISCOVER).unwrap_or(scheme);
        parse::SCHEMES.contains(&name)
    }

    /// Where the engine is, for people: hosts and nothing else.
    #[must_use]
    pub fn hosts(&self) -> String {
        self.hosts.iter().map(Address::authority).collect::<Vec<_>>().join(",")
    }

    /// Whether who leads has to be asked for.
    pub(crate) fn is_cluster(&self) -> bool {
        self.discovers || self.hosts.len() > 1
    }
}

impl fmt::Debug for Settings {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("hosts", &self.hosts())
            .field("discovers", &self.discovers)
            .field("has_credentials", &self.credentials.is_some())
            .field("tls", &self.tls)
            .field("node_preference", &self.node_preference)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
